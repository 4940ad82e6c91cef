"""Schedules and the samplers that read them: by hand, on a case with a known answer, and against
diffusers' own schedulers."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
import torch

from sonoriff.diffusion.samplers import invert_euler, sample_euler
from sonoriff.diffusion.schedule import (
    FlowSchedule,
    NoiseSchedule,
    Prediction,
    Schedule,
    data_from_prediction,
    noised,
    scaled_linear_schedule,
)
from sonoriff.diffusion.schedule_samplers import (
    SCHEDULE_SAMPLERS,
    invert_ddim,
    sample_ddim,
    sample_dpmpp_2m,
    sample_lcm,
)
from sonoriff.errors import ParameterError

FloatArray = npt.NDArray[np.float32]
SPREAD = 0.4


def sd_schedule(prediction: Prediction = "noise") -> NoiseSchedule:
    return scaled_linear_schedule(prediction=prediction)


def gaussian(schedule: Schedule) -> Callable[[FloatArray, float], FloatArray]:
    """The exact denoiser of data that are normal with deviation SPREAD."""

    def denoised(x: FloatArray, time: float) -> FloatArray:
        alpha, sigma = schedule.alpha_sigma(time)
        return x * (alpha * SPREAD**2 / (alpha**2 * SPREAD**2 + sigma**2))

    return denoised


@pytest.mark.parametrize("schedule", [FlowSchedule(), sd_schedule()])
def test_time_runs_from_data_to_noise(schedule: Schedule) -> None:
    assert schedule.alpha_sigma(0.0) == (1.0, 0.0)
    shares = [schedule.alpha_sigma(time) for time in (0.0, 0.1, 0.37, 0.5005, 0.9, 1.0)]
    assert [a for a, _ in shares] == sorted((a for a, _ in shares), reverse=True)
    assert [s for _, s in shares] == sorted(s for _, s in shares)
    times = schedule.sampling_times(10, start=0.6)
    assert float(times[0]) == pytest.approx(0.6)
    assert float(times[-1]) == 0.0
    assert (np.diff(times) < 0).all()


def test_the_noise_schedule_is_stable_diffusions() -> None:
    import diffusers

    theirs = diffusers.DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
    )
    ours = torch.tensor(sd_schedule().alphas_cumprod)
    torch.testing.assert_close(ours, theirs.alphas_cumprod, rtol=1e-5, atol=1e-7)
    assert sd_schedule().alpha_sigma(0.5)[0] ** 2 == pytest.approx(
        float(theirs.alphas_cumprod[499]), rel=1e-5
    )


@pytest.mark.parametrize("prediction", ["noise", "velocity", "sample"])
def test_every_prediction_names_the_same_data(prediction: Prediction) -> None:
    schedule = sd_schedule(prediction)
    data, noise = np.random.default_rng(0).standard_normal((2, 2, 3), np.float32)
    alpha, sigma = schedule.alpha_sigma(0.3)
    output = {"noise": noise, "velocity": alpha * noise - sigma * data, "sample": data}[prediction]
    x = noised(schedule, data, noise, 0.3)
    found = data_from_prediction(schedule, x, output, 0.3)
    np.testing.assert_allclose(found, data, atol=1e-5)


def test_an_impossible_table_is_refused() -> None:
    for table in ((), (0.5, 0.0), (1.0,)):
        with pytest.raises(ParameterError):
            NoiseSchedule(table)


@pytest.mark.parametrize("schedule", [FlowSchedule(), sd_schedule()])
@pytest.mark.parametrize(("sampler", "order"), [(sample_ddim, 1), (sample_dpmpp_2m, 2)])
def test_they_converge_at_their_order(
    schedule: Schedule, sampler: Callable[..., FloatArray], order: int
) -> None:
    """Between two times the exact answer is a multiple of where it began."""
    start, end = 0.9, 0.1

    def spread(time: float) -> float:
        alpha, sigma = schedule.alpha_sigma(time)
        return math.sqrt(alpha**2 * SPREAD**2 + sigma**2)

    x = np.ones(1)
    errors = []
    for steps in (20, 40, 80):
        times = np.linspace(start, end, steps + 1)
        result = float(sampler(gaussian(schedule), x, times, schedule)[0])
        errors.append(abs(result - spread(end) / spread(start)))
    rates = [math.log2(a / b) for a, b in pairwise(errors)]
    assert rates[-1] == pytest.approx(order, rel=0.2)


def test_ddim_on_a_flow_is_euler() -> None:
    schedule = FlowSchedule()
    denoised = gaussian(schedule)
    x = np.random.default_rng(1).standard_normal(3, np.float32)
    times = np.linspace(1.0, 0.0, 9)
    expected = sample_euler(lambda x, t: (x - denoised(x, t)) / t, x, times)
    np.testing.assert_allclose(sample_ddim(denoised, x, times, schedule), expected, rtol=1e-4)


# Diffusers converts tensors in a way that NumPy 2 announces to change.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", ["DDIMScheduler", "DPMSolverMultistepScheduler"])
@pytest.mark.parametrize("steps", [10, 25])
def test_they_agree_with_diffusers(name: str, steps: int) -> None:
    import diffusers

    common = {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "timestep_spacing": "trailing",
    }
    special = {"clip_sample": False} if name == "DDIMScheduler" else {"final_sigmas_type": "zero"}
    theirs = getattr(diffusers, name)(**common, **special)
    theirs.set_timesteps(steps)
    schedule = sd_schedule()
    x = torch.randn(2, 4, generator=torch.Generator().manual_seed(2))
    expected = x
    for timestep in theirs.timesteps:
        noise = torch.from_numpy(
            _noise_seen(schedule, expected.numpy(), (int(timestep) + 1) / 1000)
        )
        expected = theirs.step(noise, timestep, expected).prev_sample
    times = np.append((theirs.timesteps.numpy() + 1) / 1000, 0.0)
    np.testing.assert_allclose(times, schedule.sampling_times(steps))
    sampler = {"DDIMScheduler": sample_ddim}.get(name, sample_dpmpp_2m)
    found = sampler(_denoised_seen(schedule), x.numpy(), times, schedule)
    np.testing.assert_allclose(found, expected.numpy(), rtol=2e-3, atol=2e-3)


def test_lcm_agrees_with_diffusers() -> None:
    import diffusers

    theirs = diffusers.LCMScheduler(clip_sample=False, set_alpha_to_one=True)
    theirs.set_timesteps(4)
    schedule = sd_schedule()
    x = torch.randn(2, 4, generator=torch.Generator().manual_seed(3))
    expected, generator = x, torch.Generator().manual_seed(4)
    for timestep in theirs.timesteps:
        noise = torch.from_numpy(
            _noise_seen(schedule, expected.numpy(), (int(timestep) + 1) / 1000)
        )
        expected = theirs.step(noise, timestep, expected, generator=generator).prev_sample
    again = torch.Generator().manual_seed(4)
    result = sample_lcm(
        _denoised_seen(schedule),
        x.numpy(),
        np.append((theirs.timesteps.numpy() + 1) / 1000, 0.0),
        schedule,
        fresh_noise=lambda _i: torch.randn(2, 4, generator=again).numpy(),
    )
    np.testing.assert_allclose(result, expected.numpy(), rtol=2e-3, atol=2e-3)


def _noise_seen(_schedule: Schedule, x: FloatArray, time: float) -> FloatArray:
    """A made-up model, bent enough that errors of a sampler show."""
    return 0.9 * x + np.float32(0.3) * np.sin(2 * x + time)


def _denoised_seen(schedule: Schedule) -> Callable[[FloatArray, float], FloatArray]:
    return lambda x, t: data_from_prediction(schedule, x, _noise_seen(schedule, x, t), t)


@pytest.mark.parametrize("name", ["ddim", "dpm++", "lcm"])
def test_progress_is_told_after_each_step(name: str) -> None:
    seen: list[tuple[int, int]] = []
    more = {"fresh_noise": lambda _i: np.zeros(1, np.float32)} if name == "lcm" else {}
    SCHEDULE_SAMPLERS[name](  # type: ignore[operator]
        lambda x, _t: x,
        np.ones(1, np.float32),
        np.array([1.0, 0.5, 0.0]),
        sd_schedule(),
        on_step=lambda i, n, _x: seen.append((i, n)),
        **more,
    )
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize("start", [0.6, 1.0])
def test_the_way_back_of_ddim_leads_to_where_it_began(start: float) -> None:
    schedule = sd_schedule()
    data = SPREAD * np.random.default_rng(0).standard_normal(100, np.float32)
    times = schedule.sampling_times(12, start=start)
    errors = []
    for iterations in (1, 3, 6):
        denoised = gaussian(schedule)
        noise = invert_ddim(denoised, data, times, schedule, iterations=iterations)
        again = sample_ddim(denoised, noise, times, schedule)
        errors.append(float(np.abs(again - data).max()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-2 * SPREAD


@pytest.mark.parametrize("start", [0.6, 1.0])
def test_the_way_back_of_a_flow_leads_to_where_it_began(start: float) -> None:
    schedule = FlowSchedule()
    data = SPREAD * np.random.default_rng(0).standard_normal(100, np.float32)
    times = schedule.sampling_times(12, start=start)
    seen: list[int] = []

    def velocity(x: FloatArray, time: float) -> FloatArray:
        return (x - gaussian(schedule)(x, time)) / time

    errors = []
    for iterations in (1, 3, 6):
        noise = invert_euler(
            velocity, data, times, iterations=iterations, on_step=lambda i, _n, _x: seen.append(i)
        )
        errors.append(float(np.abs(sample_euler(velocity, noise, times) - data).max()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-2 * SPREAD
    assert seen == 3 * list(range(1, 13))
