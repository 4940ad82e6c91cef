"""Sound files in and out, the good and the broken."""

from __future__ import annotations

import os
import resource
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from sonoriff.audio import WRITABLE_SUFFIXES, audio_bytes, loudness_lufs, read_audio, write_audio
from sonoriff.errors import FormatError, ParameterError, SonoriffWarning

RATE = 44100


def _music(duration_s: float = 1.0, n_channels: int = 2) -> np.ndarray:
    """A different sine in each channel, and a little noise."""
    time_s = np.arange(round(duration_s * RATE)) / RATE
    noise = np.random.default_rng(0).normal(0.0, 0.02, (n_channels, time_s.size))
    frequencies = 220.0 * (1 + np.arange(n_channels))
    return (0.4 * np.sin(2 * np.pi * frequencies[:, None] * time_s) + noise).astype(np.float32)


def _aac(path: Path, waveform: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=RATE)
        stream.layout = "stereo"
        frame = av.AudioFrame.from_ndarray(waveform, format="fltp", layout="stereo")
        frame.sample_rate = RATE
        size = stream.codec_context.frame_size or 1024
        to_frames = av.AudioResampler(format="fltp", layout="stereo", rate=RATE, frame_size=size)
        for part in [*to_frames.resample(frame), *to_frames.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
@pytest.mark.parametrize("n_channels", [1, 2])
def test_every_format_holds_the_sound(tmp_path: Path, suffix: str, n_channels: int) -> None:
    waveform = _music(n_channels=n_channels)
    write_audio(tmp_path / f"a{suffix}", waveform, RATE)
    result, sample_rate = read_audio(tmp_path / f"a{suffix}")
    assert sample_rate == (48000 if suffix == ".opus" else RATE)
    assert result.dtype == np.float32
    assert result.shape == (n_channels, sample_rate)
    for ours, theirs in zip(result, waveform, strict=True):
        assert loudness_lufs(ours[None], sample_rate) == pytest.approx(
            loudness_lufs(theirs[None], RATE), abs=0.5
        )


@pytest.mark.parametrize(
    ("suffix", "subtype", "step"),
    [
        (".wav", None, 2**-15),
        (".flac", None, 2**-15),
        (".wav", "PCM_24", 2**-23),
        (".flac", "PCM_24", 2**-23),
        (".wav", "FLOAT", 0.0),
    ],
)
def test_lossless_formats_keep_the_samples(
    tmp_path: Path, suffix: str, subtype: str | None, step: float
) -> None:
    waveform = _music()
    write_audio(tmp_path / f"a{suffix}", waveform, RATE, subtype=subtype)
    assert np.abs(read_audio(tmp_path / f"a{suffix}")[0] - waveform).max() <= step


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("rate", [8000, 96000, 12345])
def test_integer_and_float_files_of_any_rate_read_alike(
    tmp_path: Path, subtype: str, rate: int
) -> None:
    waveform = _music(0.1)
    soundfile.write(tmp_path / "a.wav", waveform.T, rate, subtype=subtype)
    result, sample_rate = read_audio(tmp_path / "a.wav")
    assert sample_rate == rate
    assert np.abs(result - waveform).max() <= (2**-7 if subtype == "PCM_U8" else 2**-15)


@pytest.mark.parametrize("suffix", [".m4a", ".aac"])
def test_aac_is_read(tmp_path: Path, suffix: str) -> None:
    _aac(tmp_path / f"a{suffix}", _music())
    result, sample_rate = read_audio(tmp_path / f"a{suffix}")
    assert sample_rate == RATE
    assert result.shape[0] == 2
    assert result.shape[1] == pytest.approx(RATE, abs=3000)  # the encoder pads
    assert loudness_lufs(result, RATE) == pytest.approx(loudness_lufs(_music(), RATE), abs=0.5)


def test_a_part_is_read(tmp_path: Path) -> None:
    waveform = _music()
    write_audio(tmp_path / "a.wav", waveform, RATE, subtype="FLOAT")
    result, _ = read_audio(tmp_path / "a.wav", start_s=0.25, duration_s=0.5)
    np.testing.assert_array_equal(result, waveform[:, 11025 : 11025 + 22050])
    _aac(tmp_path / "a.m4a", waveform)
    assert read_audio(tmp_path / "a.m4a", start_s=0.5, duration_s=0.1)[0].shape == (2, 4410)


@pytest.mark.parametrize("suffix", [".wav", ".m4a"])
def test_too_long_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    _aac(path, _music()) if suffix == ".m4a" else write_audio(path, _music(), RATE)
    with pytest.raises(ParameterError, match="longer than"):
        read_audio(path, max_seconds=0.5)
    assert read_audio(path, duration_s=0.4, max_seconds=0.5)[0].shape == (2, 17640)


def test_an_hour_is_read_whole(tmp_path: Path) -> None:
    path, rate = tmp_path / "hour.flac", 8000
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(np.zeros(60 * rate, np.int16))
    assert read_audio(path)[0].shape == (1, 3600 * rate)
    with pytest.raises(ParameterError, match="longer than 900 s"):
        read_audio(path, max_seconds=900)


def test_eight_channels_are_read_and_written(tmp_path: Path) -> None:
    waveform = _music(0.2, 8)
    write_audio(tmp_path / "a.wav", waveform, RATE)
    assert read_audio(tmp_path / "a.wav")[0].shape == waveform.shape
    with pytest.raises(ParameterError, match="up to 2 channels"):
        write_audio(tmp_path / "a.mp3", waveform, RATE)


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
def test_one_sample_and_silence_survive(tmp_path: Path, suffix: str) -> None:
    for name, waveform in (("one", _music()[:, :1]), ("none", np.zeros((1, 4800), np.float32))):
        write_audio(tmp_path / f"{name}{suffix}", waveform, 48000)
        result, _ = read_audio(tmp_path / f"{name}{suffix}")
        assert result.shape == waveform.shape
    assert np.abs(result).max() < 1e-4


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".aac"])
def test_a_truncated_file_gives_what_is_there(tmp_path: Path, suffix: str) -> None:
    whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    waveform = _music(2.0)
    _aac(whole, waveform) if suffix == ".aac" else write_audio(whole, waveform, RATE)
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    with pytest.warns(SonoriffWarning, match="breaks off early"):
        result, _ = read_audio(cut)
    assert 0.6 * RATE < result.shape[1] < 1.4 * RATE


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
@pytest.mark.parametrize("size", [0, 1, 12, 40])
def test_a_stump_is_a_format_error(tmp_path: Path, suffix: str, size: int) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(audio_bytes(_music(0.1), RATE, suffix)[:size])
    with pytest.raises(FormatError, match="empty" if size == 0 else "sound"):
        read_audio(path)


