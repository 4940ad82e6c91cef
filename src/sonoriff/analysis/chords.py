"""Chord names, and chord recognition."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.key import HOP, notes_of_frames
from sonoriff.errors import ParameterError

MAX_CHORDS = 128
MAX_BARS = 16
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
# Semitones above the root, by chord symbol.
QUALITIES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("", "maj", "M"), (0, 4, 7)),
    **dict.fromkeys(("m", "min", "-"), (0, 3, 7)),
    **dict.fromkeys(("7", "dom7"), (0, 4, 7, 10)),
    **dict.fromkeys(("maj7", "M7"), (0, 4, 7, 11)),
    **dict.fromkeys(("m7", "min7", "-7"), (0, 3, 7, 10)),
    **dict.fromkeys(("dim", "°"), (0, 3, 6)),
    **dict.fromkeys(("dim7", "°7"), (0, 3, 6, 9)),
    "m7b5": (0, 3, 6, 10),
    **dict.fromkeys(("aug", "+"), (0, 4, 8)),
    "sus2": (0, 2, 7),
    **dict.fromkeys(("sus4", "sus"), (0, 5, 7)),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "9": (0, 2, 4, 7, 10),
    "add9": (0, 2, 4, 7),
    "m9": (0, 2, 3, 7, 10),
}
_NAME = re.compile(r"([A-G])([#♯b♭]?)([^/\s]*)(?:/([A-G])([#♯b♭]?))?")
# The two recognised qualities: root, third, fifth.
_HEARD = {"major": (0, 4, 7), "minor": (0, 3, 7)}
# Penalty for changing chords between two frames (46 ms).
_STAY = 3.0
_BASS_SHARE = 0.35


@dataclass(frozen=True)
class Chord:
    """A chord.

    Attributes
    ----------
    root : in [0, 11], C is 0
    tones : the notes that sound, in [0, 11], ascending
    """

    root: int
    tones: tuple[int, ...]


def parse_chord(name: str) -> Chord:
    """The chord of a name such as "Am", "F#m7", "Bbmaj7", "G/B".

    Raises
    ------
    ParameterError
        it is no chord
    """
    match = _NAME.fullmatch(name.strip())
    quality = QUALITIES.get(match.group(3)) if match else None
    if match is None or quality is None:
        raise ParameterError(
            f"{name!r} is no chord: expected a letter from A to G, # or b, and one of "
            f"{', '.join(q for q in QUALITIES if q)}, like Am, F#m7 or Bb"
        )
    root = (_LETTERS[match.group(1)] + _SIGNS[match.group(2)]) % 12
    tones = {(root + step) % 12 for step in quality}
    if match.group(4):
        tones.add((_LETTERS[match.group(4)] + _SIGNS[match.group(5)]) % 12)
    return Chord(root, tuple(sorted(tones)))


def parse_progression(text: str, beats_per_bar: int = 4) -> tuple[tuple[Chord, int], ...]:
    """Chords with the beats that each lasts, of "Am F C G" or "Am:2 F | C G".

    Parameters
    ----------
    text : names with blanks, commas, dashes or bar lines between them; a bar each, or as many bars
        as stand behind a colon
    beats_per_bar : at least 1

    Raises
    ------
    ParameterError
        no chord, one that cannot be read, or too many of them
    """
    names = [name for name in re.split(r"[\s,|]+|\s+-\s+", text) if name and name != "-"]
    if not names:
        raise ParameterError("a progression is one chord or more, like 'Am F C G'; there is none")
    if len(names) > MAX_CHORDS:
        raise ParameterError(f"at most {MAX_CHORDS} chords, got {len(names)}")
    out = []
    for name in names:
        chord, _, bars = name.partition(":")
        if bars and not (bars.isascii() and bars.isdecimal() and 1 <= int(bars) <= MAX_BARS):
            raise ParameterError(
                f"{name!r}: behind a colon stands how many bars a chord lasts, 1 to {MAX_BARS}"
            )
        out.append((parse_chord(chord), int(bars or 1) * beats_per_bar))
    return tuple(out)


def chords_of_waveform(
    waveform: npt.NDArray[np.floating], sample_rate: int, hop_s: float
) -> npt.NDArray[np.int8]:
    """Which of the 24 major and minor chords sounds when.

    Parameters
    ----------
    waveform : (T,)
    sample_rate : Hz
    hop_s : seconds from one answer to the next

    Returns
    -------
    int8 (N,), N = ceil(T / sample_rate / hop_s): the root, 12 more for a minor chord, -1 where none
    is heard

    Notes
    -----
    The notes of the spectrum's peaks, frame by frame, are compared with the chords' triads; what
    sounds below 250 Hz counts for the root. The likeliest sequence is that of a hidden Markov
    model that stays where it is unless another chord is heard for a while.

    References
    ----------
    Sheh & Ellis (2003), Chord segmentation and recognition using EM-trained hidden Markov models.
    """
    notes, bass = (
        notes_of_frames(waveform, sample_rate),
        notes_of_frames(waveform, sample_rate, highest_hz=250.0),
    )
    scores, loud = _scores(_smooth(notes), _smooth(bass)), notes.sum(axis=1)
    path = _likeliest(scores)
    heard = np.where((scores[np.arange(len(path)), path] > 0.75) & (loud > 0), path, -1)
    count = max(1, int(np.ceil(len(waveform) / sample_rate / hop_s)))
    # Frames are labelled by their centre, half an analysis window after their start.
    middles = (np.arange(count) + 0.5) * hop_s * sample_rate / HOP - 2.0
    places = np.clip(np.round(middles), 0, len(heard) - 1).astype(int)
    return np.asarray(heard[places], np.int8)


def chord_of_class(number: int) -> Chord | None:
    """The chord of a class number from `chords_of_waveform`; None for -1."""
    if number < 0:
        return None
    root, steps = number % 12, _HEARD["minor" if number >= 12 else "major"]
    return Chord(root, tuple(sorted((root + step) % 12 for step in steps)))


def _smooth(notes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean over about a third of a second."""
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(notes, 7, axis=0, mode="nearest"))


def _scores(
    notes: npt.NDArray[np.float64], bass: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """(N, 24): likeness of the notes to each triad, and of the bass to its root."""
    triads = np.zeros((24, 12))
    for kind, steps in enumerate(_HEARD.values()):
        for root in range(12):
            for step, weight in zip(steps, (1.0, 0.8, 0.9), strict=True):
                triads[12 * kind + root, (root + step) % 12] = weight
    return _likeness(notes, triads) + _BASS_SHARE * np.tile(_unit(bass), 2)


def _likeness(
    notes: npt.NDArray[np.float64], of: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Correlations (N, K) of rows."""
    a, b = _unit(notes - notes.mean(1, keepdims=True)), _unit(of - of.mean(1, keepdims=True))
    return np.asarray(a @ b.T)


def _unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rows of length one; zeros stay."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def _likeliest(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The sequence of states with the largest sum of scores, less `_STAY` for each change."""
    gains = 4.0 * scores
    best, came_from = gains[0], np.zeros(scores.shape, np.int64)
    states = np.arange(scores.shape[1])
    for frame in range(1, len(scores)):
        leader = int(np.argmax(best))
        moved = best[leader] - _STAY
        came_from[frame] = np.where(best >= moved, states, leader)
        best = np.maximum(best, moved) + gains[frame]
    path = np.zeros(len(scores), np.int64)
    path[-1] = int(np.argmax(best))
    for frame in range(len(scores) - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path
