"""Sonogram pictures: layout, stored facts, and pictures that are something else."""

from __future__ import annotations

import dataclasses
import io
import json
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from sonoriff.errors import FormatError, ParameterError, SonoriffWarning
from sonoriff.sonogram import HIFI, RIFFUSION_V1, Sonogram, SonogramParams
from sonoriff.sonogram.picture import (
    CHUNK_KEY,
    MAX_PIXELS,
    image_from_sonogram,
    load_picture,
    picture_from_bytes,
    png_bytes,
    save_picture,
    sonogram_from_image,
)

FACTS = {"prompt": "café 猫 \U0001f3b7", "seed": 2**63, "model": "small", "steps": [1, 2.5, None]}


def _sonogram(
    params: SonogramParams, n_channels: int = 1, n_frames: int = 20, **metadata: Any
) -> Sonogram:
    uniform = np.random.default_rng(3).random((n_channels, params.n_mels, n_frames))
    if params.scale == "power":
        values = 500.0 * uniform**4
    else:
        values = params.db_min + uniform * (params.db_max - params.db_min)
    return Sonogram(values.astype(np.float32), params, metadata)


def _levels(sonogram: Sonogram, max_value: float) -> np.ndarray:
    """Unrounded pixel levels, low frequencies first."""
    values, params = sonogram.values.astype(np.float64), sonogram.params
    if params.scale == "power":
        return 255.0 - 255.0 * (values / max_value) ** params.power_for_image
    return 255.0 * (values - params.db_min) / (params.db_max - params.db_min)


def _riffusion_image(values: np.ndarray) -> np.ndarray:
    """Pixels as Riffusion computes them (truncated), for amplitudes (C, M, N)."""
    data = (255 - (values / values.max()) ** 0.25 * 255).astype(np.uint8)
    planes = [data[0]] * 3 if len(data) == 1 else [np.zeros_like(data[0]), data[0], data[1]]
    return np.stack(planes, axis=-1)[::-1]


def _png(pixels: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", **options)
    return buffer.getvalue()


def _with_facts(**changes: Any) -> bytes:
    """A hifi picture whose stored facts were changed."""
    image = image_from_sonogram(_sonogram(HIFI))
    facts = {**json.loads(image.info[CHUNK_KEY]), **changes}
    text = PngImagePlugin.PngInfo()
    text.add_itxt(CHUNK_KEY, json.dumps(facts))
    return _png(np.asarray(image), pnginfo=text)


def _exif(tags: dict[int, Any]) -> Image.Exif:
    exif = Image.Exif()
    exif.update(tags)
    return exif


# Round trips.


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
def test_only_the_rounding_is_lost(tmp_path: Path, params: SonogramParams, n_channels: int) -> None:
    sonogram = _sonogram(params, n_channels, **FACTS)
    save_picture(tmp_path / "a.png", sonogram)
    loaded = load_picture(tmp_path / "a.png")
    assert (loaded.params, dict(loaded.metadata)) == (params, FACTS)
    assert loaded.values.dtype == np.float32
    peak = float(sonogram.values.max())
    assert np.abs(_levels(loaded, peak) - _levels(sonogram, peak)).max() <= 0.5 + 1e-3
    assert png_bytes(loaded) == (tmp_path / "a.png").read_bytes()


@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
def test_a_users_own_parameters_come_back(params: SonogramParams) -> None:
    """Defect of Riffusion: the mel settings are not stored in the picture."""
    own = dataclasses.replace(
        params, name="mine", sample_rate=22050, hop_length=300, n_mels=77, f_max=9000.5
    )
    assert picture_from_bytes(png_bytes(_sonogram(own))).params == own


def test_the_loudness_survives() -> None:
    """Defect of Riffusion: MAX_VALUE is written and never read."""
    quiet = _sonogram(RIFFUSION_V1)
    loud = dataclasses.replace(quiet, values=quiet.values * 7)
    ratio = picture_from_bytes(png_bytes(loud)).values.max() / quiet.values.max()
    assert ratio == pytest.approx(7.0)


@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_silence_survives(params: SonogramParams, n_channels: int) -> None:
    """Defect of Riffusion: silent audio divides by zero."""
    floor = 0.0 if params.scale == "power" else params.db_min
    values = np.full((n_channels, params.n_mels, 3), floor, np.float32)
    loaded = picture_from_bytes(png_bytes(Sonogram(values, params)))
    np.testing.assert_array_equal(loaded.values, values)


def test_one_column_is_enough() -> None:
    assert picture_from_bytes(png_bytes(_sonogram(HIFI, n_frames=1))).n_frames == 1


# Layout.


@pytest.mark.parametrize("n_channels", [1, 2])
def test_riffusions_layout_to_one_grey_level(n_channels: int) -> None:
    """Rounded where Riffusion truncates: never more than one level apart."""
    sonogram = _sonogram(RIFFUSION_V1, n_channels)
    ours = np.asarray(image_from_sonogram(sonogram)).astype(int)
    theirs = _riffusion_image(sonogram.values).astype(int)
    assert ours.shape == theirs.shape
    assert set(np.unique(ours - theirs)) <= {0, 1}


def test_levels_are_rounded_not_truncated() -> None:
    """Defect of Riffusion: truncation darkens the picture by half a level."""
    sonogram = _sonogram(RIFFUSION_V1, n_frames=500)
    pixels = np.asarray(image_from_sonogram(sonogram))[::-1, :, 0].astype(float)
    error = pixels - _levels(sonogram, float(sonogram.values.max()))[0]
    assert abs(error.mean()) < 0.01
    assert np.abs(error).max() <= 0.5 + 1e-3


def test_low_frequencies_are_at_the_bottom_and_loud_is_bright_in_hifi() -> None:
    values = np.full((1, HIFI.n_mels, 4), HIFI.db_min, np.float32)
    values[0, 0, 1] = HIFI.db_max
    image = image_from_sonogram(Sonogram(values, HIFI))
    assert image.mode == "L"
    assert image.getpixel((1, HIFI.n_mels - 1)) == 255
    assert np.asarray(image).sum() == 255


def test_hifi_stereo_is_red_left_blue_right_grey_middle() -> None:
    values = np.full((2, HIFI.n_mels, 3), HIFI.db_min, np.float32)
    values[0, :, 0] = values[:, :, 1] = values[1, :, 2] = HIFI.db_max
    pixels = np.asarray(image_from_sonogram(Sonogram(values, HIFI)))
    assert pixels[0].tolist() == [[255, 128, 0], [255, 255, 255], [0, 128, 255]]


def test_a_riffusion_jpeg_is_read() -> None:
    """Riffusion's batch command writes JPEG; the tags travel there too."""
    sonogram = _sonogram(RIFFUSION_V1, n_frames=64)
    smooth = np.repeat(np.repeat(sonogram.values[:, ::16, ::16], 16, 1), 16, 2)
    image = image_from_sonogram(dataclasses.replace(sonogram, values=smooth))
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(image)).save(buffer, "JPEG", quality=95, exif=image.getexif())
    loaded = picture_from_bytes(buffer.getvalue())
    assert loaded.params == RIFFUSION_V1
    assert np.abs(_levels(loaded, smooth.max()) - _levels_of(smooth)).mean() < 2.0


