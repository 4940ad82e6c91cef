"""Sound files of clips: tags, bars, loop points and the sonogram as cover."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from sonoriff.audio import audio_bytes, resample, turned_down, write_audio
from sonoriff.audio.tags import AudioTags, Mark
from sonoriff.errors import ParameterError
from sonoriff.models.prompts import parse_prompt
from sonoriff.music import bar_seconds, parse_key
from sonoriff.pipeline.circular import circle_resampled, samples_of_loop
from sonoriff.pipeline.prompt import bpm_in_prompt, key_in_prompt
from sonoriff.sonogram.picture import image_from_sonogram
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.version import __version__

FloatArray = npt.NDArray[np.float32]
Bits = Literal["16", "24", "float"]
BITS: tuple[str, ...] = get_args(Bits)
RATES = (44100, 48000)
_SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}
_WITH_BITS = {".wav": BITS, ".flac": ("16", "24")}
# Verbs whose first bar begins with the first sample.
_ON_THE_BAR = ("generate", "loop", "song")
_LONGEST_TITLE = 120
# A bar of which less than this is there gets no mark.
_SHORTEST_BAR = 0.02
_COVER_SIZE = 512
# Dark, middle and bright of the cover, as the page has them.
_COVER_COLOURS = ("#0b0a0f", "#c2483a", "#ffe9c9")


def save_sound(
    path: str | os.PathLike[str],
    waveform: FloatArray,
    sonogram: Sonogram,
    *,
    sample_rate: int | None = None,
    bits: Bits | None = None,
) -> None:
    """Write the sound of a sonogram with what players, samplers and workstations can read of it.

    Parameters
    ----------
    path : .wav .flac .ogg .opus or .mp3
    waveform : float32 (C, T) at the sonogram's rate; turned down as a whole where it would clip,
        and written with one channel where two are the same
    sample_rate : 44100 or 48000; None is the sonogram's own
    bits : of a sample, for WAV and FLAC; None is 16

    Raises
    ------
    ParameterError
        a format without these bits, another rate, or an unknown suffix
    """
    sound, rate, subtype = _prepared(Path(path).suffix, waveform, sonogram, sample_rate, bits)
    write_audio(path, sound, rate, subtype=subtype, tags=tags_of_sonogram(sonogram))


def sound_bytes(
    suffix: str,
    waveform: FloatArray,
    sonogram: Sonogram,
    *,
    sample_rate: int | None = None,
    bits: Bits | None = None,
) -> bytes:
    """What `save_sound` would put into a file with this suffix."""
    sound, rate, subtype = _prepared(suffix, waveform, sonogram, sample_rate, bits)
    return audio_bytes(sound, rate, suffix, subtype=subtype, tags=tags_of_sonogram(sonogram))


def check_bits(suffix: str, bits: str | None, sample_rate: int | None) -> None:
    """ParameterError where a format cannot have these bits, or the rate is not offered."""
    if bits is not None and bits not in _WITH_BITS.get(suffix.lower(), ()):
        raise ParameterError(
            f"{suffix.lower()} has no samples of {bits} bits: .wav has 16, 24 and float, .flac 16 "
            "and 24"
        )
    if sample_rate is not None and sample_rate not in RATES:
        raise ParameterError(f"the sample rate is 44100 or 48000, got {sample_rate}")


def tags_of_sonogram(sonogram: Sonogram) -> AudioTags:
    """Tags from the settings that a picture holds; what is no longer known is left out."""
    settings = sonogram.metadata
    song = settings.get("song")
    said = song if isinstance(song, Mapping) else settings
    prompt = _text(settings.get("prompt")) or _text(said.get("style"))
    attributes = attributes_of_settings(settings)
    seed = said.get("seed")
    loop_samples = samples_of_loop(sonogram)
    return AudioTags(
        title=(_text(said.get("title")) or prompt)[:_LONGEST_TITLE],
        prompt=prompt,
        negative_prompt=_text(said.get("negative_prompt")) or _text(said.get("negative")),
        model=_text(settings.get("model")),
        software=f"Sonoriff {__version__}",
        seed=seed if isinstance(seed, int) else None,
        bpm=attributes["bpm"],
        key=attributes["key"],
        loop=loop_samples is not None,
        marks=_marks(sonogram, attributes["bpm"], loop_samples),
        cover=cover_png(sonogram),
    )


def attributes_of_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Tempo and key of a clip, as asked for, as the prompt names them, or as they were chosen.

    Returns
    -------
    {"bpm": float or None, "key": "D minor" or None}
    """
    chosen = settings.get("attributes")
    told = chosen if isinstance(chosen, Mapping) else {}
    words = parse_prompt(_text(settings.get("prompt"))).text
    bpm = next(
        (
            float(value)
            for value in (settings.get("bpm"), told.get("bpm"), bpm_in_prompt(words))
            if isinstance(value, int | float) and value > 0
        ),
        None,
    )
    key, mode = key_in_prompt(words)
    named = " ".join(part for part in (key, mode) if part) or None
    for value in (settings.get("key"), told.get("key"), named):
        if isinstance(value, str) and _is_key(value):
            return {"bpm": bpm, "key": value}
    return {"bpm": bpm, "key": None}


