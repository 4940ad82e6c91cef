"""Sonogram to picture file and back.

The two layouts, both with low frequencies at the bottom and time from left to right:

``power`` (riffusion-v1)
    Riffusion's: an RGB picture, silence is white. Mono is grey, stereo has nothing in red, left in
    green, right in blue. A level is 255 times the `power_for_image`-th power of the amplitude over
    the picture's loudest. Parameters go into Riffusion's EXIF tags.
``log`` (hifi)
    A level is linear in decibels, silence is black. Mono is a greyscale picture. Stereo is RGB with
    left in red, right in blue and their middle in green: sound in the middle stays grey, sound on
    the left turns warm and on the right cold, and what is wide loses its green. An alpha channel
    would not do: programs drop it, or multiply the picture by it. Pictures from before the middle
    was known have the mean of both levels there, and say "channels" instead of "planes".

Both carry one UTF-8 JSON text chunk with all parameters and metadata, which goes before the tags
when the picture is read.
"""

from __future__ import annotations

import io
import json
import math
import os
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from sonoriff.errors import FormatError, ParameterError, SonoriffWarning
from sonoriff.files import write_bytes
from sonoriff.sonogram.params import HIFI, RIFFUSION_V1, SonogramParams
from sonoriff.sonogram.riffusion_tags import DEFAULT_MAX_VALUE, facts_from_tags, tags_from_params
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.sonogram.stereo import PLANES
from sonoriff.version import __version__

CHUNK_KEY = "sonoriff"
CHUNK_VERSION = 1
# Where Pillow begins to suspect a decompression bomb; over an hour of hifi.
MAX_PIXELS = 89_478_485
# The largest mel bank that a picture may ask for, in weights.
MAX_BANK_SIZE = 1 << 24
# Columns of all channels times n_fft, which is what a decode costs: an hour of riffusion-v1.
MAX_WORK = 1 << 33
_EIGHT_BIT_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr"})
# Levels that grey may be off in one colour.
_FAINT_TINT = 8
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@dataclass(frozen=True)
class _Facts:
    """What belongs to the pixels. `n_planes` None: to be read off the pixels."""

    params: SonogramParams
    n_planes: int | None
    max_value: float
    metadata: dict[str, Any]


def save_picture(path: str | os.PathLike[str], sonogram: Sonogram) -> None:
    """Write a sonogram as a PNG file that is complete by itself.

    Parameters
    ----------
    path : a name that ends in .png
    sonogram : any but a "power" one of three planes

    Raises
    ------
    ParameterError
        another suffix, more planes than a picture holds, too many pixels to be read again, or
        metadata that JSON cannot hold
    """
    target = Path(path)
    if target.suffix.lower() != ".png":
        raise ParameterError(f"a sonogram is stored as .png, got the name {target.name!r}")
    write_bytes(target, png_bytes(sonogram))


def load_picture(path: str | os.PathLike[str]) -> Sonogram:
    """Read a sonogram from a PNG or JPEG file, Sonoriff's or Riffusion's.

    Raises
    ------
    ParameterError
        no such file
    FormatError
        not a picture, not a sonogram, damaged, too large, or with impossible parameters

    Warns
    -----
    SonoriffWarning
        parameters are missing and defaults stand in for them
    """
    source = Path(path)
    if not source.is_file():
        raise ParameterError(f"there is no file {source}")
    with source.open("rb") as file:
        try:
            return sonogram_from_image(_open(file))
        except FormatError as error:
            raise FormatError(f"{source}: {error}") from error


def png_bytes(sonogram: Sonogram) -> bytes:
    """What `save_picture` would put into the file."""
    image = image_from_sonogram(sonogram)
    text = PngImagePlugin.PngInfo()
    text.add_itxt(CHUNK_KEY, image.info[CHUNK_KEY], zip=False)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=text, exif=image.getexif())
    return buffer.getvalue()


