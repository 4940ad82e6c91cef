"""The notes and the key of a sound."""

import numpy as np
import pytest

from sonoriff.analysis.key import (
    chroma_likeness,
    chroma_of_picture,
    chroma_of_waveform,
    key_of_chroma,
)
from sonoriff.errors import ParameterError
from sonoriff.sonogram import encode
from sonoriff.sonogram.filter_bank import row_frequencies
from sounds import MAJOR_CADENCE, MINOR_CADENCE, RATE, cadence


@pytest.mark.parametrize("tonic", [0, 3, 6, 10])
@pytest.mark.parametrize("minor", [False, True])
def test_the_key_of_a_cadence_is_found(tonic: int, minor: bool) -> None:
    key = key_of_chroma(
        chroma_of_waveform(cadence(tonic, MINOR_CADENCE if minor else MAJOR_CADENCE), RATE)
    )
    assert (key.tonic, key.minor) == (tonic, minor)
    assert key.mode == ("minor" if minor else "major")
    assert key.correlation > 0.6
    assert key.margin > 0


@pytest.mark.parametrize("tonic", [1, 7, 9])
def test_a_picture_has_the_key_of_its_sound(tonic: int) -> None:
    sound = cadence(tonic, MINOR_CADENCE)
    sonogram = encode(sound[None], RATE)
    chroma = chroma_of_picture(sonogram.values[0], row_frequencies(sonogram.params))
    assert chroma_likeness(chroma, chroma_of_waveform(sound, RATE)) > 0.9
    key = key_of_chroma(chroma)
    assert (key.tonic, key.mode) == (tonic, "minor")
    silence = np.full_like(sonogram.values[0], -120.0)
    assert not chroma_of_picture(silence, row_frequencies(sonogram.params)).any()


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


def test_likeness_is_that_of_the_notes_and_none_of_an_even_one() -> None:
    notes = chroma_of_waveform(cadence(0, MAJOR_CADENCE), RATE)
    assert chroma_likeness(notes, 3 * notes) == pytest.approx(1.0)
    assert chroma_likeness(notes, np.roll(notes, 6)) < 0
    assert chroma_likeness(notes, np.ones(12)) == 0
