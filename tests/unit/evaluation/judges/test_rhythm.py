"""Tempo and onsets."""

import numpy as np
import pytest

from sonoriff.errors import ParameterError
from sonoriff.evaluation.judges.rhythm import (
    beat_contrast,
    onset_sharpness,
    onset_strength,
    tempo_agrees,
    tempo_of_picture,
)
from sonoriff.sonogram import HIFI, encode

RATE = 44_100
FPS = HIFI.frames_per_second


def beat(bpm: float, *, seconds: float = 5.944) -> np.ndarray:
    """Kick and snare in turn, a hat on every half beat; dB (256, N)."""
    time = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).normal(size=len(time))
    length = 60.0 / bpm
    kick = np.sin(2 * np.pi * 60 * time) * np.exp(-20 * (time % (2 * length)))
    snare = 0.5 * noise * np.exp(-25 * ((time + length) % (2 * length)))
    hat = 0.1 * noise * np.exp(-80 * (time % (length / 2)))
    sound = (0.5 * (kick + snare + hat)).astype(np.float32)
    return np.asarray(encode(sound[None], RATE).values[0])


@pytest.mark.parametrize("bpm", [72.0, 90.0, 120.0, 132.0, 161.5])
def test_the_tempo_of_a_beat_is_found(bpm: float) -> None:
    tempo = tempo_of_picture(beat(bpm), FPS)
    assert tempo_agrees(tempo.bpm, bpm, octaves=True, tolerance=0.01)
    assert tempo.clarity > 0.35


def test_noise_has_no_pulse() -> None:
    noise = 0.1 * np.random.default_rng(0).normal(size=(1, 262_144)).astype(np.float32)
    assert tempo_of_picture(encode(noise, RATE).values[0], FPS).clarity < 0.3


def test_beats_stand_out_where_they_are_and_nowhere_else() -> None:
    picture, beats = beat(120.0), 0.5 * np.arange(12)
    on_beats = beat_contrast(picture, FPS, beats)
    assert on_beats > 2.5
    assert beat_contrast(picture, FPS, beats + 0.17) < 0.5
    noise = 0.1 * np.random.default_rng(0).normal(size=(1, 262_144)).astype(np.float32)
    assert beat_contrast(encode(noise, RATE).values[0], FPS, beats) == pytest.approx(1, abs=0.15)
    assert beat_contrast(np.full((256, 512), -80.0), FPS, beats) == 1
    with pytest.raises(ParameterError, match="no beat"):
        beat_contrast(picture, FPS, np.array([9.0]))


def test_silence_gives_numbers() -> None:
    silence = np.full((256, 512), -80.0)
    tempo = tempo_of_picture(silence, FPS)
    assert 45.0 <= tempo.bpm <= 220.0
    assert (tempo.clarity, onset_sharpness(silence)) == (0.0, 0.0)


def test_agreement_within_four_per_cent_and_octaves_apart() -> None:
    assert tempo_agrees(124.0, 120.0, octaves=False)
    assert not tempo_agrees(126.0, 120.0, octaves=False)
    assert not tempo_agrees(60.0, 120.0, octaves=False)
    for factor in (0.5, 2.0, 3.0, 1 / 3):
        assert tempo_agrees(120.0 * factor, 120.0, octaves=True)
    assert not tempo_agrees(90.0, 120.0, octaves=True)


def test_a_rise_is_counted_in_its_column() -> None:
    picture = np.full((64, 10), -60.0)
    picture[:, 4:] = -20.0
    strength = onset_strength(picture)
    # The floor lies 50 dB below the loudest point, so all of the rise of 40 dB counts.
    np.testing.assert_allclose(strength, [0, 0, 0, 0, 40, 0, 0, 0, 0, 0])


def test_smeared_onsets_are_less_sharp() -> None:
    sharp = beat(120.0)
    kernel = np.ones(9) / 9
    smeared = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, sharp)
    assert onset_sharpness(sharp) > 0.8
    assert onset_sharpness(smeared) < onset_sharpness(sharp) - 0.1


def test_bands_that_rise_apart_are_less_sharp() -> None:
    together = np.full((64, 40), -60.0)
    together[:, 20:] = -20.0
    apart = np.stack([np.roll(row, i % 5 - 2) for i, row in enumerate(together)])
    apart[:, :10] = -60.0
    assert onset_sharpness(together) == pytest.approx(1.0)
    assert onset_sharpness(apart) < 0.7


@pytest.mark.parametrize("picture", [np.zeros((256, 3)), np.zeros(40), np.full((8, 40), np.nan)])
def test_bad_pictures_are_refused(picture: np.ndarray) -> None:
    with pytest.raises(ParameterError):
        onset_strength(picture)