def _levels_of(values: np.ndarray) -> np.ndarray:
    return 255.0 - 255.0 * (values / values.max()) ** 0.25


# Tags.


def test_riffusion_reads_our_tags() -> None:
    image = Image.open(io.BytesIO(png_bytes(_sonogram(RIFFUSION_V1, 2))))
    image.load()
    tags = dict(image.getexif())
    assert tags.pop(11080) == pytest.approx(float(_sonogram(RIFFUSION_V1, 2).values.max()) * 32768)
    assert tags == {
        **{11000: 44100, 11005: 1, 11010: 10, 11020: 100, 11030: 400},
        **{11040: 512, 11050: 0, 11060: 10000, 11070: 0.25},
    }


@pytest.mark.parametrize("n_channels", [1, 2])
def test_riffusions_own_picture_is_read(n_channels: int) -> None:
    sonogram = _sonogram(RIFFUSION_V1, n_channels)
    tags = dict(image_from_sonogram(sonogram).getexif())
    loaded = picture_from_bytes(_png(_riffusion_image(sonogram.values), exif=_exif(tags)))
    assert loaded.params == RIFFUSION_V1
    peak = float(sonogram.values.max())
    assert np.abs(_levels(loaded, peak) - _levels(sonogram, peak)).max() <= 1.0


@pytest.mark.parametrize("tags", [{}, {274: 1, 305: "a camera"}])
def test_no_tags_or_foreign_tags_give_defaults_and_a_warning(tags: dict[int, Any]) -> None:
    """Defect of Riffusion: a foreign EXIF tag raises ValueError, a missing one KeyError."""
    pixels = _riffusion_image(_sonogram(RIFFUSION_V1).values)
    with pytest.warns(SonoriffWarning, match="taken as riffusion-v1"):
        loaded = picture_from_bytes(_png(pixels, exif=_exif(tags)))
    assert (loaded.params, loaded.n_channels) == (RIFFUSION_V1, 1)
    assert loaded.values.max() == pytest.approx(30e6 / 32768)


