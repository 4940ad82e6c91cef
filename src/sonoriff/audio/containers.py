"""Which program of FFmpeg's reads a sound file: what is inside decides, never the name."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, Literal

from sonoriff.errors import FormatError

# Demuxers of sound alone: none of them opens another file, as playlists and scripts do.
DEMUXERS = (
    *("wav", "w64", "aiff", "au", "caf", "flac", "ogg", "mp3", "aac", "mov", "matroska", "asf"),
    *("wv", "tta", "ape", "ac3", "eac3", "amr"),
)
_DECODERS = (
    *("mp3float", "mp3", "mp2float", "mp2", "mp1float", "mp1", "aac", "aac_latm", "alac", "flac"),
    *("vorbis", "opus", "wmav1", "wmav2", "wmapro", "wmalossless", "ac3", "eac3", "wavpack"),
    *("tta", "ape", "gsm", "gsm_ms", "amrnb", "amrwb", "g722", "g726", "g726le"),
    *("adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "adpcm_g722", "adpcm_g726", "adpcm_g726le"),
    *("adpcm_yamaha", "adpcm_swf"),
    *("pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8", "pcm_s8_planar", "pcm_dvd", "pcm_bluray"),
    *("pcm_u16le", "pcm_u16be", "pcm_u24le", "pcm_u24be", "pcm_u32le", "pcm_u32be"),
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"),
    *("pcm_s64le", "pcm_s64be", "pcm_f16le", "pcm_f24le"),
    *("pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
)
_W64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
# The length of a tag has seven bits in each byte.
_SEVENS = (21, 14, 7, 0)
_SHOWN = "WAV, AIFF, FLAC, Ogg, MP3, AAC, M4A, WebM and the like"


class _Nameless:
    """An open file whose name FFmpeg does not see, and which can be no address of a network."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.read, self.tell = file.read, file.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        """The new place; -1 for one that damage makes up, which is no fault of the file system."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def open_container(file: IO[bytes], path: Path) -> Any:
    """An open PyAV container with one sound track at least.

    Raises
    ------
    FormatError
        no sound file, one without a sound track, or of a kind that is not read
    """
    import av

    options = {
        "format_whitelist": ",".join(DEMUXERS),
        "codec_whitelist": ",".join(_DECODERS),
        "protocol_whitelist": "",
    }
    try:
        container = av.open(
            _Nameless(file), format=demuxer_of(file), options=options, metadata_errors="replace"
        )
    except av.error.ArgumentError as error:  # not in the list
        raise FormatError(
            f"{path} is not a readable sound file: expected {_SHOWN}, it is of another kind"
        ) from error
    except (av.FFmpegError, EOFError, OSError, ValueError) as error:
        raise FormatError(f"{path} is not a readable sound file: {in_words(error)}") from error
    if not container.streams.audio:
        container.close()
        raise FormatError(f"{path} is not a readable sound file: it holds no sound track")
    return container


def check_decoder(stream: Any, path: Path) -> None:
    """FormatError, with what the track is, where nothing decodes it."""
    context = stream.codec_context
    if context is not None and context.name in _DECODERS:
        return
    with path.open("rb") as file:
        bits = _bits_of_wav(file.read(512))
    if context is None and bits is not None:
        raise FormatError(
            f"{path} is not a readable sound file: its samples have {bits} bits, expected 8, 16, "
            "24, 32 or 64"
        )
    kind = "of a kind without a name" if context is None else f"{context.name}"
    raise FormatError(f"{path} is not a readable sound file: its sound track is {kind}")


def demuxer_of(file: IO[bytes]) -> str | None:
    """The demuxer for what a file begins with; None where only a closer look can tell.

    A tag (ID3) may stand before anything.
    """
    _skip_tags(file)
    head = file.read(16)
    file.seek(0)
    return _demuxer_of_head(head)


def _skip_tags(file: IO[bytes]) -> None:
    """Go behind the tags (ID3) that a file begins with."""
    place = 0
    while True:
        file.seek(place)
        head = file.read(10)
        if head[:3] != b"ID3" or len(head) < 10:
            file.seek(place)
            return
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], _SEVENS, strict=True))
        place += 10 + size + (10 if head[5] & 0x10 else 0)


