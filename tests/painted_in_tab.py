"""Paintings of the engine in a page beside those of Python."""

from __future__ import annotations

import numpy as np

from exported_model import ExportedModel
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.guides import everywhere, facts_from_settings, guide_from_settings
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.settings import Sampling
from tab_tools import Engine

PROMPT = "(slow:1.3) jazz with a saxophone, 90 bpm, in D minor"
# One of 255 steps of a picture's levels.
LEVEL = 2.0 / 255.0
SPEAK = """
  const noise = engine.noiseGrid(model.about, given.width, given.seed)
  const { prompt, negative: negative_prompt, energy, chords } = given
  const settings = { prompt, negative_prompt, energy, chords }
  const attributes = await engine.attributesOf(model.conditioner, settings, true)
  const { defaults } = model.about
  const guidance = await engine.guidanceOf(
    model.conditioner, settings, attributes, defaults.guidance_scale, defaults.paced_share)
  const sampling = engine.samplingOf(model.about, given.steps)
"""


def asked(*, width: int, steps: int = 4, negative: str = "", **more: object) -> dict[str, object]:
    given = {"prompt": PROMPT, "negative": negative, "seed": 7, "width": width, "steps": steps}
    return {**given, **more}


def check_painting(
    engine: Engine, model: ExportedModel, given: dict[str, object], circular: bool
) -> None:
    settings = Sampling(
        prompt=PROMPT,
        negative_prompt=str(given["negative"]),
        seed=7,
        num_inference_steps=int(str(given["steps"])),
    ).resolved(model)
    facts = facts_from_settings(model, settings, guess_tempo=True)
    guide = guide_from_settings(model, settings, facts)
    noise = noise_grid(model, int(str(given["width"])), 7)
    canvas = Canvas(noise, everywhere(guide), circular=circular, since_beat_s=0.5)
    wanted = paint(model, canvas, settings)
    found = engine.floats(
        SPEAK
        + """
        const canvas = { noise, guidance, circular: given.circular, sinceBeatS: 0.5 }
        window.latents = await engine.paint(model.networks, canvas, sampling)
        return latents.data
        """,
        {**given, "circular": circular},
    )
    np.testing.assert_allclose(found, wanted.ravel(), atol=5e-3)
    picture = engine.floats("return (await model.networks.decode(latents)).data")
    np.testing.assert_allclose(picture, model.decode(wanted).ravel(), atol=LEVEL)
