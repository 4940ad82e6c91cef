"""`sonoriff remix`: music to other music of the same course."""

from __future__ import annotations

from pathlib import Path

import typer

from sonoriff.cli import painting


def remix(
    source: painting.Source,
    prompt: painting.Wish = "",
    output: painting.Output = Path("remix.wav"),
    strength: painting.Strength = 0.6,
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
    """Play a sound another way: image-to-image on its sonogram.

    \b
    Examples:
      sonoriff remix song.mp3 "church organ" --strength 0.6 -o organ.wav
      sonoriff remix riff.png "heavy metal, distorted guitar" --strength 0.4
    """
    from sonoriff.pipeline.remix import RemixSettings
    from sonoriff.pipeline.remix import remix as make

    painting.check_output(output, source)
    settings = RemixSettings(
        prompt=prompt,
        negative_prompt=negative,
        strength=strength,
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
