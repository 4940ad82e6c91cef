"""A scene out of the options that `play --live` and `stream` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from sonoriff.stream.scene import Scene

Mode = Annotated[
    Literal["flow", "riff"],
    typer.Option(help="flow goes on and on; riff plays variations on one riff of whole bars."),
]
Seed = Annotated[int, typer.Option(help="Of the noise; another seed, another course.", min=0)]
Negative = Annotated[str, typer.Option(help="What not to hear.", metavar="PROMPT")]
Bpm = Annotated[float | None, typer.Option(help="Tempo, beats a minute.")]
Key = Annotated[str | None, typer.Option(help="Key, for example 'D minor'.")]
Steps = Annotated[int, typer.Option(help="Denoising steps; fewer are faster.", min=1)]
Model = Annotated[str | None, typer.Option(help="Model folder [default: the bundled model].")]
Device = Annotated[str, typer.Option(help="cpu, cuda or mps.")]


def scene_of(
    prompt: str,
    mode: Literal["flow", "riff"],
    seed: int,
    negative: str,
    bpm: float | None,
    key: str | None,
    steps: int,
) -> Scene:
    """The scene; ParameterError where an option is out of range."""
    from sonoriff.stream.scene import Scene, WeightedPrompt

    return Scene(
        mode=mode,
        prompts=(WeightedPrompt(prompt),),
        negative_prompt=negative,
        seed=seed,
        bpm=bpm,
        key=key,
        num_inference_steps=steps,
    )
