"""The rows of a sonogram: the mel scale and its filters."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.params import SonogramParams

# Of a spectrum of full scale, before its logarithm is taken.
AMPLITUDE_FLOOR = 1e-10


def mel_from_hz(frequency_hz: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    """HTK mel: 2595 log10(1 + f / 700)."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(frequency_hz) / 700.0))


def hz_from_mel(mel: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    """Inverse of `mel_from_hz`."""
    return np.asarray(700.0 * (10.0 ** (np.asarray(mel) / 2595.0) - 1.0))


def row_frequencies(params: SonogramParams) -> npt.NDArray[np.float64]:
    """Middle of each row in Hz, float64 (M,)."""
    low, high = mel_from_hz(params.f_min), mel_from_hz(params.f_max)
    return hz_from_mel(np.linspace(low, high, params.n_mels + 2)[1:-1])


@lru_cache(maxsize=8)
def mel_filter_bank(params: SonogramParams) -> npt.NDArray[np.float32]:
    """Triangular filters, peak 1, equally spaced in mel.

    Returns
    -------
    float32 (M, F), F = 1 + n_fft // 2; read-only. For the "log" scale a filter narrower than
    a bin is widened until it sums to one, so that no row is empty (the picture is then an
    interpolation of the spectrum, not a row of holes).

    References
    ----------
    Young et al., The HTK Book (2006), section 5.4.
    """
    edges = hz_from_mel(
        np.linspace(mel_from_hz(params.f_min), mel_from_hz(params.f_max), params.n_mels + 2)
    )
    n_bins = 1 + params.n_fft // 2
    bins = np.linspace(0.0, params.sample_rate // 2, n_bins)
    if params.scale == "log":
        bank = _interpolating_bank(edges, bins)
    else:
        rising = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
        falling = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
        bank = np.maximum(0.0, np.minimum(rising, falling))
    result = bank.astype(np.float32)
    result.setflags(write=False)
    return result


def _interpolating_bank(
    edges: npt.NDArray[np.float64], bins: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Rows of unit sum; half-width at least one bin."""
    step = bins[1] - bins[0]
    centre = edges[1:-1, None]
    left = np.maximum(centre - edges[:-2, None], step)
    right = np.maximum(edges[2:, None] - centre, step)
    distance = bins[None] - centre
    bank = np.maximum(0.0, 1.0 - np.where(distance < 0, -distance / left, distance / right))
    return np.asarray(bank / bank.sum(axis=1, keepdims=True))