def picture_from_bytes(data: bytes) -> Sonogram:
    """`load_picture` of a file's bytes."""
    return sonogram_from_image(_open(io.BytesIO(data)))


def image_from_sonogram(sonogram: Sonogram) -> Image.Image:
    """The picture of a sonogram, width N and height M.

    Returns
    -------
    An 8-bit image; the JSON text stands in ``info["sonoriff"]`` and the Riffusion tags, for the
    "power" scale, in its EXIF. `sonogram_from_image` reads both.

    Raises
    ------
    ParameterError
        as `save_picture`
    """
    values, params = sonogram.values, sonogram.params
    n_planes, height, width = values.shape
    most = PLANES if params.scale == "log" else 2
    if n_planes > most:
        raise ParameterError(f"a picture holds 1 to {most} planes, got {n_planes}: mix them first")
    if width * height > MAX_PIXELS:
        raise ParameterError(
            f"{width} columns of {height} rows are more than {MAX_PIXELS} pixels: cut the sound"
        )
    max_value = float(values.max()) if params.scale == "power" else 0.0
    pixels = np.stack([_pixels(plane, params, max_value) for plane in values])
    image = Image.fromarray(_layout(pixels, params))
    image.info[CHUNK_KEY] = _chunk_text(sonogram, max_value)
    if params.scale == "power":
        image.getexif().update(tags_from_params(params, n_planes, max_value))
    return image


def sonogram_from_image(image: Image.Image) -> Sonogram:
    """Inverse of `image_from_sonogram`, and of Riffusion's own pictures.

    Raises
    ------
    FormatError
        as `load_picture`

    Warns
    -----
    SonoriffWarning
        parameters are missing and defaults stand in for them
    """
    if image.width * image.height > MAX_PIXELS:
        raise FormatError(f"{image.width} x {image.height} pixels are more than {MAX_PIXELS}")
    if image.mode not in _EIGHT_BIT_MODES:
        raise FormatError(f"a sonogram has 8 bits a pixel, this picture is of mode {image.mode}")
    try:
        image.load()
        text, tags = image.info.get(CHUNK_KEY), dict(image.getexif())
        image = upright(image)
    except _DAMAGE as error:
        raise FormatError(f"the picture is damaged: {error}") from error
    facts = _facts(text, tags, image.height)
    image = opaque(image, 0 if facts.params.scale == "log" else 255)
    pixels = np.asarray(image if image.mode == "L" else image.convert("RGB"))
    if facts.params.n_mels != image.height:
        raise FormatError(
            f"the picture is {image.height} pixels high, its parameters say {facts.params.n_mels}"
        )
    planes = _planes(pixels, facts)
    check_work(image.width * len(planes), facts.params, MAX_WORK)
    return Sonogram(_values(planes, facts), facts.params, facts.metadata)


def check_work(columns: int, params: SonogramParams, limit: int) -> None:
    """FormatError where a sonogram of so many columns of all channels is too much to decode."""
    if columns * params.n_fft > limit:
        raise FormatError(
            f"{columns} columns with an FFT of {params.n_fft} samples each are too much work: at "
            f"most {limit // params.n_fft} columns of that kind are taken"
        )


# Pixels.


def _pixels(
    plane: npt.NDArray[np.float32], params: SonogramParams, max_value: float
) -> npt.NDArray[np.uint8]:
    """One plane (M, N) as levels, rounded; low frequencies first."""
    if params.scale == "log":
        level = (plane - params.db_min) * (255.0 / (params.db_max - params.db_min))
        return _rounded(level)
    if float(plane.min()) < 0.0:
        raise ParameterError(f"{params.name} values are amplitudes, 0 or more: got a negative one")
    if max_value == 0.0:
        return np.full(plane.shape, 255, np.uint8)
    level = 255.0 * (plane / np.float32(max_value)) ** params.power_for_image
    return _rounded(255.0 - level)


def _rounded(level: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(np.clip(level, 0.0, 255.0)), dtype=np.uint8)


