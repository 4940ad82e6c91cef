"""Containers that libsndfile does not read, through PyAV (FFmpeg's libraries in a wheel)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from sonoriff.errors import FormatError, ParameterError, SonoriffWarning


def read_with_av(
    path: Path,
    start_s: float,
    wanted_frames: Callable[[int], int | None],
    check_length: Callable[[int, int], None],
) -> tuple[npt.NDArray[np.float32], int]:
    """The first sound track of a media file.

    Parameters
    ----------
    path : any container that FFmpeg knows
    start_s : where to begin
    wanted_frames : of the sample rate; how many frames to read at most, None for all
    check_length : of frames and sample rate; raises when that is too much

    Returns
    -------
    float32 (C, T) as decoded, and the sample rate in Hz

    Raises
    ------
    FormatError
        not a media file, no sound in it, or nothing of it can be decoded
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise FormatError(f"{path} holds no sound track")
            return _read_stream(container, start_s, wanted_frames, check_length, path)
    except ParameterError:
        raise  # it is a ValueError too
    except (av.FFmpegError, EOFError, ValueError) as error:
        raise FormatError(f"{path} is not a readable sound file: {error}") from error


def _read_stream(
    container: Any,
    start_s: float,
    wanted_frames: Callable[[int], int | None],
    check_length: Callable[[int, int], None],
    path: Path,
) -> tuple[npt.NDArray[np.float32], int]:
    stream = container.streams.audio[0]
    rate = int(stream.codec_context.sample_rate)
    first = round(start_s * rate)
    wanted = wanted_frames(rate)
    blocks: list[npt.NDArray[np.float32]] = []
    seen = 0
    for block in _decoded(container, stream, path):
        kept = block[:, max(0, first - seen) :]
        seen += block.shape[1]
        if kept.shape[1]:
            blocks.append(kept)
        count = seen - first
        if wanted is not None and count >= wanted:
            break
        check_length(max(0, count), rate)
    waveform = np.concatenate(blocks, axis=1) if blocks else np.zeros((1, 0), np.float32)
    waveform = waveform[:, :wanted]
    check_length(waveform.shape[1], rate)
    return waveform, rate


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[npt.NDArray[np.float32]]:
    """Float planes (C, n), block by block; a damaged tail ends it with a warning."""
    to_float = av.AudioResampler(format="fltp")
    started = False
    try:
        for frame in container.decode(stream):
            for part in to_float.resample(frame):
                started = True
                yield np.asarray(part.to_ndarray(), dtype=np.float32)
        for part in to_float.resample(None):
            yield np.asarray(part.to_ndarray(), dtype=np.float32)
    except av.FFmpegError:
        if not started:
            raise
        warnings.warn(
            f"{path} breaks off early; what could be decoded is used", SonoriffWarning, stacklevel=5
        )
