"""Sources of a verb: a clip, a sonogram, its picture or any sound file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from sonoriff.audio import read_audio
from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.settings import MAX_DURATION_S
from sonoriff.sonogram.codec import decode, encode
from sonoriff.sonogram.picture import load_picture
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.sonogram.stereo import PLANES, with_mid

_PICTURE_STARTS = (b"\x89PNG", b"\xff\xd8\xff")
Source = Clip | Sonogram | str | os.PathLike[str]


def sonogram_from_source(
    model: Model, source: Source, *, still_wanted: Callable[[], None] | None = None
) -> Sonogram:
    """A source in the model's format; another format is decoded and encoded again.

    Parameters
    ----------
    still_wanted : called now and then on the way; what it raises stops the work

    Raises
    ------
    ParameterError
        no such file, too long, or NaN in it
    FormatError
        a file that is neither sound nor sonogram
    """
    sonogram = _read(model, source)
    # The last column may be incomplete.
    if sonogram.params.duration_s(sonogram.n_frames - 1) > MAX_DURATION_S:
        raise ParameterError(
            f"the source is {sonogram.duration_s:.0f} s long, at most {MAX_DURATION_S:.0f} s can "
            "be worked on: cut it first"
        )
    if sonogram.params != model.params:
        waveform = decode(sonogram, quality="best", on_block=still_wanted)
        sonogram = encode(waveform, sonogram.params.sample_rate, model.params)
    return _planes_for(model, sonogram)


def _planes_for(model: Model, sonogram: Sonogram) -> Sonogram:
    """Left and right with their middle for a stereo model, by themselves for any other."""
    values = sonogram.values
    if model.stereo and len(values) == 2:
        return replace(sonogram, values=with_mid(values, sonogram.params))
    if not model.stereo and len(values) == PLANES:
        return replace(sonogram, values=np.ascontiguousarray(values[:2]))
    return sonogram


def _read(model: Model, source: Source) -> Sonogram:
    if isinstance(source, Clip):
        return source.sonogram
    if isinstance(source, Sonogram):
        return source
    path = Path(source)
    if is_picture(path):
        return load_picture(path)
    waveform, sample_rate = read_audio(path, max_seconds=MAX_DURATION_S, max_channels=2)
    return encode(waveform, sample_rate, model.params)


def is_picture(path: Path) -> bool:
    """Whether a file begins as PNG or JPEG do, whatever it is called.

    Raises
    ------
    ParameterError
        no such file
    """
    if not path.is_file():
        raise ParameterError(f"there is no file {path}")
    with path.open("rb") as file:
        return file.read(4).startswith(_PICTURE_STARTS)


def source_name(source: Source) -> str:
    """The file's name, for the settings; never its folder."""
    if isinstance(source, Clip | Sonogram):
        return ""
    return Path(source).name
