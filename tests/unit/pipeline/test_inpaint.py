"""Inpaint, on a tiny model with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from painted import sweep, values
from sonoriff.errors import FormatError, ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import (
    frames_from_duration,
)
from sonoriff.pipeline.inpaint import InpaintSettings, inpaint
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.pipeline.settings import MAX_DURATION_S
from sonoriff.sonogram import HIFI, Sonogram
from sonoriff.sonogram.codec import encode
from sounds import drums


@pytest.fixture(scope="module")
def source() -> Sonogram:
    return sweep(3.0)


def test_inpaint_changes_the_span_and_nothing_else(
    small_model: SmallModel, source: Sonogram
) -> None:
    settings = InpaintSettings(
        prompt="jazz", times=((1.0, 2.0),), num_inference_steps=3, edge_s=0.0
    )
    made = values(inpaint(small_model, source, settings))
    middles = (np.arange(source.n_frames) + 0.5) / HIFI.frames_per_second
    inside = (middles >= 1) & (middles < 2)
    np.testing.assert_array_equal(made[..., ~inside], source.values[..., ~inside])
    assert (made[..., inside] != source.values[..., inside]).mean() > 0.9


def test_inpaint_a_band_in_a_span_with_a_mask(
    small_model: SmallModel, source: Sonogram, tmp_path: Path
) -> None:
    pixels = np.zeros((256, source.n_frames), np.uint8)
    pixels[:, :150] = 255
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    settings = InpaintSettings(
        bands=((200.0, 4000.0),),
        times=((0.5, 9.0),),
        mask=str(tmp_path / "mask.png"),
        num_inference_steps=2,
    )
    changed = values(inpaint(small_model, source, settings))[0] != source.values[0]
    rows, columns = np.nonzero(changed)
    edges = np.interp([200, 4000], *_row_of_hertz())
    assert edges[0] - 1 <= rows.min() < edges[0] + 8
    assert edges[1] - 8 < rows.max() <= edges[1] + 1
    assert 43 <= columns.min() < 50
    assert 140 < columns.max() < 150


def _row_of_hertz() -> tuple[np.ndarray, np.ndarray]:
    from sonoriff.sonogram.filter_bank import row_frequencies

    return row_frequencies(HIFI), np.arange(256)


def test_a_soft_edge_lies_inside(source: Sonogram) -> None:
    from sonoriff.pipeline.inpaint import area_from_settings

    settings = InpaintSettings(times=((1.0, 2.0),), edge_s=0.2)
    line = area_from_settings(settings, source.n_frames, HIFI)[100]
    hard = area_from_settings(replace(settings, edge_s=0.0, edge_rows=0.0), source.n_frames, HIFI)
    assert np.array_equal(line > 0, hard[100] > 0)
    ramp = line[86:104]
    assert np.all(np.diff(ramp) >= 0)
    assert 0 < ramp[2] < 0.3
    assert line.max() == 1


def test_a_long_source_is_worked_on_around_the_hole_only(small_model: SmallModel) -> None:
    long = sweep(40.0)
    seen: list[int] = []
    real = small_model.predict
    spy = replace(small_model)
    spy.predict = lambda x, *rest: seen.append(len(x)) or real(x, *rest)  # type: ignore[method-assign]
    settings = InpaintSettings(times=((20.0, 21.0),), num_inference_steps=1, guidance_scale=1.0)
    made = values(inpaint(spy, long, settings))
    assert seen == [2], "two windows instead of nine"
    changed = np.nonzero((made != long.values).any(axis=(0, 1)))[0] / HIFI.frames_per_second
    assert 19.98 < changed.min() < changed.max() < 21.02


def test_at_an_end_as_much_is_seen_as_in_the_middle(small_model: SmallModel) -> None:
    long = sweep(30.0)
    widths: list[int] = []
    real = small_model.predict
    spy = replace(small_model)
    spy.predict = lambda x, *rest: widths.append(x.shape[-1]) or real(x, *rest)  # type: ignore[method-assign]
    for start in (0.0, 15.0, 29.4):
        settings = InpaintSettings(
            times=((start, start + 0.5),), num_inference_steps=1, guidance_scale=1.0
        )
        inpaint(spy, long, settings)
    window = small_model.latent_shape(small_model.window_frames)[2]
    assert widths == [window] * 3


def test_inpaint_hears_the_beats_of_all_of_the_source(small_model: SmallModel) -> None:
    music = encode(drums(120.0, 16.0).astype(np.float32)[None], HIFI.sample_rate)
    settings = InpaintSettings(times=((0.0, 0.5),), prompt="drums", num_inference_steps=1)
    heard = inpaint(small_model, music, settings)
    told = inpaint(small_model, music, replace(settings, bpm=120.0))
    deaf = inpaint(small_model, music, replace(settings, bpm=90.0))
    near, far = (np.abs(values(heard) - values(other)).mean() for other in (told, deaf))
    assert near < 0.2 * far


def test_inpaint_at_zero_is_the_source(small_model: SmallModel, source: Sonogram) -> None:
    settings = InpaintSettings(times=((0.0, 1.0),), strength=0.0, num_inference_steps=2)
    np.testing.assert_array_equal(values(inpaint(small_model, source, settings)), source.values)


def test_the_longest_clip_can_be_worked_on(small_model: SmallModel) -> None:
    n_frames = frames_from_duration(small_model, MAX_DURATION_S)
    longest = Sonogram(np.full((1, 256, n_frames), -80.0, np.float32), HIFI)
    still = RemixSettings(strength=0.0)
    assert remix(small_model, longest, still).sonogram.n_frames == n_frames
    more = Sonogram(np.full((1, 256, n_frames + 1), -80.0, np.float32), HIFI)
    with pytest.raises(ParameterError, match="cut it first"):
        remix(small_model, more, still)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({}, "say what"),
        ({"times": ((1.0, 2.0, 3.0),)}, "times must be of type"),
        ({"times": ((2.0, 1.0),)}, "span of time"),
        ({"times": ((5.0, 6.0),)}, "ends at"),
        ({"bands": ((4000.0, 200.0),)}, "LOW:HIGH"),
        ({"bands": ((200.0, 30_000.0),)}, "half the sample rate"),
        ({"bands": ((17_000.0, 18_000.0),)}, "no row"),
        ({"mask": "/nowhere.png"}, "no file"),
        ({"times": ((0.0, 1.0),), "edge_s": -1.0}, "edges"),
    ],
)
def test_an_area_that_makes_no_sense_is_refused(
    small_model: SmallModel, source: Sonogram, wrong: dict[str, object], what: str
) -> None:
    with pytest.raises(ParameterError, match=what):
        inpaint(small_model, source, InpaintSettings(**wrong))  # type: ignore[arg-type]


def test_a_mask_of_another_size_is_refused(
    small_model: SmallModel, source: Sonogram, tmp_path: Path
) -> None:
    Image.new("L", (512, 512)).save(tmp_path / "mask.png")
    settings = InpaintSettings(mask=str(tmp_path / "mask.png"))
    with pytest.raises(ParameterError, match="512 x 512"):
        inpaint(small_model, source, settings)
    (tmp_path / "mask.png").write_text("no picture")
    with pytest.raises(FormatError):
        inpaint(small_model, source, settings)
