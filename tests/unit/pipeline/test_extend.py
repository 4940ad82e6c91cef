"""Extend, on a tiny model with random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from painted import sweep, values
from sonoriff.errors import ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.extend import ExtendSettings, Side, extend
from sonoriff.sonogram import Sonogram


@pytest.fixture(scope="module")
def source() -> Sonogram:
    return sweep(3.0)


@pytest.mark.parametrize("side", ["end", "start"])
@pytest.mark.parametrize("seconds", [0.7, 3.0])
def test_extend_keeps_the_source_and_reaches_the_length(
    small_model: SmallModel, side: str, seconds: float
) -> None:
    start = sweep(seconds)
    settings = ExtendSettings(duration_s=8.0, side=side, num_inference_steps=2)  # type: ignore[arg-type]
    made = extend(small_model, start, settings)
    assert made.sonogram.duration_s == pytest.approx(8.0, abs=0.006)
    kept = (
        values(made)[..., : start.n_frames]
        if side == "end"
        else values(made)[..., -start.n_frames :]
    )
    # The last two columns of `hifi` see the sound break off at its end.
    cut = 2 if side == "end" else 0
    np.testing.assert_array_equal(
        kept[..., : start.n_frames - cut], start.values[..., : start.n_frames - cut]
    )


def test_a_sound_that_is_extended_no_longer_breaks_off(small_model: SmallModel) -> None:
    def rises(columns: np.ndarray) -> np.ndarray:
        return np.maximum(np.diff(columns, axis=2), 0.0).mean(axis=(0, 1))

    held = sweep(2.0)
    usual = rises(held.values)[50:-2].max()
    assert rises(held.values)[-2:].max() > 5 * usual  # the end is a click through all rows
    settings = ExtendSettings(duration_s=3.0, num_inference_steps=2)
    inside = values(extend(small_model, held, settings))[..., : held.n_frames]
    assert rises(inside)[-2:].max() < usual


@pytest.mark.parametrize("side", ["end", "start"])
def test_a_held_sound_goes_on_without_a_stroke(small_model: SmallModel, side: Side) -> None:
    """Random weights paint anything, which would be one."""

    def rises(columns: np.ndarray) -> np.ndarray:
        return np.maximum(np.diff(columns, axis=2), 0.0).mean(axis=(0, 1))

    held = sweep(2.0)
    held = Sonogram(np.repeat(held.values[..., 60:61], held.n_frames, axis=2), held.params)
    settings = ExtendSettings(duration_s=4.0, side=side, num_inference_steps=2)
    made = rises(values(extend(small_model, held, settings)))
    join = held.n_frames - 1 if side == "end" else len(made) - held.n_frames
    assert made[join] < 0.2
    assert made.max() > 1.0


def test_extend_heeds_what_is_there(small_model: SmallModel, source: Sonogram) -> None:
    settings = ExtendSettings(duration_s=4.0, num_inference_steps=2)
    other = Sonogram(source.values[:, ::-1].copy(), source.params)
    new, different = (
        values(extend(small_model, s, settings))[..., source.n_frames :] for s in (source, other)
    )
    assert not np.array_equal(new, different)


@pytest.mark.parametrize("side", ["end", "start"])
def test_extend_shows_the_source_with_what_lies_beside_it(
    small_model: SmallModel, side: Side
) -> None:
    from sonoriff.pipeline.latent_codec import latents_from_picture, picture_from_sonogram

    long = sweep(6.0)
    seen: list[np.ndarray] = []
    real = small_model.predict
    spy = replace(small_model)

    def watched(x: np.ndarray, time: float, batch: object, *shown: np.ndarray) -> np.ndarray:
        seen.append(shown[0])
        return real(x, time, batch, *shown)  # type: ignore[arg-type]

    spy.predict = watched  # type: ignore[method-assign,assignment]
    settings = ExtendSettings(duration_s=7.0, side=side, num_inference_steps=1, guidance_scale=1.0)
    extend(spy, long, settings)
    picture, _ = picture_from_sonogram(long)
    cut = long.n_frames % small_model.cell[1] if side == "end" else 0
    whole = latents_from_picture(small_model, picture[..., cut:])
    n_known = small_model.latent_shape(small_model.window_frames)[2] // 2
    # The last columns see the sound break off and are mended.
    shown, wanted = (
        (seen[0][..., : n_known - 4], whole[..., -n_known:-4])
        if side == "end"
        else (seen[0][..., -n_known:], whole[..., :n_known])
    )
    np.testing.assert_allclose(shown, wanted, atol=1e-5)


def test_extend_refuses_a_shorter_length_and_too_short_a_source(
    small_model: SmallModel, source: Sonogram
) -> None:
    with pytest.raises(ParameterError, match="longer"):
        extend(small_model, source, ExtendSettings(duration_s=2.0))
    short = Sonogram(source.values[..., :7].copy(), source.params)
    with pytest.raises(ParameterError, match="columns"):
        extend(small_model, short, ExtendSettings(duration_s=2.0))
    with pytest.raises(ParameterError, match="side"):
        ExtendSettings(duration_s=2.0, side="left")  # type: ignore[arg-type]
