"""Keys and harmonics."""

import numpy as np
import pytest

from sonoriff.errors import ParameterError
from sonoriff.evaluation.harmony import (
    Key,
    chroma_of_waveform,
    key_of_chroma,
    key_score,
    line_sharpness,
)
from sonoriff.sonogram import encode

RATE = 44_100
MAJOR_CADENCE = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7))
MINOR_CADENCE = ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7))


def cadence(tonic: int, chords: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Chords of a second each, notes with four overtones; float64 (T,)."""
    time = np.arange(RATE) / RATE
    sounds = []
    for chord in chords:
        pitches = [261.63 * 2 ** ((tonic + note) / 12) for note in chord]
        notes = [np.sin(2 * np.pi * k * f * time) / k for f in pitches for k in range(1, 5)]
        sounds.append(0.05 * np.sum(notes, axis=0) * np.exp(-time))
    return np.concatenate(sounds)


@pytest.mark.parametrize("tonic", [0, 3, 6, 10])
@pytest.mark.parametrize("minor", [False, True])
def test_the_key_of_a_cadence_is_found(tonic: int, minor: bool) -> None:
    key = key_of_chroma(
        chroma_of_waveform(cadence(tonic, MINOR_CADENCE if minor else MAJOR_CADENCE), RATE)
    )
    assert (key.tonic, key.minor) == (tonic, minor)
    assert key.correlation > 0.6


def test_a_single_note_is_its_own_class() -> None:
    tone = np.sin(2 * np.pi * 440.0 * np.arange(RATE) / RATE)
    chroma = chroma_of_waveform(tone, RATE)
    assert chroma[9] == pytest.approx(1.0, abs=1e-3)
    assert chroma.sum() == pytest.approx(1.0)


def test_silence_and_a_single_sample_have_no_notes() -> None:
    assert not chroma_of_waveform(np.zeros(RATE), RATE).any()
    assert chroma_of_waveform(np.zeros(1), RATE).shape == (12,)
    assert key_of_chroma(np.zeros(12)).correlation == pytest.approx(0.0)


def test_two_axes_are_refused() -> None:
    with pytest.raises(ParameterError):
        chroma_of_waveform(np.zeros((1, 100)), RATE)


@pytest.mark.parametrize(
    ("tonic", "minor", "score"),
    [
        (2, True, 1.0),  # D minor
        (9, True, 0.5),  # A minor, a fifth up
        (7, True, 0.5),  # G minor, a fifth down
        (5, False, 0.3),  # F major, the relative
        (2, False, 0.2),  # D major, the parallel
        (8, False, 0.0),
        (4, True, 0.0),
    ],
)
def test_scores_of_near_keys(tonic: int, minor: bool, score: float) -> None:
    assert key_score(Key(tonic, minor, 1.0), 2, True) == score


def test_the_relative_counts_from_either_side() -> None:
    assert key_score(Key(9, True, 1.0), 0, False) == 0.3  # A minor for C major
    assert key_score(Key(9, True, 1.0), 9, None) == 1.0
    assert Key(9, True, 1.0).name == "A minor"


def test_thin_lines_stand_out_and_smeared_ones_less() -> None:
    picture = np.asarray(encode(cadence(0, MAJOR_CADENCE)[None], RATE).values[0])
    kernel = np.ones(7) / 7
    smeared = np.apply_along_axis(lambda column: np.convolve(column, kernel, "same"), 0, picture)
    assert line_sharpness(picture) > line_sharpness(smeared) + 3.0


def test_a_line_in_pieces_is_no_line() -> None:
    picture = np.full((64, 64), -60.0)
    picture[30, :20] = 0.0
    whole = line_sharpness(picture)
    picture[30] = -60.0
    picture[30, ::5] = 0.0
    assert whole == pytest.approx(40.0)
    assert line_sharpness(picture) == 0.0
