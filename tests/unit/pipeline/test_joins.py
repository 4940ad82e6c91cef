"""A join has no stroke that the sound beside it would not make."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sonoriff.pipeline.joins import eased


def _rise(columns: Tensor) -> Tensor:
    """The greatest mean rise from a column to the next."""
    return columns.diff(dim=-1).clamp_min(0.0).mean(dim=-2).max()


@pytest.fixture
def held() -> Tensor:
    """A tone that hardly changes, (1, 1, rows, columns)."""
    generator = torch.Generator().manual_seed(0)
    tone = torch.linspace(-1.0, 0.0, 32)[None, None, :, None].expand(1, 1, 32, 64)
    return tone + 0.01 * torch.rand(tone.shape, generator=generator)


@pytest.fixture
def beaten(held: Tensor) -> Tensor:
    """The same, struck every eight columns."""
    return held + 0.5 * (torch.arange(64) % 8 == 0)


@pytest.mark.parametrize("at_start", [True, False])
def test_a_held_sound_is_not_struck_anew(held: Tensor, at_start: bool) -> None:
    # The end of what leads to a join falls into it: the join itself is the rise.
    new = held + 0.3 if at_start else held - 0.3
    made = eased(new, held, at_start=at_start)
    parts = [held, made] if at_start else [made, held]
    plain = [held, new] if at_start else [new, held]
    columns = torch.cat(parts, dim=-1)
    assert _rise(columns[..., 56:72]) <= 2.0 * _rise(held) < 0.1 * _rise(torch.cat(plain, dim=-1))


def test_out_of_silence_a_sound_comes_in_half_a_second(held: Tensor) -> None:
    made = eased(held, torch.full_like(held, -1.0), at_start=True)
    assert made[..., 0].mean() < held[..., 0].mean() - 0.4
    assert torch.equal(made[..., 43:], held[..., 43:])


def test_what_is_far_from_the_join_stays(held: Tensor) -> None:
    new = held + 0.05
    made = eased(new, held, at_start=True)
    assert not torch.equal(made[..., 0], new[..., 0])
    assert torch.equal(made[..., -16:], new[..., -16:])


@pytest.mark.parametrize("at_start", [True, False])
def test_a_sound_that_is_struck_often_may_be_struck(beaten: Tensor, at_start: bool) -> None:
    assert torch.equal(eased(beaten, beaten, at_start=at_start), beaten)


def test_nothing_between_two_ends_is_no_error(held: Tensor) -> None:
    assert eased(held[..., :0], held, at_start=True).shape[-1] == 0


def test_each_channel_is_eased_by_its_own_measure(held: Tensor, beaten: Tensor) -> None:
    both = torch.cat([held, beaten])
    made = eased(both + 0.3, both, at_start=True)
    alone = eased(held + 0.3, held, at_start=True)
    assert torch.allclose(made[:1], alone)
