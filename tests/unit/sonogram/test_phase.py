"""Phase-gradient start, working grid and inverse mel, against what is known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.sonogram import HIFI, RIFFUSION_V1
from sonoriff.sonogram.decode_grid import WorkGrid, hann, work_grid
from sonoriff.sonogram.kernels import MAX_GAIN, magnitude_from_mel
from sonoriff.sonogram.overlap import Synthesis, Upsampling
from sonoriff.sonogram.phase import phase_from_magnitude

N_FFT, HOP = 256, 32


def centred_spectrum(sound: np.ndarray, n_frames: int) -> np.ndarray:
    """Transform (N, F) whose phases are measured at the centre of each window."""
    frames = np.stack([sound[n * HOP : n * HOP + N_FFT] * hann(N_FFT) for n in range(n_frames)])
    return np.fft.rfft(frames) * np.exp(1j * np.pi * np.arange(N_FFT // 2 + 1))


def test_phase_of_a_tone_turns_by_its_frequency() -> None:
    frequency = 20.3 / N_FFT
    sound = np.cos(2 * np.pi * frequency * np.arange(4000))
    spectrum = centred_spectrum(sound, 40)
    around = np.abs(spectrum).astype(np.float32)
    random = np.zeros((38, N_FFT // 2 + 1), np.float32)
    phase = phase_from_magnitude(
        around, np.angle(spectrum[0]).astype(np.float32), random, hop=HOP, win=N_FFT, n_fft=N_FFT
    )
    turn = np.angle(np.exp(1j * np.diff(phase[:, 20])))
    # A Hann window is nearly, not quite, the Gaussian of the formula.
    np.testing.assert_allclose(turn, 2 * np.pi * frequency * HOP - 2 * np.pi * 3, atol=0.02)


def test_phase_of_a_click_falls_along_the_bins() -> None:
    sound = np.zeros(N_FFT + 10 * HOP)
    sound[N_FFT // 2 + 4 * HOP + 5] = 1.0
    spectrum = centred_spectrum(sound, 10)
    random = np.zeros((8, N_FFT // 2 + 1), np.float32)
    phase = phase_from_magnitude(
        np.abs(spectrum).astype(np.float32), None, random, hop=HOP, win=N_FFT, n_fft=N_FFT
    )
    # The click lies 5 samples after the centre of frame 4.
    slope = np.angle(np.exp(1j * np.diff(phase[3, 10:110]))).mean()
    assert slope == pytest.approx(-2 * np.pi * 5 / N_FFT, abs=0.02)


def test_working_grids() -> None:
    hifi, riffusion = work_grid(HIFI), work_grid(RIFFUSION_V1)
    assert (hifi.hop, hifi.win, hifi.n_fft) == (384, 1536, 1536)
    assert (riffusion.hop, riffusion.win, riffusion.n_fft) == (216, 2160, 4320)
    coarse = work_grid(RIFFUSION_V1, max_padding=1, step=2)
    assert (coarse.hop, coarse.n_fft, coarse.n_columns(5)) == (432, 2160, 3)


@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1], ids=lambda p: p.name)
def test_first_magnitude_is_never_negative_and_has_the_wanted_mel(params) -> None:  # type: ignore[no-untyped-def]
    grid = work_grid(params)
    bank = grid.bank
    dense = np.zeros((params.n_mels, grid.n_bins))
    for band, (start, stop) in enumerate(zip(bank.start, bank.stop, strict=True)):
        dense[band, start:stop] = bank.weights[band, : stop - start]
    truth = np.random.default_rng(2).random((3, grid.n_bins)).astype(np.float32)
    mel = (truth @ dense.T).astype(np.float32)
    banks = (bank.start, bank.stop, bank.weights, bank.spread)
    magnitude = magnitude_from_mel(mel, *banks, grid.n_bins, 60)
    assert (magnitude >= 0).all()
    assert np.linalg.norm(magnitude @ dense.T - mel) < 0.02 * np.linalg.norm(mel)


def projected(spectrum: np.ndarray, mel: np.ndarray, grid: WorkGrid) -> np.ndarray:
    """Spectrum (N, F) with the gains that bring its mel values to `mel` (N, M)."""
    bank, gain = grid.bank, np.zeros(spectrum.shape)
    for band, (start, stop) in enumerate(zip(bank.start, bank.stop, strict=True)):
        have = np.abs(spectrum[:, start:stop]) @ bank.weights[band, : stop - start]
        ratio = mel[:, band] / np.maximum(have, mel[:, band] / MAX_GAIN + 1e-30)
        gain[:, start:stop] += ratio[:, None] * bank.spread[band, : stop - start]
    return spectrum * gain


@pytest.mark.parametrize("n_frames", [1, 8, 13])
@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1], ids=lambda p: p.name)
def test_a_consistency_step_is_analysis_projection_and_overlap_add(  # type: ignore[no-untyped-def]
    params, n_frames: int
) -> None:
    grid = work_grid(params)
    rng = np.random.default_rng(n_frames)
    sound = rng.standard_normal((2, (n_frames - 1) * grid.hop + grid.win)).astype(np.float32)
    mel = rng.random((2, n_frames, params.n_mels), np.float32)
    mel[:, :, 7] = 0.0
    stepping = Synthesis(grid.window, grid.hop, 2)
    parts = [stepping.push_consistent(sound, mel, grid), stepping.flush()]
    places = np.arange(n_frames)[:, None] * grid.hop + np.arange(grid.win)
    spectrum = np.fft.rfft(sound[:, places] * grid.window, grid.n_fft).astype(np.complex64)
    turned = np.stack([projected(spectrum[c], mel[c], grid) for c in (0, 1)])
    plain = Synthesis(grid.window, grid.hop, 2)
    frames = np.fft.irfft(turned, grid.n_fft).astype(np.float32)
    expected = np.concatenate([plain.push(frames), plain.flush()], axis=1)
    result = np.concatenate(parts, axis=1)
    # Where only the edge of a window reaches, its division by the window raises the rounding.
    assert np.abs(result - expected).max() < 1e-4 * np.abs(expected).max()


def test_upsampling_of_a_tone_is_the_tone() -> None:
    time_s = np.arange(216 * 60) / 21600
    tone = np.sin(2 * np.pi * 3210.0 * time_s).astype(np.float32)[None]
    upsampling = Upsampling(216, 441, 5, 1)
    parts = [upsampling.push(tone[:, :777]), upsampling.push(tone[:, 777:]), upsampling.flush()]
    result = np.concatenate(parts, axis=1)[0, : 441 * 60]
    expected = np.sin(2 * np.pi * 3210.0 * np.arange(441 * 60) / 44100)
    inside = slice(2205, -2205)
    np.testing.assert_allclose(result[inside], expected[inside], atol=1e-4)


def test_overlap_add_of_untouched_frames_is_the_sound_itself() -> None:
    sound = np.random.default_rng(0).standard_normal(20 * HOP + N_FFT).astype(np.float32)
    window = hann(N_FFT)
    frames = np.stack([sound[n * HOP : n * HOP + N_FFT] * window for n in range(21)])[None]
    synthesis = Synthesis(window, HOP, 1)
    pieces = [synthesis.push(frames[:, :4]), synthesis.push(frames[:, 4:]), synthesis.flush()]
    result = np.concatenate(pieces, axis=1)[0]
    assert result.size == sound.size
    np.testing.assert_allclose(result[HOP:-HOP], sound[HOP:-HOP], atol=1e-4)
