"""Phase from magnitude: integrate the phase gradient from the loudest bins outwards."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

# A Hann window of length L is closest to a Gaussian exp(-pi t^2 / (HANN_GAMMA L^2)).
HANN_GAMMA = 0.25645
# Bins this far below the loudest one (natural log) keep a random phase: they cannot be heard.
LOG_TOLERANCE = float(np.log(1e-5))
LOG_FLOOR = 1e-30


def phase_from_magnitude(
    magnitude: FloatArray,
    earlier_phase: FloatArray | None,
    random_phase: FloatArray,
    *,
    hop: int,
    win: int,
    n_fft: int,
) -> FloatArray:
    """Phase of a run of columns by phase-gradient heap integration (PGHI).

    Parameters
    ----------
    magnitude : float32 (N + 2, F), >= 0; the column before, the N columns, the column after.
        At the start or end of a sound repeat the first or last column.
    earlier_phase : float32 (F,), radians; phase of the column before, or None at the start
    random_phase : float32 (N, F), radians; used where there is too little to integrate
    hop, win, n_fft : samples

    Returns
    -------
    float32 (N, F), radians, measured at the centre of the window

    References
    ----------
    Průša, Balazs & Søndergaard (2017), "A noniterative method for reconstruction of phase from
    STFT magnitude", IEEE/ACM TASLP 25(5); with Průša & Søndergaard (2016) for taking up the
    phase of the column before.
    """
    log_magnitude = np.log(np.maximum(magnitude, LOG_FLOOR)).astype(np.float32)
    phase = np.empty((magnitude.shape[0] - 1, magnitude.shape[1]), np.float32)
    has_earlier = earlier_phase is not None
    if earlier_phase is not None:
        phase[0] = earlier_phase
    phase[1:] = random_phase
    gamma = HANN_GAMMA * win * win
    _integrate(log_magnitude, phase, has_earlier, gamma, hop, n_fft, LOG_TOLERANCE)
    return np.remainder(phase[1:], np.float32(2.0 * np.pi))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _gradients(
    log_magnitude: FloatArray, gamma: float, hop: int, n_fft: int
) -> tuple[FloatArray, FloatArray]:
    """Phase steps to the next column and to the next bin, float32 (N + 1, F) each."""
    n_rows, n_bins = log_magnitude.shape
    to_next_column = np.empty((n_rows - 1, n_bins), np.float32)
    to_next_bin = np.empty((n_rows - 1, n_bins), np.float32)
    across = gamma / (2.0 * hop * n_fft)
    along = hop * n_fft / (2.0 * gamma)
    for n in range(n_rows - 1):
        before = max(n - 1, 0)
        widen = 2.0 / (n + 1 - before)
        for f in range(n_bins):
            low, high = max(f - 1, 0), min(f + 1, n_bins - 1)
            slope = (log_magnitude[n, high] - log_magnitude[n, low]) * (2.0 / (high - low))
            to_next_column[n, f] = along * slope + 2.0 * np.pi * hop * f / n_fft
            change = (log_magnitude[n + 1, f] - log_magnitude[before, f]) * widen
            to_next_bin[n, f] = -across * change
    return to_next_column, to_next_bin


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _push(keys: FloatArray, items: IntArray, size: int, key: float, item: int) -> int:
    """Put an item on a max-heap of `size` entries; returns the new size."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if keys[parent] >= key:
            break
        keys[place] = keys[parent]
        items[place] = items[parent]
        place = parent
    keys[place] = key
    items[place] = item
    return size + 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _pop(keys: FloatArray, items: IntArray, size: int) -> int:
    """Take the largest entry off the heap: returns its item; the heap shrinks by one."""
    top = items[0]
    size -= 1
    key, item = keys[size], items[size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] > keys[child]:
            child += 1
        if keys[child] <= key:
            break
        keys[place] = keys[child]
        items[place] = items[child]
        place = child
    keys[place] = key
    items[place] = item
    return int(top)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _integrate(
    log_magnitude: FloatArray,
    phase: FloatArray,
    has_earlier: bool,
    gamma: float,
    hop: int,
    n_fft: int,
    log_tolerance: float,
) -> None:
    """Fill rows 1.. of `phase` in place; row 0 is the column before, rows hold the seeds."""
    to_next_column, to_next_bin = _gradients(log_magnitude, gamma, hop, n_fft)
    n_rows, n_bins = phase.shape
    magnitude = log_magnitude[:n_rows].ravel()
    threshold = magnitude[n_bins:].max() + log_tolerance
    flat = phase.ravel()
    column_step = to_next_column.ravel()
    bin_step = to_next_bin.ravel()
    done = magnitude < threshold
    done[:n_bins] = True
    keys = np.empty(flat.size, np.float32)
    items = np.empty(flat.size, np.int32)
    size = 0
    if has_earlier:
        for f in range(n_bins):
            if magnitude[f] >= threshold:
                size = _push(keys, items, size, magnitude[f], f)
    order = np.argsort(-magnitude[n_bins:])
    turn = 0
    while True:
        while size > 0:
            here = _pop(keys, items, size)
            size -= 1
            there = here + n_bins
            if there < flat.size and not done[there]:
                flat[there] = flat[here] + 0.5 * (column_step[here] + column_step[there])
                done[there] = True
                size = _push(keys, items, size, magnitude[there], there)
            there = here - n_bins
            if there >= n_bins and not done[there]:
                flat[there] = flat[here] - 0.5 * (column_step[here] + column_step[there])
                done[there] = True
                size = _push(keys, items, size, magnitude[there], there)
            f = here % n_bins
            if f + 1 < n_bins and not done[here + 1]:
                flat[here + 1] = flat[here] + 0.5 * (bin_step[here] + bin_step[here + 1])
                done[here + 1] = True
                size = _push(keys, items, size, magnitude[here + 1], here + 1)
            if f > 0 and not done[here - 1]:
                flat[here - 1] = flat[here] - 0.5 * (bin_step[here] + bin_step[here - 1])
                done[here - 1] = True
                size = _push(keys, items, size, magnitude[here - 1], here - 1)
        while turn < order.size and done[order[turn] + n_bins]:
            turn += 1
        if turn == order.size:
            return
        seed = order[turn] + n_bins
        done[seed] = True
        size = _push(keys, items, size, magnitude[seed], seed)
