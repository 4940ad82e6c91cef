"""Loop, on a tiny model with random weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from painted import values
from sonoriff.errors import ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.latent_codec import painted_sonogram, picture_from_latents
from sonoriff.pipeline.loop import LoopSettings, loop, plainest_bar
from sonoriff.pipeline.paint import paint
from sonoriff.sonogram import HIFI


def test_a_loop_lasts_exactly_its_bars(small_model: SmallModel) -> None:
    settings = LoopSettings(prompt="funk, 137 bpm", bars=2, num_inference_steps=1)
    made = loop(small_model, settings)
    n_samples = round(2 * 4 * 60 / 137 * HIFI.sample_rate)
    assert made.settings["loop_samples"] == n_samples
    assert made.waveform.shape == (2, n_samples)
    assert made.sonogram.n_frames == round(n_samples / HIFI.hop_length)


def test_a_loop_is_painted_with_its_bar_inside_a_cell_and_turned_to_it(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[tuple[Canvas, np.ndarray]] = []

    def remembered(model: SmallModel, canvas: Canvas, *rest: Any, **more: Any) -> np.ndarray:
        painted.append((canvas, paint(model, canvas, *rest, **more)))
        return painted[-1][1]

    monkeypatch.setattr("sonoriff.pipeline.loop.paint", remembered)
    # A bar of 32 cells, so that nothing is stretched.
    bpm = 60.0 * 4 * HIFI.frames_per_second / (32 * small_model.cell[1])
    made = loop(small_model, LoopSettings(prompt="", bpm=bpm, bars=1, num_inference_steps=1))
    ((canvas, latents),) = painted
    early = small_model.cell[1] // 2
    assert canvas.since_beat_s == pytest.approx(-early / HIFI.frames_per_second)
    picture = picture_from_latents(small_model, latents, circular=True)
    turned = painted_sonogram(small_model, np.roll(picture, -early, axis=-1), {})
    np.testing.assert_array_equal(values(made), turned.values)


@pytest.mark.parametrize(
    ("firsts", "bar"), [((1.0, 0.5, 0.2, 0.1), 1), ((0.5, 1.0, 0.2, 0.1), 0), ((0.9,), 0)]
)
def test_a_loop_begins_with_the_bar_that_is_struck_like_other_beats(
    firsts: tuple[float, ...], bar: int
) -> None:
    picture = np.full((1, 1, 256, 4 * 80 * len(firsts)), -1.0, np.float32)
    for beat in range(4 * len(firsts)):
        stroke = firsts[beat // 4] if beat % 4 == 0 else 0.5
        picture[..., beat * 80 + 1 : beat * 80 + 20] += stroke
    assert plainest_bar(picture, len(firsts), 4) == 320 * bar


def test_a_loop_whose_first_stroke_stands_out_begins_with_another_bar(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sonoriff.pipeline.loop.plainest_bar", lambda *_: 0)
    settings = LoopSettings(prompt="funk, 120 bpm", bars=2, num_inference_steps=1)
    plain = values(loop(small_model, settings))
    monkeypatch.setattr("sonoriff.pipeline.loop.plainest_bar", lambda *_: 172)
    np.testing.assert_array_equal(values(loop(small_model, settings)), np.roll(plain, -172, axis=2))


@pytest.mark.parametrize("wrong", [{"bars": 0}, {"beats_per_bar": 17}])
def test_bars_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ParameterError, match="bars"):
        LoopSettings(prompt="", **wrong)


def test_a_loop_that_is_too_long_is_refused(small_model: SmallModel) -> None:
    with pytest.raises(ParameterError, match="number of bars"):
        loop(small_model, LoopSettings(prompt="", bars=256, bpm=20.0))
    with pytest.raises(ParameterError, match="bpm"):
        loop(small_model, LoopSettings(prompt="", bpm=1000.0))
    with pytest.raises(ParameterError, match="bpm"):
        loop(small_model, LoopSettings(prompt="", bpm=0.0))
