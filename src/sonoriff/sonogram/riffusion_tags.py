"""The EXIF tags in which Riffusion stores the parameters of a picture."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from sonoriff.errors import FormatError, ParameterError, SonoriffWarning
from sonoriff.sonogram.params import RIFFUSION_V1, SonogramParams

# Riffusion takes the spectrum of 16-bit integers, Sonoriff of floats in [-1, 1].
INT16_SCALE = 32768.0
# What Riffusion takes for the loudest amplitude of a picture, whatever its tag says.
DEFAULT_MAX_VALUE = 30e6 / INT16_SCALE
_LARGEST_AMPLITUDE = 1e12


class Tag(IntEnum):
    """Riffusion's private EXIF tags."""

    SAMPLE_RATE = 11000
    STEREO = 11005
    STEP_SIZE_MS = 11010
    WINDOW_DURATION_MS = 11020
    PADDED_DURATION_MS = 11030
    NUM_FREQUENCIES = 11040
    MIN_FREQUENCY = 11050
    MAX_FREQUENCY = 11060
    POWER_FOR_IMAGE = 11070
    MAX_VALUE = 11080


@dataclass(frozen=True)
class TaggedFacts:
    """What the tags say: parameters, number of channels, loudest amplitude (float scale)."""

    params: SonogramParams
    n_channels: int
    max_value: float


def tags_from_params(
    params: SonogramParams, n_channels: int, max_value: float
) -> dict[int, int | float]:
    """The tags as Riffusion writes them, its MAX_VALUE in units of 16-bit integers."""
    rate = params.sample_rate
    return {
        Tag.SAMPLE_RATE: rate,
        Tag.STEREO: int(n_channels == 2),
        Tag.STEP_SIZE_MS: _ms_from_samples(params.hop_length, rate),
        Tag.WINDOW_DURATION_MS: _ms_from_samples(params.win_length, rate),
        Tag.PADDED_DURATION_MS: _ms_from_samples(params.n_fft, rate),
        Tag.NUM_FREQUENCIES: params.n_mels,
        Tag.MIN_FREQUENCY: _whole_if_equal(params.f_min),
        Tag.MAX_FREQUENCY: _whole_if_equal(params.f_max),
        Tag.POWER_FOR_IMAGE: float(params.power_for_image),
        Tag.MAX_VALUE: float(max_value) * INT16_SCALE,
    }


def facts_from_tags(tags: Mapping[int, Any]) -> TaggedFacts | None:
    """Inverse of `tags_from_params`.

    Parameters
    ----------
    tags : EXIF of a picture, foreign tags included; they are passed over

    Returns
    -------
    The facts, or None where not one of Riffusion's tags is there

    Raises
    ------
    FormatError
        a tag of an impossible value

    Warns
    -----
    SonoriffWarning
        tags are missing; Riffusion's defaults stand in for them
    """
    defaults = tags_from_params(RIFFUSION_V1, 1, DEFAULT_MAX_VALUE)
    missing = [Tag(tag).name for tag in defaults if tag not in tags]
    if len(missing) == len(defaults):
        return None
    if missing:
        warnings.warn(
            f"the picture lacks the tags {', '.join(missing)}; Riffusion's defaults are used",
            SonoriffWarning,
            stacklevel=3,
        )
    numbers = {Tag(t): _number(Tag(t), tags.get(t, default)) for t, default in defaults.items()}
    max_value = numbers[Tag.MAX_VALUE] / INT16_SCALE
    if not 0.0 <= max_value <= _LARGEST_AMPLITUDE:
        raise FormatError(f"the tag MAX_VALUE is {numbers[Tag.MAX_VALUE]:g}: no amplitude")
    return TaggedFacts(_params(numbers), 2 if numbers[Tag.STEREO] else 1, max_value)


def _params(numbers: Mapping[Tag, float]) -> SonogramParams:
    rate = numbers[Tag.SAMPLE_RATE]

    def samples(tag: Tag) -> int:
        return int(numbers[tag] / 1000.0 * rate)  # Riffusion's own rounding

    try:
        params = replace(
            RIFFUSION_V1,
            sample_rate=int(rate),
            hop_length=samples(Tag.STEP_SIZE_MS),
            win_length=samples(Tag.WINDOW_DURATION_MS),
            n_fft=samples(Tag.PADDED_DURATION_MS),
            n_mels=int(numbers[Tag.NUM_FREQUENCIES]),
            f_min=float(numbers[Tag.MIN_FREQUENCY]),
            f_max=float(numbers[Tag.MAX_FREQUENCY]),
            power_for_image=float(numbers[Tag.POWER_FOR_IMAGE]),
        )
    except (ParameterError, OverflowError) as error:
        raise FormatError(f"the picture's Riffusion tags make no sense: {error}") from error
    return params if params == RIFFUSION_V1 else replace(params, name="riffusion-v1-custom")


def _number(tag: Tag, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise FormatError(f"the tag {tag.name} must be a number, got {str(value)[:40]!r}")
    return number


def _ms_from_samples(samples: int, sample_rate: int) -> int | float:
    """A time that Riffusion rounds to `samples`: whole milliseconds where there are such."""
    exact = samples * 1000.0 / sample_rate
    for candidate in (round(exact), exact, math.nextafter(exact, math.inf), exact + 1e-9):
        if int(candidate / 1000.0 * sample_rate) == samples:
            return candidate
    return exact


def _whole_if_equal(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)
