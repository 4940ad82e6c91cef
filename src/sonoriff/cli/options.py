"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Format = Literal["hifi", "riffusion-v1"]
Quality = Literal["fast", "best"]
Backend = Literal["native", "torchaudio"]
SoundFormat = Literal["wav", "flac", "ogg", "opus", "mp3"]
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
Rate = Annotated[
    Literal["44100", "48000"] | None,
    typer.Option(
        help="Sample rate of the sound file, Hz [default: the music's own].", metavar="HZ"
    ),
]
Bits = Annotated[
    Literal["16", "24", "float"] | None,
    typer.Option(
        help="Sample format of WAV: 16, 24 or float; of FLAC: 16 or 24 [default: 16].",
        metavar="BITS",
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
