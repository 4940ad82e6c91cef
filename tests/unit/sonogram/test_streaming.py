"""Pieces of any size give the samples of the whole."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoriff.errors import ParameterError
from sonoriff.sonogram import HIFI, RIFFUSION_V1, Sonogram, SonogramParams
from sonoriff.sonogram.codec import decode, encode
from sonoriff.sonogram.streaming import StreamingDecoder

# The same kind of format at a size that decodes in a millisecond.
SMALL = dataclasses.replace(
    HIFI, name="small", hop_length=64, win_length=256, n_fft=256, n_mels=32, f_min=100.0
)
BOTH = pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1], ids=lambda p: p.name)


def noise_columns(n_frames: int, params: SonogramParams, n_channels: int = 1) -> np.ndarray:
    rng = np.random.default_rng(5)
    sound = 0.1 * rng.standard_normal((n_channels, n_frames * params.hop_length))
    return encode(sound.astype(np.float32), params.sample_rate, params).values


def streamed(columns: np.ndarray, params: SonogramParams, sizes: list[int]) -> np.ndarray:
    decoder = StreamingDecoder(params)
    samples, place = [], 0
    while place < columns.shape[2]:
        size = sizes[len(samples) % len(sizes)]
        samples.append(decoder.push(columns[:, :, place : place + size]))
        place += size
    return np.concatenate([*samples, decoder.flush()], axis=1)


@BOTH
def test_one_seven_or_all_columns_at_a_time(params: SonogramParams) -> None:
    columns = noise_columns(150, params, n_channels=2)
    whole = decode(Sonogram(columns, params))
    assert whole.shape == (2, 150 * params.hop_length)
    for size in (1, 7, 512):
        np.testing.assert_array_equal(streamed(columns, params, [size]), whole)


@settings(max_examples=25, deadline=None)
@given(
    n_frames=st.integers(1, 90),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    n_channels=st.integers(1, 3),
)
def test_any_pieces(n_frames: int, sizes: list[int], n_channels: int) -> None:
    columns = noise_columns(n_frames, SMALL, n_channels)
    whole = decode(Sonogram(columns, SMALL))
    assert whole.shape == (min(2, n_channels), n_frames * SMALL.hop_length)
    np.testing.assert_array_equal(streamed(columns, SMALL, sizes), whole)


@pytest.mark.parametrize(("params", "n_planes"), [(HIFI, 1), (HIFI, 3), (RIFFUSION_V1, 2)])
@pytest.mark.parametrize("quality", ["fast", "best"])
def test_look_ahead_is_as_stated(params: SonogramParams, n_planes: int, quality: str) -> None:
    decoder = StreamingDecoder(params, quality=quality)  # type: ignore[arg-type]
    ahead = decoder.look_ahead_frames(n_planes)
    silent = np.full((n_planes, params.n_mels, 1), max(params.db_min, 0.0), np.float32)
    late, n_samples = 0, 0
    for n_pushed in range(1, ahead + 130):
        n_samples += decoder.push(silent).shape[1]
        late = max(late, n_pushed - n_samples // params.hop_length)
    assert late == ahead


def test_two_clips_one_after_the_other_have_no_seam() -> None:
    time_s = np.arange(120 * HIFI.hop_length) / HIFI.sample_rate
    tone = (0.4 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)[None]
    values = encode(tone, HIFI.sample_rate).values
    halves = [values[:, :, 10:60], values[:, :, 60:110]]
    decoder = StreamingDecoder(HIFI)
    sound = np.concatenate([decoder.push(half) for half in halves] + [decoder.flush()], axis=1)
    seam = 50 * HIFI.hop_length
    around, inside = sound[0, seam - 1024 : seam + 1024], sound[0, 8192:16384]
    # A click would show in the second difference, which is small and even for a tone.
    assert np.abs(np.diff(around, 2)).max() < 1.5 * np.abs(np.diff(inside, 2)).max()
    assert np.sqrt(np.mean(around**2)) == pytest.approx(0.4 / np.sqrt(2), rel=0.1)


def test_nothing_pushed_gives_nothing() -> None:
    assert StreamingDecoder(HIFI).flush().shape == (1, 0)
    decoder = StreamingDecoder(HIFI)
    assert decoder.push(np.zeros((2, 256, 0), np.float32)).shape == (2, 0)
    assert decoder.flush().shape == (2, 0)


def test_bad_columns_are_refused() -> None:
    decoder = StreamingDecoder(HIFI)
    decoder.push(np.full((1, 256, 3), -80, np.float32))
    for columns, word in (
        (np.zeros((1, 100, 3)), "columns must be"),
        (np.zeros((2, 256, 3)), "planes"),
        (np.full((1, 256, 3), np.nan), "NaN"),
    ):
        with pytest.raises(ParameterError, match=word):
            decoder.push(columns)
    decoder.flush()
    with pytest.raises(ParameterError, match="flushed"):
        decoder.push(np.zeros((1, 256, 3)))


def test_a_refused_piece_leaves_the_stream_as_it_was() -> None:
    columns = noise_columns(40, SMALL)
    decoder = StreamingDecoder(SMALL)
    first = decoder.push(columns[:, :, :20])
    with pytest.raises(ParameterError):
        decoder.push(np.full((1, 32, 9), np.nan))
    rest = [decoder.push(columns[:, :, 20:]), decoder.flush()]
    np.testing.assert_array_equal(
        np.concatenate([first, *rest], axis=1), decode(Sonogram(columns, SMALL))
    )
