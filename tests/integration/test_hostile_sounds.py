"""Sounds that clients upload: what they cost is bounded before it is paid."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from sonoriff.errors import FormatError, ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.server.workers.tasks import Tasks
from sound_files import wav


@pytest.fixture
def tasks(small_model: SmallModel) -> Tasks:
    return Tasks(small_model, max_pixels=4_000_000, max_source_s=119.0)


def test_a_thousand_channels_at_a_low_rate_are_refused(tasks: Tasks, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="channels, expected 1 to 64"):
        tasks._source(wav(bytes(1_000_000), 100, 1000, 16), tmp_path)


def test_many_channels_are_mixed_while_they_are_read(tasks: Tasks, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(-3000, 3000, (800, 64)).astype("<i2")
    with pytest.raises(FormatError, match="64 channels at 100 Hz, at most 8 channels"):
        tasks._source(wav(noise.tobytes(), 100, 64, 16), tmp_path)
    sonogram = tasks._source(wav(noise[:, :8].tobytes(), 100, 8, 16), tmp_path)
    assert sonogram.n_channels == 2
    assert sonogram.duration_s == pytest.approx(8.0, abs=0.02)


def test_a_rate_of_one_hertz_is_bounded_in_seconds(tasks: Tasks, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="longer than 119 s"):
        tasks._source(wav(bytes(1_000_000), 1, 1, 8), tmp_path)


def test_a_rate_beyond_all_use_is_refused(tasks: Tasks, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="2 channels at 655350 Hz, at most 8 channels"):
        tasks._source(wav(bytes(100_000), 655_350, 2, 16), tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"ffconcat version 1.0\nfile source.sound\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1\nsource.sound\n",
        b"v=0\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
        b"<?xml version='1.0'?><MPD><Period/></MPD>",
    ],
)
def test_a_list_of_files_opens_none(tasks: Tasks, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "source.wav").write_bytes(wav(bytes(1000), 8000, 1, 16))
    with pytest.raises(FormatError, match="the source is not a readable sound file"):
        tasks._source(data, tmp_path)


@pytest.mark.parametrize("bits", [0, 48, 128])
def test_impossible_bits_are_said(tasks: Tasks, tmp_path: Path, bits: int) -> None:
    with pytest.raises(FormatError, match=f"the source .* have {bits} bits"):
        tasks._source(wav(bytes(9600), 8000, 1, bits), tmp_path)


def test_no_number_of_another_program_reaches_a_client(tasks: Tasks, tmp_path: Path) -> None:
    damaged = b"OggS" + bytes(2000), b"fLaC" + bytes(2000), b"\xff\xfb\x90\x64" + bytes(2000)
    for data in (*damaged, struct.pack(">I4s4s", 24, b"ftyp", b"M4A ") + bytes(500)):
        with pytest.raises(FormatError) as caught:
            tasks._source(data, tmp_path)
        assert "Errno" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)
