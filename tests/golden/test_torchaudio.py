"""Against torchaudio 2.9.1 and Riffusion's chain; scripts/make_torchaudio_goldens.py made them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from sonoriff.evaluation.codec import spectral_convergence_db
from sonoriff.evaluation.reference import griffin_lim, magnitude_by_least_squares
from sonoriff.evaluation.reference import mel_from_waveform as plain_mel_from_waveform
from sonoriff.sonogram import RIFFUSION_V1
from sonoriff.sonogram.codec import decode, encode
from sonoriff.sonogram.filter_bank import mel_filter_bank
from sonoriff.sonogram.mel import mel_from_waveform
from sonoriff.sonogram.picture import image_from_sonogram

Goldens = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def goldens() -> Goldens:
    with np.load(Path(__file__).with_name("torchaudio.npz"), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


@pytest.fixture(scope="module")
def sound(goldens: Goldens) -> np.ndarray:
    return (goldens["sound"].astype(np.float32) / 32768)[None]


def test_mel_bank(goldens: Goldens) -> None:
    bank = np.zeros((512, 8821), np.float32)
    bank[goldens["bank_band"], goldens["bank_bin"]] = goldens["bank_weight"]
    # torchaudio computes the band edges in float32.
    np.testing.assert_allclose(mel_filter_bank(RIFFUSION_V1), bank, atol=2e-3)


def test_spectrogram_and_mel_scale(goldens: Goldens, sound: np.ndarray) -> None:
    expected = goldens["mel_columns"]
    ours = mel_from_waveform(sound, RIFFUSION_V1)
    plain = plain_mel_from_waveform(torch.from_numpy(sound), RIFFUSION_V1).numpy()
    for mels in (ours, plain):
        mel = mels[0, :, ::16]
        columns = min(mel.shape[1], expected.shape[1])
        error = np.abs(mel[:, :columns] - expected[:, :columns])
        assert error.max() < 2e-4 * expected.max()


def test_picture_is_riffusions_to_one_grey_level(goldens: Goldens, sound: np.ndarray) -> None:
    sonogram = encode(sound, 44100, RIFFUSION_V1)
    ours = np.asarray(image_from_sonogram(sonogram).convert("RGB"))[..., 0].astype(int)
    theirs = goldens["picture"][:, : ours.shape[1]].astype(int)
    assert ours.shape == theirs.shape
    assert (np.abs(ours - theirs) <= 1).mean() >= 0.999


def test_least_squares_inverse(goldens: Goldens) -> None:
    small = dataclasses.replace(RIFFUSION_V1, name="t", n_fft=2048, win_length=2048, n_mels=40)
    result = magnitude_by_least_squares(torch.from_numpy(goldens["inverse_mel"])[None], small)
    np.testing.assert_allclose(result[0].numpy(), goldens["inverse_magnitude"], atol=2e-3)


def test_griffin_lim(goldens: Goldens) -> None:
    small = dataclasses.replace(
        RIFFUSION_V1, name="t", n_fft=512, win_length=512, hop_length=128, n_mels=40
    )
    magnitude = torch.from_numpy(goldens["gl_magnitude"])[None]
    result = griffin_lim(magnitude, small, iterations=8, seed=None)[0].numpy()
    # Eight iterations amplify rounding a little.
    np.testing.assert_allclose(result, goldens["gl_waveform"], atol=1e-3)


@pytest.mark.parametrize("quality", ["fast", "best"])
def test_decode_beats_torchaudios_chain(goldens: Goldens, sound: np.ndarray, quality: str) -> None:
    sonogram = encode(sound, 44100, RIFFUSION_V1)
    waveform = decode(sonogram, quality=quality)  # type: ignore[arg-type]
    ours_db = spectral_convergence_db(encode(waveform, 44100, RIFFUSION_V1), sonogram, 10)
    assert ours_db < float(goldens["chain_interior_db"]) - 0.5
