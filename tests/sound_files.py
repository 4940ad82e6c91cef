"""Sound files of many kinds, made here: by FFmpeg's encoders, and by hand."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile

LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 6: "5.1", 8: "7.1"}
# What FFmpeg calls the readers of what it calls the writers.
_DEMUXERS = {"ipod": "mov", "adts": "aac", "webm": "matroska", "mp2": "mp3"}


def tones(n_channels: int, rate: int, seconds: float, *, quiet: bool = True) -> np.ndarray:
    """A different tone in each channel, with a pause in the middle; float32 (C, T), peak 0.4."""
    time = np.arange(round(seconds * rate)) / rate
    pitches = 150.0 * (1 + np.arange(n_channels))
    sound = 0.4 * np.sin(2 * np.pi * pitches[:, None] * time)
    if quiet:
        sound[:, time.size // 2 : time.size * 5 // 8] = 0.0
    return sound.astype(np.float32)


def encode(
    path: Path,
    waveform: np.ndarray,
    rate: int,
    container: str,
    codec: str,
    *,
    layout: str | None = None,
    metadata: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Write with an encoder of FFmpeg's, or of libsndfile's; returns the path."""
    if codec == "libsndfile":
        soundfile.write(path, waveform.T, rate, format=container.upper(), **options)
        return path
    layout = layout or LAYOUTS[len(waveform)]
    with av.open(str(path), "w", format=container) as file:
        file.metadata.update(metadata or {})
        stream = file.add_stream(codec, rate=rate, layout=layout, options=options)
        stream.codec_context.format = stream.codec_context.codec.audio_formats[0]
        interleaved = np.ascontiguousarray(waveform.T, np.float32).reshape(1, -1)
        whole = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=layout)
        whole.sample_rate, whole.pts, whole.time_base = rate, 0, Fraction(1, rate)
        size = stream.codec_context.frame_size or 1024
        sized = av.AudioResampler(stream.codec_context.format, layout, rate, frame_size=size)
        for frame in [*sized.resample(whole), *sized.resample(None)]:
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def decoded_from_the_beginning(path: Path, container: str) -> np.ndarray:
    """What FFmpeg's libraries make of a file, read once and without any seeking; float32 (C, T)."""
    with av.open(str(path), format=_DEMUXERS.get(container, container)) as file:
        to_float = av.AudioResampler(format="fltp")
        parts = []
        for frame in file.decode(file.streams.audio[0]):
            parts += [part.to_ndarray() for part in to_float.resample(frame)]
        parts += [part.to_ndarray() for part in to_float.resample(None)]
    return np.concatenate(parts, axis=1)


def wav(
    samples: bytes,
    rate: int,
    n_channels: int,
    bits: int,
    *,
    tag: int = 1,
    mask: int | None = None,
    valid_bits: int | None = None,
    data_size: int | None = None,
    riff_size: int | None = None,
    before_data: bytes = b"",
    after_data: bytes = b"",
) -> bytes:
    """A WAV file; `mask` makes it WAVE_FORMAT_EXTENSIBLE."""
    step = n_channels * ((bits + 7) // 8)
    if mask is None:
        form = struct.pack("<HHIIHH", tag, n_channels, rate, rate * step, step, bits)
    else:
        form = struct.pack("<HHIIHH", 0xFFFE, n_channels, rate, rate * step, step, bits)
        form += struct.pack("<HHIH", 22, valid_bits or bits, mask, tag)
        form += bytes.fromhex("000000001000800000aa00389b71")
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + before_data
    body += b"data" + struct.pack("<I", len(samples) if data_size is None else data_size)
    body += samples + after_data
    return b"RIFF" + struct.pack("<I", len(body) if riff_size is None else riff_size) + body


def id3(size: int) -> bytes:
    """A tag of version 2.3 with `size` bytes of padding."""
    sevens = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + sevens + bytes(size)


def integers(waveform: np.ndarray, bits: int) -> bytes:
    """Little-endian samples of 8 (unsigned), 16, 24, 32 or 64 bits, interleaved."""
    scaled = np.rint(waveform.T.astype(np.float64) * (2.0 ** (bits - 1) - 1))
    if bits == 8:
        return (scaled + 128).astype(np.uint8).tobytes()
    wide = scaled.astype("<i8")
    if bits == 64:
        return wide.tobytes()
    return wide.reshape(-1, 1).view(np.uint8)[:, : bits // 8].tobytes()
