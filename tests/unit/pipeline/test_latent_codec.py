"""Latents of long pictures, on a tiny model with random weights."""

from __future__ import annotations

import torch

from sonoriff.models.small.model import SmallModel


def test_latents_of_a_long_picture_are_those_of_the_whole(small_model: SmallModel) -> None:
    from sonoriff.pipeline.latent_codec import latents_from_picture, picture_from_latents

    picture = torch.rand(1, 1, 256, 150 * 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = latents_from_picture(small_model, picture)
    whole = small_model.encode(picture)
    torch.testing.assert_close(latents[..., 12:-12], whole[..., 12:-12])
    torch.testing.assert_close(
        picture_from_latents(small_model, latents), small_model.decode(latents)
    )
