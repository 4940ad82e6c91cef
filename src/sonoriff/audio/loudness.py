"""Perceived loudness (ITU-R BS.1770)."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt

from sonoriff.audio.channels import to_stereo
from sonoriff.audio.checks import check_sample_rate, check_waveform, peak_of
from sonoriff.errors import ParameterError

BLOCK_S = 0.4
PEAK_LIMIT_DB = -1.0
_STEP_S = 0.1
# The gates of the standard: of a block by itself, and below the mean of those that pass it.
_ABSOLUTE_LUFS, _RELATIVE_LU = -70.0, 10.0
# What is longer is measured in chunks.
_LONG_S, _CHUNK_S = 60.0, 10.0
# Samples. Shorter clips are lengthened with zeros, for the sake of the block count.
_SHORTEST = 16
_K_WEIGHTING = ((4.0, math.sqrt(0.5), 1500.0, "high_shelf"), (0.0, 0.5, 38.0, "high_pass"))


def loudness_lufs(waveform: npt.NDArray[np.float32], sample_rate: int) -> float:
    """Integrated loudness.

    Parameters
    ----------
    waveform : float32 (C, T), [-1, 1]; more than two channels are mixed to stereo first
    sample_rate : Hz

    Returns
    -------
    LUFS; -inf for silence and for sound below the standard's gate of -70 LUFS

    Notes
    -----
    A clip shorter than the standard's block of 400 ms is measured as one block of its own length.

    References
    ----------
    ITU-R BS.1770-4; the filters are pyloudnorm's (Steinmetz & Reiss, 2021).
    """
    check_waveform(waveform)
    check_sample_rate(sample_rate)
    if not waveform.any():
        return -math.inf
    if waveform.shape[0] > 2:
        waveform = to_stereo(waveform)
    if waveform.shape[1] > _LONG_S * sample_rate:
        return _integrated(_block_powers(waveform, sample_rate))
    from pyloudnorm import Meter

    length = max(waveform.shape[1], _SHORTEST)
    # The small addition keeps pyloudnorm's rounding down from losing a sample of the block, the
    # zero at the end its check from finding less than a block.
    block_s = min(BLOCK_S, (length + 1e-6) / sample_rate)
    samples = np.zeros((length + 1, waveform.shape[0]))
    samples[: waveform.shape[1]] = waveform.T
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of no block: below the gate
        measured = float(Meter(sample_rate, block_size=block_s).integrated_loudness(samples))
    return measured if math.isfinite(measured) else -math.inf


def _block_powers(waveform: npt.NDArray[np.float32], sample_rate: int) -> npt.NDArray[np.float64]:
    """K-weighted mean squares (C, J) of blocks of 400 ms every 100 ms, some seconds at a time.

    A long sound filtered at once in double precision would take many times its own memory.
    """
    from pyloudnorm import IIRfilter
    from scipy.signal import lfilter

    filters = [IIRfilter(gain, q, hz, sample_rate, kind) for gain, q, hz, kind in _K_WEIGHTING]
    channels, length = waveform.shape
    count = round((length / sample_rate - BLOCK_S) / _STEP_S) + 1
    edges = np.array([[_STEP_S * j, _STEP_S * j + BLOCK_S] for j in range(count)]) * sample_rate
    edges = np.minimum(edges.astype(np.int64), length)
    sums = np.zeros((channels, count, 2))
    chunk = round(_CHUNK_S * sample_rate)
    for c in range(channels):
        states = [np.zeros(max(len(f.a), len(f.b)) - 1) for f in filters]
        before = 0.0
        for first in range(0, length, chunk):
            part = waveform[c, first : first + chunk].astype(np.float64)
            for i, f in enumerate(filters):
                part, states[i] = lfilter(f.b, f.a, part, zi=states[i])
                part = f.passband_gain * part
            powers = np.concatenate([[0.0], np.cumsum(part**2)])
            inside = (edges > first) & (edges <= first + len(part))
            sums[c][inside] = before + powers[edges[inside] - first]
            before += float(powers[-1])
    return np.asarray((sums[..., 1] - sums[..., 0]) / (BLOCK_S * sample_rate))


def _integrated(powers: npt.NDArray[np.float64]) -> float:
    """Loudness of the blocks (C, J) that pass the standard's two gates."""

    def lufs(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(-0.691 + 10.0 * np.log10(np.maximum(power, 1e-30)))

    total = powers.sum(axis=0)
    loud = total[lufs(total) >= _ABSOLUTE_LUFS]
    if not len(loud):
        return -math.inf
    relative = float(lufs(loud.mean())) - _RELATIVE_LU
    kept = loud[lufs(loud) > relative]
    return float(lufs(kept.mean())) if len(kept) else -math.inf


def level_lufs(waveform: npt.NDArray[np.float32], sample_rate: int) -> float:
    """K-weighted level of all of a sound, without the standard's gates.

    Parameters
    ----------
    waveform : float32 (..., T); channels add up
    sample_rate : Hz

    Returns
    -------
    LUFS; -inf for silence

    References
    ----------
    ITU-R BS.1770-4; the filters are pyloudnorm's (Steinmetz & Reiss, 2021).
    """
    from pyloudnorm import IIRfilter

    filtered = np.asarray(waveform, np.float64)
    for gain_db, q, hz, kind in _K_WEIGHTING:
        filtered = IIRfilter(gain_db, q, hz, sample_rate, kind).apply_filter(filtered)
    power = float(np.mean(filtered**2, axis=-1).sum())
    return -0.691 + 10.0 * math.log10(power) if power > 1e-12 else -math.inf


def turned_down(
    waveform: npt.NDArray[np.float32], *, peak_limit_db: float = PEAK_LIMIT_DB
) -> npt.NDArray[np.float32]:
    """The waveform as it is, or where it passes full scale, scaled to a peak of the limit.

    Parameters
    ----------
    waveform : float32 (C, T)
    peak_limit_db : dBFS

    Returns
    -------
    float32 (C, T), [-1, 1]
    """
    check_waveform(waveform)
    peak = peak_of(waveform)
    if peak <= 1.0:
        return waveform
    return np.asarray(waveform * (10.0 ** (peak_limit_db / 20.0) / peak), dtype=np.float32)


def set_loudness(
    waveform: npt.NDArray[np.float32],
    sample_rate: int,
    target_lufs: float,
    *,
    peak_limit_db: float = PEAK_LIMIT_DB,
) -> npt.NDArray[np.float32]:
    """The waveform times one gain, so that it measures `target_lufs`.

    Parameters
    ----------
    waveform : float32 (C, T)
    sample_rate : Hz
    target_lufs : wanted integrated loudness, [-70, 0]; music is often at -14
    peak_limit_db : dBFS; where the wanted gain would lift the highest sample over this, the gain
        is lowered instead: peaky sound comes out quieter than asked for, never clipped

    Returns
    -------
    float32 (C, T); silence comes back as it is
    """
    if not -70.0 <= target_lufs <= 0.0:
        raise ParameterError(f"target_lufs must be in [-70, 0], got {target_lufs}")
    measured = loudness_lufs(waveform, sample_rate)
    if measured == -math.inf:
        return waveform
    gain = 10.0 ** ((target_lufs - measured) / 20.0)
    peak = peak_of(waveform)
    gain = min(gain, 10.0 ** (peak_limit_db / 20.0) / peak)
    return np.asarray(waveform * gain, dtype=np.float32)
