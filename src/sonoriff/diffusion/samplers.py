"""Samplers: plain functions of ``(velocity, x, times)``.

`velocity` takes ``(x, time)`` with a float time and returns an array like ``x``; `times` falls from
its first value to 0. `on_step` is told ``(step, total, x)`` after each step and may raise to stop.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sonoriff.diffusion.flow import Times

FloatArray = npt.NDArray[np.float32]

Velocity = Callable[[FloatArray, float], FloatArray]
OnStep = Callable[[int, int, FloatArray], None]


def sample_euler(
    velocity: Velocity,
    x: FloatArray,
    times: Times,
    *,
    on_step: OnStep | None = None,
) -> FloatArray:
    """Explicit Euler, one evaluation a step."""
    t = times.tolist()
    for i in range(len(t) - 1):
        x = x + (t[i + 1] - t[i]) * velocity(x, t[i])
        _told(on_step, i, t, x)
    return x


def sample_heun(
    velocity: Velocity,
    x: FloatArray,
    times: Times,
    *,
    on_step: OnStep | None = None,
) -> FloatArray:
    """Heun's second-order method, two evaluations a step and one at the last.

    References
    ----------
    Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models (2022),
    algorithm 1, on the flow's own time.
    """
    t = times.tolist()
    for i in range(len(t) - 1):
        step = t[i + 1] - t[i]
        first = velocity(x, t[i])
        guess = x + step * first
        x = guess if t[i + 1] == 0 else x + 0.5 * step * (first + velocity(guess, t[i + 1]))
        _told(on_step, i, t, x)
    return x


def sample_ab2(
    velocity: Velocity,
    x: FloatArray,
    times: Times,
    *,
    on_step: OnStep | None = None,
) -> FloatArray:
    """Second-order Adams-Bashforth for uneven steps, one evaluation a step.

    References
    ----------
    Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I (1993), section III.5.
    """
    t = times.tolist()
    before: FloatArray | None = None
    for i in range(len(t) - 1):
        step = t[i + 1] - t[i]
        now = velocity(x, t[i])
        slope = now
        if before is not None:
            slope = now + 0.5 * step / (t[i] - t[i - 1]) * (now - before)
        x = x + step * slope
        before = now
        _told(on_step, i, t, x)
    return x


def invert_euler(
    velocity: Velocity,
    x: FloatArray,
    times: Times,
    *,
    iterations: int = 3,
    on_step: OnStep | None = None,
) -> FloatArray:
    """The point from which `sample_euler` over the same falling times comes to `x`.

    Parameters
    ----------
    iterations : evaluations a step. One is the explicit way back; each further one brings the step
        nearer to what undoes Euler's

    References
    ----------
    Pan et al., Effective Real Image Editing with Accelerated Iterative Diffusion Inversion (2023).
    """
    t = times[::-1].tolist()
    for i in range(len(t) - 1):
        above = x
        for _ in range(iterations):
            above = x + (t[i + 1] - t[i]) * velocity(above, t[i + 1])
        x = above
        _told(on_step, i, t, x)
    return x


def _told(on_step: OnStep | None, i: int, t: list[float], x: FloatArray) -> None:
    if on_step is not None:
        on_step(i + 1, len(t) - 1, x)


SAMPLERS = {"euler": sample_euler, "heun": sample_heun, "ab2": sample_ab2}
