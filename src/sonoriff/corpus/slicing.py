"""Where to cut a recording into clips: on bars where a pulse is found, evenly where none is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sonoriff.analysis.beats import Beats, find_beats
from sonoriff.corpus.windows import CLIP_SAMPLES, CLIP_SECONDS, SAMPLE_RATE, Waveform

_SECTION_S = 60.0


@dataclass(frozen=True)
class Cut:
    """One clip to be: its first sample, the tempo there (None where unsure), bar aligned or not."""

    start: int
    bpm: float | None
    on_bar: bool


def sections(waveform: Waveform, length_s: float = _SECTION_S) -> list[tuple[int, int]]:
    """(start, stop) samples of sections of about `length_s`, so that a change of tempo is seen."""
    count = max(1, round(len(waveform) / SAMPLE_RATE / length_s))
    edges = np.linspace(0, len(waveform), count + 1).astype(int)
    return [(int(a), int(b)) for a, b in pairwise(edges)]


def cuts_in(start: int, stop: int, beats: Beats) -> list[Cut]:
    """Clips that do not overlap between two samples; `beats` counts from `start`.

    A stretch with a pulse but no bar with room for a clip behind it is cut evenly too.
    """
    out: list[Cut] = []
    if beats.found:
        earliest = 0.0
        for bar in beats.bars_s:
            if bar >= earliest and start + round(bar * SAMPLE_RATE) + CLIP_SAMPLES <= stop:
                out.append(Cut(start + round(bar * SAMPLE_RATE), round(beats.bpm, 1), True))
                earliest = bar + CLIP_SECONDS
    if out:
        return out
    bpm = round(beats.bpm, 1) if beats.found else None
    count = (stop - start) // CLIP_SAMPLES
    spare = (stop - start) - count * CLIP_SAMPLES
    for number in range(count):
        shift = spare * (number + 1) // (count + 1)
        out.append(Cut(start + number * CLIP_SAMPLES + shift, bpm, False))
    return out


def spread(cuts: Sequence[Cut], most: int | None) -> list[Cut]:
    """At most `most` cuts, evenly chosen from first to last."""
    if most is None or len(cuts) <= most:
        return list(cuts)
    return [cuts[i] for i in np.linspace(0, len(cuts) - 1, most).round().astype(int)]


def find_cuts(waveform: Waveform, most: int | None = None) -> list[Cut]:
    """Every clip of a recording, or at most `most`, spread over its length.

    Parameters
    ----------
    waveform : float32 (T,) at 44.1 kHz

    Returns
    -------
    list of Cut, without overlap, in order; empty when the waveform is shorter than a clip
    """
    out: list[Cut] = []
    for start, stop in sections(waveform):
        out += cuts_in(start, stop, find_beats(waveform[start:stop]))
    return spread(out, most)


def repeated(waveform: Waveform) -> Waveform:
    """A waveform (C, T) shorter than a clip, repeated until it fills one: such are mostly loops."""
    length = waveform.shape[-1]
    if not 0 < length < CLIP_SAMPLES:
        return waveform
    return np.tile(waveform, -(-CLIP_SAMPLES // length))[..., :CLIP_SAMPLES]