def test_missing_tags_are_named() -> None:
    tags = dict(image_from_sonogram(_sonogram(RIFFUSION_V1)).getexif())
    del tags[11070], tags[11080]
    pixels = _riffusion_image(_sonogram(RIFFUSION_V1).values)
    with pytest.warns(SonoriffWarning, match="POWER_FOR_IMAGE, MAX_VALUE"):
        assert picture_from_bytes(_png(pixels, exif=_exif(tags))).params == RIFFUSION_V1


def test_stereo_without_tags_is_not_read_as_mono() -> None:
    """Defect of Riffusion: a stereo picture read as mono is full scale everywhere, from red 0."""
    sonogram = _sonogram(RIFFUSION_V1, 2)
    with pytest.warns(SonoriffWarning):
        loaded = picture_from_bytes(_png(_riffusion_image(sonogram.values)))
    assert loaded.n_channels == 2


@pytest.mark.parametrize("n_channels", [1, 2])
def test_hifi_without_facts_is_known_by_its_height(n_channels: int) -> None:
    sonogram = _sonogram(HIFI, n_channels)
    with pytest.warns(SonoriffWarning, match="taken as hifi"):
        loaded = picture_from_bytes(_png(np.asarray(image_from_sonogram(sonogram))))
    np.testing.assert_allclose(loaded.values, sonogram.values, atol=0.2)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        *((11000, 0), (11000, 1e300), (11010, -5), (11010, 10**7), (11020, 10**8)),
        *((11030, 1), (11040, 10**6), (11060, 10**6), (11050, 20000), (11070, 0.0)),
        *((11070, float("nan")), (11080, float("inf")), (11080, -1.0), (11000, "fast")),
        (11040, (5, 6)),
    ],
)
def test_absurd_tags_are_a_format_error(tag: int, value: Any) -> None:
    image = image_from_sonogram(_sonogram(RIFFUSION_V1))
    del image.info[CHUNK_KEY]
    image.getexif()[tag] = value
    with pytest.raises(FormatError):
        sonogram_from_image(image)


# Damaged facts.


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"channels": 3},
        {"channels": "1"},
        {"max_value": -1.0},
        {"max_value": "loud"},
        {"params": None},
        {"params": {}},
        {"params": {**HIFI.to_dict(), "version": 99}},
        {"params": {**HIFI.to_dict(), "hop_length": 0}},
        {"params": {**HIFI.to_dict(), "hop_length": "512"}},
        {"params": {**HIFI.to_dict(), "f_max": None}},
        {"params": {**HIFI.to_dict(), "unknown": 1}},
        {"params": {**HIFI.to_dict(), "n_fft": 262144, "n_mels": 256}},
        {"metadata": []},
    ],
)
def test_impossible_facts_are_a_format_error(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        picture_from_bytes(_with_facts(**changes))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '{"version": 1}', "[" * 100_000])
def test_facts_that_are_no_facts_are_a_format_error(text: str) -> None:
    image = image_from_sonogram(_sonogram(HIFI))
    image.info[CHUNK_KEY] = text
    with pytest.raises(FormatError, match="stored facts"):
        sonogram_from_image(image)


def test_greyscale_made_of_stereo_is_read_with_a_warning() -> None:
    image = image_from_sonogram(_sonogram(HIFI, 2))
    grey = image.convert("L")
    grey.info[CHUNK_KEY] = image.info[CHUNK_KEY]
    with pytest.warns(SonoriffWarning, match="greyscale"):
        assert sonogram_from_image(grey).n_channels == 2


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_mono_saved_again_in_colour_is_the_same(mode: str) -> None:
    sonogram = _sonogram(HIFI)
    image = image_from_sonogram(sonogram)
    again = image.convert(mode)
    again.info[CHUNK_KEY] = image.info[CHUNK_KEY]
    assert png_bytes(sonogram_from_image(again)) == png_bytes(sonogram)


