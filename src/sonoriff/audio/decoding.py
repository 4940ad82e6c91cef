"""A sound file as blocks of floats, decoded once from its beginning to its end.

Nothing seeks: a decoder that is put into the middle of an MP3 lacks what went before, and gives
other samples than one that came there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.audio.containers import (
    check_decoder,
    frames_said_by_mp3,
    has_no_length,
    in_words,
    is_cut,
    open_container,
)
from sonoriff.errors import FormatError
from sonoriff.files import native_name

MAX_CHANNELS = 64
Block = npt.NDArray[np.float32]
# What decoded sound may be short of what a file says, s: marks of delay are counted or not.
_SLACK_S = 0.1
# Samples of a block of Vorbis at most.
_LONGEST_BLOCK = 8192
# PyAV counts the planes of a frame to the end of a list that has no end where it is full.
_MANY_PLANES = 8
# Containers that say exactly how many samples there are.
_COUNTING = ("wav", "w64", "aiff", "au", "caf", "flac", "mov", "matroska", "asf", "tta", "wv")
# Tags after the sound, which an MP3 decoder takes for damaged sound.
_TAGS = (b"TAG", b"APETAGEX", b"ID3", b"LYRICS", b"3DI")


@dataclass
class Sound:
    """An open sound file.

    Attributes
    ----------
    path : as it was given
    sample_rate : Hz
    channels : names as FFmpeg has them, in the order of the samples: that of WAV files, whatever
        the codec's own is; "NONE" where the file does not say
    whole_numbers : whether samples are integers, which cannot pass full scale
    expected_frames : that the file says it has; None where it says nothing that can be relied on
    n_damaged : places that could not be decoded so far
    ended_badly : whether the last of it could not be decoded
    changed_to : the sample rate and channels of what follows, where they change; it is left out
    """

    path: Path
    blocks: Iterator[Block]
    sample_rate: int = 0
    channels: tuple[str, ...] = ()
    whole_numbers: bool = True
    expected_frames: int | None = None
    n_damaged: int = 0
    ended_badly: bool = False
    changed_to: str = ""


@contextmanager
def opened(path: Path) -> Iterator[Sound]:
    """A sound file, open for one reading.

    Raises
    ------
    FormatError
        no sound file, more than 64 channels, or nothing of it can be decoded
    """
    said = frames_said_by_mp3(path)
    with path.open("rb") as file, open_container(file, path) as container:
        stream = container.streams.audio[0]
        _check_channels(stream, path)
        check_decoder(stream, path)
        if _is_misread(container, stream, path):
            sound = _opened_by_libsndfile(path)
        else:
            sound = Sound(path, iter(()), expected_frames=_expected(container, stream, path))
            sound.blocks = _Decoder(container, stream, sound).blocks()
            if container.format.name == "mp3":
                sound.expected_frames = said
            elif container.format.name == "ogg" and stream.codec_context.name == "vorbis":
                _keep_all(stream.codec_context)
                sound.blocks = _without_filling(sound.blocks, _end_of_vorbis(stream))
        yield _with_first_block(sound)


def _check_channels(stream: Any, path: Path) -> None:
    context = stream.codec_context
    # FFmpeg gives up above 512 channels and says 0.
    if context is not None and not 1 <= context.channels <= MAX_CHANNELS:
        raise FormatError(
            f"{path} is not a readable sound file: it has {context.channels or 'no, or too many'} "
            f"channels, expected 1 to {MAX_CHANNELS}"
        )


def _with_first_block(sound: Sound) -> Sound:
    """The sound once its facts are known: some codecs tell them with the first samples."""
    first = next(sound.blocks, None)
    if first is None:
        return sound
    rest = sound.blocks

    def all_blocks() -> Iterator[Block]:
        yield first
        yield from rest

    sound.blocks = all_blocks()
    return sound


class _Decoder:
    """Frames of a stream as float planes (C, n); what is damaged is silent."""

    def __init__(self, container: Any, stream: Any, sound: Sound) -> None:
        self.container, self.stream, self.sound = container, stream, sound
        self.missing = Fraction(0)  # seconds that could not be decoded since the last good frame
        self.bad = 0

    def blocks(self) -> Iterator[Block]:
        import av

        sound = self.sound
        for packet in self._packets():
            try:
                frames = packet.decode()
            except (av.FFmpegError, EOFError, OSError, ValueError) as error:
                self._note(packet, error)
                continue
            for frame in frames:
                if not sound.channels:
                    self._begin(frame)
                elif not self._fits(frame):
                    return
                yield from self._silence()
                yield floats_of(frame)
        sound.ended_badly = sound.ended_badly or self.bad > 0

    def _packets(self) -> Iterator[Any]:
        """All packets, up to a place where the container itself is damaged, or changes its kind."""
        import av

        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, EOFError, OSError, ValueError) as error:
                if not self.sound.channels:
                    raise FormatError(
                        f"{self.sound.path} is not a readable sound file: {in_words(error)}"
                    ) from error
                self.sound.ended_badly = True
                return
            if packet is None:
                return
            yield packet

    def _note(self, packet: Any, error: BaseException) -> None:
        if packet.size and bytes(packet).startswith(_TAGS):
            return
        self.bad += 1
        if packet.duration:
            self.missing += packet.duration * packet.time_base
        if not self.sound.channels and self.bad > 1000:
            raise FormatError(
                f"{self.sound.path} is not a readable sound file: {in_words(error)}"
            ) from error

    def _begin(self, frame: Any) -> None:
        sound = self.sound
        sound.sample_rate = int(frame.sample_rate)
        sound.channels = tuple(channel.name for channel in frame.layout.channels)
        sound.whole_numbers = not frame.format.name.startswith(("flt", "dbl"))
        # What stands before the first sound that can be decoded is no part of it.
        self.missing, self.bad = Fraction(0), 0
        if sound.sample_rate < 1 or not sound.channels:
            raise FormatError(f"{sound.path} is not a readable sound file: it has no sample rate")

    def _fits(self, frame: Any) -> bool:
        sound, count = self.sound, len(frame.layout.channels)
        if frame.sample_rate == sound.sample_rate and count == len(sound.channels):
            return True
        sound.changed_to = f"{count} channel{'s' if count > 1 else ''} at {frame.sample_rate} Hz"
        return False

    def _silence(self) -> Iterator[Block]:
        """In place of what could not be decoded between two frames that could."""
        if not self.bad:
            return
        sound = self.sound
        sound.n_damaged += self.bad
        count = round(self.missing * sound.sample_rate)
        self.missing, self.bad = Fraction(0), 0
        while count > 0:
            block = np.zeros((len(sound.channels), min(count, 1 << 16)), np.float32)
            count -= block.shape[1]
            yield block


def floats_of(frame: Any) -> Block:
    """Samples (C, n) of a frame of PyAV, float32; integers by their full scale."""
    count = len(frame.layout.channels)
    if frame.format.is_planar and count >= _MANY_PLANES:
        frame = _interleaved(frame)
    raw = _array_of(frame, count)
    if np.issubdtype(raw.dtype, np.floating):
        return np.ascontiguousarray(raw, np.float32)
    if raw.dtype == np.uint8:
        return np.ascontiguousarray((raw.astype(np.float32) - 128.0) / 128.0)
    scale = np.float64(0.5) ** (8 * raw.dtype.itemsize - 1)
    return np.ascontiguousarray(raw * scale, np.float32)


def _interleaved(frame: Any) -> Any:
    import av

    to_packed = av.AudioResampler(frame.format.packed, frame.layout, frame.sample_rate)
    (packed,) = to_packed.resample(frame)
    return packed


def _array_of(frame: Any, count: int) -> npt.NDArray[Any]:
    """(C, n) as it was decoded."""
    if frame.format.name in ("s64", "s64p"):  # which PyAV gives no array of
        size = frame.samples * (1 if frame.format.is_planar else count)
        raw = np.stack([np.frombuffer(plane, np.int64)[:size] for plane in frame.planes])
    else:
        raw = frame.to_ndarray()
    return raw if frame.format.is_planar else raw.reshape(-1, count).T


def _keep_all(context: Any) -> None:
    """Let the decoder give what a demuxer would have it cut off."""
    from av.codec.context import Flags2

    context.flags2 |= Flags2.skip_manual


def _end_of_vorbis(stream: Any) -> int:
    """Samples to the end, by the last page."""
    if not stream.duration:
        return 1 << 62
    return int(stream.start_time or 0) + int(stream.duration)


def _without_filling(blocks: Iterator[Block], n_frames: int) -> Iterator[Block]:
    """Vorbis without its first block, which only leads in, and without the filling of its last.

    Not left to FFmpeg, which cuts at another place where the first page holds all of a short
    sound, or of a quiet one. More than a block is a second stream behind the first, which stays.
    """
    seen, held = 0, []
    next(blocks, None)
    for block in blocks:
        begin, seen = seen, seen + block.shape[1]
        if seen <= n_frames:
            yield block
            continue
        keep = max(0, n_frames - begin)
        if keep:
            yield block[:, :keep]
        held.append(block[:, keep:])
        if seen - n_frames > _LONGEST_BLOCK:
            yield from held
            held, n_frames = [], 1 << 62


def _expected(container: Any, stream: Any, path: Path) -> int | None:
    """Frames that the container says it has; None where it guesses."""
    name = container.format.name.split(",")[0]
    context = stream.codec_context
    adpcm = context.name.startswith("adpcm")
    if name not in _COUNTING or adpcm or has_no_length(path):
        return None
    if stream.duration is not None:
        seconds = stream.duration * stream.time_base
    elif container.duration is not None:
        seconds = Fraction(container.duration, 1_000_000)
    else:
        return None
    # FFmpeg says the largest number where it does not know.
    return round(seconds * context.sample_rate) if 0 < seconds < 1e9 else None


def breaks_off(sound: Sound, n_frames: int) -> bool:
    """Whether a file that was read to its end should have had more."""
    if sound.ended_badly or is_cut(sound.path):
        return True
    if sound.expected_frames is None:
        return False
    return n_frames < sound.expected_frames - _SLACK_S * sound.sample_rate


def _is_misread(container: Any, stream: Any, path: Path) -> bool:
    """Whether FFmpeg gives other samples than are there, and libsndfile the right ones.

    Of ALAC in CAF it takes the filling of the last packet off twice, and does not know 20 bits. Of
    big-endian WAV it takes the samples as little-endian.
    """
    if container.format.name == "caf" and stream.codec_context.name == "alac":
        return True
    with path.open("rb") as file:
        return file.read(4) == b"RIFX"


def _opened_by_libsndfile(path: Path) -> Sound:
    import soundfile

    class OneWay(soundfile.SoundFile):  # type: ignore[misc]
        """Seeks after each block unless it is told that it cannot."""

        def seekable(self) -> bool:
            return False

    try:
        file = OneWay(native_name(path))
    except soundfile.SoundFileError as error:
        raise FormatError(f"{path} is not a readable sound file: it is damaged") from error

    def blocks() -> Iterator[Block]:
        with file:
            left = sound.expected_frames or 0
            while left > 0:
                try:
                    block = file.read(min(left, 4096), dtype="float32", always_2d=True)
                except soundfile.LibsndfileError:
                    sound.ended_badly = True
                    return
                if len(block) == 0:
                    return
                left -= len(block)
                yield np.ascontiguousarray(block.T)

    sound = Sound(path, iter(()), int(file.samplerate), ("NONE",) * int(file.channels))
    sound.expected_frames = int(file.frames)
    sound.blocks = blocks()
    return sound
