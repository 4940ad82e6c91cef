"""The training side of a flow: times, paths and masks."""

import numpy as np
import torch

from sonoriff.diffusion.flow import data_from_velocity
from sonoriff.training.flow import mix, training_times
from sonoriff.training.masks import random_mask


def test_mix_is_the_straight_line() -> None:
    data, noise = torch.zeros(2, 1, 1, 1), torch.ones(2, 1, 1, 1)
    assert mix(data, noise, torch.tensor([0.25, 1.0])).flatten().tolist() == [0.25, 1.0]


def test_data_from_velocity_inverts_mix() -> None:
    data, noise = torch.randn(1, 3), torch.randn(1, 3)
    x = mix(data, noise, torch.tensor([0.6]))
    found = data_from_velocity(x.numpy(), (noise - data).numpy(), 0.6)
    np.testing.assert_allclose(found, data.numpy(), atol=1e-6)


def test_training_times_lie_inside_and_repeat() -> None:
    times = [training_times(1000, torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(*times)
    assert float(times[0].min()) > 0
    assert float(times[0].max()) < 1
    assert abs(float(times[0].median()) - 0.5) < 0.05
    shifted = training_times(1000, torch.Generator().manual_seed(5), shift=2.0)
    assert abs(float(shifted.median()) - 2 / 3) < 0.05


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