@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_was_erased_is_silent(params: SonogramParams, mode: str) -> None:
    image = image_from_sonogram(_sonogram(params))
    half = image.width // 2
    colours = image.convert("RGBA")
    # An eraser leaves the colours where they were.
    alpha = np.full((image.height, image.width), 255, np.uint8)
    alpha[:, half:] = 0
    colours.putalpha(Image.fromarray(alpha))
    if mode == "P":
        grey = image.convert("L").quantize(255)
        indices = np.array(grey)
        indices[:, half:] = 255
        palette = grey.getpalette() or []
        erased = Image.fromarray(indices, "L")
        erased = erased.convert("P")
        erased.putdata(indices.ravel().tolist())
        erased.putpalette([*palette[: 3 * 255], *[128] * (3 * 256 - len(palette[: 3 * 255]))])
        erased.info["transparency"] = 255
    else:
        erased = colours.convert(mode)
    erased.info[CHUNK_KEY] = image.info[CHUNK_KEY]
    values = sonogram_from_image(erased).values
    silence = params.db_min if params.scale == "log" else 0.0
    np.testing.assert_array_equal(values[..., half:], silence)
    assert values[..., :half].std() > 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_in_exif_is_obeyed(orientation: int) -> None:
    sonogram = _sonogram(HIFI)
    image = image_from_sonogram(sonogram)
    back = {
        **{1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180},
        **{4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE},
        **{6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE},
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    turned = image if back is None else image.transpose(back)
    text = PngImagePlugin.PngInfo()
    text.add_itxt(CHUNK_KEY, image.info[CHUNK_KEY])
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    turned.save(file, "PNG", pnginfo=text, exif=exif)
    assert png_bytes(picture_from_bytes(file.getvalue())) == png_bytes(sonogram)


@pytest.mark.parametrize("tint", [(3, 0, 0), (0, 3, 3), (3, 0, -3), (-3, -3, 0)])
@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
def test_a_faint_tint_is_grey(params: SonogramParams, tint: tuple[int, int, int]) -> None:
    grey = np.asarray(image_from_sonogram(_sonogram(params)).convert("RGB"), np.int16)
    tinted = np.clip(grey + np.array(tint), 0, 255).astype(np.uint8)
    with pytest.warns(SonoriffWarning, match="says nothing about itself"):
        assert picture_from_bytes(_png(tinted)).n_channels == 1


# What is not a sonogram.


def _photo(height: int, width: int = 640) -> np.ndarray:
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    sky = np.stack([120 + 60 * across, 160 + 40 * down, 255 - 80 * down], axis=-1)
    return sky.astype(np.uint8)


@pytest.mark.parametrize("height", [480, 512, 256])
def test_a_photo_is_a_format_error(height: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SonoriffWarning)
        with pytest.raises(FormatError, match=r"not a sonogram|no sonogram"):
            picture_from_bytes(_png(_photo(height)))


def test_the_wrong_height_is_a_format_error() -> None:
    image = image_from_sonogram(_sonogram(HIFI))
    cropped = image.crop((0, 0, image.width, 200))
    cropped.info[CHUNK_KEY] = image.info[CHUNK_KEY]
    with pytest.raises(FormatError, match="200 pixels high, its parameters say 256"):
        sonogram_from_image(cropped)


def _bomb(width: int, height: int) -> bytes:
    """A PNG header that promises more than memory can hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height"), [(10**6, 512), (2**31 - 1, 2**31 - 1), (180_000, 512)]
)
def test_a_decompression_bomb_is_refused_unopened(width: int, height: int) -> None:
    assert width * height > MAX_PIXELS
    with pytest.raises(FormatError, match=r"too large|pixels are more"):
        picture_from_bytes(_bomb(width, height))


def test_a_truncated_picture_is_a_format_error(tmp_path: Path) -> None:
    data = png_bytes(_sonogram(HIFI, n_frames=300))
    for size in (0, 5, 20, 100, len(data) // 2, len(data) - 600):
        (tmp_path / "a.png").write_bytes(data[:size])
        with pytest.raises(FormatError, match=r"a\.png"):
            load_picture(tmp_path / "a.png")


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF" + bytes(100)])
def test_no_picture_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        picture_from_bytes(data)


def test_sixteen_bits_are_refused() -> None:
    with pytest.raises(FormatError, match="8 bits"):
        sonogram_from_image(Image.fromarray(np.zeros((256, 4), np.uint16)))


def test_a_missing_file_is_a_parameter_error(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no file"):
        load_picture(tmp_path / "a.png")


# What cannot be stored.


def test_what_a_picture_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="1 to 3 planes"):
        png_bytes(_sonogram(HIFI, 4))
    with pytest.raises(ParameterError, match="1 to 2 planes"):
        png_bytes(_sonogram(RIFFUSION_V1, 3))
    with pytest.raises(ParameterError, match="JSON"):
        png_bytes(_sonogram(HIFI, temperature=float("nan")))
    with pytest.raises(ParameterError, match="JSON"):
        png_bytes(_sonogram(HIFI, model=object()))
    with pytest.raises(ParameterError, match="negative"):
        png_bytes(Sonogram(-_sonogram(RIFFUSION_V1).values, RIFFUSION_V1))
    with pytest.raises(ParameterError, match="png"):
        save_picture(tmp_path / "a.jpg", _sonogram(HIFI))


def test_too_many_columns_are_refused_before_the_work() -> None:
    params = dataclasses.replace(HIFI, n_mels=1)
    values = np.broadcast_to(np.float32(0), (1, 1, MAX_PIXELS + 1))
    sonogram = object.__new__(Sonogram)  # without the check of all values, which takes seconds
    object.__setattr__(sonogram, "values", values)
    object.__setattr__(sonogram, "params", params)
    with pytest.raises(ParameterError, match="cut the sound"):
        image_from_sonogram(sonogram)
