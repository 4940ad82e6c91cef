"""Paths, times and samplers against what can be computed by hand."""

import pytest
import torch

from sonoriff.diffusion.flow import data_from_velocity, mix, sampling_times, training_times
from sonoriff.diffusion.masks import random_mask
from sonoriff.diffusion.samplers import SAMPLERS, sample_euler
from sonoriff.errors import Cancelled, ParameterError


def test_mix_is_the_straight_line() -> None:
    data, noise = torch.zeros(2, 1, 1, 1), torch.ones(2, 1, 1, 1)
    assert mix(data, noise, torch.tensor([0.25, 1.0])).flatten().tolist() == [0.25, 1.0]


def test_data_from_velocity_inverts_mix() -> None:
    data, noise = torch.randn(1, 3), torch.randn(1, 3)
    x = mix(data, noise, torch.tensor([0.6]))
    torch.testing.assert_close(data_from_velocity(x, noise - data, 0.6), data)


def test_sampling_times_fall_to_zero_and_shift_towards_noise() -> None:
    plain, shifted = sampling_times(8), sampling_times(8, shift=3.0)
    assert plain[0] == 1
    assert plain[-1] == 0
    assert bool((plain.diff() < 0).all())
    assert bool((shifted[1:-1] > plain[1:-1]).all())
    assert sampling_times(4, start=0.5)[0] == 0.5


@pytest.mark.parametrize(("steps", "start"), [(0, 1.0), (4, 0.0), (4, 1.5)])
def test_sampling_times_refuse_nonsense(steps: int, start: float) -> None:
    with pytest.raises(ParameterError):
        sampling_times(steps, start=start)


def test_training_times_lie_inside_and_repeat() -> None:
    times = [training_times(1000, torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(*times)
    assert float(times[0].min()) > 0
    assert float(times[0].max()) < 1
    assert abs(float(times[0].median()) - 0.5) < 0.05
    shifted = training_times(1000, torch.Generator().manual_seed(5), shift=2.0)
    assert abs(float(shifted.median()) - 2 / 3) < 0.05


@pytest.mark.parametrize("name", SAMPLERS)
def test_straight_paths_need_one_step(name: str) -> None:
    target, start = torch.full((1, 4), 2.0), torch.randn(1, 4)
    result = SAMPLERS[name](lambda _x, _t: start - target, start, sampling_times(1))
    torch.testing.assert_close(result, target)


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("heun", 2), ("ab2", 2)])
def test_samplers_converge_at_their_order(name: str, order: int) -> None:
    """On dx/dt = x the answer is x e^-1; halving the step divides the error by 2^order."""
    x = torch.ones(1, dtype=torch.float64)
    errors = [
        abs(float(SAMPLERS[name](lambda x, _t: x, x, sampling_times(n).double())) - 0.36787944117)
        for n in (32, 64)
    ]
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.2)


def test_a_callback_stops_between_steps() -> None:
    seen = []

    def stop(step: int, _total: int, _x: torch.Tensor) -> None:
        seen.append(step)
        if step == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        sample_euler(lambda x, _t: x, torch.ones(1), sampling_times(9), on_step=stop)
    assert seen == [1, 2]


def test_random_masks_are_of_every_kind() -> None:
    generator = torch.Generator().manual_seed(0)
    masks = [random_mask(8, 64, generator) for _ in range(400)]
    assert all(set(m.unique().tolist()) <= {0.0, 1.0} for m in masks)
    empty = sum(not m.any() for m in masks)
    in_time = sum(bool(m.any()) and torch.equal(m, m[:, :1].expand_as(m)) for m in masks)
    in_frequency = sum(bool(m.any()) and torch.equal(m, m[:, :, :1].expand_as(m)) for m in masks)
    assert 200 < empty < 280
    assert in_time > 60
    assert in_frequency > 10
    assert all((1 - m).any() for m in masks), "something is always left to paint"
