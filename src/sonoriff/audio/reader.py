"""Sound files in."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonoriff.audio.channels import mixing
from sonoriff.audio.containers import has_no_length, open_container
from sonoriff.audio.decoding import Block, Sound, breaks_off, opened
from sonoriff.errors import FormatError, ParameterError, SonoriffWarning

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64"}
    | {".rf64", ".m4a", ".aac", ".mp4", ".webm", ".wma", ".aifc", ".mka", ".wv"}
)
# A decoded MP3 may pass full scale by a decibel or two; more than this is worth a word.
_LOUD_PEAK = 2.0


@dataclass(frozen=True)
class AudioInfo:
    """What a sound file holds.

    Attributes
    ----------
    sample_rate : Hz
    n_channels : before any mixing
    """

    sample_rate: int
    n_channels: int


def read_audio(
    path: str | os.PathLike[str],
    *,
    start_s: float = 0.0,
    duration_s: float | None = None,
    max_seconds: float | None = None,
    max_channels: int | None = None,
) -> tuple[npt.NDArray[np.float32], int]:
    """The sound in a file.

    Parameters
    ----------
    path : WAV, AIFF, CAF, FLAC, Ogg Vorbis, Opus, MP3, AAC, M4A, WebM and the like; what is inside
        decides, the name does not matter
    start_s, duration_s : the part to read; `duration_s` None means up to the end
    max_seconds : refuse to read more than this, before the memory is taken
    max_channels : 1 or 2: more than that are mixed while they are read, as the file says where
        each belongs; None keeps all

    Returns
    -------
    waveform : float32 (C, T), [-1, 1], channels in the order of WAV files whatever the codec's is;
        integers are scaled by their full scale, and a float or lossy file that passes full scale is
        scaled down as a whole to a peak of 1
    sample_rate : Hz, the file's own

    Raises
    ------
    ParameterError
        no such file, an impossible part, or longer than `max_seconds`
    FormatError
        not a sound file, damaged, empty, of more than 64 channels, or holding NaN

    Warns
    -----
    SonoriffWarning
        the file breaks off early or is damaged (what is there is returned), or far over full scale

    Notes
    -----
    A part is the same samples as that part of the whole: every file is decoded from its beginning,
    and a float or lossy one to its end for its peak. Memory is that of the part.
    """
    source = Path(path)
    _check_source(source, start_s, duration_s, max_seconds)
    if max_channels not in (None, 1, 2):
        raise ParameterError(f"max_channels must be 1, 2 or None, got {max_channels}")
    with opened(source) as sound:
        waveform, peak = _Part(sound, start_s, duration_s, max_seconds, max_channels).read()
    if waveform.size == 0:
        raise FormatError(
            f"{source} holds no sound{' after the start asked for' if start_s else ''}"
        )
    return _in_full_scale(waveform, peak, source), sound.sample_rate


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """Sample rate and channels of a sound file, from its beginning alone.

    Raises
    ------
    ParameterError, FormatError
        as `read_audio`
    """
    source = Path(path)
    _check_source(source, 0.0, None, None)
    with opened(source) as sound:
        return AudioInfo(sound.sample_rate, len(sound.channels))


def read_tags(path: str | os.PathLike[str]) -> dict[str, str]:
    """Title, artist, genre and the like that a file brings; names in lower case.

    Raises
    ------
    FormatError
        not a sound file
    """
    source = Path(path)
    with source.open("rb") as file, open_container(file, source) as container:
        found = {**container.metadata, **container.streams.audio[0].metadata}
    return {str(name).lower(): str(value) for name, value in found.items()}


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


class _Part:
    """A part of an open sound, and the peak of the whole."""

    def __init__(
        self,
        sound: Sound,
        start_s: float,
        duration_s: float | None,
        max_seconds: float | None,
        max_channels: int | None,
    ) -> None:
        self.sound, self.max_seconds = sound, max_seconds
        rate = sound.sample_rate
        self.first = round(start_s * rate)
        self.wanted = None if duration_s is None else max(1, round(duration_s * rate))
        self.matrix = mixing(sound.channels, max_channels)
        self.seen = self.kept = 0
        self.peak = 0.0

    def read(self) -> tuple[Block, float]:
        """The part (C, T) and the whole's peak, which is 0 where samples are integers."""
        kept: list[Block] = []
        for block in self.sound.blocks:
            mixed = block if self.matrix is None else self.matrix @ block
            if not self.sound.whole_numbers:
                self.peak = max(self.peak, _finite_peak(mixed))
            piece = mixed[:, max(0, self.first - self.seen) :]
            if self.wanted is not None:
                piece = piece[:, : self.wanted - self.kept]
            self.seen += block.shape[1]
            self.kept += piece.shape[1]
            if piece.shape[1]:
                kept.append(piece)
            self._check_length()
            if self._has_all() and self.sound.whole_numbers:
                break
        if not self._has_all() or self.sound.n_damaged:
            self._warn_of_damage()
        waveform = np.concatenate(kept, axis=1) if kept else np.zeros((1, 0), np.float32)
        return waveform, self.peak

    def _has_all(self) -> bool:
        return self.wanted is not None and self.kept >= self.wanted

    def _check_length(self) -> None:
        if self.max_seconds is not None and self.kept > self.max_seconds * self.sound.sample_rate:
            raise ParameterError(
                f"{self.sound.path} is longer than {self.max_seconds:g} s: take a part of it, "
                "or raise the limit"
            )

    def _warn_of_damage(self) -> None:
        sound, seconds = self.sound, self.kept / max(1, self.sound.sample_rate)
        if not self.kept:
            return
        if sound.n_damaged:
            _warn(f"{sound.path} is damaged in {sound.n_damaged} places, which are silent now")
        if self._has_all():
            return
        if sound.changed_to:
            _warn(
                f"{sound.path} goes on with {sound.changed_to}; the {seconds:.2f} s before are used"
            )
        elif has_no_length(sound.path):
            _warn(f"{sound.path} was never closed; the {seconds:.2f} s that are there are used")
        elif breaks_off(sound, self.seen):
            _warn(f"{sound.path} breaks off early; the {seconds:.2f} s there are used")


def _finite_peak(block: Block) -> float:
    peak = max(float(block.max()), -float(block.min())) if block.size else 0.0
    if np.isfinite(peak):
        return peak
    return float(np.abs(block, where=np.isfinite(block), out=np.zeros_like(block)).max())


def _in_full_scale(waveform: Block, peak: float, source: Path) -> Block:
    if not np.isfinite(waveform).all():
        odd = waveform.size - int(np.count_nonzero(np.isfinite(waveform)))
        raise FormatError(
            f"{source} holds {odd} samples that are no numbers (NaN or infinite): repair it first"
        )
    if peak <= 1.0:
        return waveform
    if peak > _LOUD_PEAK:
        _warn(f"{source} has a peak of {peak:.3g} times full scale; scaled down")
    return np.asarray(waveform / np.float32(peak), dtype=np.float32)


def _warn(message: str) -> None:
    warnings.warn(message, SonoriffWarning, stacklevel=4)
