"""Spectra to samples and back, piece by piece: the two halves of one consistency step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.decode_grid import WorkGrid, hann
from sonoriff.sonogram.kernels import consistency_step, overlap_add

FloatArray = npt.NDArray[np.float32]
ComplexArray = npt.NDArray[np.complex64]

# Where the windows hardly reach, dividing by their sum would only raise rounding noise.
LEAST_WINDOW_POWER = 1e-3


def frames_from_spectrum(spectrum: ComplexArray, n_fft: int) -> FloatArray:
    """Inverse real transform of the last axis, (C, N, F) -> float32 (C, N, n_fft)."""
    if not spectrum.size:
        return np.zeros((*spectrum.shape[:2], n_fft), np.float32)
    return np.asarray(np.fft.irfft(spectrum, n_fft))


def spectrum_from_frames(frames: FloatArray, n_fft: int) -> ComplexArray:
    """Real transform of the last axis, (C, N, L) -> complex64 (C, N, F)."""
    if not frames.size:
        return np.zeros((*frames.shape[:2], 1 + n_fft // 2), np.complex64)
    return np.asarray(np.fft.rfft(frames, n_fft))


def consistent_frames(
    samples: FloatArray, mel: FloatArray, grid: WorkGrid, total: FloatArray
) -> None:
    """Add the frames of a waveform, each set to its mel values, onto `total`.

    Parameters
    ----------
    samples : float32 (>= (N - 1) hop + L,)
    mel : float32 (N, M)
    total : float32 (>= (N - 1) hop + R hop,)
    """
    bank, plan = grid.bank, grid.plan
    if not len(mel):
        return
    consistency_step(
        samples,
        len(mel),
        grid.hop,
        grid.window,
        grid.window / np.float32(grid.n_fft),
        mel,
        bank.start,
        bank.stop,
        bank.weights,
        bank.spread,
        plan,
        total,
    )


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
        power_of_all = np.maximum(self._power.sum(axis=0), self._least)
        self._inverse_power: FloatArray = np.float32(1.0) / power_of_all
        self._n_frames = 0

    def push(self, frames: FloatArray) -> FloatArray:
        """Frames (C, N, >= L) in, finished samples (C, N * hop) out."""
        total = self._open(frames.shape[1])
        for channel, columns in enumerate(frames):
            overlap_add(columns, self._window, self._hop, total[channel])
        return self._close(total)

    def push_consistent(self, samples: FloatArray, mel: FloatArray, grid: WorkGrid) -> FloatArray:
        """`push` of the frames of a waveform, each set to its mel values.

        Parameters
        ----------
        samples : float32 (C, >= (N - 1) hop + L)
        mel : float32 (C, N, M)
        """
        total = self._open(mel.shape[1])
        for channel, columns in enumerate(mel):
            consistent_frames(samples[channel], columns, grid, total[channel])
        return self._close(total)

    def flush(self) -> FloatArray:
        """The samples that only the last frames reach, (C, (R - 1) * hop)."""
        return self._normalised(self._carry, self._n_frames, last_frame=self._n_frames - 1)

    def _open(self, n_new: int) -> FloatArray:
        """The sum to which new frames are added."""
        n_channels, carried = self._carry.shape
        total = np.zeros((n_channels, (n_new + self._overlap - 1) * self._hop), np.float32)
        total[:, :carried] = self._carry
        return total

    def _close(self, total: FloatArray) -> FloatArray:
        """What no later frame touches."""
        finished = total.shape[1] - self._carry.shape[1]
        self._carry = total[:, finished:].copy()
        first = self._n_frames
        self._n_frames += finished // self._hop
        return self._normalised(total[:, :finished], first, last_frame=None)

    def _normalised(
        self, samples: FloatArray, first_hop: int, last_frame: int | None
    ) -> FloatArray:
        n_hops = samples.shape[1] // self._hop
        hops = samples.reshape(samples.shape[0], n_hops, self._hop)
        if last_frame is None and first_hop >= self._overlap - 1:
            return np.reshape(hops * self._inverse_power, samples.shape)
        total = np.empty((n_hops, self._hop), np.float32)
        total[:] = self._power.sum(axis=0)
        for row in range(n_hops):
            hop_index = first_hop + row
            if last_frame is None and hop_index >= self._overlap - 1:
                break
            oldest = 0 if last_frame is None else max(0, hop_index - last_frame)
            total[row] = self._power[oldest : hop_index + 1].sum(axis=0)
        return np.reshape(hops / np.maximum(total, self._least), samples.shape)


class Analysis:
    """Stretches of samples that hold whole frames, with the ends of the sound treated.

    The samples are those of `Synthesis`: the first `lead` lie before the sound. There, and
    after its end, the sound is taken as silent or as its own mirror image.
    """

    def __init__(self, win: int, hop: int, lead: int, n_channels: int, *, mirrored: bool) -> None:
        self._win, self._hop, self._lead, self._mirrored = win, hop, lead, mirrored
        self._waiting = np.zeros((n_channels, 0), np.float32)
        self._position = 0
        self._started = False

    def push(self, samples: FloatArray) -> FloatArray:
        """Samples (C, t) in; those of the frames that they complete out, (C, (n - 1) hop + L)."""
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        needed = 2 * self._lead + 1 if self._mirrored else self._lead
        if not self._started and self._waiting.shape[1] >= needed:
            self._treat_start(self._mirrored)
        return self._stretch() if self._started else self._waiting[:, :0]

    def flush(self, samples: FloatArray, n_frames: int) -> FloatArray:
        """The stretch of the last frames of a sound of `n_frames` hops."""
        length = n_frames * self._hop
        end = self._lead + length - self._position
        waiting = np.concatenate([self._waiting, samples], axis=1)[:, :end]
        mirrored = self._mirrored and length > self._lead
        self._waiting = waiting
        if not self._started:
            self._treat_start(mirrored)
        tail = np.zeros((waiting.shape[0], max(0, self._win - self._lead - self._hop)), np.float32)
        if mirrored and tail.shape[1]:
            tail = waiting[:, -2 : -2 - tail.shape[1] : -1]
        self._waiting = np.concatenate([self._waiting, tail], axis=1)
        return self._stretch()

    def n_frames(self, stretch: FloatArray) -> int:
        """Frames of a stretch."""
        return max(0, (int(stretch.shape[1]) - self._win) // self._hop + 1)

    def _treat_start(self, mirrored: bool) -> None:
        lead = self._lead
        head = self._waiting[:, 2 * lead : lead : -1] if mirrored else np.float32(0.0)
        self._waiting[:, :lead] = head
        self._started = True

    def _stretch(self) -> FloatArray:
        n_frames = self.n_frames(self._waiting)
        stretch = self._waiting[:, : max(0, (n_frames - 1) * self._hop + self._win)]
        self._waiting = self._waiting[:, n_frames * self._hop :]
        self._position += n_frames * self._hop
        return stretch if n_frames else stretch[:, :0]


class Upsampling:
    """A band-limited waveform at another rate: `hop` samples become `full_hop`.

    Pieces under a Hann window, which sum to one, are interpolated by a transform each.
    """

    def __init__(self, hop: int, full_hop: int, span: int, n_channels: int) -> None:
        self._hop, self._full_hop, self._span = hop, full_hop, span
        self._window = hann(2 * span * hop)
        # One span of silence comes before the sound, so that two pieces reach all of it.
        self._waiting = np.zeros((n_channels, span * hop), np.float32)
        self._carry = np.zeros((n_channels, span * full_hop), np.float32)
        self._skip = span * full_hop

    def push(self, samples: FloatArray) -> FloatArray:
        """Samples (C, t) in, finished samples at the new rate out."""
        if self._hop == self._full_hop:
            return samples
        waiting = np.concatenate([self._waiting, samples], axis=1)
        apart, n_channels = self._span * self._hop, len(waiting)
        n_pieces = max(0, waiting.shape[1] // apart - 1)
        self._waiting = waiting[:, n_pieces * apart :]
        if not n_pieces:
            return np.zeros((n_channels, 0), np.float32)
        whole = waiting[:, : (n_pieces + 1) * apart].reshape(n_channels, n_pieces + 1, apart)
        pieces = np.concatenate([whole[:, :-1], whole[:, 1:]], axis=2) * self._window
        full = self._interpolated(pieces)
        full_apart = self._span * self._full_hop
        full[:, 0, :full_apart] += self._carry
        full[:, 1:, :full_apart] += full[:, :-1, full_apart:]
        self._carry = full[:, -1, full_apart:].copy()
        finished = full[:, :, :full_apart].reshape(n_channels, -1)
        skipped = min(self._skip, finished.shape[1])
        self._skip -= skipped
        return np.asarray(finished[:, skipped:])

    def flush(self) -> FloatArray:
        """The rest of the sound, and silence."""
        silence = 3 * self._span * self._hop if self._hop != self._full_hop else 0
        return self.push(np.zeros((len(self._carry), silence), np.float32))

    def _interpolated(self, pieces: FloatArray) -> FloatArray:
        length, full_length = 2 * self._span * self._hop, 2 * self._span * self._full_hop
        spectrum = spectrum_from_frames(pieces, length)
        spectrum[..., -1] = 0.0
        full = np.zeros((*pieces.shape[:2], 1 + full_length // 2), np.complex64)
        full[..., : spectrum.shape[2]] = spectrum * np.float32(full_length / length)
        return frames_from_spectrum(full, full_length)


def working_analysis(grid: WorkGrid, n_channels: int) -> Analysis:
    """`Analysis` at the working rate of a format."""
    lead = grid.lead(grid.win, grid.hop)
    return Analysis(grid.win, grid.hop, lead, n_channels, mirrored=grid.mirrored)
