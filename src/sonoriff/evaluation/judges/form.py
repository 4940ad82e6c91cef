"""Whether the sound of a song does what its plan says: energy, returns, key, tempo, ending."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.beats import find_beats
from sonoriff.analysis.energy import energy_of_picture
from sonoriff.analysis.key import HOP, chroma_likeness, notes_of_frames
from sonoriff.audio.loudness import level_lufs, set_loudness
from sonoriff.errors import ParameterError
from sonoriff.evaluation.judges.rhythm import onset_strength
from sonoriff.music import bar_seconds, scale_of_key
from sonoriff.pipeline.source_analysis import LIKELY_KEY, find_key
from sonoriff.sonogram.codec import encode
from sonoriff.sonogram.params import HIFI

Waveform = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]
# The level at which `energy_of_picture` was fitted.
MEASURE_LUFS = -18.0
# Timbre: this many cosines over the bands, without the first, which is the level.
_COSINES = 13
# By how much the last bar must be softer than the one before.
_SOFTER_DB = 1.0
# The last moments of a song, and how far below the bar before they must have fallen.
_LAST_S, _FALLEN_DB = 0.05, 30.0
# How far a tempo is looked for around the asked one, and in what steps.
_SEARCH, _SEARCH_STEPS = 0.02, 401
# A pulse is clear where the beat's own frequency stands out this far over those beside it.
_CLEAR_PULSE = 4.0


@dataclass(frozen=True)
class Ending:
    """How a song ends.

    Attributes
    ----------
    falls : the last bar is softer than the one before, by 1 dB or more
    rings_out : the last 50 ms lie 30 dB or more below the bar before the last
    """

    falls: bool
    rings_out: bool


def section_energies(
    waveform: Waveform, sample_rate: int, bounds_s: Sequence[float], *, levelled: bool = False
) -> list[float]:
    """Energy of each section: how much of the spectrum sounds, and how much begins.

    Parameters
    ----------
    waveform : float32 (C, T)
    bounds_s : where each section begins, and the end
    levelled : each section is brought to the same loudness first, so that only what is played
        counts; else the song as a whole is, and a section that is softer is calmer, too
    """
    whole = set_loudness(waveform, sample_rate, MEASURE_LUFS, peak_limit_db=60.0)
    energies = []
    for first, last in itertools.pairwise(bounds_s):
        part = whole[:, round(first * sample_rate) : round(last * sample_rate)]
        if levelled:
            part = set_loudness(part, sample_rate, MEASURE_LUFS, peak_limit_db=60.0)
        picture = encode(part.mean(axis=0, keepdims=True), sample_rate, HIFI).values[0]
        energies.append(energy_of_picture(picture))
    return energies


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Spearman's rank correlation, equal values sharing their rank; None where one is constant."""
    from scipy.stats import rankdata

    if len(x) < 2:
        return None
    a, b = (rankdata(values) - (len(x) + 1) / 2 for values in (x, y))
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else None


def beat_features(
    waveform: Waveform, sample_rate: int, bpm: float, beats: int
) -> tuple[Array, Array]:
    """Notes (N, 12) and timbre (N, 13) of the first N beats of a song that begins on one.

    Notes are strengths that sum to one; timbre are cosines of the mel levels over the bands,
    without the level itself.
    """
    from scipy.fft import dct

    mono = waveform.mean(axis=0)
    notes = notes_of_frames(mono, sample_rate)
    levels = encode(mono[None], sample_rate, HIFI).values[0]
    levels = np.maximum(levels, levels.max() - 60.0).astype(np.float64)
    cosines = dct(levels, axis=0, norm="ortho")[1 : _COSINES + 1].T
    chromas = np.stack(
        [rows.sum(axis=0) for rows in _by_beat(notes, sample_rate / HOP, bpm, beats)]
    )
    chromas /= np.maximum(chromas.sum(axis=1, keepdims=True), 1e-12)
    timbres = _by_beat(cosines, HIFI.frames_per_second, bpm, beats)
    return chromas, np.stack([rows.mean(axis=0) for rows in timbres])


def _by_beat(rows: Array, rate: float, bpm: float, beats: int) -> list[Array]:
    edges = [round(i * 60.0 / bpm * rate) for i in range(beats + 1)]
    starts = [min(edge, len(rows) - 1) for edge in edges[:-1]]
    return [rows[a : max(a + 1, b)] for a, b in zip(starts, edges[1:], strict=True)]


