"""Every verb with a stereo model, and sources of one, two and three planes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.sides import (
    cells_from_pixels,
    latents_from_sides,
    pixels_from_cells,
    sides_from_latents,
)
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.extend import ExtendSettings, extend
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.inpaint import InpaintSettings, inpaint
from sonoriff.pipeline.latent_codec import picture_from_sonogram, values_from_picture
from sonoriff.pipeline.morph import MorphPoint, MorphSettings, morph
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.sonogram.codec import encode
from sonoriff.sonogram.params import HIFI
from sonoriff.sonogram.sonogram import Sonogram

QUICK = {"prompt": "jazz", "seed": 3, "num_inference_steps": 2}


@pytest.fixture(scope="module")
def stereo() -> Sonogram:
    rng = np.random.default_rng(1)
    noise = 0.1 * rng.standard_normal((2, 3 * HIFI.sample_rate), dtype=np.float32)
    return encode(noise * np.array([[1.0], [0.4]], np.float32), HIFI.sample_rate)


def planes(sonogram: Sonogram, count: int) -> Sonogram:
    values = {1: sonogram.values[2:], 2: sonogram.values[:2], 3: sonogram.values}[count]
    return Sonogram(np.ascontiguousarray(values), HIFI)


def made_by_all(model: SmallModel, source: Sonogram) -> dict[str, Clip]:
    points = (MorphPoint(strength=0.0), MorphPoint(strength=0.6))
    longer = source.duration_s + 1.0
    return {
        "remix": remix(model, source, RemixSettings(**QUICK, strength=0.5)),
        "inpaint": inpaint(model, source, InpaintSettings(**QUICK, times=((1.0, 2.0),))),
        "extend": extend(model, source, ExtendSettings(**QUICK, duration_s=longer)),
        "morph": morph(model, MorphSettings(**QUICK, points=points, clips=3), [source]).joined,
    }


@pytest.mark.parametrize(("given", "wanted"), [(1, 1), (2, 3), (3, 3)])
def test_a_verb_keeps_the_channels_of_its_source(
    small_model: SmallModel, stereo: Sonogram, given: int, wanted: int
) -> None:
    for verb, clip in made_by_all(small_model, planes(stereo, given)).items():
        assert len(clip.sonogram.values) == wanted, verb
        assert clip.waveform.shape[0] == min(2, wanted), verb


def test_what_is_not_painted_over_keeps_its_sides(
    small_model: SmallModel, stereo: Sonogram
) -> None:
    made = inpaint(small_model, stereo, InpaintSettings(**QUICK, times=((1.0, 2.0),)))
    kept = np.abs(made.sonogram.values - stereo.values).max(axis=(0, 1))
    assert kept[:80].max() == 0.0
    assert kept[90:170].max() > 1.0
    assert kept[180:].max() == 0.0


def test_a_picture_holds_what_its_values_say(stereo: Sonogram) -> None:
    picture, _ = picture_from_sonogram(stereo)
    assert picture.shape == (1, 3, 256, stereo.n_frames)
    again = values_from_picture(picture, HIFI, 0.0)
    assert np.abs(again[2] - stereo.values[2]).max() < 1e-3
    assert np.median(np.abs(again[:2] - stereo.values[:2])) < 0.01


def test_sides_of_cells_are_those_of_their_power() -> None:
    """Of two halves of a cell, the louder one says where the cell is."""
    picture = np.zeros((1, 3, 32, 8), np.float32)
    picture[0, 0, 16:] = -1.0
    picture[0, 1, :16], picture[0, 1, 16:] = 0.5, -0.5
    cells = cells_from_pixels(picture, HIFI, (32, 8))
    assert cells.shape == (1, 2, 1, 1)
    assert cells[0, 0, 0, 0] == pytest.approx(0.5, abs=0.01)


def test_latents_of_sides_and_back() -> None:
    sides = np.stack(np.meshgrid(np.linspace(-1, 1, 9), np.linspace(0, 0.9, 9))).astype(np.float32)
    np.testing.assert_allclose(sides_from_latents(latents_from_sides(sides)), sides, atol=1e-6)
    wild: npt.NDArray[np.float32] = np.full((2, 1, 1), 9.0, np.float32)
    assert sides_from_latents(wild).max() <= 1.0
    assert sides_from_latents(-wild).min() >= -1.0


def test_pixels_go_on_straight_lines_through_the_middles_of_cells() -> None:
    cells = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)
    pixels = pixels_from_cells(cells, (4, 2))
    assert pixels.shape == (1, 1, 12, 8)
    means = pixels[0, 0, 4:8, 2:6].reshape(4, 2, 2).mean(axis=(0, 2))
    np.testing.assert_allclose(means, cells[0, 0, 1, 1:3], atol=1e-5)
    assert (np.diff(pixels[0, 0, 0]) >= 0).all()


def test_the_middle_of_a_seed_does_not_depend_on_its_sides(small_model: SmallModel) -> None:
    grid = noise_grid(small_model, 5, 7)
    assert grid.shape == (1, 6, 8, 5)
    assert abs(np.corrcoef(grid[0, :2].ravel(), grid[0, 4:].ravel())[0, 1]) < 0.3
    longer = noise_grid(small_model, 9, 7)
    np.testing.assert_array_equal(longer[..., :5], grid)


def test_a_clip_has_two_channels_around_one_middle(small_model: SmallModel) -> None:
    clip = generate(small_model, GenerateSettings(**QUICK))
    assert clip.sonogram.values.shape[0] == 3
    left, right = clip.waveform
    assert not np.allclose(left, right)
