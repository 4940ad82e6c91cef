"""Latents of long pictures, on a tiny model with random weights."""

from __future__ import annotations

import numpy as np

from sonoriff.models.small.model import SmallModel


def test_latents_of_a_long_picture_are_those_of_the_whole(small_model: SmallModel) -> None:
    from sonoriff.pipeline.latent_codec import latents_from_picture, picture_from_latents

    picture = np.random.default_rng(0).uniform(-1, 1, (1, 1, 256, 150 * 8)).astype(np.float32)
    latents = latents_from_picture(small_model, picture)
    whole = small_model.encode(picture)
    np.testing.assert_allclose(latents[..., 12:-12], whole[..., 12:-12], atol=1e-5)
    np.testing.assert_allclose(
        picture_from_latents(small_model, latents), small_model.decode(latents), atol=1e-5
    )
