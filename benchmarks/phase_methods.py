"""Other ways from a mel picture to a waveform, to compare with the one that the codec uses.

Each is a whole-clip, plain torch version on the codec's working grid; speed is that of the
plain version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from sonoriff.sonogram import Sonogram
from sonoriff.sonogram.codec import decode
from sonoriff.sonogram.decode_grid import WorkGrid, work_grid
from sonoriff.sonogram.overlap import (
    Synthesis,
    Upsampling,
    spectrum_from_frames,
    working_analysis,
)
from sonoriff.sonogram.phase import phase_from_magnitude
from sonoriff.sonogram.streaming import upsampling_span


@dataclass(frozen=True)
class Method:
    """One combination.

    Attributes
    ----------
    name : as printed
    inverse : "least squares", "newton" or "multiplicative": the first magnitude
    start : "random" or "gradient": the first phase
    steps : consistency steps
    target : "magnitude" keeps the first magnitude; "mel" only its mel values
    scheme : "fgla" (momentum 0.99), "gla" (none) or "admm"
    codec_quality : not None runs the codec itself
    """

    name: str
    inverse: str = "multiplicative"
    start: str = "gradient"
    steps: int = 8
    target: str = "mel"
    scheme: str = "fgla"
    codec_quality: str | None = None


METHODS = (
    Method("least squares, random, FGLA 32", "least squares", "random", 32, "magnitude"),
    Method("Newton, random, FGLA 32", "newton", "random", 32, "magnitude"),
    Method("multiplicative, random, FGLA 32", "multiplicative", "random", 32, "magnitude"),
    Method("multiplicative, PGHI alone", steps=0),
    Method("least squares, PGHI, FGLA 8", "least squares", target="magnitude"),
    Method("Newton, PGHI, FGLA 8", "newton", target="magnitude"),
    Method("multiplicative, PGHI, FGLA 8", target="magnitude"),
    Method("multiplicative, random, mel FGLA 8", start="random"),
    Method("multiplicative, PGHI, mel GLA 8", scheme="gla"),
    Method("multiplicative, PGHI, mel ADMM 8", scheme="admm"),
    Method("multiplicative, PGHI, mel FGLA 8"),
    Method("multiplicative, PGHI, mel ADMM 32", scheme="admm", steps=32),
    Method("multiplicative, PGHI, mel FGLA 32", steps=32),
    Method("the codec, fast", codec_quality="fast"),
    Method("the codec, best", codec_quality="best"),
)


class Plain:
    """Whole-clip operators of one picture: mel (N, M), spectra (N, F)."""

    def __init__(self, sonogram: Sonogram) -> None:
        params = sonogram.params
        self.grid: WorkGrid = work_grid(params)
        values = sonogram.values[0].T
        if params.scale == "log":
            heard = values > params.db_min
            values = np.where(heard, 10.0 ** (values / 20.0), 0.0).astype(np.float32)
        self.mel = torch.from_numpy(np.ascontiguousarray(values / self.grid.unit))
        bank = self.grid.bank
        self.bank = torch.zeros(params.n_mels, self.grid.n_bins)
        for band, (start, stop) in enumerate(zip(bank.start, bank.stop, strict=True)):
            self.bank[band, start:stop] = torch.from_numpy(bank.weights[band, : stop - start])
        self.spread = self.bank / self.bank.sum(dim=0).clamp_min(1e-12)

    def consistent(self, spectrum: torch.Tensor) -> torch.Tensor:
        """The spectrum of the waveform that is nearest to `spectrum`."""
        grid = self.grid
        stretch = working_analysis(grid, 1).flush(self._samples(spectrum), len(spectrum))
        frames = torch.from_numpy(stretch).unfold(1, grid.win, grid.hop) * grid.window
        return torch.from_numpy(spectrum_from_frames(frames.numpy(), grid.n_fft)[0])

    def with_mel(self, spectrum: torch.Tensor) -> torch.Tensor:
        """`spectrum` scaled to the picture's mel values."""
        have = torch.maximum(spectrum.abs() @ self.bank.T, self.mel / 10 + 1e-20)
        return spectrum * ((self.mel / have) @ self.spread)

    def waveform(self, spectrum: torch.Tensor) -> np.ndarray:
        """Samples at the full rate, float32 (1, N * hop_length)."""
        grid, params = self.grid, self.grid.params
        upsampling = Upsampling(grid.hop, params.hop_length, upsampling_span(grid), 1)
        parts = [upsampling.push(self._samples(spectrum)), upsampling.flush()]
        lead = grid.lead(params.win_length, params.hop_length)
        samples = np.concatenate(parts, axis=1)
        return samples[:, lead : lead + len(spectrum) * params.hop_length]

    def _samples(self, spectrum: torch.Tensor) -> np.ndarray:
        """Samples at the working rate, from the first of frame 0 on."""
        frames = torch.fft.irfft(spectrum, self.grid.n_fft)[None].numpy()
        synthesis = Synthesis(self.grid.window, self.grid.hop, 1)
        return np.concatenate([synthesis.push(frames), synthesis.flush()], axis=1)