def _level_values(facts: _Facts) -> npt.NDArray[np.float32]:
    """The value of each of the 256 pixel levels."""
    params, level = facts.params, np.arange(256, dtype=np.float64) / 255.0
    if params.scale == "log":
        values = params.db_min + level * (params.db_max - params.db_min)
    else:
        values = facts.max_value * (1.0 - level) ** (1.0 / params.power_for_image)
    return values.astype(np.float32)


def _values(planes: npt.NDArray[np.uint8], facts: _Facts) -> npt.NDArray[np.float32]:
    """Levels (P, M, N) as pictured, high frequencies first, to values, low frequencies first."""
    table = _level_values(facts)
    values = np.empty(planes.shape, np.float32)
    # Row by row: an index array of the whole picture would take eight bytes a pixel.
    for plane, target in zip(planes, values, strict=True):
        for row, target_row in zip(plane[::-1], target, strict=True):
            target_row[:] = table[row]
    return values


def upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF orientation says."""
    if image.getexif().get(ExifTags.Base.Orientation, 1) == 1:
        return image
    return ImageOps.exif_transpose(image)


def opaque(image: Image.Image, level: int) -> Image.Image:
    """The picture upon a grey of this level, which shows where it is transparent.

    On the level of silence, what was erased in it is silent; on black, a mask has nothing there.
    """
    if not image.has_transparency_data:
        return image
    upper = image.convert("RGBA")
    lower = Image.new("RGBA", upper.size, (level, level, level, 255))
    return Image.alpha_composite(lower, upper).convert("RGB")


def _layout(pixels: npt.NDArray[np.uint8], params: SonogramParams) -> npt.NDArray[np.uint8]:
    """Levels (P, M, N) to an image array; see the head of this file."""
    flipped = pixels[:, ::-1]
    if params.scale == "log":
        if len(flipped) == 1:
            return np.ascontiguousarray(flipped[0])
        left, right = flipped[0], flipped[1]
        if len(flipped) == PLANES:
            planes = [left, flipped[2], right]
        else:
            planes = [left, ((left.astype(np.uint16) + right + 1) // 2).astype(np.uint8), right]
    elif len(flipped) == 1:
        planes = [flipped[0]] * 3
    else:
        planes = [np.zeros_like(flipped[0]), flipped[0], flipped[1]]
    return np.stack(planes, axis=-1)


def _planes(pixels: npt.NDArray[np.uint8], facts: _Facts) -> npt.NDArray[np.uint8]:
    """Inverse of `_layout` before the flip: levels (P, M, N)."""
    n_planes = facts.n_planes or _guess_planes(pixels, facts.params)
    if pixels.ndim == 2:
        if n_planes > 1:
            _warn("a stereo sonogram was turned into greyscale: both channels are the same now")
        return np.repeat(pixels[None], n_planes, axis=0)
    if facts.params.scale == "log":
        colours = {1: (1,), 2: (0, 2), PLANES: (0, 2, 1)}[n_planes]
    else:
        colours = (0,) if n_planes == 1 else (1, 2)
    return np.moveaxis(pixels[..., colours], -1, 0)


def _guess_planes(pixels: npt.NDArray[np.uint8], params: SonogramParams) -> int:
    """Mono or stereo by the layouts; FormatError for a colour picture that is neither."""
    if pixels.ndim == 2:
        return 1
    red, green, blue = np.moveaxis(pixels[::3, ::3].astype(np.int16), -1, 0)
    warm, cold = red - green, blue - green
    tints = np.median(warm), np.median(cold)
    # The slack is for pictures that went through JPEG, and for a faint tint all over.
    spread = np.abs(warm - tints[0]).mean() + np.abs(cold - tints[1]).mean()
    if spread < 4.0 and max(map(abs, tints)) <= _FAINT_TINT:
        return 1
    stereo_error = red if params.scale == "power" else green - (red + blue + 1) // 2
    if np.abs(stereo_error).mean() < 4.0:
        return 2
    # A middle is never louder than the louder side, and seldom far below both.
    above = green > np.maximum(red, blue) + _FAINT_TINT
    if params.scale == "log" and above.mean() < 0.01 and np.abs(stereo_error).mean() < 24.0:
        return PLANES
    raise FormatError("this is a colour picture, not a sonogram: it has no facts stored with it")


# Facts.


def _chunk_text(sonogram: Sonogram, max_value: float) -> str:
    facts = {
        "version": CHUNK_VERSION,
        "program": f"sonoriff {__version__}",
        "channels": sonogram.n_channels,
        "planes": len(sonogram.values),
        "max_value": max_value,
        "params": sonogram.params.to_dict(),
        "metadata": dict(sonogram.metadata),
    }
    try:
        return json.dumps(facts, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ParameterError(
            f"the sonogram's metadata cannot be stored as JSON: {error}"
        ) from error


def _facts(text: Any, tags: dict[int, Any], height: int) -> _Facts:
    """Facts from the text chunk, else from Riffusion's tags, else by the height."""
    if text is not None:
        facts = _facts_from_text(str(text))
    else:
        tagged = facts_from_tags(tags)
        if tagged is None:
            facts = _default_facts(height)
        else:
            facts = _Facts(tagged.params, tagged.n_channels, tagged.max_value, {})
    if facts.params.n_mels * (facts.params.n_fft // 2 + 1) > MAX_BANK_SIZE:
        raise FormatError(
            f"a bank of {facts.params.n_mels} mels over an FFT of {facts.params.n_fft} is too large"
        )
    return facts


def _facts_from_text(text: str) -> _Facts:
    try:
        facts = json.loads(text)
        version, n_channels, max_value = (facts[k] for k in ("version", "channels", "max_value"))
        n_planes = facts.get("planes", n_channels)
        params, metadata = facts["params"], facts["metadata"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(f"the stored facts cannot be read: {error}") from error
    if version != CHUNK_VERSION:
        raise FormatError(f"the stored facts are of version {version!r}: update Sonoriff")
    numbers = isinstance(max_value, (int, float)) and math.isfinite(max_value) and max_value >= 0
    shapes = isinstance(params, dict) and isinstance(metadata, dict)
    shapes = shapes and (n_channels, n_planes) in ((1, 1), (2, 2), (2, PLANES))
    if not (numbers and shapes):
        raise FormatError("the stored facts are of the wrong types")
    try:
        known = SonogramParams.from_dict(params)
        if n_planes == PLANES and known.scale != "log":
            raise ParameterError(f"a {known.name} picture has one or two planes")
        return _Facts(known, n_planes, float(max_value), metadata)
    except (ParameterError, TypeError, OverflowError) as error:
        raise FormatError(f"the stored parameters make no sense: {error}") from error


def _default_facts(height: int) -> _Facts:
    for params in (RIFFUSION_V1, HIFI):
        if params.n_mels == height:
            _warn(f"the picture says nothing about itself; taken as {params.name} by its height")
            return _Facts(params, None, DEFAULT_MAX_VALUE, {})
    raise FormatError(
        f"this is no sonogram: nothing is stored with it, and it is {height} pixels high, not "
        f"{RIFFUSION_V1.n_mels} ({RIFFUSION_V1.name}) or {HIFI.n_mels} ({HIFI.name})"
    )


def _open(file: IO[bytes]) -> Image.Image:
    try:
        return Image.open(file, formats=("PNG", "JPEG"))
    except UnidentifiedImageError as error:
        raise FormatError("not a PNG or JPEG picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FormatError(f"too large: {error}") from error
    except _DAMAGE as error:
        raise FormatError(f"the picture is damaged: {error}") from error


def _warn(message: str) -> None:
    warnings.warn(message, SonoriffWarning, stacklevel=5)
