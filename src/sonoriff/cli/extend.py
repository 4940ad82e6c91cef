"""`sonoriff extend`: a sound that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from sonoriff.cli import painting


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
    seed: painting.Seed = 0,
    negative: painting.Negative = "",
    bpm: painting.Bpm = None,
    key: painting.Key = None,
    steps: painting.Steps = None,
    guidance: painting.Guidance = None,
    guidance_interval: painting.GuidanceInterval = None,
    sampler: painting.Sampler = None,
    model: painting.Model = None,
    lora: painting.Loras = None,
    style: painting.Styles = None,
    reuse: painting.Reuse = None,
    prediction: painting.Prediction = None,
    device: painting.Device = "cpu",
) -> None:
    """Make a sound longer, at its end or at its start.

    \b
    Examples:
      sonoriff extend song.mp3 "same but with drums" --duration 20 -o longer.wav
      sonoriff extend riff.png "slow piano intro" --side start --duration 12
    """
    from sonoriff.pipeline.extend import ExtendSettings
    from sonoriff.pipeline.extend import extend as make

    painting.check_output(output, source)
    settings = ExtendSettings(
        prompt=prompt,
        negative_prompt=negative,
        duration_s=duration,
        side=side,
        seed=seed,
        bpm=bpm,
        key=key,
        num_inference_steps=steps,
        guidance_scale=guidance,
        guidance_interval=painting.interval(guidance_interval),
        sampler=sampler,
    )
    loaded = painting.load(model, lora, device, styles=style, reuse=reuse, prediction=prediction)
    with painting.progress() as on_progress:
        clip = make(loaded, source, settings, on_progress=on_progress)
    typer.echo(painting.save(clip, output))
