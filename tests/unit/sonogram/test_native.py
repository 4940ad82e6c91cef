"""The inner loops in C against the same in NumPy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from sonoriff.sonogram import (
    HIFI,
    RIFFUSION_V1,
    Sonogram,
    SonogramParams,
    decode,
    encode,
    kernels,
    phase,
)
from sonoriff.sonogram.decode_grid import work_grid
from sonoriff.sonogram.native import library

Both = Callable[[Callable[[], np.ndarray]], tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Both:
    """A result of the library, and of NumPy."""

    def made(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        with_library = work()
        with monkeypatch.context() as patched:
            for module in (kernels, phase):
                patched.setattr(module, "library", lambda: None)
            return with_library, work()

    return made


def sound(seconds: float) -> np.ndarray:
    time = np.arange(round(44_100 * seconds)) / 44_100
    beats = (np.sin(2 * np.pi * 3 * time) > 0) * np.sin(2 * np.pi * 220 * time)
    noise = np.random.default_rng(0).standard_normal(len(time))
    return (0.2 * beats + 0.02 * noise).astype(np.float32)[None]


def test_the_library_is_built() -> None:
    assert library() is not None


@pytest.mark.parametrize("n_frames", [1, 7, 8, 9, 33])
def test_columns(both: Both, n_frames: int) -> None:
    samples = sound(1.0)[:, : n_frames * HIFI.hop_length - 100]
    ours, theirs = both(lambda: encode(samples, 44_100).values)
    assert ours.shape == theirs.shape == (1, 256, n_frames)
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
@pytest.mark.parametrize("n_frames", [1, 8, 13])
def test_magnitudes_and_consistency(both: Both, params: SonogramParams, n_frames: int) -> None:
    grid = work_grid(params)
    bank = grid.bank
    rng = np.random.default_rng(n_frames)
    mel = rng.random((n_frames, params.n_mels), np.float32)
    ours, theirs = both(
        lambda: kernels.magnitude_from_mel(
            mel, bank.start, bank.stop, bank.weights, bank.spread, grid.n_bins, 4
        )
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
    samples = rng.standard_normal((n_frames - 1) * grid.hop + grid.win, np.float32)

    def step() -> np.ndarray:
        total = np.zeros((n_frames - 1 + grid.overlap) * grid.hop, np.float32)
        kernels.consistency_step(
            *(samples, n_frames, grid.hop, grid.window, grid.window / np.float32(grid.n_fft)),
            *(mel, bank.start, bank.stop, bank.weights, bank.spread, grid.plan, total),
        )
        return total

    ours, theirs = both(step)
    assert float(np.abs(ours).max()) > 0
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * float(np.abs(ours).max()))


def test_phases(both: Both) -> None:
    rng = np.random.default_rng(1)
    magnitude = rng.random((14, 65), np.float32) ** 4
    random_phase = rng.random((12, 65), np.float32)
    for earlier in (None, rng.random(65, np.float32)):
        ours, theirs = both(
            lambda earlier=earlier: phase.phase_from_magnitude(  # type: ignore[misc]
                magnitude, earlier, random_phase, hop=32, win=128, n_fft=128
            )
        )
        turns = np.angle(np.exp(1j * (ours - theirs).astype(np.float64)))
        assert np.abs(turns).max() < 1e-2


def test_a_short_sound_decodes_to_the_same(both: Both) -> None:
    sonogram: Sonogram = encode(sound(0.4), 44_100)
    ours, theirs = both(lambda: decode(sonogram))
    assert np.abs(ours - theirs).max() < 0.01 * np.abs(ours).max()


def test_without_the_library_a_line_says_so() -> None:
    code = (
        "import sonoriff.sonogram.native as native; from pathlib import Path\n"
        "native.LIBRARY = Path('missing.so')\n"
        "native.library(); native.library()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("takes a hundred times as long") == 1
