"""Waveform to sonogram and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from sonoriff.audio.resample import resample
from sonoriff.errors import ParameterError
from sonoriff.sonogram.mel import mel_from_waveform
from sonoriff.sonogram.params import HIFI, SonogramParams
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.sonogram.streaming import Quality, StreamingDecoder

FloatArray = npt.NDArray[np.float32]
Backend = Literal["native", "torchaudio"]
# Columns decoded at once, after each of which it is asked whether the rest is still wanted.
_BLOCK_FRAMES = 128


def encode(waveform: npt.ArrayLike, sample_rate: int, params: SonogramParams = HIFI) -> Sonogram:
    """Sonogram of a waveform.

    Parameters
    ----------
    waveform : float32 (C, T), [-1, 1]; resampled where `sample_rate` is not the format's
    sample_rate : Hz
    params : the format

    Returns
    -------
    Sonogram of N = ceil(T / hop_length) columns; the last hop is filled up with silence

    Raises
    ------
    ParameterError
        wrong rank, empty, NaN or infinite samples, an impossible sample rate
    """
    samples = np.asarray(waveform, np.float32)
    if samples.ndim != 2 or samples.size == 0:
        raise ParameterError(
            f"a waveform has the shape (channels, samples), neither of them 0; got {samples.shape}"
        )
    if not np.isfinite(samples).all():
        raise ParameterError("the waveform holds NaN or infinite samples")
    samples = np.ascontiguousarray(resample(samples, sample_rate, params.sample_rate))
    if params.scale == "log" and len(samples) == 2:
        samples = np.concatenate([samples, samples.mean(axis=0, keepdims=True)])
    return Sonogram(mel_from_waveform(samples, params), params)


def decode(
    sonogram: Sonogram,
    *,
    quality: Quality = "fast",
    seed: int = 0,
    backend: Backend = "native",
    on_block: Callable[[], None] | None = None,
) -> FloatArray:
    """Waveform of a sonogram.

    Parameters
    ----------
    sonogram : of any format
    quality : "fast" or "best"
    seed : the same picture and seed give the same samples, bit for bit
    backend : "native", or "torchaudio" where that package is installed
    on_block : called now and then on the way; what it raises stops the work

    Returns
    -------
    float32 (C, T), T = N * hop_length, at ``sonogram.params.sample_rate`` Hz; not clipped

    Raises
    ------
    ParameterError
        unknown quality or backend, or torchaudio cannot be imported

    Notes
    -----
    See `StreamingDecoder`, which this runs over all columns at once. Where a picture knows the
    middle of left and right, its sound is found and spread to both; where it does not, they start
    from one phase and are refined each by itself.
    """
    if backend not in get_args(Backend):
        raise ParameterError(f'backend must be "native" or "torchaudio", got {backend!r}')
    if backend == "torchaudio":
        from sonoriff.sonogram.torchaudio_backend import waveform_from_sonogram

        return waveform_from_sonogram(sonogram, quality=quality, seed=seed)
    decoder = StreamingDecoder(sonogram.params, quality=quality, seed=seed)
    parts = []
    # In pieces, so that what is in hand between picture and sound does not grow with its length.
    for first in range(0, sonogram.n_frames, _BLOCK_FRAMES):
        if on_block is not None:
            on_block()
        parts.append(decoder.push(sonogram.values[..., first : first + _BLOCK_FRAMES]))
    if on_block is not None:
        on_block()
    return np.concatenate([*parts, decoder.flush()], axis=1)
