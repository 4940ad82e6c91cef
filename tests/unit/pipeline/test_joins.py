"""A join has no stroke that the sound beside it would not make."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sonoriff.pipeline.joins import eased

FloatArray = npt.NDArray[np.float32]


def _rise(columns: FloatArray) -> float:
    """The greatest mean rise from a column to the next."""
    return float(np.maximum(np.diff(columns, axis=-1), 0.0).mean(axis=-2).max())


@pytest.fixture
def held() -> FloatArray:
    """A tone that hardly changes, (1, 1, rows, columns)."""
    tone = np.linspace(-1.0, 0.0, 32, dtype=np.float32)[None, None, :, None]
    return tone + 0.01 * np.random.default_rng(0).random((1, 1, 32, 64), np.float32)


@pytest.fixture
def beaten(held: FloatArray) -> FloatArray:
    """The same, struck every eight columns."""
    return held + np.float32(0.5) * (np.arange(64) % 8 == 0)


@pytest.mark.parametrize("at_start", [True, False])
def test_a_held_sound_is_not_struck_anew(held: FloatArray, at_start: bool) -> None:
    # The end of what leads to a join falls into it: the join itself is the rise.
    new = held + 0.3 if at_start else held - 0.3
    made = eased(new, held, at_start=at_start)
    parts = [held, made] if at_start else [made, held]
    plain = [held, new] if at_start else [new, held]
    columns = np.concatenate(parts, axis=-1)
    assert (
        _rise(columns[..., 56:72])
        <= 2.0 * _rise(held)
        < 0.1 * _rise(np.concatenate(plain, axis=-1))
    )


def test_out_of_silence_a_sound_comes_in_half_a_second(held: FloatArray) -> None:
    made = eased(held, np.full_like(held, -1.0), at_start=True)
    assert made[..., 0].mean() < held[..., 0].mean() - 0.4
    assert np.array_equal(made[..., 43:], held[..., 43:])


def test_what_is_far_from_the_join_stays(held: FloatArray) -> None:
    new = held + 0.05
    made = eased(new, held, at_start=True)
    assert not np.array_equal(made[..., 0], new[..., 0])
    assert np.array_equal(made[..., -16:], new[..., -16:])


@pytest.mark.parametrize("at_start", [True, False])
def test_a_sound_that_is_struck_often_may_be_struck(beaten: FloatArray, at_start: bool) -> None:
    assert np.array_equal(eased(beaten, beaten, at_start=at_start), beaten)


def test_nothing_between_two_ends_is_no_error(held: FloatArray) -> None:
    assert eased(held[..., :0], held, at_start=True).shape[-1] == 0


def test_each_channel_is_eased_by_its_own_measure(held: FloatArray, beaten: FloatArray) -> None:
    both = np.concatenate([held, beaten])
    made = eased(both + 0.3, both, at_start=True)
    alone = eased(held + 0.3, held, at_start=True)
    assert np.allclose(made[:1], alone)
