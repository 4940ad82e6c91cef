"""`sonoriff generate`: text to music."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.cli import painting
from sonoriff.errors import ParameterError, SonoriffWarning

if TYPE_CHECKING:
    from sonoriff.models.protocol import Model
    from sonoriff.pipeline.clip import Clip
    from sonoriff.pipeline.settings import OnProgress

# Batch size on a GPU; a CPU gains nothing from batches.
_BATCH = 8
# More clips than this are reported in one line.
_MANY = 8


@painting.with_options
def generate(
    prompt: Annotated[
        str | None,
        typer.Argument(
            help='What to hear. May name a tempo and a key; "" is anything. '
            "Weights: (piano:1.3). Blends: 'reggae:0.7 + techno:0.3'.",
            show_default=False,
        ),
    ] = None,
    output: painting.Output = Path("riff.wav"),
    seed: Annotated[
        int | None,
        typer.Option(help="Of the noise; another seed, another clip [default: 0].", min=0),
    ] = None,
    negative: Annotated[
        str | None, typer.Option(help="What not to hear.", metavar="PROMPT")
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(help="Seconds, up to 600 [default: one window of the model].", metavar="S"),
    ] = None,
    *,
    wishes: painting.Wishes,
    count: Annotated[int, typer.Option(help="Clips, of seeds S, S+1, ...", min=1, max=10_000)] = 1,
    loop: Annotated[
        bool, typer.Option("--loop", help="Whole bars whose end meets their start.")
    ] = False,
    bars: Annotated[
        int | None, typer.Option(help="Bars of a loop [default: 4].", min=1, max=256)
    ] = None,
    again: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Picture of a riff to make again; other options change it.",
            metavar="PNG",
        ),
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            help="What the riff of --from was made from, if anything; may be given again."
        ),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="The mask that the riff of --from was painted with.")
    ] = None,
    sound: painting.SoundOptions,
    chosen: painting.ModelOptions,
) -> None:
    """Make music from text: a sound file and its sonogram.

    \b
    Examples:
      sonoriff generate "smooth tropical dance jazz" -o riff.wav
      sonoriff generate "techno, 132 bpm" --seed 7 --count 4 -o techno.flac
      sonoriff generate "church organ, in D minor" --duration 20 --negative drums
      sonoriff generate "funk with (slap bass:1.3)" --loop --bars 4 --bpm 110 --rate 48000 --bits 24
      sonoriff generate --from riff.png --seed 8 -o other.wav
    """
    painting.check_output(output, *([again] if again else []), *(source or ()), sound=sound)
    if again is None and (source or mask):
        raise ParameterError("--source and --mask are for --from")
    values = wishes.settings() | painting.given(
        prompt=prompt, negative_prompt=negative, seed=seed, duration_s=duration, bars=bars
    )
    if again is not None:
        if count > 1 or loop:
            raise ParameterError("--from makes one riff as it was: leave out --count and --loop")
        changes = values | ({"mask": str(mask)} if mask else {})
        typer.echo(painting.save(_again(again, source, changes, chosen), output, sound))
        return
    if prompt is None:
        raise ParameterError('say what to hear, for example: sonoriff generate "calm piano"')
    if loop and duration is not None:
        raise ParameterError("a loop's length is --bars at --bpm: leave out --duration")
    if bars is not None and not loop:
        raise ParameterError("--bars is for --loop; without it, give --duration in seconds")
    _write_clips(_settings(values, loop=loop), count, chosen, output, sound)


def _write_clips(
    settings: Any,
    count: int,
    chosen: painting.ModelOptions,
    output: Path,
    sound: painting.SoundOptions,
) -> None:
    """Make and write `count` clips with consecutive seeds."""
    replace(settings, seed=settings.seed + count - 1)  # raises if the last seed is too large
    loaded = chosen.load()
    with painting.progress() as on_progress:
        for clip in _clips(loaded, settings, count, on_progress):
            target = output if count == 1 else painting.numbered(output, clip.settings["seed"])
            line = painting.save(clip, target, sound)
            if count <= _MANY:
                typer.echo(line)
    if count > _MANY:
        typer.echo(f"{count} clips in {output.parent}")


def _settings(values: dict[str, Any], *, loop: bool) -> Any:
    from sonoriff.pipeline.generate import GenerateSettings
    from sonoriff.pipeline.loop import LoopSettings

    return LoopSettings(**values) if loop else GenerateSettings(**values)


def _clips(model: Model, settings: Any, count: int, on_progress: OnProgress) -> Iterator[Clip]:
    from sonoriff.pipeline.generate import GenerateSettings, generate_many
    from sonoriff.pipeline.loop import loop

    if isinstance(settings, GenerateSettings):
        batch = 1 if model.device == "cpu" else _BATCH
        yield from generate_many(model, settings, count, batch_size=batch, on_progress=on_progress)
        return
    for i in range(count):

        def tell(step: int, steps: int, before: int = i) -> None:
            on_progress(before * steps + step, count * steps)

        yield loop(model, replace(settings, seed=settings.seed + i), on_progress=tell)


def _again(
    picture: Path,
    sources: list[Path] | None,
    changes: dict[str, Any],
    chosen: painting.ModelOptions,
) -> Clip:
    """Make the riff of a picture again, by its own model if that is installed."""
    from sonoriff.pipeline.clip import Clip
    from sonoriff.pipeline.remake import remake

    if not picture.is_file():
        raise ParameterError(f"there is no file {picture}")
    clip = Clip.load(picture)
    loaded = _its_own(picture, clip, chosen).load()
    _warn_of_other_model(picture, clip, loaded)
    with painting.progress() as on_progress:
        return remake(loaded, clip, sources, on_progress=on_progress, **changes)


def _its_own(picture: Path, clip: Clip, chosen: painting.ModelOptions) -> painting.ModelOptions:
    """The options, completed from the model that the picture names."""
    from sonoriff.models.registry import list_models

    made_by = str(clip.settings.get("model", ""))
    known = {found.name for found in list_models()}
    title = made_by.split(" + ")[0]
    if made_by and chosen.model is None and title not in known:
        raise ParameterError(f"{picture.name} was made by {title}: say where that is with --model")
    return replace(
        chosen,
        model=chosen.model or (title if title in known else None),
        reuse=chosen.reuse or reuse_in_name(made_by),
        prediction=chosen.prediction or prediction_in_name(made_by),
    )


def _warn_of_other_model(picture: Path, clip: Clip, loaded: Model) -> None:
    """Warn if the model is not the one that made the picture."""
    made_by, weights = str(clip.settings.get("model", "")), clip.settings.get("weights")
    other = ""
    if made_by == loaded.name and weights and weights != getattr(loaded, "weights", weights):
        other = f"other weights of the name {made_by}: this"
    elif made_by and loaded.name != made_by:
        other = f"{made_by}; {loaded.name}"
    if other:
        warnings.warn(
            f"{picture.name} was made by {other} makes something else of it",
            SonoriffWarning,
            stacklevel=2,
        )


def prediction_in_name(made_by: str) -> str | None:
    """The `--prediction` in the model name that a picture stores."""
    match = re.search(r" \+ prediction:(\w+)", made_by)
    return match.group(1) if match else None


def reuse_in_name(made_by: str) -> int:
    """The `--reuse` in the model name that a picture stores."""
    match = re.search(r" \+ reuse:(\d+)$", made_by)
    return int(match.group(1)) if match else 1