def test_a_file_without_samples_is_a_format_error(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((0, 2), np.float32), RATE)
    with pytest.raises(FormatError, match="holds no sound"):
        read_audio(tmp_path / "a.wav")


def test_no_channels_is_a_format_error(tmp_path: Path) -> None:
    data = bytearray(audio_bytes(_music(0.1), RATE, ".wav"))
    data[22:24] = struct.pack("<H", 0)
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(FormatError, match="not a readable sound file"):
        read_audio(tmp_path / "a.wav")


def test_nan_is_counted_and_refused(tmp_path: Path) -> None:
    waveform = _music(0.1)
    waveform[0, 5:8] = np.nan
    soundfile.write(tmp_path / "a.wav", waveform.T, RATE, subtype="FLOAT")
    with pytest.raises(FormatError, match="holds 3 samples that are no numbers"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("name", ["notes.txt", "a.m4a", "a.raw", "a"])
def test_other_files_are_a_format_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("not a sound " * 200, encoding="utf-8")
    with pytest.raises(FormatError, match=name):
        read_audio(tmp_path / name)


def test_a_missing_file_and_a_folder_are_parameter_errors(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no file"):
        read_audio(tmp_path / "missing.wav")
    with pytest.raises(ParameterError, match="not a file"):
        read_audio(tmp_path)


def test_float_files_over_full_scale_are_scaled_as_a_whole(tmp_path: Path) -> None:
    waveform = _music(0.1)
    waveform *= np.float32(1.5 / np.abs(waveform).max())
    soundfile.write(tmp_path / "a.wav", waveform.T, RATE, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav")[0], waveform / 1.5, atol=1e-6)
    soundfile.write(tmp_path / "b.wav", 1000 * waveform.T, RATE, subtype="FLOAT")
    with pytest.warns(SonoriffWarning, match="times full scale"):
        assert np.abs(read_audio(tmp_path / "b.wav")[0]).max() == pytest.approx(1.0)


def test_too_loud_a_waveform_is_clipped_with_a_warning(tmp_path: Path) -> None:
    with pytest.warns(SonoriffWarning, match="clipped"):
        write_audio(tmp_path / "a.wav", np.full((1, 10), 1.5, np.float32), RATE)
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav")[0], 1.0, atol=2**-15)


@pytest.mark.parametrize(
    ("name", "waveform", "reason"),
    [
        ("a.aiff", _music(0.1), "cannot write"),
        ("a", _music(0.1), "without suffix"),
        ("a.wav", np.full((1, 4), np.nan, np.float32), "NaN"),
        ("a.wav", np.zeros((1, 0), np.float32), "shape"),
        ("a.ogg", _music(0.1, 9), "up to 8 channels"),
    ],
)
def test_bad_output_is_refused_and_leaves_nothing(
    tmp_path: Path, name: str, waveform: np.ndarray, reason: str
) -> None:
    with pytest.raises(ParameterError, match=reason):
        write_audio(tmp_path / name, waveform, RATE)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_subtype_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="PCM_16"):
        write_audio(tmp_path / "a.wav", _music(0.1), RATE, subtype="VORBIS")


@pytest.mark.parametrize(("rate", "stored"), [(11000, 11025), (44000, 44100), (96000, 48000)])
def test_mp3_takes_the_next_rate_it_knows(tmp_path: Path, rate: int, stored: int) -> None:
    write_audio(tmp_path / "a.mp3", _music(), rate)
    result, sample_rate = read_audio(tmp_path / "a.mp3")
    assert sample_rate == stored
    assert result.shape[1] / stored == pytest.approx(RATE / rate, abs=1e-3)


def test_the_bytes_are_the_files(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", _music(0.1), RATE)
    assert audio_bytes(_music(0.1), RATE, ".wav") == (tmp_path / "a.wav").read_bytes()


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
def test_damaged_bytes_never_crash(tmp_path: Path, suffix: str) -> None:
    data = audio_bytes(_music(0.2), RATE, suffix)
    generator = np.random.default_rng(7)
    for _ in range(30):
        broken = bytearray(data)
        for place in generator.integers(0, len(broken), 20):
            broken[place] = generator.integers(0, 256)
        (tmp_path / f"a{suffix}").write_bytes(broken)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SonoriffWarning)
            try:
                result, _ = read_audio(tmp_path / f"a{suffix}", max_seconds=60)
            except (FormatError, ParameterError):
                continue
        assert np.abs(result).max() <= 1.0


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may be longer than 300 kB: the write fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
def test_a_full_disk_is_a_system_error_with_the_files_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str
) -> None:
    noise = np.random.default_rng(0).uniform(-0.4, 0.4, (2, 30 * RATE)).astype(np.float32)
    target = tmp_path / f"a{suffix}"
    with pytest.raises(OSError, match="File too large") as caught:
        write_audio(target, noise, RATE)
    assert caught.value.filename == str(target)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_a_name_that_is_not_utf_8_is_read(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", _music(), RATE)
    odd = tmp_path / os.fsdecode(b"caf\xe9.wav")
    (tmp_path / "a.wav").rename(odd)
    assert read_audio(odd)[0].shape == (2, RATE)
