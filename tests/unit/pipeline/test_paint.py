"""The steps that are taken, on a tiny model with random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.generate import (
    GenerateSettings,
)
from sonoriff.pipeline.guides import everywhere, guide_from_settings
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import paint

QUICK = GenerateSettings(prompt="jazz", seed=3, num_inference_steps=3, duration_s=1.5)


@pytest.mark.parametrize(("start", "steps", "taken"), [(0.6, 50, 30), (0.6, 45, 27), (0.8, 85, 68)])
def test_a_share_of_the_steps_is_taken(
    small_model: SmallModel, start: float, steps: int, taken: int
) -> None:
    noise = noise_grid(small_model, 8, 0)
    strength_map = np.full((1, 1, *noise.shape[2:]), start, np.float32)
    sampling = replace(QUICK, num_inference_steps=steps, guidance_scale=1.0).resolved(small_model)
    canvas = Canvas(
        noise, everywhere(guide_from_settings(small_model, sampling)), noise, strength_map
    )
    told: list[tuple[int, int]] = []
    paint(small_model, canvas, sampling, on_progress=lambda *step: told.append(step))
    assert told[-1] == (taken, taken)
