"""Sound files in and out."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from sonoriff.audio.checks import check_sample_rate, check_waveform
from sonoriff.audio.resample import resample
from sonoriff.errors import FormatError, ParameterError, SonoriffWarning
from sonoriff.files import atomic_path, native_name

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64"}
    | {".rf64", ".m4a", ".aac", ".mp4", ".webm", ".wma"}
)
MAX_CHANNELS = 64
_WRITE_FRAMES = 1 << 16
# Small, since a damaged file loses the whole block in which the damage begins.
_READ_FRAMES = 4096
# A decoded MP3 may pass full scale by a decibel or two; more than this is worth a word.
_LOUD_PEAK = 2.0


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


def read_audio(
    path: str | os.PathLike[str],
    *,
    start_s: float = 0.0,
    duration_s: float | None = None,
    max_seconds: float | None = None,
) -> tuple[npt.NDArray[np.float32], int]:
    """The sound in a file.

    Parameters
    ----------
    path : WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF and the like; M4A, AAC, WebM and other
        containers too where PyAV is installed (the extra ``media``)
    start_s, duration_s : the part to read; `duration_s` None means up to the end
    max_seconds : refuse to read more than this, before the memory is taken

    Returns
    -------
    waveform : float32 (C, T), [-1, 1]; integers are scaled by their full scale, and a float or
        lossy file that passes full scale is scaled down as a whole to a peak of 1
    sample_rate : Hz, the file's own

    Raises
    ------
    ParameterError
        no such file, an impossible part, or longer than `max_seconds`
    FormatError
        not a sound file, damaged, empty, or holding NaN

    Warns
    -----
    SonoriffWarning
        the file breaks off early (what is there is returned) or is far over full scale
    """
    source = Path(path)
    _check_source(source, start_s, duration_s, max_seconds)
    part = _Part(source, start_s, duration_s, max_seconds)
    import soundfile

    try:
        waveform, sample_rate = _read_soundfile(part)
    except ParameterError:
        raise  # it is a ValueError too
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        waveform, sample_rate = _read_other(part, error)
    if waveform.size == 0:
        raise FormatError(
            f"{source} holds no sound{' after the start asked for' if start_s else ''}"
        )
    return _in_full_scale(waveform, source), sample_rate


def write_audio(
    path: str | os.PathLike[str],
    waveform: npt.NDArray[np.float32],
    sample_rate: int,
    *,
    subtype: str | None = None,
) -> None:
    """Write a waveform; the file's suffix says the format.

    Parameters
    ----------
    path : .wav, .flac, .ogg (Vorbis), .opus or .mp3
    waveform : float32 (C, T), [-1, 1]; samples beyond are clipped, with a warning
    sample_rate : Hz; Opus and MP3 know a few rates only and are resampled to the next higher
    subtype : libsndfile's name of the sample format; by default 16-bit integers for WAV and FLAC.
        "PCM_24" suits both, "FLOAT" suits WAV and keeps every sample as it is

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
    except OSError as error:
        error.filename = str(target)  # not the temporary file's, or none
        raise


def audio_bytes(
    waveform: npt.NDArray[np.float32],
    sample_rate: int,
    suffix: str,
    *,
    subtype: str | None = None,
) -> bytes:
    """What `write_audio` would put into a file with this suffix."""
    buffer = io.BytesIO()
    chosen = _format_of(suffix, waveform, sample_rate)
    _write(buffer, chosen, waveform, sample_rate, subtype)
    return buffer.getvalue()


# Reading.


@dataclass(frozen=True)
class _Part:
    path: Path
    start_s: float
    duration_s: float | None
    max_seconds: float | None

    def wanted_frames(self, sample_rate: int) -> int | None:
        return None if self.duration_s is None else max(1, round(self.duration_s * sample_rate))

    def check_length(self, frames: int, sample_rate: int) -> None:
        if self.max_seconds is not None and frames > self.max_seconds * sample_rate:
            raise ParameterError(
                f"{self.path} is longer than {self.max_seconds:g} s: take a part of it, "
                "or raise the limit"
            )


