"""Binary frames of the stream: a header of 16 bytes, then sound or columns."""

from __future__ import annotations

import struct

VERSION = 1
SOUND, COLUMNS = 1, 2
MAX_SAMPLES, MAX_COLUMNS = 8192, 1024
HEADER = struct.Struct("<BBBBIQ")


def sound_frame(sound: bytes, channels: int, first_sample: int) -> bytes:
    """A frame of int16 samples, interleaved."""
    n_samples = len(sound) // (2 * channels)
    assert 0 < n_samples <= MAX_SAMPLES
    return HEADER.pack(SOUND, VERSION, channels, 0, n_samples, first_sample) + sound


def columns_frame(columns: bytes, n_mels: int, first_column: int, hop_length: int) -> bytes:
    """A frame of uint8 columns of `n_mels` bytes each: one strip, of two channels their middle."""
    n_columns = len(columns) // n_mels
    assert 0 < n_columns <= MAX_COLUMNS
    head = HEADER.pack(COLUMNS, VERSION, 1, 0, n_columns, first_column * hop_length)
    return head + columns