def _demuxer_of_head(head: bytes) -> str | None:
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] == b"ftyp":
        return "mov"
    starts = {b".snd": "au", b"caff": "caf", b"fLaC": "flac", b"OggS": "ogg", b"wvpk": "wv"}
    starts |= {_W64: "w64", _ASF: "asf", b"\x1a\x45\xdf\xa3": "matroska", b"#!AMR": "amr"}
    for start, demuxer in starts.items():
        if head.startswith(start):
            return demuxer
    if len(head) >= 4 and head[0] == 0xFF:
        if head[1] & 0xF6 == 0xF0:
            return "aac"
        if head[1] & 0xE0 == 0xE0 and head[1] & 0x06 and head[2] >> 4 not in (0, 15):
            return "mp3"
    return None


def in_words(error: BaseException) -> str:
    """What an error of FFmpeg means, without numbers that nobody knows."""
    import av

    if isinstance(error, av.error.InvalidDataError):
        return "its data are damaged, or of no kind of sound that is known"
    if isinstance(error, EOFError):
        return "it ends before any sound"
    if isinstance(error, av.error.DecoderNotFoundError):
        return "nothing decodes its sound track"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].rstrip(".").lower()


def is_cut(path: Path) -> bool:
    """Whether a file's own structure says that more should follow than is there.

    Looked at: the lengths in WAV, W64, RF64, AU and CAF, and whether the last page of an Ogg file
    is whole.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(1 << 16)
        if head[:4] != b"OggS":
            promised = _promised_size(head)
            return promised is not None and size < promised
        file.seek(max(0, size - 70_000))
        tail = file.read()
    last = tail.rfind(b"OggS")
    if last < 0 or len(tail) < last + 27:
        return True
    segments = tail[last + 27 : last + 27 + tail[last + 26]]
    return len(segments) < tail[last + 26] or len(tail) < last + 27 + len(segments) + sum(segments)


def _promised_size(head: bytes) -> int | None:
    """Bytes that a file should have, by its head; None where that says nothing.

    A stream of unknown length says 0 or the largest number.
    """

    def number(place: int, length: int, order: Literal["little", "big"]) -> int:
        return int.from_bytes(head[place : place + length], order)

    if head[:4] in (b"RIFF", b"RIFX"):
        size = number(4, 4, "little" if head[3:4] == b"F" else "big")
        return size + 8 if 0 < size < 0xFFFFFFFF - 8 else None
    if head[:4] in (b"RF64", b"BW64") and head[12:16] == b"ds64":
        return number(20, 8, "little") + 8
    if head.startswith(_W64):
        return number(16, 8, "little")
    if head[:4] == b".snd":
        size = number(8, 4, "big")
        return size + number(4, 4, "big") if size < 0xFFFFFFFF else None
    place = 8
    while head[:4] == b"caff" and place + 12 <= len(head):
        size = number(place + 4, 8, "big")
        if head[place : place + 4] == b"data":
            return place + 12 + size if size < 1 << 62 else None
        place += 12 + size
    return None


def has_no_length(path: Path) -> bool:
    """Whether a WAV file says that its data are 0 bytes long, as one that was never closed."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return False
    place = 12
    while place + 8 <= len(head):
        name, length = (
            head[place : place + 4],
            int.from_bytes(head[place + 4 : place + 8], "little"),
        )
        if name == b"data":
            return length == 0
        place += 8 + length + length % 2
    return False


def frames_said_by_mp3(path: Path) -> int | None:
    """Samples that the first frame of an MP3 (Xing, Info) counts; None where it does not.

    Less three frames, for the delay and the filling that are cut off.
    """
    with path.open("rb") as file:
        _skip_tags(file)
        first = file.read(400)
    place = max(first.find(b"Xing"), first.find(b"Info"))
    if place < 0 or len(first) < place + 12 or not first[place + 7] & 1:
        return None
    count = int.from_bytes(first[place + 8 : place + 12], "big")
    return max(0, count - 3) * (1152 if first[1] & 0x08 else 576)


def _bits_of_wav(head: bytes) -> int | None:
    place = head.find(b"fmt ")
    if head[8:12] != b"WAVE" or place < 0 or len(head) < place + 24:
        return None
    return int.from_bytes(head[place + 22 : place + 24], "little")
