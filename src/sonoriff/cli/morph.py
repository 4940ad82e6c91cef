"""`sonoriff morph`: interpolate from one piece to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonoriff.cli import painting
from sonoriff.errors import ParameterError

if TYPE_CHECKING:
    from sonoriff.pipeline.morph import MorphPoint


@painting.with_options
def morph(
    prompts: Annotated[
        list[str], typer.Argument(metavar="PROMPT", help="One for each point of the way.")
    ],
    output: painting.Output = Path("morph.wav"),
    clips: Annotated[int, typer.Option(help="Clips, the first and the last included.")] = 12,
    seeds: Annotated[
        str | None,
        typer.Option(help="A seed for each point, for example 1:2.", metavar="A:B[:...]"),
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(help="Sound to start from: one for all points, or one for each."),
    ] = None,
    strength: painting.Strength = 0.75,
    invert: Annotated[
        bool,
        typer.Option(
            "--invert",
            help="Between sounds: start from the noise that each of them comes from of itself, so "
            "that the way begins and ends with the sounds at any strength.",
        ),
    ] = False,
    each: Annotated[bool, typer.Option("--each", help="Write every clip by itself too.")] = False,
    *,
    wishes: painting.SeededWishes,
    sound: painting.SoundOptions,
    chosen: painting.ModelOptions,
) -> None:
    """Go from one piece to another without a break: through prompts, seeds, or two sounds.

    \b
    Examples:
      sonoriff morph "typing on a keyboard" "jazz" --clips 12 -o way.wav
      sonoriff morph "solo piano" --seeds 1:2:3 --clips 9
      sonoriff morph "techno" "ambient" --source song.wav --strength 0.6 --each
      sonoriff morph "" --source rain.wav --source river.wav --invert --strength 0.8
    """
    from sonoriff.pipeline.morph import MorphSettings
    from sonoriff.pipeline.morph import morph as make

    painting.check_output(output, *(source or ()), sound=sound)
    settings = MorphSettings(
        points=_points(prompts, seeds, strength, len(source or ())),
        clips=clips,
        inverted=invert,
        **wishes.settings(),
    )
    loaded = chosen.load()
    with painting.progress() as on_progress:
        way = make(loaded, settings, source or (), on_progress=on_progress)
    typer.echo(painting.save(way.joined, output, sound))
    for i, clip in enumerate(way.clips if each else ()):
        typer.echo(painting.save(clip, painting.numbered(output, f"{i + 1:02d}"), sound))


def _points(
    prompts: list[str], seeds: str | None, strength: float, n_sources: int
) -> tuple[MorphPoint, ...]:
    """Points of the morph; a single prompt, seed or source applies to all of them."""
    from sonoriff.pipeline.morph import MorphPoint

    numbers: list[int | None] = [None]
    if seeds is not None:
        try:
            numbers = [int(part) for part in seeds.split(":")]
        except ValueError:
            raise ParameterError(f"--seeds is whole numbers, A:B, got {seeds!r}") from None
    count = max(len(prompts), len(numbers), n_sources)
    if not {len(prompts), len(numbers)} <= {1, count}:
        raise ParameterError(f"{len(prompts)} prompts do not go with {len(numbers)} seeds")
    return tuple(
        MorphPoint(
            prompt=prompts[i if len(prompts) > 1 else 0],
            seed=numbers[i if len(numbers) > 1 else 0],
            strength=strength,
        )
        for i in range(count)
    )
