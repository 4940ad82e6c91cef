"""Options that several commands have."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Format(str, Enum):
    """Sonogram formats."""

    hifi = "hifi"
    riffusion_v1 = "riffusion-v1"


class Quality(str, Enum):
    """How much work goes into the phase."""

    fast = "fast"
    best = "best"


class SoundFormat(str, Enum):
    """Sound files that can be written."""

    wav = "wav"
    flac = "flac"
    ogg = "ogg"
    opus = "opus"
    mp3 = "mp3"


Loudness = Annotated[
    float | None,
    typer.Option(
        help="Bring the sound to this loudness, for example -14 (ITU-R BS.1770). "
        "Peaks stay below -1 dBFS.",
        metavar="LUFS",
        min=-70.0,
        max=0.0,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", help="Processes for a batch [default: one a core].", min=1),
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace files that exist where no name was given.")
]
MaxSeconds = Annotated[
    float, typer.Option(help="Refuse files that are longer.", metavar="SECONDS", min=0.01)
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write, or folder for a batch [default: beside the input].",
        show_default=False,
    ),
]
