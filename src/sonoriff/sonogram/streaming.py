"""Columns in, samples out: the decoder, one block of columns at a time.

Every consistency step of fast Griffin-Lim looks only at the frames that overlap, so the steps
form a chain in which step k runs a few frames behind step k - 1. The whole-clip decode pushes
all its columns through the same chain: it gives the same samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.sonogram.decode_grid import WorkGrid, work_grid
from sonoriff.sonogram.kernels import magnitude_from_mel
from sonoriff.sonogram.overlap import (
    FrameQueue,
    Synthesis,
    Upsampling,
    frames_from_spectrum,
    working_analysis,
)
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.phase import phase_from_magnitude
from sonoriff.sonogram.stereo import PLANES, Upmix

FloatArray = npt.NDArray[np.float32]
ComplexArray = npt.NDArray[np.complex64]
Quality = Literal["fast", "best"]


@dataclass(frozen=True)
class Effort:
    """How much work a decode does.

    Attributes
    ----------
    iterations : consistency steps after the phase-gradient start
    coarse_iterations : steps before those, on every second column and an unpadded transform, at
        a quarter of their cost; for the "power" scale, whose columns overlap by nine tenths
    momentum : of fast Griffin-Lim; 0 is plain Griffin-Lim
    start_updates : multiplicative updates of the first magnitude
    block_frames : columns worked on together, however they come in, so that the samples do not
        depend on the size of the pieces
    """

    iterations: int
    coarse_iterations: int = 0
    momentum: float = 0.99
    start_updates: int = 4
    block_frames: int = 16


# Columns of the picture for each column of the coarse steps. Blocks are a multiple of it.
COARSE_STEP = 2
# Hops in half a piece of the last interpolation, at most. Blocks are a multiple of it, too.
MOST_SPAN = 16

EFFORTS: dict[tuple[str, str], Effort] = {
    ("log", "fast"): Effort(8),
    ("log", "best"): Effort(32, block_frames=32),
    ("power", "fast"): Effort(4, 8, start_updates=2, block_frames=32),
    ("power", "best"): Effort(24, 60, start_updates=2, block_frames=128),
}


def effort_for(params: SonogramParams, quality: str) -> Effort:
    """The measured setting of a format and quality; ParameterError for an unknown quality."""
    try:
        return EFFORTS[params.scale, quality]
    except KeyError:
        raise ParameterError(f'quality must be "fast" or "best", got {quality!r}') from None


@dataclass
class _Signal:
    """What travels from one step to the next.

    Attributes
    ----------
    samples : float32 (C, t), at the working rate
    earlier : float32 (C, t'), what the step before had taken in: the waveform one step ago; None
        after the start and where the grid changes
    mel : float32 (C, n, M), of the columns that `samples` was made of
    """

    samples: FloatArray
    earlier: FloatArray | None
    mel: FloatArray


class _PhaseStart:
    """Mel values to a first waveform; one column of look-ahead."""

    def __init__(self, grid: WorkGrid, effort: Effort, seed: int) -> None:
        self._grid, self._effort = grid, effort
        self._synthesis: Synthesis | None = None
        self._random = np.random.default_rng(seed)
        self._mel: FloatArray | None = None
        self._magnitude: FloatArray | None = None
        self._phase: FloatArray | None = None

    def open(self, n_channels: int) -> None:
        """Begin, once the number of channels is known."""
        self._synthesis = Synthesis(self._grid.window, self._grid.hop, n_channels)

    def push(self, mel: FloatArray, *, last: bool) -> _Signal:
        """Mel (C, n, M) in; the waveform of the columns whose successor is known out."""
        assert self._synthesis is not None
        spectrum, mel = self._spectrum(mel, last=last)
        samples = self._synthesis.push(frames_from_spectrum(spectrum, self._grid.n_fft))
        if last:
            samples = np.concatenate([samples, self._synthesis.flush()], axis=1)
        return _Signal(samples, None, mel)

    def _spectrum(self, mel: FloatArray, *, last: bool) -> tuple[ComplexArray, FloatArray]:
        magnitude = self._start_magnitude(mel)
        if self._mel is not None and self._magnitude is not None:
            mel = np.concatenate([self._mel, mel], axis=1)
            magnitude = np.concatenate([self._magnitude, magnitude], axis=1)
        # Kept from last time: the column before, for its slope, and the one without successor.
        first = 0 if self._phase is None else 1
        stop = mel.shape[1] - (0 if last else 1)
        if stop <= first:
            self._mel, self._magnitude = mel, magnitude
            empty = np.zeros((magnitude.shape[0], 0, magnitude.shape[2]), np.complex64)
            return empty, mel[:, :0]
        phase = self._phase_of(magnitude.sum(axis=0), first, stop)
        spectrum = magnitude[:, first:stop] * _turn(phase, self._grid)
        self._mel, self._magnitude = mel[:, stop - 1 :], magnitude[:, stop - 1 :]
        self._phase = phase[-1]
        return spectrum, np.ascontiguousarray(mel[:, first:stop])

    def _start_magnitude(self, mel: FloatArray) -> FloatArray:
        bank, n_bins = self._grid.bank, self._grid.n_bins
        flat = np.ascontiguousarray(mel.reshape(-1, mel.shape[2]))
        magnitude = magnitude_from_mel(
            flat,
            bank.start,
            bank.stop,
            bank.weights,
            bank.spread,
            n_bins,
            self._effort.start_updates,
        )
        return cast(FloatArray, magnitude.reshape(mel.shape[0], mel.shape[1], n_bins))

    def _phase_of(self, magnitude: FloatArray, first: int, stop: int) -> FloatArray:
        """One phase for all channels, so that they stay coherent."""
        around = np.clip(np.arange(first - 1, stop + 1), 0, magnitude.shape[0] - 1)
        random_phase = self._random.random((stop - first, magnitude.shape[1]), np.float32)
        return phase_from_magnitude(
            magnitude[around],
            self._phase,
            random_phase * np.float32(2.0 * np.pi),
            hop=self._grid.hop,
            win=self._grid.win,
            n_fft=self._grid.n_fft,
        )


def _turn(phase: FloatArray, grid: WorkGrid) -> ComplexArray:
    """Unit phasors, measured from the first sample of the window instead of its centre."""
    shift = 2.0 * np.pi * np.arange(grid.n_bins) * (grid.win / 2) / grid.n_fft
    angle = phase - np.remainder(shift, 2.0 * np.pi).astype(np.float32)
    return (np.cos(angle) + 1j * np.sin(angle)).astype(np.complex64)


class _Refiner:
    """One step of fast Griffin-Lim whose magnitudes are set through the mel bank."""

    def __init__(self, before: WorkGrid, grid: WorkGrid, momentum: float, n_channels: int) -> None:
        self._before, self._grid, self._momentum = before, grid, momentum
        self._synthesis = Synthesis(grid.window, grid.hop, n_channels)
        self._analysis = working_analysis(grid, n_channels)
        self._mel, self._earlier = FrameQueue(), FrameQueue()

    def push(self, signal: _Signal) -> _Signal:
        """A waveform in, that of R - 1 frames ago out."""
        self._expect_mel_of(signal)
        accelerated = self._accelerated(signal)
        return self._step(self._analysis.push(accelerated), signal)

    def finish(self, signal: _Signal, n_frames: int) -> _Signal:
        """The last samples in, all that is left of a picture of `n_frames` columns out."""
        self._expect_mel_of(signal)
        accelerated = self._accelerated(signal)
        stretch = self._analysis.flush(accelerated, self._grid.n_columns(n_frames))
        result = self._step(stretch, signal)
        result.samples = np.concatenate([result.samples, self._synthesis.flush()], axis=1)
        return result

    def expect(self, mel: FloatArray) -> None:
        """Mel values (C, n, M) of columns that are to come out."""
        self._mel.append(mel)

    def _expect_mel_of(self, signal: _Signal) -> None:
        if self._before is self._grid:
            self.expect(signal.mel)

    def _accelerated(self, signal: _Signal) -> FloatArray:
        """The waveform moved on by the momentum; the transforms that follow are linear."""
        if self._before is not self._grid or signal.earlier is None:
            return signal.samples
        self._earlier.append(signal.earlier)
        earlier = cast(FloatArray, self._earlier.take(signal.samples.shape[1]))
        change = signal.samples.copy()
        # After a coarse grid the earlier waveform ends sooner, beyond what is looked at.
        change[:, : earlier.shape[1]] -= earlier
        return np.asarray(signal.samples + np.float32(self._momentum) * change)

    def _step(self, stretch: FloatArray, signal: _Signal) -> _Signal:
        mel = cast(FloatArray, self._mel.take(self._analysis.n_frames(stretch)))
        samples = self._synthesis.push_consistent(stretch, mel, self._grid)
        return _Signal(samples, signal.samples, mel)


class _LastSynthesis:
    """The working waveform to samples at the full rate."""

    def __init__(self, grid: WorkGrid, n_channels: int) -> None:
        params, hop = grid.params, grid.hop // grid.step
        self._upsampling = Upsampling(hop, params.hop_length, upsampling_span(grid), n_channels)
        self._skip = grid.lead(params.win_length, params.hop_length)

    def push(self, samples: FloatArray) -> FloatArray:
        """Samples (C, t) in, finished samples (C, t') out."""
        return self._cut(self._upsampling.push(samples))

    def finish(self, samples: FloatArray) -> FloatArray:
        """The last samples in, all that are left out."""
        parts = [self.push(samples), self._cut(self._upsampling.flush())]
        return np.concatenate(parts, axis=1)

    def _cut(self, samples: FloatArray) -> FloatArray:
        skipped = min(self._skip, samples.shape[1])
        self._skip -= skipped
        return samples[:, skipped:]


def upsampling_span(grid: WorkGrid) -> int:
    """Hops in half a piece of the last interpolation: half a window or less; divides a block."""
    half_window = max(1, grid.win * grid.step // (2 * grid.hop))
    return min(1 << (half_window.bit_length() - 1), MOST_SPAN)


class StreamingDecoder:
    """Sonogram columns to samples, any number of columns at a time.

    Parameters
    ----------
    params : the format
    quality : "fast" or "best"
    seed : of the phase of bins too faint to integrate

    Notes
    -----
    The samples do not depend on how the columns are cut into pieces, and are those of
    `sonoriff.sonogram.codec.decode`. Two clips pushed one after the other are one sound: there
    is no seam. N columns give exactly ``N * hop_length`` samples once flushed.
    """

    def __init__(self, params: SonogramParams, *, quality: Quality = "fast", seed: int = 0) -> None:
        self.params = params
        self._effort = effort_for(params, quality)
        self._grid = work_grid(params)
        self._coarse = self._grid
        if self._effort.coarse_iterations:
            self._coarse = work_grid(params, max_padding=1, step=COARSE_STEP)
        self._start = _PhaseStart(self._coarse, self._effort, seed)
        self._refiners: list[_Refiner] = []
        self._change: _Refiner | None = None
        self._last: _LastSynthesis | None = None
        self._upmix: Upmix | None = None
        self._waiting: FloatArray | None = None
        self._n_columns = 0
        self._n_samples = 0
        self._flushed = False

    def look_ahead_frames(self, n_planes: int = 1) -> int:
        """A column is heard, at the latest, when this many columns after it have come."""
        grid, coarse, params, effort = self._grid, self._coarse, self.params, self._effort
        lead = grid.lead(params.win_length, params.hop_length)
        through_coarse = effort.coarse_iterations * (coarse.overlap - 1) * coarse.step
        behind = coarse.step + through_coarse + effort.iterations * (grid.overlap - 1)
        if grid.hop != params.hop_length:
            # A piece of the last interpolation is two spans, and spans start with the blocks.
            span = upsampling_span(grid)
            behind += span + -behind % span
        upmix = Upmix(params).look_ahead_frames if n_planes == PLANES else 0
        return effort.block_frames - 1 + behind + -(-lead // params.hop_length) + upmix

    def push(self, columns: npt.ArrayLike) -> FloatArray:
        """Take columns; return the samples that are final.

        Parameters
        ----------
        columns : float32 (P, M, n), planes as in `Sonogram`

        Returns
        -------
        float32 (C, t), t >= 0

        Raises
        ------
        ParameterError
            wrong shape, another plane count than before, NaN, or a flushed decoder
        """
        planes = self._checked(np.asarray(columns, np.float32))
        if self._upmix is not None:
            self._upmix.expect(planes)
            planes = planes[PLANES - 1 :]
        mel = self._mel_of(planes)
        waiting = mel if self._waiting is None else np.concatenate([self._waiting, mel], axis=1)
        samples = []
        block = self._effort.block_frames
        while waiting.shape[1] >= block:
            samples.append(self._run(waiting[:, :block], last=False))
            waiting = waiting[:, block:]
        self._waiting = waiting
        return self._joined(samples)

    def flush(self) -> FloatArray:
        """End the sound: the samples that were still under way, float32 (C, t)."""
        if self._flushed or self._waiting is None or not self._n_columns:
            self._flushed = True
            return np.zeros((self._n_channels, 0), np.float32)
        self._flushed = True
        left = self._n_columns * self.params.hop_length - self._n_samples
        return self._run(self._waiting, last=True)[:, :left]

    def _checked(self, columns: FloatArray) -> FloatArray:
        if self._flushed:
            raise ParameterError("this decoder was flushed; make a new one for a new sound")
        if columns.ndim != 3 or columns.shape[1] != self.params.n_mels or columns.shape[0] == 0:
            raise ParameterError(
                f"columns must be (planes, {self.params.n_mels}, n), got {columns.shape}"
            )
        if self._waiting is not None and columns.shape[0] != self.n_planes:
            raise ParameterError(f"expected {self.n_planes} planes as before, got {len(columns)}")
        if columns.shape[0] == PLANES and self.params.scale != "log":
            raise ParameterError(f"a {self.params.name} sonogram has one or two planes, not three")
        if not np.isfinite(columns).all():
            raise ParameterError("columns hold NaN or infinite values")
        if self._waiting is None and columns.shape[0] == PLANES:
            self._upmix = Upmix(self.params)
        self._n_columns += columns.shape[2]
        return columns

    def _mel_of(self, columns: FloatArray) -> FloatArray:
        """Values (C, M, n) to working mel magnitudes (C, n, M)."""
        values = np.swapaxes(columns, 1, 2)
        if self.params.scale == "power":
            return np.asarray(np.maximum(values, 0.0) / np.float32(self._grid.unit))
        level = np.clip(values, self.params.db_min, self.params.db_max)
        mel = np.power(np.float32(10.0), level / np.float32(20.0)) / np.float32(self._grid.unit)
        # The lowest level means nothing at all, not a faint hiss.
        return np.asarray(np.where(level <= self.params.db_min, np.float32(0.0), mel))

    def _run(self, mel: FloatArray, *, last: bool) -> FloatArray:
        if self._last is None:
            self._build(mel.shape[0])
        assert self._last is not None
        if self._change is not None:
            self._change.expect(mel)
        signal = self._start.push(mel[:, :: self._coarse.step], last=last)
        for refiner in self._refiners:
            signal = refiner.finish(signal, self._n_columns) if last else refiner.push(signal)
        samples = self._last.finish(signal.samples) if last else self._last.push(signal.samples)
        if self._upmix is None:
            return samples
        return self._upmix.finish(samples, self._n_columns) if last else self._upmix.push(samples)

    def _build(self, n_channels: int) -> None:
        """Make the chain, once the number of channels is known."""
        effort = self._effort
        self._start.open(n_channels)
        grids = [self._coarse] * effort.coarse_iterations + [self._grid] * effort.iterations
        before = self._coarse
        for grid in grids:
            refiner = _Refiner(before, grid, effort.momentum, n_channels)
            self._refiners.append(refiner)
            if before is not grid:
                self._change = refiner
            before = grid
        self._last = _LastSynthesis(before, n_channels)

    @property
    def n_planes(self) -> int:
        """Planes of the columns that were pushed; 0 before the first."""
        if self._upmix is not None:
            return PLANES
        return 0 if self._waiting is None else len(self._waiting)

    @property
    def _n_channels(self) -> int:
        return min(2, self.n_planes) or 1

    def _joined(self, samples: list[FloatArray]) -> FloatArray:
        joined = np.concatenate([np.zeros((self._n_channels, 0), np.float32), *samples], axis=1)
        self._n_samples += joined.shape[1]
        return joined