def _check_source(
    source: Path, start_s: float, duration_s: float | None, max_seconds: float | None
) -> None:
    if not source.exists():
        raise ParameterError(f"there is no file {source}")
    if not source.is_file():
        raise ParameterError(f"{source} is not a file")
    if source.stat().st_size == 0:
        raise FormatError(f"{source} is empty (0 bytes)")
    if not 0 <= start_s < float("inf"):
        raise ParameterError(f"start_s must be 0 or more, got {start_s}")
    for name, value in (("duration_s", duration_s), ("max_seconds", max_seconds)):
        if value is not None and not 0 < value < float("inf"):
            raise ParameterError(f"{name} must be more than 0, got {value}")


def _read_soundfile(part: _Part) -> tuple[npt.NDArray[np.float32], int]:
    import soundfile

    with soundfile.SoundFile(native_name(part.path)) as file:
        rate = int(file.samplerate)
        first = round(part.start_s * rate)
        if first >= file.frames:
            return np.zeros((file.channels, 0), np.float32), rate
        left = file.frames - first
        wanted = part.wanted_frames(rate)
        frames = left if wanted is None else min(left, wanted)
        part.check_length(frames, rate)
        blocks = list(_blocks(file, first, frames))
    waveform = np.concatenate(blocks, axis=1) if blocks else np.zeros((1, 0), np.float32)
    if waveform.size and (waveform.shape[1] < frames or _is_cut_wav(part.path)):
        _warn(f"{part.path} breaks off early; the {waveform.shape[1] / rate:.2f} s there are used")
    return waveform, rate


def _blocks(file: Any, first: int, frames: int) -> Iterator[npt.NDArray[np.float32]]:
    """Blocks (C, n) up to `frames`; ends early, without an error, where the file is damaged."""
    import soundfile

    try:
        if first:
            file.seek(first)
        while frames > 0:
            block = file.read(min(frames, _READ_FRAMES), dtype="float32", always_2d=True)
            if len(block) == 0:
                return
            frames -= len(block)
            yield block.T
    except soundfile.LibsndfileError:
        return


def _is_cut_wav(path: Path) -> bool:
    """Whether a RIFF header promises more bytes than the file has (libsndfile never says)."""
    with path.open("rb") as file:
        header = file.read(12)
    if header[:4] != b"RIFF" or header[8:] != b"WAVE":
        return False
    promised = int.from_bytes(header[4:8], "little") + 8
    # A stream of unknown length says 0 or the largest number.
    return 44 < promised < 0xFFFFFF00 and path.stat().st_size < promised - 1


def _read_other(part: _Part, error: Exception) -> tuple[npt.NDArray[np.float32], int]:
    if part.path.suffix.lower() in _FORMATS:
        raise FormatError(f"{part.path} is not a readable sound file: {_reason(error)}") from error
    try:
        from sonoriff.audio.av_reader import read_with_av
    except ImportError:
        raise FormatError(
            f"{part.path} is not a sound file that libsndfile reads ({_reason(error)}); for M4A, "
            "AAC and WebM install PyAV: pip install 'sonoriff[media]'"
        ) from error
    return read_with_av(part.path, part.start_s, part.wanted_frames, part.check_length)


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).rstrip(".")


def _in_full_scale(waveform: npt.NDArray[np.float32], source: Path) -> npt.NDArray[np.float32]:
    peak = float(np.abs(waveform).max())
    if not np.isfinite(peak):
        odd = waveform.size - int(np.count_nonzero(np.isfinite(waveform)))
        raise FormatError(
            f"{source} holds {odd} samples that are no numbers (NaN or infinite): repair it first"
        )
    if peak <= 1.0:
        return waveform
    if peak > _LOUD_PEAK:
        _warn(f"{source} has a peak of {peak:.3g} times full scale; scaled down")
    return np.asarray(waveform / peak, dtype=np.float32)


def _warn(message: str) -> None:
    warnings.warn(message, SonoriffWarning, stacklevel=4)


# Writing.


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
    peak = float(np.abs(waveform).max())
    if peak <= 1.0:
        return waveform
    # A resampler may overshoot by a hair; nobody needs to hear of that.
    if peak > 1.06:
        _warn(f"the waveform's peak is {peak:.2f} times full scale and was clipped: lower its gain")
    return np.asarray(np.clip(waveform, -1.0, 1.0), dtype=np.float32)
