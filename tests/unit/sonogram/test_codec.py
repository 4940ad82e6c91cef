"""Round trips, and the defects of Riffusion's converter that must not come back."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.errors import ParameterError
from sonoriff.evaluation.codec import (
    level_errors_db,
    spectral_convergence_db,
    stereo_correlation_error,
)
from sonoriff.sonogram import HIFI, RIFFUSION_V1, Sonogram, SonogramParams
from sonoriff.sonogram.codec import decode, encode
from sonoriff.sonogram.picture import picture_from_bytes, png_bytes

RATE = 44100
BOTH = pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1], ids=lambda p: p.name)


def plucks(duration_s: float = 1.5, pan: float = 0.5) -> np.ndarray:
    """Plucked notes with a little noise: float32 (2, T)."""
    rng = np.random.default_rng(1)
    time_s = np.arange(int(duration_s * RATE)) / RATE
    sound = 0.002 * rng.standard_normal(time_s.size)
    for start_s, pitch_hz in ((0.0, 196.0), (0.35, 247.0), (0.7, 294.0), (1.05, 392.0)):
        age_s = np.maximum(time_s - start_s, 0.0)
        for partial in range(1, 10):
            fall = np.exp(-3.0 * age_s) * (time_s >= start_s)
            sound += 0.15 / partial * fall * np.sin(2 * np.pi * partial * pitch_hz * age_s)
    return np.stack([sound * (1 - pan), sound * pan]).astype(np.float32)


@BOTH
def test_mean_error_of_a_round_trip_through_eight_bits(params: SonogramParams) -> None:
    wanted = encode(plucks()[:1], RATE, params)
    picture = picture_from_bytes(png_bytes(wanted))
    errors = {}
    for quality in ("fast", "best"):
        again = encode(decode(picture, quality=quality), RATE, params)
        errors[quality] = (
            level_errors_db(again, wanted)[0],
            spectral_convergence_db(again, wanted, 10),
        )
    if params is HIFI:
        assert errors["fast"][0] < 0.9
        assert errors["best"][0] < 0.6
    else:
        assert errors["fast"][1] < -26
        assert errors["best"][1] < -29
    assert errors["best"][1] < errors["fast"][1]


@BOTH
def test_n_columns_last_exactly_n_hops(params: SonogramParams) -> None:
    """Defect of Riffusion: a 512 column picture decodes to 511 hops, so loops lose 10 ms."""
    for n_samples in (1, params.hop_length, params.hop_length + 1, 20 * params.hop_length - 1):
        sonogram = encode(plucks()[:1, :n_samples], RATE, params)
        assert sonogram.n_frames == -(-n_samples // params.hop_length)
        assert decode(sonogram).shape == (1, sonogram.n_frames * params.hop_length)


@BOTH
def test_silent_sound_gives_silence(params: SonogramParams) -> None:
    """Defect of Riffusion: silent audio divides by zero."""
    sonogram = encode(np.zeros((2, 30_000), np.float32), RATE, params)
    waveform = decode(picture_from_bytes(png_bytes(sonogram)))
    assert waveform.shape[0] == 2
    assert not waveform.any()


@BOTH
def test_loudness_survives_the_picture(params: SonogramParams) -> None:
    """Defect of Riffusion: MAX_VALUE is never read back, so every clip is equally loud."""
    for gain in (1.0, 0.05):
        sound = plucks()[:1] * gain
        back = decode(picture_from_bytes(png_bytes(encode(sound, RATE, params))))
        ratio = np.sqrt(np.mean(back**2)) / np.sqrt(np.mean(sound**2))
        assert ratio == pytest.approx(1.0, abs=0.05)


@BOTH
def test_same_picture_and_seed_give_the_same_sound(params: SonogramParams) -> None:
    """Defect of Riffusion: Griffin-Lim starts at random without a seed."""
    sonogram = encode(plucks(0.5)[:1], RATE, params)
    first, second = decode(sonogram, seed=3), decode(sonogram, seed=3)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, decode(sonogram, seed=4))


@BOTH
def test_channels_stay_coherent(params: SonogramParams) -> None:
    """Defect of Riffusion: each channel's phase starts by itself, so the stereo image collapses."""
    original = plucks(pan=0.7)
    sonogram = encode(original, RATE, params)
    joint = decode(sonogram)
    apart = np.concatenate(
        [
            decode(Sonogram(sonogram.values[c : c + 1], params), seed=c, quality="fast")
            for c in (0, 1)
        ]
    )
    assert stereo_correlation_error(joint, original) < 0.05
    assert stereo_correlation_error(joint, original) <= stereo_correlation_error(apart, original)


