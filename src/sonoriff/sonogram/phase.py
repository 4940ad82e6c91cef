"""Phase from magnitude: integrate the phase gradient from the loudest bins outwards."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.native import call, library

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]
ClassArray = npt.NDArray[np.int16]

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


def _gradients(
    log_magnitude: FloatArray, gamma: float, hop: int, n_fft: int
) -> tuple[FloatArray, FloatArray]:
    """Phase steps to the next column and to the next bin, float32 (N + 1, F) each."""
    rows, n_bins = log_magnitude[:-1], log_magnitude.shape[1]
    slope = np.empty_like(rows)
    slope[:, 1:-1] = rows[:, 2:] - rows[:, :-2]
    slope[:, 0] = 2.0 * (rows[:, 1] - rows[:, 0])
    slope[:, -1] = 2.0 * (rows[:, -1] - rows[:, -2])
    turn = (2.0 * np.pi * hop / n_fft * np.arange(n_bins)).astype(np.float32)
    to_next_column = slope * np.float32(hop * n_fft / (2.0 * gamma)) + turn
    change = np.empty_like(rows)
    change[1:] = log_magnitude[2:] - log_magnitude[:-2]
    change[0] = 2.0 * (log_magnitude[1] - log_magnitude[0])
    return to_next_column, change * np.float32(-gamma / (2.0 * hop * n_fft))


def _classes(log_magnitude: FloatArray, n_earlier: int) -> ClassArray:
    """Loudness class of each bin, or NOTHING where it is too faint to integrate."""
    threshold = log_magnitude[n_earlier:].max() + LOG_TOLERANCE
    height = (log_magnitude - threshold) * np.float32((N_CLASSES - 1) / -LOG_TOLERANCE)
    classes = np.minimum(height, np.float32(N_CLASSES - 1)).astype(np.int16)
    return np.asarray(np.where(height < 0, np.int16(NOTHING), classes))


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
    n_bins = phase.shape[1]
    classes = _classes(log_magnitude[: phase.shape[0]].reshape(-1), n_bins)
    # Loudest first; a stable sort of short integers counts them.
    order = n_bins + np.argsort(-classes[n_bins:], kind="stable").astype(np.int32)
    done = classes == NOTHING
    done[:n_bins] = True
    steps = to_next_column.reshape(-1), to_next_bin.reshape(-1)
    if library() is None:
        _spread(phase.reshape(-1), *steps, classes, order, done, n_bins, has_earlier)
        return
    newest = np.full(N_CLASSES, NOTHING, np.int32)
    below = np.empty(phase.size, np.int32)
    call(
        *("spread_phase", phase, *steps, classes, order, order.size, done.view(np.uint8)),
        *(newest, below, n_bins, phase.size, int(has_earlier)),
    )


def _spread(
    phase: FloatArray,
    column_step: FloatArray,
    bin_step: FloatArray,
    classes: ClassArray,
    order: IntArray,
    is_done: npt.NDArray[np.bool_],
    n_bins: int,
    has_earlier: bool,
) -> None:
    """``spread_phase`` of the library, on lists, which are faster one by one than arrays.

    Take the loudest bin that is known and give its neighbours their phase, until none is left.
    """
    flat, loud, done = phase.tolist(), classes.tolist(), is_done.tolist()
    steps = column_step.tolist(), column_step.tolist(), bin_step.tolist(), bin_step.tolist()
    waiting: list[list[int]] = [[] for _ in range(N_CLASSES)]
    loudest, later = NOTHING, iter(order.tolist())
    if has_earlier:
        for f in range(n_bins):
            if loud[f] != NOTHING:
                waiting[loud[f]].append(f)
                loudest = max(loudest, loud[f])
    while True:
        while loudest >= 0 and not waiting[loudest]:
            loudest -= 1
        if loudest >= 0:
            here = waiting[loudest].pop()
        else:
            here = next((place for place in later if not done[place]), NOTHING)
            if here == NOTHING:
                break
            done[here] = True
        f = here % n_bins
        neighbours = (
            here + n_bins if here + n_bins < len(flat) else NOTHING,
            here - n_bins,
            here + 1 if f + 1 < n_bins else NOTHING,
            here - 1 if f > 0 else NOTHING,
        )
        for side, there in enumerate(neighbours):
            if there < n_bins or done[there]:
                continue
            step = 0.5 * (steps[side][here] + steps[side][there])
            flat[there] = flat[here] + (step if side % 2 == 0 else -step)
            done[there] = True
            waiting[loud[there]].append(there)
            loudest = max(loudest, loud[there])
    phase[:] = flat
