"""The working grid of a decode: rate, transform sizes and a sparse mel bank.

A picture that ends at `f_max` holds nothing above it, so its phase is worked out at a lower
sample rate with the same hop in seconds, and only the last synthesis runs at the full rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.filter_bank import mel_filter_bank
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.transform import TransformPlan, is_smooth, transform_plan

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

RATE_MARGIN = 1.03


@dataclass(frozen=True, eq=False)
class SparseBank:
    """A mel bank as one contiguous run of bins for each band.

    Attributes
    ----------
    start, stop : int32 (M,); band b covers bins ``start[b] <= f < stop[b]``
    weights : float32 (M, W); magnitude to mel, W the longest run
    spread : float32 (M, W); `weights` with each bin's column summing to one: mel to bins
    """

    start: IntArray
    stop: IntArray
    weights: FloatArray
    spread: FloatArray

    @classmethod
    def from_dense(cls, bank: npt.NDArray[np.float64]) -> SparseBank:
        """Cut a dense (M, F) bank into runs; an empty row gives an empty run."""
        start = np.zeros(len(bank), np.int32)
        stop = np.zeros(len(bank), np.int32)
        for band, row in enumerate(bank):
            (used,) = np.nonzero(row)
            if used.size:
                start[band], stop[band] = used[0], used[-1] + 1
        column_sum = np.maximum(bank.sum(axis=0), 1e-12)
        width = max(1, int((stop - start).max()))
        weights = np.zeros((len(bank), width), np.float32)
        spread = np.zeros((len(bank), width), np.float32)
        for band, (first, last) in enumerate(zip(start, stop, strict=True)):
            weights[band, : last - first] = bank[band, first:last]
            spread[band, : last - first] = (bank[band] / column_sum)[first:last]
        return cls(start, stop, weights, spread)


@dataclass(frozen=True, eq=False)
class WorkGrid:
    """Sizes at which the phase is worked out, beside those of the full rate.

    Attributes
    ----------
    params : the format
    step : columns of the picture for each column of this grid
    hop, win, n_fft : samples at the working rate
    window : float32 (win,), periodic Hann
    plan : of the transforms of `n_fft` samples
    bank : `SparseBank` on this grid's bins
    unit : mel value of one unit of working magnitude
    """

    params: SonogramParams
    step: int
    hop: int
    win: int
    n_fft: int
    window: FloatArray
    plan: TransformPlan
    bank: SparseBank
    unit: float

    @property
    def n_bins(self) -> int:
        """Bins of the working spectrum, F."""
        return 1 + self.n_fft // 2

    @property
    def overlap(self) -> int:
        """Frames that cover one hop, R."""
        return -(-self.win // self.hop)

    @property
    def mirrored(self) -> bool:
        """Whether the sound is taken as mirrored at its ends (as Riffusion does), or silent."""
        return self.params.scale == "power"

    def n_columns(self, n_frames: int) -> int:
        """Columns of this grid for a picture of `n_frames`."""
        return -(-n_frames // self.step)

    def lead(self, win: int, hop: int) -> int:
        """Samples of frame 0 that lie before sample 0."""
        return win // 2 if self.params.scale == "power" else (win - hop) // 2


def _working_hop(params: SonogramParams) -> int:
    """The shortest hop with whole, even, easily factored sizes that still reaches f_max."""
    needed = params.hop_length * RATE_MARGIN * 2 * params.f_max / params.sample_rate
    for hop in range(int(np.ceil(needed)), params.hop_length):
        win, win_rest = divmod(params.win_length * hop, params.hop_length)
        n_fft, n_fft_rest = divmod(params.n_fft * hop, params.hop_length)
        sizes_fit = win_rest == 0 and n_fft_rest == 0 and n_fft % 2 == 0 and win % 2 == 0
        lead_fits = params.scale == "power" or (win - hop) % 2 == 0
        if sizes_fit and lead_fits and is_smooth(n_fft):
            return hop
    return params.hop_length


def _bank_on_bins(params: SonogramParams, n_bins: int, bin_hz: float) -> npt.NDArray[np.float64]:
    """The format's bank applied to a spectrum that is interpolated from coarser bins."""
    full = mel_filter_bank(params).astype(np.float64)
    full_hz = np.linspace(0.0, params.sample_rate // 2, full.shape[1])
    place = np.minimum(full_hz / bin_hz, n_bins - 1.0)
    lower = np.minimum(place.astype(np.int64), n_bins - 2)
    part = place - lower
    bank = np.zeros((n_bins, params.n_mels))
    np.add.at(bank, lower, (full * (1.0 - part)).T)
    np.add.at(bank, lower + 1, (full * part).T)
    bank[bank < 1e-9] = 0.0
    return np.ascontiguousarray(bank.T)


def hann(length: int) -> FloatArray:
    """Periodic Hann window, float32 (length,)."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)).astype(np.float32)


@lru_cache(maxsize=8)
def work_grid(params: SonogramParams, max_padding: int = 2, step: int = 1) -> WorkGrid:
    """The working grid of a format.

    Parameters
    ----------
    max_padding : a transform padded to more than this many windows is halved, as often as it
        divides: the window's main lobe is wide enough for the bins between to be interpolated
    step : use every `step`-th column; more than 1 for the "power" scale only, whose columns are
        centred on whole hops

    Notes
    -----
    riffusion-v1: 21.6 kHz, hop 216, window 2160, n_fft 4320 (2160 where `max_padding` is 1).
    hifi: 33.075 kHz, hop 384, window and n_fft 1536.
    """
    hop = _working_hop(params)
    win = params.win_length * hop // params.hop_length
    n_fft = params.n_fft * hop // params.hop_length
    while n_fft % 4 == 0 and n_fft >= 2 * win and n_fft > max_padding * win:
        n_fft //= 2
    while n_fft % 2 or not is_smooth(n_fft):  # only where no shorter hop fits
        n_fft += 1
    rate = params.sample_rate * hop / params.hop_length
    bank = _bank_on_bins(params, 1 + n_fft // 2, rate / n_fft)
    unit = 4.0 / win if params.scale == "log" else params.win_length / win
    return WorkGrid(
        params=params,
        step=step,
        hop=hop * step,
        win=win,
        n_fft=n_fft,
        window=hann(win),
        plan=transform_plan(n_fft),
        bank=SparseBank.from_dense(bank),
        unit=unit,
    )
