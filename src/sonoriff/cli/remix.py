"""`sonoriff remix`: a variation on a sound."""

from __future__ import annotations

from pathlib import Path

import typer

from sonoriff.cli import painting


@painting.with_options
def remix(
    source: painting.Source,
    prompt: painting.Wish = "",
    output: painting.Output = Path("remix.wav"),
    strength: painting.Strength = 0.6,
    *,
    wishes: painting.SeededWishes,
    sound: painting.SoundOptions,
    chosen: painting.ModelOptions,
) -> None:
    """Play a sound another way: image-to-image on its sonogram.

    \b
    Examples:
      sonoriff remix song.mp3 "church organ" --strength 0.6 -o organ.wav
      sonoriff remix riff.png "heavy metal, distorted guitar" --strength 0.4
    """
    from sonoriff.pipeline.remix import RemixSettings
    from sonoriff.pipeline.remix import remix as make

    painting.check_output(output, source, sound=sound)
    settings = RemixSettings(
        prompt=prompt,
        strength=strength,
        **wishes.settings(),
    )
    loaded = chosen.load()
    with painting.progress() as on_progress:
        clip = make(loaded, source, settings, on_progress=on_progress)
    typer.echo(painting.save(clip, output, sound))
