"""Left, right and their middle: what is measured, stored, and heard again."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest
from PIL import PngImagePlugin

from sonoriff.sonogram.codec import decode, encode
from sonoriff.sonogram.params import HIFI
from sonoriff.sonogram.picture import (
    CHUNK_KEY,
    image_from_sonogram,
    picture_from_bytes,
    png_bytes,
    sonogram_from_image,
)
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.sonogram.stereo import (
    levels_from_mid,
    pan_and_width,
    power_of_level,
    with_mid,
)

FloatArray = npt.NDArray[np.float32]
RATE = HIFI.sample_rate


def noise(seed: int, seconds: float = 2.0) -> FloatArray:
    """Noise up to 15 kHz, which all of the picture's range holds."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(0.1 * rng.standard_normal(round(seconds * RATE)))
    spectrum[round(15_000 * seconds) :] = 0.0
    return np.fft.irfft(spectrum).astype(np.float32)


def band(pan: float, shared: float) -> FloatArray:
    """Noise at a place, of which a share is in both channels; float32 (2, T)."""
    middle, left, right = (noise(seed) for seed in (1, 2, 3))
    own = np.sqrt(1.0 - shared)
    sides = np.stack([shared**0.5 * middle + own * left, shared**0.5 * middle + own * right])
    return (sides * np.array([[1.0 + pan], [1.0 - pan]])).astype(np.float32)


def powers(waveform: FloatArray) -> tuple[float, float, float]:
    left, right = waveform.astype(np.float64)
    middle = np.corrcoef(left, right)[0, 1]
    return float(np.mean(left**2)), float(np.mean(right**2)), float(middle)


@pytest.mark.parametrize(("pan", "shared"), [(0.0, 0.9), (0.0, 0.2), (0.5, 0.95), (-0.4, 0.6)])
def test_place_and_width_are_heard_again(pan: float, shared: float) -> None:
    before = band(pan, shared)
    after = decode(encode(before, RATE))
    assert after.shape[0] == 2
    (left, right, alike), (left2, right2, alike2) = powers(before), powers(after)
    assert 10 * np.log10(left2 / left) == pytest.approx(0.0, abs=1.0)
    assert 10 * np.log10(right2 / right) == pytest.approx(0.0, abs=1.0)
    assert alike2 == pytest.approx(alike, abs=0.12)


def test_the_mean_of_both_sides_is_the_middle() -> None:
    sonogram = encode(band(0.5, 0.3), RATE)
    middle = Sonogram(np.ascontiguousarray(sonogram.values[2:]), HIFI)
    np.testing.assert_allclose(decode(sonogram).mean(axis=0), decode(middle)[0], atol=1e-6)


def test_what_is_mono_comes_back_mono() -> None:
    one = noise(5)
    after = decode(encode(np.stack([one, one]), RATE))
    np.testing.assert_allclose(after[0], after[1], atol=1e-6)


def test_pan_and_width_say_all_three_levels() -> None:
    planes = encode(band(0.3, 0.5), RATE).values
    sides = pan_and_width(*power_of_level(planes, HIFI))
    again = levels_from_mid(planes[2], sides[0], sides[1], HIFI)
    # A width above the most is cut: pixels in which the sides all but cancel. And a band adds up
    # magnitudes, so that some say more of a place than a width lets them.
    most = 2.0 * np.sqrt(sides[1] * (1.0 - sides[1]))
    inside = (
        (sides[1] < 0.89)
        & (np.abs(sides[0]) < np.minimum(most, 0.97))
        & (planes.min(axis=0) > -79.0)
    )
    assert inside.mean() > 0.6
    assert np.abs(again - planes)[:, inside].max() < 0.05


def test_silence_has_no_place() -> None:
    planes = np.full((3, 256, 8), HIFI.db_min, np.float32)
    sides = pan_and_width(*power_of_level(planes, HIFI))
    assert not sides.any()
    np.testing.assert_array_equal(levels_from_mid(planes[2], *sides, HIFI), planes)


def test_a_picture_keeps_the_middle_in_green() -> None:
    sonogram = encode(band(0.5, 0.5), RATE)
    pixels = np.asarray(image_from_sonogram(sonogram))[::-1]
    step = (HIFI.db_max - HIFI.db_min) / 255.0
    levels = pixels.astype(np.float32) * step + HIFI.db_min
    for colour, plane in enumerate((0, 2, 1)):
        assert np.abs(levels[..., colour] - sonogram.values[plane]).max() <= 0.51 * step
    again = picture_from_bytes(png_bytes(sonogram))
    assert again.values.shape == sonogram.values.shape
    assert again.n_channels == 2


def test_pictures_from_before_the_middle_have_two_planes() -> None:
    sides = encode(band(0.5, 0.5), RATE).values[:2]
    image = image_from_sonogram(Sonogram(np.ascontiguousarray(sides), HIFI))
    facts = json.loads(image.info[CHUNK_KEY])
    del facts["planes"]
    image.info[CHUNK_KEY] = json.dumps(facts)
    again = sonogram_from_image(image)
    assert again.values.shape == sides.shape
    assert np.abs(again.values - sides).max() < 0.2


@pytest.mark.parametrize(("channels", "planes"), [(1, 3), (2, 1), (3, 3), (2, 4), (2, "3")])
def test_planes_that_do_not_belong_to_the_channels_are_refused(
    channels: int, planes: object
) -> None:
    image = image_from_sonogram(encode(band(0.0, 0.5), RATE))
    facts = json.loads(image.info[CHUNK_KEY]) | {"channels": channels, "planes": planes}
    image.info[CHUNK_KEY] = json.dumps(facts)
    with pytest.raises(Exception, match="wrong types"):
        sonogram_from_image(image)


def test_a_picture_without_facts_is_known_by_its_colours() -> None:
    with pytest.warns(UserWarning, match="says nothing"):
        found = sonogram_from_image(stripped(encode(band(0.2, 0.3), RATE)))
    assert len(found.values) == 3


def stripped(sonogram: Sonogram) -> PngImagePlugin.PngImageFile:
    image = image_from_sonogram(sonogram)
    image.info.clear()
    return image  # type: ignore[return-value]


def test_left_and_right_alone_get_a_likely_middle() -> None:
    planes = encode(band(0.4, 0.6), RATE).values
    guessed = with_mid(np.ascontiguousarray(planes[:2]), HIFI)
    np.testing.assert_array_equal(guessed[:2], planes[:2])
    assert np.abs(guessed[2] - planes[2]).mean() < 3.0
    assert (guessed[2] <= planes[:2].max(axis=0) + 1e-3).all()