def cover_png(sonogram: Sonogram) -> bytes:
    """The sonogram as a square PNG picture in colour."""
    image = image_from_sonogram(sonogram)
    grey = image.getchannel("G") if image.mode == "RGB" else image.convert("L")
    if sonogram.params.scale == "power":  # where silence is white
        grey = ImageOps.invert(grey)
    square = grey.resize((_COVER_SIZE, _COVER_SIZE), Image.Resampling.BILINEAR)
    dark, middle, bright = _COVER_COLOURS
    buffer = io.BytesIO()
    ImageOps.colorize(square, dark, bright, middle).save(buffer, "PNG")
    return buffer.getvalue()


def _prepared(
    suffix: str, waveform: FloatArray, sonogram: Sonogram, rate: int | None, bits: Bits | None
) -> tuple[FloatArray, int, str | None]:
    """Samples, their rate and libsndfile's name of their format."""
    check_bits(suffix, bits, rate)
    own = sonogram.params.sample_rate
    # Opus knows only one of the two rates.
    wanted = 48000 if suffix.lower() == ".opus" else own if rate is None else rate
    sound = waveform
    if len(sound) == 2 and np.array_equal(sound[0], sound[1]):
        sound = sound[:1]
    if wanted != own and samples_of_loop(sonogram) is not None:
        sound = circle_resampled(sound, round(sound.shape[1] * wanted / own))
    elif wanted != own:
        sound = resample(sound, own, wanted, quality="VHQ")
    return turned_down(sound), wanted, None if bits is None else _SUBTYPES[bits]


def _marks(sonogram: Sonogram, bpm: float | None, loop_samples: int | None) -> tuple[Mark, ...]:
    """Sections, and bars where the first of them is known to begin with the sound."""
    settings, params = sonogram.metadata, sonogram.params
    if bpm is None or settings.get("verb") not in _ON_THE_BAR:
        return ()
    sections = _sections(settings)
    if loop_samples is None:
        length, bar_s = sonogram.duration_s, bar_seconds(bpm)
    else:
        length = loop_samples / params.sample_rate
        bars = settings.get("bars")
        bar_s = length / bars if isinstance(bars, int) and bars > 0 else bar_seconds(bpm)
    count = max(1, math.ceil(length / bar_s - _SHORTEST_BAR))
    places = [(bar * bar_s, f"bar {bar + 1}") for bar in range(count)]
    named = {round(at / bar_s): name for at, name in sections}
    return tuple(Mark(at_s=at, name=named.get(bar, name)) for bar, (at, name) in enumerate(places))


def _sections(settings: Mapping[str, Any]) -> list[tuple[float, str]]:
    """Start in seconds and name of each section of a song."""
    plan = settings.get("song")
    found = plan.get("sections") if isinstance(plan, Mapping) else None
    if not isinstance(found, list):
        return []
    return [
        (float(each["start_s"]), str(each["name"]))
        for each in found
        if isinstance(each, Mapping)
        and isinstance(each.get("start_s"), int | float)
        and "name" in each
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_key(text: str) -> bool:
    try:
        parse_key(text)
    except ParameterError:
        return False
    return True
