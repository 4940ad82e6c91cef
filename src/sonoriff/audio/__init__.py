"""Waveforms: files, sample rates, channels, loudness."""

from sonoriff.audio.channels import to_mono, to_stereo, with_channels
from sonoriff.audio.loudness import loudness_lufs, set_loudness, turned_down
from sonoriff.audio.reader import AUDIO_SUFFIXES, AudioInfo, audio_info, read_audio, read_tags
from sonoriff.audio.resample import resample
from sonoriff.audio.writer import WRITABLE_SUFFIXES, audio_bytes, write_audio

__all__ = [
    "AUDIO_SUFFIXES",
    "WRITABLE_SUFFIXES",
    "AudioInfo",
    "audio_bytes",
    "audio_info",
    "loudness_lufs",
    "read_audio",
    "read_tags",
    "resample",
    "set_loudness",
    "to_mono",
    "to_stereo",
    "turned_down",
    "with_channels",
    "write_audio",
]
