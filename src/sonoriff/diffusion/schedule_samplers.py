"""Samplers that know the schedule: plain functions of ``(denoised, x, times, schedule)``.

`denoised` takes ``(x, time)`` and returns the data that it sees in it; `times` falls from its
first value to 0. They serve noise schedules and flows alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sonoriff.diffusion.flow import Times
from sonoriff.diffusion.samplers import FloatArray, OnStep
from sonoriff.diffusion.schedule import NoiseSchedule, Schedule

Denoised = Callable[[FloatArray, float], FloatArray]
_LCM_SCALING, _LCM_SIGMA_DATA = 10.0, 0.5


def sample_ddim(
    denoised: Denoised,
    x: FloatArray,
    times: Times,
    schedule: Schedule,
    *,
    on_step: OnStep | None = None,
) -> FloatArray:
    """DDIM without fresh noise, one evaluation a step; on a flow it is Euler's method.

    References
    ----------
    Song, Meng & Ermon, Denoising Diffusion Implicit Models (2021), equation 12 with eta 0.
    """
    t = times.tolist()
    for i in range(len(t) - 1):
        (alpha, sigma), (alpha_next, sigma_next) = map(schedule.alpha_sigma, t[i : i + 2])
        data = denoised(x, t[i])
        x = alpha_next * data + np.float32(sigma_next / sigma) * (x - alpha * data)
        _tell(on_step, i, t, x)
    return x


def invert_ddim(
    denoised: Denoised,
    x: FloatArray,
    times: Times,
    schedule: Schedule,
    *,
    iterations: int = 3,
    on_step: OnStep | None = None,
) -> FloatArray:
    """The point from which `sample_ddim` over the same falling times comes to `x`.

    Parameters
    ----------
    times : may not reach a time without data
    iterations : evaluations a step, see `samplers.invert_euler`

    References
    ----------
    Song, Meng & Ermon, Denoising Diffusion Implicit Models (2021), section 4.3; Pan et al.,
    Effective Real Image Editing with Accelerated Iterative Diffusion Inversion (2023).
    """
    t = times[::-1].tolist()
    for i in range(len(t) - 1):
        (alpha, sigma), (alpha_above, sigma_above) = map(schedule.alpha_sigma, t[i : i + 2])
        above = x
        for _ in range(iterations):
            data = denoised(above, t[i + 1])
            noise = (above - alpha_above * data) / np.float32(sigma_above)
            above = (alpha_above / alpha) * (x - sigma * noise) + sigma_above * noise
        x = above
        _tell(on_step, i, t, x)
    return x


def sample_dpmpp_2m(
    denoised: Denoised,
    x: FloatArray,
    times: Times,
    schedule: Schedule,
    *,
    on_step: OnStep | None = None,
) -> FloatArray:
    """DPM-Solver++(2M): second order, one evaluation a step; the last step is of first order.

    References
    ----------
    Lu et al., DPM-Solver++ (2022), algorithm 2.
    """
    t = times.tolist()
    levels = [_log_snr_half(*schedule.alpha_sigma(time)) for time in t]
    before: FloatArray | None = None
    for i in range(len(t) - 1):
        (_, sigma), (alpha_next, sigma_next) = map(schedule.alpha_sigma, t[i : i + 2])
        data = denoised(x, t[i])
        slope = data
        h = levels[i + 1] - levels[i]
        if before is not None and math.isfinite(h):
            # Where the step before came from pure noise it was infinitely long: no correction.
            slope = data + h / (2.0 * (levels[i] - levels[i - 1])) * (data - before)
        x = (sigma_next / sigma) * x - alpha_next * math.expm1(-h) * slope
        before = data
        _tell(on_step, i, t, x)
    return x


def sample_lcm(
    denoised: Denoised,
    x: FloatArray,
    times: Times,
    schedule: NoiseSchedule,
    *,
    fresh_noise: Callable[[int], FloatArray],
    on_step: OnStep | None = None,
) -> FloatArray:
    """Consistency sampling for distilled models: 2 to 8 steps, each from fresh noise.

    Parameters
    ----------
    fresh_noise : step, from 0, to noise like `x`

    References
    ----------
    Luo et al., Latent Consistency Models (2023), algorithm 3.
    """
    t = times.tolist()
    for i in range(len(t) - 1):
        scaled = schedule.timestep(t[i]) * _LCM_SCALING
        spread = scaled * scaled + _LCM_SIGMA_DATA**2
        skip, out = _LCM_SIGMA_DATA**2 / spread, scaled / math.sqrt(spread)
        data = skip * x + out * denoised(x, t[i])
        alpha, sigma = schedule.alpha_sigma(t[i + 1])
        x = alpha * data + sigma * fresh_noise(i) if sigma > 0 else data
        _tell(on_step, i, t, x)
    return x


def _log_snr_half(alpha: float, sigma: float) -> float:
    if alpha <= 0.0:
        return -math.inf
    return math.inf if sigma <= 0.0 else math.log(alpha / sigma)


def _tell(on_step: OnStep | None, i: int, t: list[float], x: FloatArray) -> None:
    if on_step is not None:
        on_step(i + 1, len(t) - 1, x)


SCHEDULE_SAMPLERS = {"ddim": sample_ddim, "dpm++": sample_dpmpp_2m, "lcm": sample_lcm}
