"""Paths, times and samplers against what can be computed by hand."""

import numpy as np
import pytest

from sonoriff.diffusion.flow import sampling_times
from sonoriff.diffusion.samplers import SAMPLERS, sample_euler
from sonoriff.errors import Cancelled, ParameterError


def test_sampling_times_fall_to_zero_and_shift_towards_noise() -> None:
    plain, shifted = sampling_times(8), sampling_times(8, shift=3.0)
    assert plain[0] == 1
    assert plain[-1] == 0
    assert (np.diff(plain) < 0).all()
    assert (shifted[1:-1] > plain[1:-1]).all()
    assert sampling_times(4, start=0.5)[0] == 0.5


@pytest.mark.parametrize(("steps", "start"), [(0, 1.0), (4, 0.0), (4, 1.5)])
def test_sampling_times_refuse_nonsense(steps: int, start: float) -> None:
    with pytest.raises(ParameterError):
        sampling_times(steps, start=start)


@pytest.mark.parametrize("name", SAMPLERS)
def test_straight_paths_need_one_step(name: str) -> None:
    target = np.full((1, 4), 2.0, np.float32)
    start = np.random.default_rng(0).standard_normal((1, 4), np.float32)
    result = SAMPLERS[name](lambda _x, _t: start - target, start, sampling_times(1))
    np.testing.assert_allclose(result, target, atol=1e-6)


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("heun", 2), ("ab2", 2)])
def test_samplers_converge_at_their_order(name: str, order: int) -> None:
    """On dx/dt = x the answer is x e^-1; halving the step divides the error by 2^order."""
    x = np.ones(1)
    errors = [
        abs(float(SAMPLERS[name](lambda x, _t: x, x, sampling_times(n))[0]) - 0.36787944117)
        for n in (32, 64)
    ]
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.2)


def test_a_callback_stops_between_steps() -> None:
    seen = []

    def stop(step: int, _total: int, _x: object) -> None:
        seen.append(step)
        if step == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        sample_euler(lambda x, _t: x, np.ones(1, np.float32), sampling_times(9), on_step=stop)
    assert seen == [1, 2]
