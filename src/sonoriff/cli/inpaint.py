"""`sonoriff inpaint`: repaint a part of a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sonoriff.cli import painting


@painting.with_options
def inpaint(
    source: painting.Source,
    prompt: painting.Wish = "",
    output: painting.Output = Path("inpainted.wav"),
    time: Annotated[
        list[str] | None,
        typer.Option(help="Span in seconds; may be given again.", metavar="START:END"),
    ] = None,
    band: Annotated[
        list[str] | None, typer.Option(help="Band in Hz; may be given again.", metavar="LOW:HIGH")
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            help="Picture as large as the sonogram; white is painted anew.", metavar="PNG"
        ),
    ] = None,
    strength: painting.Strength = 1.0,
    edge: Annotated[
        float, typer.Option(help="Width of the soft edge in time.", metavar="S")
    ] = 0.05,
    *,
    wishes: painting.SeededWishes,
    sound: painting.SoundOptions,
    chosen: painting.ModelOptions,
) -> None:
    """Paint a part of a sound anew, by time, by frequency, by a drawn mask, or all of them.

    Outside that part the sonogram stays exactly as it was.

    \b
    Examples:
      sonoriff inpaint song.wav "funky sax" --time 2:4 -o sax.wav
      sonoriff inpaint song.wav "deep bass" --band 20:200
      sonoriff inpaint riff.png "choir" --mask mask.png --time 0:3
    """
    from sonoriff.pipeline.inpaint import InpaintSettings
    from sonoriff.pipeline.inpaint import inpaint as make

    painting.check_output(output, source, sound=sound)
    settings = InpaintSettings(
        prompt=prompt,
        times=tuple(painting.pair(text, "--time") for text in time or ()),
        bands=tuple(painting.pair(text, "--band") for text in band or ()),
        mask=str(mask) if mask is not None else None,
        strength=strength,
        edge_s=edge,
        **wishes.settings(),
    )
    loaded = chosen.load()
    with painting.progress() as on_progress:
        clip = make(loaded, source, settings, on_progress=on_progress)
    typer.echo(painting.save(clip, output, sound))
