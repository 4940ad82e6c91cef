"""`sonoriff extend`: continue a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from sonoriff.cli import painting


@painting.with_options
def extend(
    source: painting.Source,
    prompt: painting.Wish = "",
    duration: Annotated[
        float, typer.Option(help="Seconds of the whole result, source included.", metavar="S")
    ] = 20.0,
    output: painting.Output = Path("extended.wav"),
    side: Annotated[
        Literal["end", "start"], typer.Option(help="Go on after the source, or lead to it.")
    ] = "end",
    *,
    wishes: painting.SeededWishes,
    sound: painting.SoundOptions,
    chosen: painting.ModelOptions,
) -> None:
    """Make a sound longer, at its end or at its start.

    \b
    Examples:
      sonoriff extend song.mp3 "same but with drums" --duration 20 -o longer.wav
      sonoriff extend riff.png "slow piano intro" --side start --duration 12
    """
    from sonoriff.pipeline.extend import ExtendSettings
    from sonoriff.pipeline.extend import extend as make

    painting.check_output(output, source, sound=sound)
    settings = ExtendSettings(
        prompt=prompt,
        duration_s=duration,
        side=side,
        **wishes.settings(),
    )
    loaded = chosen.load()
    with painting.progress() as on_progress:
        clip = make(loaded, source, settings, on_progress=on_progress)
    typer.echo(painting.save(clip, output, sound))
