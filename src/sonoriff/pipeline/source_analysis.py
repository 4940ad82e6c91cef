"""Tempo, bars and key of a source, which condition what is painted beside or over it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.beats import SAMPLE_RATE, Beats, Waveform, find_beats
from sonoriff.analysis.key import chroma_of_picture, chroma_of_waveform, key_of_chroma
from sonoriff.audio import resample
from sonoriff.models.protocol import Model
from sonoriff.music import KEYS, bar_seconds
from sonoriff.pipeline.guidance import Guidance
from sonoriff.pipeline.guides import facts_from_settings, guide_from_settings
from sonoriff.pipeline.latent_codec import painted_sonogram, picture_from_latents
from sonoriff.pipeline.settings import Sampling
from sonoriff.sonogram.codec import decode
from sonoriff.sonogram.filter_bank import AMPLITUDE_FLOOR, row_frequencies
from sonoriff.sonogram.sonogram import Sonogram

# Analyse at most this much of the source; the tempo may drift.
_LISTEN_S = 20.0
# The key may change sooner than the tempo does.
_LISTEN_KEY_S = 8.0
# Over longer stretches the conditioned beats would drift from those of the source.
_ONE_PULSE_S = 24.0
# A requested tempo counts as the source's own within this tolerance, octaves aside.
_SAME_TEMPO = 0.04
# 90 % of clips in a key correlate with it at least this well; 70 % of drums and noises do not.
PLAIN_KEY = 0.65
# Generated music is usually in a key, though less clearly; typing usually falls below this.
LIKELY_KEY = 0.5


@dataclass(frozen=True)
class Pulse:
    """Beats a minute, and a time of the source, in seconds, at which a bar begins."""

    bpm: float
    bar_s: float

    def since_bar_s(self, time_s: float) -> float:
        """Seconds from the beginning of a bar to a time, which may lie outside the source."""
        return (time_s - self.bar_s) % bar_seconds(self.bpm)


@dataclass(frozen=True)
class Heard:
    """Pulse and key, such as ("D", "minor"), of a source near a time; None where unclear."""

    pulse: Pulse | None
    key: tuple[str, str] | None


def listen(model: Model, source: Sonogram, near_s: float) -> Heard:
    """Analyse a source near a time in seconds; empty for a model without such conditions."""
    if not model.takes_facts:
        return Heard(None, None)
    rate = source.params.frames_per_second
    last = min(source.n_frames, max(round(near_s * rate), 0) + round(_LISTEN_S * rate / 2))
    first = max(0, last - round(_LISTEN_S * rate))
    part = Sonogram(source.values[..., first:last], source.params)
    decoded = decode(part, quality="fast").mean(axis=0, keepdims=True)
    sound = resample(decoded, part.params.sample_rate, SAMPLE_RATE)[0]
    beats = find_beats(sound)
    pulse = Pulse(beats.bpm, first / rate + _bar(beats)) if beats.found else None
    length = round(_LISTEN_KEY_S * SAMPLE_RATE)
    begin = round((near_s - first / rate) * SAMPLE_RATE) - length // 2
    begin = max(0, min(begin, len(sound) - length))
    return Heard(pulse, find_key(sound[begin : begin + length], SAMPLE_RATE))


def _bar(beats: Beats) -> float:
    """Start of a bar: the circular mean of all detected bar positions."""
    turns = 2.0 * np.pi * np.array(beats.bars_s) / bar_seconds(beats.bpm)
    mean = np.angle(np.exp(1j * turns).mean()) / (2.0 * np.pi)
    return float(mean * bar_seconds(beats.bpm))


def find_key(
    waveform: Waveform, sample_rate: int, least: float = PLAIN_KEY
) -> tuple[str, str] | None:
    """Key and mode, such as ("D", "minor"), of a sound (T,).

    None where its notes are not as like any key as `least`, a correlation.
    """
    return _plain_key(chroma_of_waveform(waveform, sample_rate), least)


def _plain_key(chroma: npt.NDArray[np.floating], least: float) -> tuple[str, str] | None:
    key = key_of_chroma(chroma)
    return (KEYS[key.tonic], key.mode) if key.correlation > least else None


def key_of_latents(model: Model, latents: npt.NDArray[np.float32]) -> tuple[str, str] | None:
    """The key of what a model painted, (1, C, H, W); None where that is like none."""
    if not model.takes_facts:
        return None
    picture = painted_sonogram(model, picture_from_latents(model, latents)[:, :1], {})
    levels = picture.values[-1]
    if model.params.scale != "log":
        levels = 20.0 * np.log10(np.maximum(levels, AMPLITUDE_FLOOR))
    return _plain_key(chroma_of_picture(levels, row_frequencies(model.params)), LIKELY_KEY)


def guide_as_heard(
    model: Model, sampling: Sampling, heard: Heard, first_s: float = 0.0, over_s: float = 0.0
) -> tuple[Guidance, float | None]:
    """Guidance from settings, with the source's tempo and key where the settings name none.

    Parameters
    ----------
    heard : in the source
    first_s : the time in the source at which painting begins; before the source below 0
    over_s : so long a stretch of the source is painted over

    Returns
    -------
    the guide, and the seconds from the beginning of a bar to there, None where what is
    painted need not have the source's beats, or where it is so long that these would drift
    """
    facts = facts_from_settings(model, sampling)
    if facts.key is None and heard.key is not None:
        facts = replace(facts, key=heard.key[0], mode=heard.key[1])
    pulse = heard.pulse
    if pulse is not None and facts.bpm is not None:
        octaves = np.log2(facts.bpm / pulse.bpm)
        same = abs(octaves - round(octaves)) < np.log2(1.0 + _SAME_TEMPO)
        pulse = Pulse(facts.bpm, pulse.bar_s) if same else None
    since = None
    if pulse is not None:
        facts = replace(facts, bpm=pulse.bpm)
        since = pulse.since_bar_s(first_s) if over_s <= _ONE_PULSE_S else None
    return guide_from_settings(model, sampling, facts), since
