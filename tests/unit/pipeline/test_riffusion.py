"""Riffusion's own call, on a tiny model with random weights."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from painted import noise, values
from sonoriff.errors import ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.remake import remake
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.pipeline.riffusion import InferenceInput, riffuse
from sonoriff.sonogram import Sonogram


@pytest.fixture(scope="module")
def source() -> Sonogram:
    return noise(1.0)


def request(**changes: object) -> InferenceInput:
    end = {"prompt": "jazz", "seed": 1, "denoising": 0.5, "guidance": 3.0}
    body = {"alpha": 0.0, "num_inference_steps": 4, "start": end}
    body |= {"end": {**end, "prompt": "funk", "seed": 2}, "unknown": 1, **changes}
    return InferenceInput.from_dict(body)


def test_riffuse_at_its_ends_is_a_remix(small_model: SmallModel, source: Sonogram) -> None:
    for alpha, prompt, seed in ((0.0, "jazz", 1), (1.0, "funk", 2)):
        made = riffuse(small_model, request(alpha=alpha), source)
        settings = RemixSettings(
            prompt=prompt, seed=seed, strength=0.5, num_inference_steps=4, guidance_scale=3.0
        )
        expected = values(remix(small_model, source, settings))
        np.testing.assert_allclose(values(made), expected, atol=1e-3)


def test_black_of_a_mask_is_kept(small_model: SmallModel, source: Sonogram) -> None:
    mask = Image.new("L", (512, 512), 0)
    mask.paste(255, (256, 0, 512, 512))
    plain, masked = (
        values(riffuse(small_model, request(alpha=0.5), source, m)) for m in (None, mask)
    )
    third = source.n_frames // 3
    assert (
        np.abs(plain[..., -third:] - masked[..., -third:]).mean()
        < np.abs(plain[..., :third] - masked[..., :third]).mean()
    )
    np.testing.assert_array_equal(masked[..., :third], source.values[..., :third])


def test_a_riff_between_two_prompts_is_made_again(
    small_model: SmallModel, source: Sonogram
) -> None:
    first = riffuse(small_model, request(alpha=0.3), source)
    np.testing.assert_array_equal(values(remake(small_model, first, source)), values(first))
    with pytest.raises(ParameterError, match="give that as the source"):
        remake(small_model, first)
    masked = riffuse(small_model, request(), source, Image.new("L", (64, 64), 200))
    with pytest.raises(ParameterError, match="mask"):
        remake(small_model, masked, source)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"start": None}, "start"),
        ({"start": {"seed": 1}}, "prompt"),
        ({"alpha": "half"}, "alpha must be of type"),
        ({"alpha": 2.0}, "alpha must be in"),
        ({"alpha": float("nan")}, "alpha"),
        ({"num_inference_steps": True}, "num_inference_steps"),
        ({"start": {"prompt": "a", "seed": 1, "denoising": 3}}, "denoising"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(changes: dict[str, object], what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        request(**changes)
