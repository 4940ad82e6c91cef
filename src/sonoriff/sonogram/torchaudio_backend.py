"""The codec through torchaudio's own transforms, where torchaudio imports."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sonoriff.errors import ParameterError
from sonoriff.sonogram.filter_bank import mel_filter_bank
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.sonogram import Sonogram

FloatArray = npt.NDArray[np.float32]

ITERATIONS = {"fast": 32, "best": 100}
MOMENTUM = 0.99


def _torchaudio_transforms() -> Any:
    try:
        import torchaudio.transforms
    except (ImportError, OSError) as error:
        raise ParameterError(
            f"backend='torchaudio' needs the torchaudio package, which does not import here "
            f"({error}); install the build that belongs to your torch "
            f"(pip install 'sonoriff[torchaudio]'), or use backend='native'"
        ) from error
    return torchaudio.transforms


def _with_own_bank(transform: Any, params: SonogramParams) -> Any:
    """Give a MelScale or InverseMelScale the format's bank: "log" widens the narrow bands."""
    if params.scale == "log":
        transform.fb.copy_(torch.from_numpy(mel_filter_bank(params).T.copy()))
    return transform


def _mel_options(params: SonogramParams) -> dict[str, Any]:
    return {
        "n_stft": 1 + params.n_fft // 2,
        "n_mels": params.n_mels,
        "sample_rate": params.sample_rate,
        "f_min": params.f_min,
        "f_max": params.f_max,
        "norm": None,
        "mel_scale": params.mel_scale,
    }


def _window_options(params: SonogramParams) -> dict[str, Any]:
    return {
        "n_fft": params.n_fft,
        "win_length": params.win_length,
        "hop_length": params.hop_length,
    }


def mel_amplitude_from_waveform(waveform: FloatArray, params: SonogramParams) -> FloatArray:
    """Linear mel amplitude by Spectrogram and MelScale.

    Parameters
    ----------
    waveform : float32 (C, T), at ``params.sample_rate`` Hz, T longer than half a transform

    Returns
    -------
    float32 (C, M, N), N = ceil(T / hop_length); columns lie as in `mel.mel_from_waveform`

    Raises
    ------
    ParameterError
        torchaudio does not import
    """
    transforms = _torchaudio_transforms()
    samples, hop = torch.from_numpy(waveform), params.hop_length
    n_frames = -(-waveform.shape[1] // hop)
    centred = params.scale == "power"
    if not centred:
        left = (params.n_fft - hop) // 2
        total = (n_frames - 1) * hop + params.n_fft
        samples = torch.nn.functional.pad(samples, (left, total - left - waveform.shape[1]))
    spectrogram = transforms.Spectrogram(**_window_options(params), power=1.0, center=centred)
    mel_scale = _with_own_bank(transforms.MelScale(**_mel_options(params)), params)
    return np.asarray(mel_scale(spectrogram(samples))[..., :n_frames])


def waveform_from_sonogram(sonogram: Sonogram, *, quality: str, seed: int) -> FloatArray:
    """Decode by InverseMelScale and GriffinLim.

    Parameters
    ----------
    sonogram : of any format
    quality : "fast" (32 iterations) or "best" (100)
    seed : of the random start

    Returns
    -------
    float32 (C, N * hop_length)

    Raises
    ------
    ParameterError
        unknown quality, or torchaudio does not import
    """
    if quality not in ITERATIONS:
        raise ParameterError(f'quality must be "fast" or "best", got {quality!r}')
    transforms = _torchaudio_transforms()
    params = sonogram.params
    # "gelsd" also solves a bank of less than full rank.
    solver = transforms.InverseMelScale(**_mel_options(params), driver="gelsd")
    inverse = _with_own_bank(solver, params)
    vocoder = transforms.GriffinLim(
        **_window_options(params), n_iter=ITERATIONS[quality], power=1.0, momentum=MOMENTUM
    )
    # One more column at the end, and one more in front where columns are centred on half hops:
    # GriffinLim gives one hop less than it gets columns, from the first centre on.
    before = 1 if params.scale == "log" else 0
    mel = np.pad(_mel_amplitude(sonogram), ((0, 0), (0, 0), (before, 1)), mode="edge")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        waveform = vocoder(inverse(torch.from_numpy(mel)))
    skip = params.hop_length // 2 if before else 0
    length = sonogram.n_frames * params.hop_length
    return np.asarray(waveform[:, skip : skip + length])


def _mel_amplitude(sonogram: Sonogram) -> FloatArray:
    """Values on the scale of the unnormalised transform."""
    params, values = sonogram.params, sonogram.values
    if params.scale == "power":
        return np.asarray(np.maximum(values, np.float32(0.0)))
    amplitude = np.power(np.float32(10.0), values / np.float32(20.0))
    heard = np.where(values <= params.db_min, np.float32(0.0), amplitude)
    return np.asarray(heard * np.float32(params.win_length / 4.0))