@BOTH
def test_equal_channels_stay_equal(params: SonogramParams) -> None:
    mono = encode(plucks(0.5)[:1], RATE, params)
    stereo = decode(Sonogram(np.repeat(mono.values, 2, axis=0), params))
    np.testing.assert_array_equal(stereo[0], stereo[1])


def test_tones_above_ten_kilohertz_survive() -> None:
    """Defect of Riffusion: its pictures end at 10 kHz."""
    time_s = np.arange(22_050) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 14_000 * time_s)).astype(np.float32)[None]
    back = decode(picture_from_bytes(png_bytes(encode(tone, RATE))))[0, 4096:16_384]
    spectrum = np.abs(np.fft.rfft(back * np.hanning(back.size)))
    assert spectrum.argmax() * RATE / back.size == pytest.approx(14_000, abs=60)
    # A tone fills its whole band, which is broad up there: the same magnitude, less power.
    assert 0.5 < np.sqrt(np.mean(back**2)) / (0.3 / np.sqrt(2)) < 1.1


def test_other_sample_rates_are_resampled() -> None:
    """Defect of Riffusion: a file of 48 kHz fails an assertion."""
    time_s = np.arange(24_000) / 48_000
    tone = (0.5 * np.sin(2 * np.pi * 1000 * time_s)).astype(np.float32)[None]
    sonogram = encode(tone, 48_000)
    assert sonogram.n_frames == -(-22_050 // 512)
    row = int(sonogram.values[0, :, 20].argmax())
    edges = np.linspace(
        2595 * np.log10(1 + 20 / 700), 2595 * np.log10(1 + 16_000 / 700), HIFI.n_mels + 2
    )
    centre_hz = 700 * (10 ** (edges[1 + row] / 2595) - 1)
    assert centre_hz == pytest.approx(1000, rel=0.03)


@pytest.mark.parametrize(
    "waveform",
    [
        np.full((1, 100), np.nan, np.float32),
        np.full((1, 100), np.inf, np.float32),
        np.zeros((1, 0), np.float32),
        np.zeros((0, 100), np.float32),
        np.zeros(100, np.float32),
    ],
    ids=["nan", "inf", "empty", "no channel", "one axis"],
)
def test_bad_waveforms_are_refused(waveform: np.ndarray) -> None:
    with pytest.raises(ParameterError):
        encode(waveform, RATE)


def test_unknown_quality_and_backend_are_refused() -> None:
    sonogram = Sonogram(np.zeros((1, 256, 2), np.float32), HIFI)
    with pytest.raises(ParameterError, match="quality"):
        decode(sonogram, quality="better")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="backend"):
        decode(sonogram, backend="tape")  # type: ignore[arg-type]


def test_torchaudio_backend_says_how_to_get_it() -> None:
    """Defect of Riffusion: newer versions of torchaudio break the import of its converter."""
    sonogram = encode(plucks(0.5)[:1], RATE)
    try:
        import torchaudio.transforms  # noqa: F401
    except (ImportError, OSError):
        with pytest.raises(ParameterError, match="torchaudio"):
            decode(sonogram, backend="torchaudio")
    else:
        assert decode(sonogram, backend="torchaudio").shape == decode(sonogram).shape
