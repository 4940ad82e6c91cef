"""The tempo and the bars of a source, told to the model for what it paints beside or over it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sonoriff.audio import resample
from sonoriff.corpus.beats import Beats, find_beats
from sonoriff.corpus.windows import SAMPLE_RATE
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import Model
from sonoriff.pipeline.guides import facts_from_settings, guide_from_settings
from sonoriff.pipeline.paint import Guide
from sonoriff.pipeline.settings import Sampling
from sonoriff.sonogram.codec import decode
from sonoriff.sonogram.sonogram import Sonogram

# So much of a source is listened to: music may change its tempo.
_LISTEN_S = 20.0
_BAR_BEATS = 4
# A tempo that was asked for is the source's own within this share, octaves apart.
_SAME_TEMPO = 0.04


@dataclass(frozen=True)
class Pulse:
    """Beats a minute, and a time of the source, in seconds, at which a bar begins."""

    bpm: float
    bar_s: float

    def since_bar_s(self, time_s: float) -> float:
        """Seconds from the beginning of a bar to a time, which may lie outside the source."""
        return (time_s - self.bar_s) % (_BAR_BEATS * 60.0 / self.bpm)


def find_pulse(sonogram: Sonogram, near_s: float) -> Pulse | None:
    """The pulse of a source near a time; None where there is none to be sure of."""
    rate = sonogram.params.frames_per_second
    last = min(sonogram.n_frames, max(round(near_s * rate), 0) + round(_LISTEN_S * rate / 2))
    first = max(0, last - round(_LISTEN_S * rate))
    part = Sonogram(sonogram.values[..., first:last], sonogram.params)
    waveform = decode(part, quality="fast").mean(axis=0, keepdims=True)
    beats = find_beats(resample(waveform, part.params.sample_rate, SAMPLE_RATE)[0])
    if not beats.found:
        return None
    return Pulse(beats.bpm, first / rate + _bar(beats))


def _bar(beats: Beats) -> float:
    """When a bar begins: the mean place of all bars, each counted back to the first one."""
    turns = 2.0 * np.pi * np.array(beats.bars_s) / (_BAR_BEATS * 60.0 / beats.bpm)
    mean = np.angle(np.exp(1j * turns).mean()) / (2.0 * np.pi)
    return float(mean * _BAR_BEATS * 60.0 / beats.bpm)


def guide_with_pulse(
    model: Model, sampling: Sampling, source: Sonogram, near_s: float, first: int
) -> tuple[Guide, float | None]:
    """The guide of settings, told the source's tempo where they name none.

    Parameters
    ----------
    near_s : where the source is listened to
    first : the column of the source at which painting begins; before the source below 0

    Returns
    -------
    the guide, and the seconds from the beginning of a bar to that column, None where what is
    painted need not have the source's beats
    """
    facts = facts_from_settings(model, sampling, parse_prompt(sampling.prompt))
    pulse = find_pulse(source, near_s) if model.takes_facts else None
    if pulse is not None and facts.bpm is not None:
        octaves = np.log2(facts.bpm / pulse.bpm)
        same = abs(octaves - round(octaves)) < np.log2(1.0 + _SAME_TEMPO)
        pulse = Pulse(facts.bpm, pulse.bar_s) if same else None
    since = None
    if pulse is not None:
        facts = replace(facts, bpm=pulse.bpm)
        since = pulse.since_bar_s(source.params.duration_s(first))
    return guide_from_settings(model, sampling, facts), since
