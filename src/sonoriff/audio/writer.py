"""Sound files out."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from sonoriff.audio.checks import check_sample_rate, check_waveform, peak_of
from sonoriff.audio.decoding import MAX_CHANNELS
from sonoriff.audio.resample import resample
from sonoriff.audio.tags import AudioTags, tag_file
from sonoriff.errors import ParameterError, SonoriffWarning
from sonoriff.files import atomic_path

_WRITE_FRAMES = 1 << 16


@dataclass(frozen=True)
class _Format:
    container: str
    subtype: str
    max_channels: int
    rates: tuple[int, ...] | None = None
    compression_level: float | None = None
    clips: bool = True


_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_FORMATS = {
    ".wav": _Format("WAV", "PCM_16", MAX_CHANNELS),
    ".flac": _Format("FLAC", "PCM_16", 8),
    ".ogg": _Format("OGG", "VORBIS", 8, compression_level=0.4),
    ".oga": _Format("OGG", "VORBIS", 8, compression_level=0.4),
    ".opus": _Format("OGG", "OPUS", 8, _OPUS_RATES),
    ".mp3": _Format("MP3", "MPEG_LAYER_III", 2, _MP3_RATES, compression_level=0.0),
}
WRITABLE_SUFFIXES = tuple(_FORMATS)


def write_audio(
    path: str | os.PathLike[str],
    waveform: npt.NDArray[np.float32],
    sample_rate: int,
    *,
    subtype: str | None = None,
    tags: AudioTags | None = None,
) -> None:
    """Write a waveform; the file's suffix says the format.

    Parameters
    ----------
    path : .wav, .flac, .ogg (Vorbis), .opus or .mp3
    waveform : float32 (C, T), [-1, 1]; samples beyond are clipped, with a warning
    sample_rate : Hz; Opus and MP3 know a few rates only and are resampled to the next higher
    subtype : libsndfile's name of the sample format; by default 16-bit integers for WAV and FLAC.
        "PCM_24" suits both, "FLOAT" suits WAV and keeps every sample as it is
    tags : title, tempo, loop points and the like; None writes the sound alone

    Raises
    ------
    ParameterError
        an unknown suffix, a bad waveform, or more channels than the format has
    OSError
        the disk is full, or the folder cannot be written; `filename` is `path`

    Notes
    -----
    Needs no ffmpeg. The file appears whole or not at all.
    """
    target = Path(path)
    chosen = _format_of(target.suffix, waveform, sample_rate)
    try:
        with atomic_path(target) as temporary, temporary.open("w+b") as file:
            _write(file, chosen, waveform, sample_rate, subtype)
            if tags is not None:
                tag_file(file, target.suffix.lower(), tags)
    except OSError as error:
        error.filename = str(target)  # not the temporary file's, or none
        raise


def audio_bytes(
    waveform: npt.NDArray[np.float32],
    sample_rate: int,
    suffix: str,
    *,
    subtype: str | None = None,
    tags: AudioTags | None = None,
) -> bytes:
    """What `write_audio` would put into a file with this suffix."""
    buffer = io.BytesIO()
    chosen = _format_of(suffix, waveform, sample_rate)
    _write(buffer, chosen, waveform, sample_rate, subtype)
    if tags is not None:
        tag_file(buffer, suffix.lower(), tags)
    return buffer.getvalue()


class _Sink:
    """A file to write that keeps its first error: libsndfile prints it and goes on."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """How many bytes were written; 0 after an error."""
        return self._kept(self._file.write, data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """The new place."""
        return self._kept(self._file.seek, offset, whence)

    def tell(self) -> int:
        """The place."""
        return self._kept(self._file.tell)

    def _kept(self, call: Callable[..., int], *values: Any) -> int:
        if self.error is None:
            try:
                return call(*values)
            except OSError as error:
                self.error = error
        return 0

    def check(self) -> None:
        """Raise the error that there was."""
        if self.error is not None:
            raise self.error


def _format_of(suffix: str, waveform: npt.NDArray[np.float32], sample_rate: int) -> _Format:
    chosen = _FORMATS.get(suffix.lower())
    if chosen is None:
        known = " ".join(WRITABLE_SUFFIXES)
        raise ParameterError(
            f"cannot write sound as {suffix or 'a name without suffix'!r}: {known}"
        )
    check_waveform(waveform)
    check_sample_rate(sample_rate)
    if waveform.shape[0] > chosen.max_channels:
        raise ParameterError(
            f"{suffix} holds up to {chosen.max_channels} channels, got {waveform.shape[0]}"
        )
    return chosen


def _write(
    file: IO[bytes],
    chosen: _Format,
    waveform: npt.NDArray[np.float32],
    sample_rate: int,
    subtype: str | None,
) -> None:
    import soundfile

    subtype = subtype or chosen.subtype
    if not soundfile.check_format(chosen.container, subtype):
        known = " ".join(soundfile.available_subtypes(chosen.container))
        raise ParameterError(f"{chosen.container} has no subtype {subtype!r}: {known}")
    if chosen.rates is not None and sample_rate not in chosen.rates:
        rate = min((r for r in chosen.rates if r > sample_rate), default=chosen.rates[-1])
        waveform, sample_rate = resample(waveform, sample_rate, rate, quality="VHQ"), rate
    if subtype not in ("FLOAT", "DOUBLE"):
        waveform = _clipped(waveform)
    sink = _Sink(file)
    try:
        with soundfile.SoundFile(
            sink,
            "w",
            sample_rate,
            waveform.shape[0],
            subtype,
            format=chosen.container,
            compression_level=chosen.compression_level,
        ) as sound:
            # In blocks: libsndfile's Vorbis encoder takes its buffers from the stack.
            for start in range(0, waveform.shape[1], _WRITE_FRAMES):
                sound.write(np.ascontiguousarray(waveform[:, start : start + _WRITE_FRAMES].T))
                sink.check()
    except (AssertionError, soundfile.SoundFileError):
        sink.check()  # soundfile asserts that all was written
        raise
    sink.check()


def _clipped(waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    peak = peak_of(waveform)
    if peak <= 1.0:
        return waveform
    # A resampler may overshoot by a hair; nobody needs to hear of that.
    if peak > 1.06:
        _warn(f"the waveform's peak is {peak:.2f} times full scale and was clipped: lower its gain")
    return np.asarray(np.clip(waveform, -1.0, 1.0), dtype=np.float32)


def _warn(message: str) -> None:
    warnings.warn(message, SonoriffWarning, stacklevel=4)