def least_squares(plain: Plain) -> torch.Tensor:
    """Least-norm magnitude, negative values cut off."""
    gram = plain.bank @ plain.bank.T + 1e-6 * torch.eye(len(plain.bank))
    return (torch.linalg.solve(gram, plain.mel.T).T @ plain.bank).clamp_min(0.0)


def newton(plain: Plain, iterations: int = 12) -> torch.Tensor:
    """Least-norm non-negative magnitude: semismooth Newton on the dual of each column."""
    bank, dual = plain.bank, torch.zeros_like(plain.mel)
    small = 1e-5 * torch.eye(len(bank))
    for _ in range(iterations):
        primal = dual @ bank
        residual = plain.mel - primal.clamp_min(0.0) @ bank.T
        active = (primal > 0).float()
        if not active.any():
            active = torch.ones_like(active)
        for column in range(len(dual)):
            hessian = (bank * active[column]) @ bank.T + small
            dual[column] += torch.linalg.solve(hessian, residual[column])
    return (dual @ bank).clamp_min(0.0)


def multiplicative(plain: Plain, updates: int = 30) -> torch.Tensor:
    """Multiplicative updates from an even spread."""
    magnitude = (plain.mel / plain.bank.sum(dim=1).clamp_min(1e-12)) @ plain.spread
    for _ in range(updates):
        magnitude = magnitude * (
            (plain.mel / (magnitude @ plain.bank.T).clamp_min(1e-20)) @ plain.spread
        )
    return magnitude


INVERSES: dict[str, Callable[[Plain], torch.Tensor]] = {
    "least squares": least_squares,
    "newton": newton,
    "multiplicative": multiplicative,
}


def first_phase(plain: Plain, magnitude: torch.Tensor, start: str) -> torch.Tensor:
    """Unit phasors (N, F)."""
    grid = plain.grid
    random = np.random.default_rng(0).random(tuple(magnitude.shape), np.float32) * (2 * np.pi)
    phase = random.astype(np.float32)
    if start == "gradient":
        around = torch.cat([magnitude[:1], magnitude, magnitude[-1:]]).numpy()
        phase = phase_from_magnitude(
            around, None, phase, hop=grid.hop, win=grid.win, n_fft=grid.n_fft
        )
    shift = np.pi * np.arange(grid.n_bins) * grid.win / grid.n_fft
    angle = torch.from_numpy((phase - shift).astype(np.float32))
    return torch.polar(torch.ones_like(angle), angle)


def run_method(sonogram: Sonogram, method: Method) -> np.ndarray:
    """Waveform (1, T) of a one-channel sonogram by a method."""
    if method.codec_quality is not None:
        return decode(sonogram, quality=method.codec_quality)  # type: ignore[arg-type]
    plain = Plain(sonogram)
    magnitude = INVERSES[method.inverse](plain)
    spectrum = magnitude * first_phase(plain, magnitude, method.start)

    def project(free: torch.Tensor) -> torch.Tensor:
        if method.target == "mel":
            return plain.with_mel(free)
        return free * (magnitude / free.abs().clamp_min(1e-20))

    refine = admm if method.scheme == "admm" else accelerated
    momentum = 0.0 if method.scheme == "gla" else 0.99
    return plain.waveform(refine(plain, spectrum, project, method.steps, momentum))


def accelerated(
    plain: Plain,
    spectrum: torch.Tensor,
    project: Callable[[torch.Tensor], torch.Tensor],
    steps: int,
    momentum: float,
) -> torch.Tensor:
    """Fast Griffin-Lim; plain for momentum 0."""
    earlier = None
    for _ in range(steps):
        now = plain.consistent(spectrum)
        ahead = now if earlier is None else now + momentum * (now - earlier)
        earlier, spectrum = now, project(ahead)
    return spectrum


def admm(
    plain: Plain,
    spectrum: torch.Tensor,
    project: Callable[[torch.Tensor], torch.Tensor],
    steps: int,
    momentum: float,  # noqa: ARG001
) -> torch.Tensor:
    """Alternating directions (Masuyama et al. 2019), the dual variable damped by 0.9."""
    consistent, dual = plain.consistent(spectrum), torch.zeros_like(spectrum)
    for _ in range(steps - 1):
        wanted = project(consistent - dual)
        consistent = plain.consistent(wanted + dual)
        dual = 0.9 * (dual + wanted - consistent)
    return project(consistent - dual)
