"""What is measured of a song, on sounds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.errors import ParameterError
from sonoriff.evaluation.judges import form

RATE = 44_100
TRIAD = (0, 4, 7)


def strokes(bpm: float, seconds: float, level: float = 0.3) -> np.ndarray:
    """Noise bursts on the beats, over a soft floor."""
    rng = np.random.default_rng(1)
    sound = 0.002 * rng.normal(size=round(seconds * RATE))
    for beat in np.arange(0, seconds - 0.1, 60 / bpm):
        place = round(beat * RATE)
        sound[place : place + 2000] += level * rng.normal(size=2000) * np.linspace(1, 0, 2000)
    return sound.astype(np.float32)[None]


def chord(tonic: int, seconds: float, steps: tuple[int, ...] = TRIAD) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    notes = [261.63 * 2 ** ((tonic + step) / 12) for step in steps]
    sound = sum(np.sin(2 * np.pi * hz * t) + 0.3 * np.sin(4 * np.pi * hz * t) for hz in notes)
    return (0.1 * sound).astype(np.float32)[None]


def scale(tonic: int, seconds: float) -> np.ndarray:
    """Tonic, subdominant, dominant, tonic: no other key has them all."""
    parts = [chord(tonic + step, seconds / 4) for step in (0, 5, 7, 0)]
    return np.concatenate(parts, axis=1)


def test_busier_and_louder_sections_have_more_energy() -> None:
    sound = np.concatenate(
        [strokes(60, 4, 0.05), strokes(240, 4, 0.05), strokes(240, 4, 0.4)], axis=1
    )
    calm, busy, loud = form.section_energies(sound, RATE, [0, 4, 8, 12])
    assert calm < busy < loud
    _, busy, loud = form.section_energies(sound, RATE, [0, 4, 8, 12], levelled=True)
    assert abs(busy - loud) < abs(busy - calm)


def test_rank_correlation_is_that_of_the_textbook() -> None:
    """Without ties: 1 - 6 sum d^2 / (n (n^2 - 1)); d = 0, 1, 1, 0."""
    assert form.rank_correlation([1, 2, 3, 4], [10, 30, 20, 90]) == pytest.approx(0.8)
    assert form.rank_correlation([1, 1, 2], [3, 3, 9]) == pytest.approx(1)
    assert form.rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert form.rank_correlation([2, 2, 2], [1, 2, 3]) is None
    assert form.rank_correlation([1], [1]) is None


def test_a_return_is_more_alike_than_another_section() -> None:
    a = scale(0, 8) + strokes(120, 8)
    b = chord(6, 8, (0, 3, 6)) + strokes(240, 8, 0.05)
    song = np.concatenate([a, b, a], axis=1)
    features = form.beat_features(song, RATE, 120.0, 48)
    assert features[0].shape == (48, 12)
    assert features[1].shape == (48, 13)
    same = form.section_likeness(features, (0, 16), (32, 48))
    other = form.section_likeness(features, (0, 16), (16, 32))
    assert same > 0.9
    assert other < 0.5
    assert form.section_likeness(features, (0, 8), (32, 48)) > 0.9, "a shorter return is one, too"


def test_what_returns_in_a_piece_is_found_without_labels() -> None:
    a = scale(0, 8) + strokes(120, 8)
    b = np.concatenate([chord(tonic, 1) for tonic in (1, 3, 6, 8, 10, 6, 3, 1)], axis=1)
    b = b + strokes(120, 8, 0.1)
    c = chord(6, 8, (0, 3, 6)) + strokes(120, 8, 0.2)
    returning = form.best_return(np.concatenate([a, b, a, b], axis=1), RATE, beats=16)
    other = form.best_return(np.concatenate([a, b, c], axis=1), RATE, beats=16)
    assert returning is not None
    assert other is not None
    assert returning > other + 0.3
    assert form.best_return(a, RATE) is None, "two stretches do not fit"
    assert form.best_return(np.zeros((1, 30 * RATE), np.float32), RATE, beats=16) is None


def test_the_key_of_a_scale_is_heard() -> None:
    assert form.heard_key(scale(0, 4), RATE) == 0


def test_silence_and_noise_have_no_key() -> None:
    assert form.heard_key(np.zeros((1, RATE), np.float32), RATE) is None
    noise = np.random.default_rng(0).normal(size=(1, 4 * RATE)).astype(np.float32)
    assert form.heard_key(0.1 * noise, RATE) is None


@pytest.mark.parametrize("played", [100.0, 100.4, 101.2])
def test_the_tempo_of_a_song_is_measured(played: float) -> None:
    error = form.tempo_error(strokes(played, 40), RATE, 100.0)
    assert error == pytest.approx(played / 100 - 1, abs=3e-4)


def test_noise_has_no_pulse() -> None:
    noise = np.random.default_rng(0).normal(size=(1, 30 * RATE)).astype(np.float32)
    assert form.tempo_error(0.1 * noise, RATE, 100.0) is None


def test_an_ending_ends() -> None:
    steady = chord(0, 8)
    assert form.ending_of_song(steady, RATE, 120.0) == form.Ending(False, False)
    faded = steady.copy()
    faded[:, -2 * RATE :] *= np.linspace(1, 0, 2 * RATE, dtype=np.float32) ** 2
    assert form.ending_of_song(faded, RATE, 120.0) == form.Ending(True, True)
    broken = steady.copy()
    broken[:, -2 * RATE :] *= 0.5
    assert form.ending_of_song(broken, RATE, 120.0) == form.Ending(True, False)
    with pytest.raises(ParameterError, match="two bars"):
        form.ending_of_song(steady[:, :RATE], RATE, 120.0)
