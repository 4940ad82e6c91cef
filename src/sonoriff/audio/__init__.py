"""Waveforms: files, sample rates, channels, loudness."""

from sonoriff.audio.channels import to_mono, to_stereo, with_channels
from sonoriff.audio.io import (
    AUDIO_SUFFIXES,
    WRITABLE_SUFFIXES,
    audio_bytes,
    read_audio,
    write_audio,
)
from sonoriff.audio.loudness import loudness_lufs, set_loudness, turned_down
from sonoriff.audio.resample import resample

__all__ = [
    "AUDIO_SUFFIXES",
    "WRITABLE_SUFFIXES",
    "audio_bytes",
    "loudness_lufs",
    "read_audio",
    "resample",
    "set_loudness",
    "to_mono",
    "to_stereo",
    "turned_down",
    "with_channels",
    "write_audio",
]
