"""What a sound file says about its music besides the sound, and how each format says it.

WAV files get RIFF chunks that samplers and audio workstations read; the others are remuxed by
FFmpeg's libraries with tags and a cover, which leaves their encoded sound as it is.
"""

from __future__ import annotations

import base64
import io
import struct
from dataclasses import dataclass
from typing import IO
from xml.sax.saxutils import escape

from sonoriff.music import BEATS_PER_BAR, KEYS, parse_key

# Container of each suffix in FFmpeg's words.
_MUXERS = {".mp3": "mp3", ".flac": "flac", ".ogg": "ogg", ".oga": "ogg", ".opus": "ogg"}
_MIDDLE_C = 60
# Pages of a Vorbis file before its sound: identification; comments and setup.
_VORBIS_HEAD_PAGES = 2
# Flags of an acid chunk.
_ACID_ROOT_NOTE, _ACID_STRETCH, _ACID_BEATMAPPED = 0x02, 0x04, 0x08
# Names of keys in ID3, which has flats where `KEYS` has sharps that no key signature has.
_FLATS = {"A#": "Bb", "D#": "Eb", "G#": "Ab", "C#": "Db"}
_MINOR_SHARPS = ("C#", "G#")
_PICTURE_BLOCK_FRONT = 3


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A named place in a sound.

    Attributes
    ----------
    at_s : seconds from the start
    name : "bar 3", "chorus"
    """

    at_s: float
    name: str


@dataclass(frozen=True, kw_only=True)
class AudioTags:
    """What is written into a sound file beside the sound.

    Attributes
    ----------
    title, prompt, negative_prompt, model, software : text, "" where there is none
    seed : None where the sound has none
    bpm : beats per minute, four to a bar; None where it is unknown
    key : "D minor" or "D"; None where it is unknown
    loop : the last sample is followed by the first
    marks : bars and sections, in the order of time
    cover : a PNG picture
    """

    title: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    model: str = ""
    software: str = ""
    seed: int | None = None
    bpm: float | None = None
    key: str | None = None
    loop: bool = False
    marks: tuple[Mark, ...] = ()
    cover: bytes | None = None

    def note(self) -> str:
        """Prompt, seed and model on one line."""
        parts = [f"prompt: {self.prompt}"] if self.prompt else []
        parts += [f"without: {self.negative_prompt}"] if self.negative_prompt else []
        parts += [f"seed: {self.seed}"] if self.seed is not None else []
        parts += [f"model: {self.model}"] if self.model else []
        return "; ".join(parts)


def tag_file(file: IO[bytes], suffix: str, tags: AudioTags) -> None:
    """Add tags to a finished sound file, in place.

    Parameters
    ----------
    file : open for reading and writing, as `sonoriff.audio.writer` has written it
    suffix : says the format, in lower case. A short or silent Vorbis file, all of whose sound lies
        on one page, gets no tags
    """
    if suffix == ".wav":
        _append_chunks(file, tags)
        return
    file.seek(0)
    before = file.read()
    if suffix in (".ogg", ".oga") and before.count(b"OggS") <= _VORBIS_HEAD_PAGES + 1:
        # FFmpeg misplaces the end of a sound that lies on one page: sound goes before tags.
        return
    data = _remuxed(before, _MUXERS[suffix], tags)
    file.seek(0)
    file.truncate()
    file.write(data)


def key_name(key: str) -> str:
    """A key as ID3 and Vorbis comments have it: "Am", "Bb", "F#m"."""
    tonic, mode = parse_key(key)
    minor = mode == "minor"
    name = tonic if minor and tonic in _MINOR_SHARPS else _FLATS.get(tonic, tonic)
    return f"{name}m" if minor else name


def _append_chunks(file: IO[bytes], tags: AudioTags) -> None:
    """RIFF chunks behind the sound of a WAV file, whose length is mended."""
    file.seek(0)
    n_frames, rate = _shape_of_wav(file)
    chunks = b""
    for name, body in _chunks(tags, n_frames, rate):
        chunks += name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    end = file.seek(0, io.SEEK_END)
    file.write(b"\0" * (end % 2) + chunks)
    size = file.tell() - 8
    file.seek(4)
    file.write(struct.pack("<I", size))


def _shape_of_wav(file: IO[bytes]) -> tuple[int, int]:
    """Frames and sample rate of a WAV file."""
    file.seek(12)
    rate = frame_bytes = 0
    while True:
        name, size = struct.unpack("<4sI", file.read(8))
        if name == b"data":
            return size // frame_bytes, rate
        body = file.read(size + size % 2)
        if name == b"fmt ":
            _, _, rate, _, frame_bytes = struct.unpack("<HHIIH", body[:14])


def _chunks(tags: AudioTags, n_frames: int, rate: int) -> list[tuple[bytes, bytes]]:
    found = []
    if tags.loop:
        found.append((b"smpl", _sampler_loop(n_frames, rate)))
    if tags.bpm is not None:
        found.append((b"acid", _acid(tags, n_frames / rate)))
    if tags.marks:
        places = [min(round(mark.at_s * rate), n_frames) for mark in tags.marks]
        points = b"".join(
            struct.pack("<II4sIII", i, at, b"data", 0, 0, at) for i, at in enumerate(places, 1)
        )
        found.append((b"cue ", struct.pack("<I", len(places)) + points))
        labels = b"".join(
            _sub_chunk(b"labl", struct.pack("<I", i) + _text(mark.name))
            for i, mark in enumerate(tags.marks, 1)
        )
        found.append((b"LIST", b"adtl" + labels))
    said = {b"INAM": tags.title, b"ICMT": tags.note(), b"ISFT": tags.software}
    info = b"".join(_sub_chunk(name, _text(text)) for name, text in said.items() if text)
    if info:
        found.append((b"LIST", b"INFO" + info))
    if tags.note():
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<BWFXML><IXML_VERSION>3.01</IXML_VERSION>'
            f"<NOTE>{escape(tags.note())}</NOTE></BWFXML>\n"
        )
        found.append((b"iXML", xml.encode()))
    return found


def _sampler_loop(n_frames: int, rate: int) -> bytes:
    """A forward loop over the whole sound, endless."""
    head = struct.pack("<9I", 0, 0, round(1e9 / rate), _MIDDLE_C, 0, 0, 0, 1, 0)
    return head + struct.pack("<6I", 0, 0, 0, n_frames - 1, 0, 0)


def _acid(tags: AudioTags, duration_s: float) -> bytes:
    """Tempo, beats and key as loop programs read them."""
    assert tags.bpm is not None
    flags = _ACID_STRETCH if tags.loop else _ACID_STRETCH | _ACID_BEATMAPPED
    root = _MIDDLE_C
    if tags.key is not None:
        flags |= _ACID_ROOT_NOTE
        root += KEYS.index(parse_key(tags.key)[0])
    beats = round(duration_s * tags.bpm / 60.0)
    return struct.pack(
        "<IHHfIHHf", flags, root, 0x8000, 0.0, beats, BEATS_PER_BAR, BEATS_PER_BAR, tags.bpm
    )


def _sub_chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _text(text: str) -> bytes:
    return text.replace("\0", " ").encode() + b"\0"


def _remuxed(data: bytes, container: str, tags: AudioTags) -> bytes:
    """The same packets of sound in a container with tags."""
    import av
    from av.stream import Disposition

    made = io.BytesIO()
    options = {"fflags": "+bitexact"}  # else FFmpeg names itself as the software
    if container == "mp3":
        options["id3v2_version"] = "3"  # which Windows shows, too
    with (
        av.open(io.BytesIO(data)) as source,
        av.open(made, "w", format=container, options=options) as target,
    ):
        sound = source.streams.audio[0]
        written = target.add_stream_from_template(sound)
        named = written.metadata if container == "ogg" else target.metadata
        named.update(_names(tags, container))
        cover = None
        if tags.cover is not None and container == "ogg":
            named["METADATA_BLOCK_PICTURE"] = _picture_block(tags.cover)
        elif tags.cover is not None:
            cover = target.add_stream("png")
            cover.width, cover.height = _size_of_png(tags.cover)
            cover.pix_fmt = "rgb24"
            cover.disposition = Disposition.attached_pic
            cover.metadata.update(title="Sonogram", comment="Cover (front)")
        for packet in source.demux(sound):
            if packet.dts is not None:
                packet.stream = written
                target.mux(packet)
        if cover is not None:
            assert tags.cover is not None
            picture = av.Packet(tags.cover)
            picture.stream, picture.pts, picture.dts = cover, 0, 0
            target.mux(picture)
    return made.getvalue()


def _names(tags: AudioTags, container: str) -> dict[str, str]:
    """Tags by the names that the container has for them."""
    tempo = "" if tags.bpm is None else f"{tags.bpm:g}"
    key = "" if tags.key is None else key_name(tags.key)
    found = {
        "title": tags.title,
        "comment": tags.note(),
        "prompt": tags.prompt,
        "negative_prompt": tags.negative_prompt,
        "seed": "" if tags.seed is None else str(tags.seed),
        "model": tags.model,
    }
    if container == "mp3":
        # ID3's tempo is a whole number.
        tempo = "" if tags.bpm is None else str(round(tags.bpm))
        found |= {"TBPM": tempo, "TKEY": key, "TSSE": tags.software}
    else:
        found |= {"BPM": tempo, "KEY": key, "SOFTWARE": tags.software}
    return {name: text for name, text in found.items() if text}


def _size_of_png(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _picture_block(png: bytes) -> str:
    """A cover as Ogg files have it: FLAC's picture block, in base64."""
    width, height = _size_of_png(png)
    kind = b"image/png"
    block = struct.pack(">II", _PICTURE_BLOCK_FRONT, len(kind)) + kind + struct.pack(">I", 0)
    block += struct.pack(">5I", width, height, 24, 0, len(png)) + png
    return base64.b64encode(block).decode()
