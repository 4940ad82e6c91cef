"""`sonoriff generate`: text to music."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.errors import ParameterError

if TYPE_CHECKING:
    from sonoriff.pipeline.clip import Clip

_SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus")


def generate(
    prompt: Annotated[
        str, typer.Argument(help='What to hear. May name a tempo and a key; "" is anything.')
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Sound file; the sonogram is written beside it."),
    ] = Path("riff.wav"),
    seed: Annotated[int, typer.Option(help="Of the noise; another seed, another clip.", min=0)] = 0,
    negative: Annotated[str, typer.Option(help="What not to hear.", metavar="PROMPT")] = "",
    duration: Annotated[
        float | None, typer.Option(help="Seconds [default: 5.94].", metavar="SECONDS")
    ] = None,
    bpm: Annotated[float | None, typer.Option(help="Tempo, beats a minute.")] = None,
    key: Annotated[str | None, typer.Option(help="Key, for example 'D minor'.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.", min=1)] = None,
    guidance: Annotated[
        float | None, typer.Option(help="How hard to follow the prompt; 1 is not at all.")
    ] = None,
    count: Annotated[int, typer.Option(help="Clips, of seeds S, S+1, ...", min=1, max=10_000)] = 1,
    model: Annotated[
        str | None, typer.Option(help="Model folder [default: the bundled model].")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps.")] = "cpu",
) -> None:
    """Make music from text: a sound file and its sonogram.

    \b
    Examples:
      sonoriff generate "smooth tropical dance jazz" -o riff.wav
      sonoriff generate "techno, 132 bpm" --seed 7 --count 4 -o techno.flac
      sonoriff generate "church organ, in D minor" --duration 20 --negative drums
    """
    from sonoriff.models.registry import load_model
    from sonoriff.pipeline.generate import GenerateSettings
    from sonoriff.pipeline.generate import generate as make_clip

    _check_output(output)
    given: dict[str, Any] = {"num_inference_steps": steps, "guidance_scale": guidance}
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = [
        GenerateSettings(
            prompt=prompt,
            negative_prompt=negative,
            seed=seed + i,
            duration_s=duration,
            bpm=bpm,
            key=key,
            **chosen,
        )
        for i in range(count)
    ]
    loaded = load_model(model, device=device)
    steps_each = settings[0].resolved(loaded).num_inference_steps or 1
    with _progress(count * steps_each) as advance:
        for i, setting in enumerate(settings):
            clip = make_clip(loaded, setting, on_progress=lambda *_: advance())
            target = output if count == 1 else _numbered(output, setting.seed)
            _write(clip, target)
            if i == 0 or count <= 8:
                typer.echo(f"{target} and {target.with_suffix('.png').name}")
    if count > 8:
        typer.echo(f"{count} clips in {output.parent}")


def _check_output(output: Path) -> None:
    if output.suffix.lower() not in _SOUNDS:
        raise ParameterError(f"cannot write {output.name}: it must end in {' '.join(_SOUNDS)}")
    if not output.parent.is_dir():
        raise ParameterError(f"the folder {output.parent} does not exist: make it first")


def _numbered(output: Path, seed: int) -> Path:
    return output.with_name(f"{output.stem}-{seed}{output.suffix}")


def _write(clip: Clip, target: Path) -> None:
    clip.save(target)
    clip.save(target.with_suffix(".png"))


class _progress:
    """A progress bar on a terminal; a context that gives the function that advances it."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self.bar = Progress(console=Console(stderr=True), transient=True)
        self.task = self.bar.add_task("painting", total=total)

    def __enter__(self) -> Any:
        self.bar.start()
        return lambda: self.bar.advance(self.task)

    def __exit__(self, *_: object) -> None:
        self.bar.stop()
