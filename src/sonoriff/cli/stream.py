"""`sonoriff stream`: write an endless riff to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonoriff.cli import painting, scenes
from sonoriff.cli.progress import shown
from sonoriff.errors import FormatError, ParameterError

if TYPE_CHECKING:
    from sonoriff.stream.scene import SceneSchedule

_SOUNDS = (".wav", ".flac")
_MAX_MINUTES = 24 * 60


@painting.with_options
def stream(
    prompt: Annotated[str, typer.Argument(help='What to hear; "" is anything.')] = "",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Sound file to write, .flac or .wav.")
    ] = Path("stream.flac"),
    minutes: Annotated[
        float, typer.Option(help="How long.", min=0.01, max=float(_MAX_MINUTES))
    ] = 5.0,
    schedule: Annotated[
        Path | None,
        typer.Option(help="JSON file of scenes and their samples, instead of a prompt."),
    ] = None,
    *,
    options: scenes.SceneOptions,
    chosen: scenes.StreamModelOptions,
) -> None:
    """Write what the endless player would play; the same options give the same file.

    \b
    Examples:
      sonoriff stream "deep house, 122 bpm" --minutes 5 -o long.flac
      sonoriff stream "slow piano" --mode riff --bpm 80 --seed 3
      sonoriff stream --schedule evening.json --minutes 60 -o evening.flac

    A schedule is {"cues": [{"at": 0, "scene": {...}}, ...]}; "at" is a sample, the fields of a
    scene are those of docs/protocol.md.
    """
    if output.suffix.lower() not in _SOUNDS:
        raise ParameterError(f"cannot write {output.name}: it must end in {' '.join(_SOUNDS)}")
    if schedule:
        played = _schedule(schedule, prompt)
    else:
        from sonoriff.stream.scene import Cue, SceneSchedule

        played = SceneSchedule((Cue(options.scene(prompt)),))
    from sonoriff.stream.export import export_stream

    loaded = chosen.load()
    n_samples = round(60.0 * minutes * loaded.params.sample_rate)
    rate = loaded.params.sample_rate
    with shown("seconds played") as on_progress:
        export_stream(
            loaded,
            played,
            n_samples,
            output,
            on_samples=lambda n: on_progress(n // rate, n_samples // rate),
        )
    typer.echo(f"{output}")


def _schedule(path: Path, prompt: str) -> SceneSchedule:
    from sonoriff.stream.scene import SceneSchedule

    if prompt:
        raise ParameterError("give a prompt or --schedule, not both")
    if not path.is_file():
        raise ParameterError(f"there is no file {path}")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise FormatError(f"{path} is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise FormatError(f'{path} is not a schedule: expected {{"cues": [...]}}')
    return SceneSchedule.from_dict(values)
