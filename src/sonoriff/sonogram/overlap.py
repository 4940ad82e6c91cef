"""Spectra to samples and back, piece by piece: the two halves of one consistency step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.grid import WorkGrid
from sonoriff.sonogram.kernels import overlap_add, windowed_frames

FloatArray = npt.NDArray[np.float32]
ComplexArray = npt.NDArray[np.complex64]

# Where the windows hardly reach, dividing by their sum would only raise rounding noise.
LEAST_WINDOW_POWER = 1e-3


def frames_from_spectrum(spectrum: ComplexArray, n_fft: int) -> FloatArray:
    """Inverse real transform of the last axis, (C, N, F) -> float32 (C, N, n_fft)."""
    import torch

    if not spectrum.size:
        return np.zeros((*spectrum.shape[:2], n_fft), np.float32)
    return np.asarray(torch.fft.irfft(torch.from_numpy(spectrum), n_fft))


def spectrum_from_frames(frames: FloatArray, n_fft: int) -> ComplexArray:
    """Real transform of the last axis, (C, N, L) -> complex64 (C, N, F)."""
    import torch

    if not frames.size:
        return np.zeros((*frames.shape[:2], 1 + n_fft // 2), np.complex64)
    return np.asarray(torch.fft.rfft(torch.from_numpy(frames), n_fft))


class FrameQueue:
    """Columns that wait for their turn, axis 1."""

    def __init__(self) -> None:
        self._parts: list[npt.NDArray[np.generic]] = []

    def append(self, frames: npt.NDArray[np.generic]) -> None:
        """Put frames (C, N, ...) at the end."""
        self._parts.append(frames)

    def take(self, n_frames: int) -> npt.NDArray[np.generic]:
        """Remove and return the first `n_frames`."""
        waiting = self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts, axis=1)
        self._parts = [waiting[:, n_frames:]]
        return waiting[:, :n_frames]


class Synthesis:
    """Weighted overlap-add of frames as they come.

    Sample 0 is the first sample of frame 0. `push` returns the samples that no later frame
    touches: as many hops as frames came in; `flush` returns the rest.
    """

    def __init__(self, window: FloatArray, hop: int, n_channels: int) -> None:
        self._window, self._hop = window, hop
        self._overlap = -(-window.size // hop)
        self._carry = np.zeros((n_channels, (self._overlap - 1) * hop), np.float32)
        power = np.zeros(self._overlap * hop, np.float32)
        power[: window.size] = window * window
        self._power = power.reshape(self._overlap, hop)
        self._least = LEAST_WINDOW_POWER * float(self._power.sum(axis=0).max())
        self._n_frames = 0

    def push(self, frames: FloatArray) -> FloatArray:
        """Frames (C, N, >= L) in, finished samples (C, N * hop) out."""
        n_channels, n_new, _ = frames.shape
        total = np.zeros((n_channels, (n_new + self._overlap) * self._hop), np.float32)
        total[:, : self._carry.shape[1]] = self._carry
        for channel in range(n_channels):
            overlap_add(frames[channel], self._window, self._hop, total[channel])
        finished = n_new * self._hop
        self._carry = total[:, finished : finished + self._carry.shape[1]].copy()
        first = self._n_frames
        self._n_frames += n_new
        return self._normalised(total[:, :finished], first, last_frame=None)

    def flush(self) -> FloatArray:
        """The samples that only the last frames reach, (C, (R - 1) * hop)."""
        return self._normalised(self._carry, self._n_frames, last_frame=self._n_frames - 1)

    def _normalised(
        self, samples: FloatArray, first_hop: int, last_frame: int | None
    ) -> FloatArray:
        n_hops = samples.shape[1] // self._hop
        total = np.empty((n_hops, self._hop), np.float32)
        total[:] = self._power.sum(axis=0)
        for row in range(n_hops):
            hop_index = first_hop + row
            if last_frame is None and hop_index >= self._overlap - 1:
                break
            oldest = 0 if last_frame is None else max(0, hop_index - last_frame)
            total[row] = self._power[oldest : hop_index + 1].sum(axis=0)
        return np.asarray(samples / np.maximum(total, self._least).reshape(-1))


class Analysis:
    """Windowed frames of samples as they come, with the ends of the sound treated.

    The samples are those of `Synthesis`: the first `lead` lie before the sound. There, and
    after its end, the sound is taken as silent or as its own mirror image.
    """

    def __init__(
        self, window: FloatArray, hop: int, lead: int, n_channels: int, *, mirrored: bool
    ) -> None:
        self._window, self._hop, self._lead, self._mirrored = window, hop, lead, mirrored
        self._waiting = np.zeros((n_channels, 0), np.float32)
        self._position = 0
        self._started = False

    def push(self, samples: FloatArray) -> FloatArray:
        """Samples (C, t) in, the frames (C, n, L) that they complete out."""
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        needed = 2 * self._lead + 1 if self._mirrored else self._lead
        if not self._started and self._waiting.shape[1] >= needed:
            self._treat_start(self._mirrored)
        return self._frames() if self._started else self._frames(limit=0)

    def flush(self, samples: FloatArray, n_frames: int) -> FloatArray:
        """The last frames of a sound of `n_frames` hops."""
        length = n_frames * self._hop
        end = self._lead + length - self._position
        waiting = np.concatenate([self._waiting, samples], axis=1)[:, :end]
        mirrored = self._mirrored and length > self._lead
        self._waiting = waiting
        if not self._started:
            self._treat_start(mirrored)
        tail = np.zeros(
            (waiting.shape[0], max(0, self._window.size - self._lead - self._hop)), np.float32
        )
        if mirrored and tail.shape[1]:
            tail = waiting[:, -2 : -2 - tail.shape[1] : -1]
        self._waiting = np.concatenate([self._waiting, tail], axis=1)
        return self._frames()

    def _treat_start(self, mirrored: bool) -> None:
        lead = self._lead
        head = self._waiting[:, 2 * lead : lead : -1] if mirrored else np.float32(0.0)
        self._waiting[:, :lead] = head
        self._started = True

    def _frames(self, limit: int | None = None) -> FloatArray:
        room = (self._waiting.shape[1] - self._window.size) // self._hop + 1
        n_frames = max(0, room) if limit is None else limit
        frames = np.stack(
            [windowed_frames(c, self._window, self._hop, n_frames) for c in self._waiting]
        )
        self._waiting = self._waiting[:, n_frames * self._hop :]
        self._position += n_frames * self._hop
        return frames


def working_analysis(grid: WorkGrid, n_channels: int) -> Analysis:
    """`Analysis` at the working rate of a format."""
    lead = grid.lead(grid.win, grid.hop)
    return Analysis(grid.window, grid.hop, lead, n_channels, mirrored=grid.mirrored)
