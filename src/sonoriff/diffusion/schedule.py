"""Schedules: how much data and how much noise there is at each time.

Every schedule runs over the same time, 0 for data and 1 for noise, so that verbs, samplers and
masks need not know which kind of model they serve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from sonoriff.diffusion import flow
from sonoriff.diffusion.flow import FloatArray, Times
from sonoriff.errors import ParameterError

Prediction = Literal["flow", "noise", "velocity", "sample"]


class Schedule(Protocol):
    """``x = alpha data + sigma noise`` at every time, and what a model of it predicts."""

    @property
    def prediction(self) -> Prediction:
        """Meaning of the model's output."""

    def alpha_sigma(self, time: float) -> tuple[float, float]:
        """Shares of data and noise at `time` in [0, 1]."""

    def sampling_times(
        self, num_inference_steps: int, *, start: float = 1.0, shift: float = 1.0
    ) -> Times:
        """(steps + 1,) falling times from `start` to 0."""


@dataclass(frozen=True)
class FlowSchedule:
    """The straight path of a rectified flow, see `sonoriff.diffusion.flow`."""

    @property
    def prediction(self) -> Prediction:
        """Noise minus data."""
        return "flow"

    def alpha_sigma(self, time: float) -> tuple[float, float]:
        """``(1 - time, time)``."""
        return 1.0 - time, time

    def sampling_times(
        self, num_inference_steps: int, *, start: float = 1.0, shift: float = 1.0
    ) -> Times:
        """See `flow.sampling_times`."""
        return flow.sampling_times(num_inference_steps, start=start, shift=shift)


@dataclass(frozen=True)
class NoiseSchedule:
    """A table of noise levels that keeps the variance at one.

    Attributes
    ----------
    alphas_cumprod : share of the data's power after each training step, falling, in (0, 1)
    prediction : what the model was trained to give

    Notes
    -----
    Training step k of K stands at time (k + 1) / K, so that time 0 is the data itself. Between
    steps the logarithm of the signal-to-noise ratio is interpolated.

    References
    ----------
    Ho, Jain & Abbeel, Denoising Diffusion Probabilistic Models (2020); Salimans & Ho, Progressive
    Distillation (2022) for the velocity; Lin et al., Common Diffusion Noise Schedules (2023) for
    times that begin at the last training step.
    """

    alphas_cumprod: tuple[float, ...]
    prediction: Prediction = "noise"

    def __post_init__(self) -> None:
        if not self.alphas_cumprod or not all(0 < a < 1 for a in self.alphas_cumprod):
            raise ParameterError("alphas_cumprod must be one or more numbers between 0 and 1")

    def timestep(self, time: float) -> float:
        """Training step, from 0, that stands at `time`."""
        return max(0.0, time * len(self.alphas_cumprod) - 1.0)

    def alpha_sigma(self, time: float) -> tuple[float, float]:
        """Shares of data and noise, squares summing to one."""
        if time <= 0.0:
            return 1.0, 0.0
        place = min(self.timestep(time), len(self.alphas_cumprod) - 1.0)
        low = int(place)
        high = min(low + 1, len(self.alphas_cumprod) - 1)
        ends = [math.log(a / (1.0 - a)) for a in (self.alphas_cumprod[i] for i in (low, high))]
        power = 1.0 / (1.0 + math.exp(-(ends[0] + (place - low) * (ends[1] - ends[0]))))
        return math.sqrt(power), math.sqrt(1.0 - power)

    def sampling_times(
        self, num_inference_steps: int, *, start: float = 1.0, shift: float = 1.0
    ) -> Times:
        """Evenly spaced, each on the nearest training step."""
        times = flow.sampling_times(num_inference_steps, start=start, shift=shift)
        count = len(self.alphas_cumprod)
        steps = np.round(times * count)
        steps[:-1] = np.maximum(steps[:-1], 1.0)
        distinct: Times = steps[np.append(True, np.diff(steps) != 0.0)] / count
        return distinct


def scaled_linear_schedule(
    *, steps: int = 1000, first: float = 0.00085, last: float = 0.012, prediction: Prediction
) -> NoiseSchedule:
    """Stable Diffusion's schedule: the square roots of the betas rise evenly."""
    betas = np.linspace(first**0.5, last**0.5, steps) ** 2
    return NoiseSchedule(tuple(np.cumprod(1.0 - betas).tolist()), prediction)


def noised(schedule: Schedule, data: FloatArray, noise: FloatArray, time: float) -> FloatArray:
    """`data` with as much of `noise` as there is at `time`."""
    alpha, sigma = schedule.alpha_sigma(time)
    return alpha * data + sigma * noise


def data_from_prediction(
    schedule: Schedule, x: FloatArray, prediction: FloatArray, time: float
) -> FloatArray:
    """The data that a model's output stands for."""
    alpha, sigma = schedule.alpha_sigma(time)
    if schedule.prediction == "flow":
        return x - time * prediction
    if schedule.prediction == "noise":
        data: FloatArray = (x - sigma * prediction) / np.float32(alpha)
        return data
    if schedule.prediction == "velocity":
        return alpha * x - sigma * prediction
    return prediction