def section_likeness(
    features: tuple[Array, Array], first: Sequence[int], second: Sequence[int]
) -> float:
    """How alike two sections are, beat by beat from their beginnings on, in [-1, 1].

    Parameters
    ----------
    features : of `beat_features`, of the whole song
    first, second : (first beat, last beat) of the sections; what one is longer does not count

    Notes
    -----
    The mean of two correlations: of the notes of each beat, and of its timbre after what all
    beats of the song share was taken off. Two beats' notes of one key are alike, too: look at
    how much more alike a return is than other sections.
    """
    count = min(first[1] - first[0], second[1] - second[0])
    notes, timbres = features
    timbres = (timbres - timbres.mean(axis=0)) / np.maximum(timbres.std(axis=0), 1e-9)
    a, b = (slice(start, start + count) for start in (first[0], second[0]))
    same_notes = [chroma_likeness(x, y) for x, y in zip(notes[a], notes[b], strict=True)]
    same_timbre = [chroma_likeness(x, y) for x, y in zip(timbres[a], timbres[b], strict=True)]
    return 0.5 * float(np.mean(same_notes)) + 0.5 * float(np.mean(same_timbre))


def best_return(
    waveform: Waveform, sample_rate: int, *, beats: int = 32, step: int = 4
) -> float | None:
    """How alike the two stretches of a piece are that are most alike, by `section_likeness`.

    What returns in recorded music is not written anywhere; the pair that is most alike is the
    likeliest return. None where no beat is found, or the piece is shorter than two stretches.

    Parameters
    ----------
    waveform : float32 (C, T), at 44.1 kHz
    beats : of a stretch; the two do not overlap
    step : beats from one stretch to the next that is compared
    """
    found = find_beats(waveform.mean(axis=0))
    if not found.found:
        return None
    begun = waveform[:, round(found.beats_s[0] * sample_rate) :]
    count = int(begun.shape[1] / sample_rate * found.bpm / 60.0)
    if count < 2 * beats:
        return None
    features = beat_features(begun, sample_rate, found.bpm, count)
    starts = range(0, count - beats + 1, step)
    return max(
        section_likeness(features, (a, a + beats), (b, b + beats))
        for a, b in itertools.combinations(starts, 2)
        if b - a >= beats
    )


def heard_key(waveform: Waveform, sample_rate: int) -> int | None:
    """The notes of a part of a song, as the tonic, 0 to 11, of the major key that has them.

    Relative keys share their notes, so they count as one. None where the notes are not as like
    any key as `LIKELY_KEY`: drums, noise, silence.
    """
    heard = find_key(waveform.mean(axis=0), sample_rate, LIKELY_KEY)
    return None if heard is None else scale_of_key(*heard)


def tempo_error(waveform: Waveform, sample_rate: int, bpm: float) -> float | None:
    """How far the tempo of a whole song lies from the asked one, as a share; None without a pulse.

    Notes
    -----
    The frequency near the asked one at which the onsets of the song, those of its end with those
    of its beginning, are most in step. A song that drifts by one beat in four minutes shows a
    tempo that is off by a 480th at 120 bpm.
    """
    picture = encode(waveform.mean(axis=0, keepdims=True), sample_rate, HIFI).values[0]
    strength = onset_strength(picture)
    strength = strength - strength.mean()
    times = (np.arange(len(strength)) + 0.5) / HIFI.frames_per_second
    ratios = np.linspace(1.0 - _SEARCH, 1.0 + _SEARCH, _SEARCH_STEPS)
    power = np.zeros(len(ratios))
    for multiple in (1, 2):
        hz = multiple * bpm / 60.0 * ratios
        power += np.abs(np.exp(-2j * np.pi * np.outer(hz, times)) @ strength) ** 2
    best = int(np.argmax(power))
    if power[best] < _CLEAR_PULSE * np.median(power):
        return None
    return float(abs(ratios[best] - 1.0))


def ending_of_song(waveform: Waveform, sample_rate: int, bpm: float) -> Ending:
    """How the last bar of a song compares with the one before."""
    bar = round(bar_seconds(bpm) * sample_rate)
    if waveform.shape[1] < 2 * bar:
        raise ParameterError("a song of less than two bars has no ending to judge")
    before = level_lufs(waveform[:, -2 * bar : -bar], sample_rate)
    last = level_lufs(waveform[:, -bar:], sample_rate)
    moment = waveform[:, -round(_LAST_S * sample_rate) :]
    rms_db = 10.0 * math.log10(float(np.mean(moment.astype(np.float64) ** 2)) + 1e-12)
    rms_before = waveform[:, -2 * bar : -bar].astype(np.float64)
    before_db = 10.0 * math.log10(float(np.mean(rms_before**2)) + 1e-12)
    return Ending(last < before - _SOFTER_DB, rms_db <= before_db - _FALLEN_DB)
