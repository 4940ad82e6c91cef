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
LOG_TOLERANCE = float(np.log(1e-4))
LOG_FLOOR = 1e-30
# Loudness classes of the queue: 0.08 dB each.
N_CLASSES = 1000
NOTHING = -1


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

    The heap is a queue of loudness classes: the order is exact to 0.08 dB and a step costs the
    same however many bins wait.

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
    _integrate(log_magnitude, phase, has_earlier, gamma, hop, n_fft)
    return np.asarray(np.remainder(phase[1:], np.float32(2.0 * np.pi)))


@numba.njit(cache=True, nogil=True)
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


@numba.njit(cache=True, nogil=True)
def _classes(log_magnitude: FloatArray, n_earlier: int) -> npt.NDArray[np.int16]:
    """Loudness class of each bin, or NOTHING where it is too faint to integrate."""
    classes = np.empty(log_magnitude.size, np.int16)
    threshold = log_magnitude[n_earlier:].max() + LOG_TOLERANCE
    scale = (N_CLASSES - 1) / -LOG_TOLERANCE
    for item in range(log_magnitude.size):
        height = (log_magnitude[item] - threshold) * scale
        classes[item] = NOTHING if height < 0 else min(int(height), N_CLASSES - 1)
    return classes


@numba.njit(cache=True, nogil=True)
def _by_class(classes: npt.NDArray[np.int16], first: int) -> IntArray:
    """Items from `first` on that have a class, loudest first (a counting sort)."""
    place = np.zeros(N_CLASSES + 1, np.int64)
    for item in range(first, classes.size):
        if classes[item] != NOTHING:
            place[N_CLASSES - 1 - classes[item] + 1] += 1
    place = np.cumsum(place)
    order = np.empty(place[N_CLASSES], np.int32)
    for item in range(first, classes.size):
        if classes[item] != NOTHING:
            row = N_CLASSES - 1 - classes[item]
            order[place[row]] = item
            place[row] += 1
    return order


@numba.njit(cache=True, nogil=True)
def _integrate(
    log_magnitude: FloatArray,
    phase: FloatArray,
    has_earlier: bool,
    gamma: float,
    hop: int,
    n_fft: int,
) -> None:
    """Fill rows 1.. of `phase` in place; row 0 is the column before, rows hold the seeds."""
    to_next_column, to_next_bin = _gradients(log_magnitude, gamma, hop, n_fft)
    n_rows, n_bins = phase.shape
    classes = _classes(log_magnitude[:n_rows].ravel(), n_bins)
    order = _by_class(classes, n_bins)
    flat, column_step, bin_step = phase.ravel(), to_next_column.ravel(), to_next_bin.ravel()
    done = classes == NOTHING
    done[:n_bins] = True
    newest = np.full(N_CLASSES, NOTHING, np.int32)
    below = np.empty(flat.size, np.int32)
    loudest = NOTHING
    if has_earlier:
        for f in range(n_bins):
            if classes[f] != NOTHING:
                below[f], newest[classes[f]] = newest[classes[f]], f
                loudest = max(loudest, classes[f])
    turn = 0
    neighbours = np.empty(4, np.int64)
    while True:
        while loudest >= 0 and newest[loudest] == NOTHING:
            loudest -= 1
        if loudest < 0:
            while turn < order.size and done[order[turn]]:
                turn += 1
            if turn == order.size:
                return
            here = order[turn]
            done[here] = True
        else:
            here = newest[loudest]
            newest[loudest] = below[here]
        f = here % n_bins
        neighbours[0] = here + n_bins if here + n_bins < flat.size else NOTHING
        neighbours[1] = here - n_bins
        neighbours[2] = here + 1 if f + 1 < n_bins else NOTHING
        neighbours[3] = here - 1 if f > 0 else NOTHING
        for side in range(4):
            there = neighbours[side]
            if there < n_bins or done[there]:
                continue
            steps = column_step if side < 2 else bin_step
            step = np.float32(0.5) * (steps[here] + steps[there])
            flat[there] = flat[here] + (step if side % 2 == 0 else -step)
            done[there] = True
            loud = classes[there]
            below[there], newest[loud] = newest[loud], there
            loudest = max(loudest, loud)
