"""A stream written into a sound file while it is made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.files import atomic_path
from sonoriff.models.protocol import Model
from sonoriff.stream.engine import RiffStream
from sonoriff.stream.scene import SceneSchedule

FloatArray = npt.NDArray[np.float32]


def stream_samples(model: Model, schedule: SceneSchedule) -> Iterator[FloatArray]:
    """Samples (C, t) without end, a window at a time."""
    stream = RiffStream(model)
    state = stream.start(schedule)
    while True:
        _, samples, state = stream.next(state)
        yield samples


def export_stream(
    model: Model,
    schedule: SceneSchedule,
    n_samples: int,
    path: str | os.PathLike[str],
    *,
    on_samples: Callable[[int], None] | None = None,
) -> None:
    """Write the first `n_samples` of a stream as .flac or .wav, 16 bits.

    Parameters
    ----------
    on_samples : told how many are written

    Raises
    ------
    ParameterError
        a file of another kind

    Notes
    -----
    Only a window is in memory at a time. The file appears whole or not at all.
    """
    import soundfile

    rate, written = model.params.sample_rate, 0
    channels = 2 if model.stereo else 1
    target = Path(path)
    kind = {".flac": "FLAC", ".wav": "WAV"}.get(target.suffix.lower())
    if kind is None:
        raise ParameterError(f"a stream is written as .flac or .wav, not as {target.name}")
    with (
        atomic_path(target) as temporary,
        soundfile.SoundFile(temporary, "w", rate, channels, "PCM_16", format=kind) as file,
    ):
        for samples in stream_samples(model, schedule):
            part = np.clip(samples[:, : n_samples - written], -1.0, 1.0)
            file.write(np.ascontiguousarray(part.T))
            written += part.shape[1]
            if on_samples is not None:
                on_samples(written)
            if written >= n_samples:
                return
