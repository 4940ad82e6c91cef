"""Beat tracking: tempo, beats and bars of recorded music, with a confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Waveform = npt.NDArray[np.float32]
# Hz; all analysis runs at one rate.
SAMPLE_RATE = 44_100
_HOP = 512
_FFT = 2048
_RATE = SAMPLE_RATE / _HOP
# A pulse counts as found above this confidence (0-1): 96 % of such tempi of six-second clips are
# right, octaves apart.
CONFIDENT = 0.40


@dataclass(frozen=True)
class Beats:
    """The pulse of a recording: beats a minute, confidence 0-1, beat and bar times in seconds."""

    bpm: float
    confidence: float
    beats_s: tuple[float, ...]
    bars_s: tuple[float, ...]

    @property
    def found(self) -> bool:
        """Whether the pulse is clear enough to cut on."""
        return self.confidence >= CONFIDENT and len(self.beats_s) >= 8


def _band_levels(waveform: Waveform) -> npt.NDArray[np.float32]:
    """Log level of 40 bands from 30 Hz to 16 kHz, float32 (N, 40)."""
    frames = 1 + max(0, len(waveform) - _FFT) // _HOP
    view = np.lib.stride_tricks.sliding_window_view(waveform, _FFT)[::_HOP][:frames]
    window = np.hanning(_FFT).astype(np.float32)
    frequencies = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
    edges = np.searchsorted(frequencies, np.geomspace(30, 16_000, 41))
    edges = np.maximum.accumulate(np.maximum(edges, np.arange(41) + 1))
    out = np.empty((frames, 40), np.float32)
    for start in range(0, frames, 2048):
        power = np.abs(np.fft.rfft(view[start : start + 2048] * window, axis=1)) ** 2
        sums = np.add.reduceat(power, edges[:-1], axis=1)
        out[start : start + 2048] = np.log10(sums + 1e-5)
    return out


def onset_strength(waveform: Waveform) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """How much louder each frame is than the one before: over all bands, and in the lowest ten.

    Returns
    -------
    two float32 (N,), 86.1 frames a second

    References
    ----------
    Böck & Widmer (2013), DAFx: spectral flux over a logarithmic filter bank.
    """
    levels = _band_levels(waveform)
    rise = np.maximum(levels[2:] - levels[:-2], 0)
    rise = np.concatenate([np.zeros((2, 40), np.float32), rise])
    return rise.mean(1), rise[:, :10].mean(1)


def _tempo(flux: npt.NDArray[np.float32]) -> tuple[float, float]:
    """(period in frames, confidence) from the autocorrelation, tempi near 120 bpm preferred."""
    centred = flux - flux.mean()
    size = 1 << int(np.ceil(np.log2(2 * len(centred))))
    spectrum = np.fft.rfft(centred, size)
    auto = np.fft.irfft(np.abs(spectrum) ** 2)[: len(centred)]
    if auto[0] <= 0:
        return 0.0, 0.0
    auto = auto / auto[0]
    lags = np.arange(round(60 * _RATE / 220), min(round(60 * _RATE / 45), len(auto) // 4))
    if len(lags) < 3:
        return 0.0, 0.0
    comb = np.zeros(len(lags))
    for multiple, share in ((1, 1.0), (2, 0.6), (4, 0.5)):
        places = np.minimum(lags * multiple, len(auto) - 1)
        comb += share * np.maximum.reduce(
            [auto[np.minimum(places + o, len(auto) - 1)] for o in (-1, 0, 1)]
        )
    prior = np.exp(-0.5 * (np.log2(60 * _RATE / lags / 120) / 0.9) ** 2)
    best = int(np.argmax(comb * prior))
    confidence = float(np.clip(comb[best] / 2.1, 0, 1))
    return _refined(auto, int(lags[best])), confidence


def _refined(auto: npt.NDArray[np.float64], lag: int) -> float:
    """The period to a fraction of a frame, from its far multiples."""
    period = float(lag)
    for multiple in (2, 4, 8, 16):
        centre = round(period * multiple)
        reach = max(2, round(multiple * 0.35))
        if centre + reach >= len(auto) // 2:
            break
        around = auto[centre - reach : centre + reach + 1]
        period = (centre - reach + int(np.argmax(around))) / multiple
    return period


def _track(flux: npt.NDArray[np.float32], period: float) -> npt.NDArray[np.int64]:
    """Beat frames by dynamic programming.

    References
    ----------
    Ellis (2007), J. New Music Research 36(1).
    """
    strength = np.convolve(flux, np.exp(-0.5 * (np.arange(-8, 9) * 8 / period) ** 2), "same")
    strength /= strength.std() + 1e-9
    reach = np.arange(-round(2 * period), -round(period / 2) + 1)
    penalty = -100 * np.log(-reach / period) ** 2
    score, origin = strength.copy(), np.full(len(strength), -1)
    for frame in range(-int(reach[0]), len(strength)):
        candidates = score[frame + reach] + penalty
        best = int(np.argmax(candidates))
        score[frame] += candidates[best]
        origin[frame] = frame + reach[best]
    frame = int(np.argmax(score[-round(2 * period) :])) + max(0, len(score) - round(2 * period))
    beats = []
    while frame >= 0:
        beats.append(frame)
        frame = int(origin[frame])
    return np.array(beats[::-1], np.int64)


def find_beats(waveform: Waveform) -> Beats:
    """Tempo, beats and bars of four of a mono waveform at 44.1 kHz.

    Parameters
    ----------
    waveform : float32 (T,)

    Returns
    -------
    Beats
        confidence 0 and no times when the waveform is shorter than four seconds or has no pulse

    Notes
    -----
    The octave of the tempo is a guess, as it is for listeners; bars are taken to have four beats
    and start on the beats whose low bands rise most.
    """
    if len(waveform) < 4 * SAMPLE_RATE or not np.any(waveform):
        return Beats(0.0, 0.0, (), ())
    flux, low = onset_strength(waveform)
    period, confidence = _tempo(flux)
    if period < 5 or confidence < 0.05:
        return Beats(0.0, confidence, (), ())
    frames = _track(flux, period)
    gaps = np.diff(frames)
    if len(gaps) < 4:
        return Beats(0.0, 0.0, (), ())
    steady = float(np.mean(np.abs(gaps / np.median(gaps) - 1) < 0.12))
    strengths = np.array([low[max(0, f - 2) : f + 3].max() for f in frames])
    phase = int(np.argmax([strengths[p::4].mean() for p in range(4)]))
    times = (frames * _HOP + _FFT / 2 - _HOP) / SAMPLE_RATE
    bpm = 60 * _RATE / period
    return Beats(
        float(bpm), confidence * steady, tuple(float(t) for t in times),
        tuple(float(t) for t in times[phase::4]),
    )  # fmt: skip
