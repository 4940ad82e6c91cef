"""A step of the UNet that takes the features of its inner layers from the step before.

From step to step these change slowly: what was heard stays, what is fine is painted. The outermost
layers alone, those next to the latents, cost a tenth of a whole step.

References
----------
Ma, Fang & Wang, DeepCache: Accelerating Diffusion Models for Free (2024), with the last layer of
the last block as the one that is computed always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass
class Rows:
    """A batch of conditions, and what the UNet remembers of its last step with them.

    Attributes
    ----------
    states : (B, L, D) of CLIP
    features : (B, C, H, W) that the inner layers handed to the outermost one, None before a step
    steps : so far
    """

    states: Tensor
    features: Tensor | None = None
    steps: int = 0


def step(unet: Any, inputs: Tensor, timestep: Tensor, rows: Rows, reuse: int) -> Tensor:
    """What the UNet gives; the inner layers are computed at the first of `reuse` steps.

    Parameters
    ----------
    inputs : (B, C, H, W), as the UNet takes them
    timestep : of no axes
    """
    fresh = rows.steps % reuse == 0 or rows.features is None
    rows.steps += 1
    if reuse == 1:
        output: Tensor = unet(
            inputs, timestep, encoder_hidden_states=rows.states, return_dict=False
        )[0]
        return output
    return _whole(unet, inputs, timestep, rows) if fresh else _outer(unet, inputs, timestep, rows)


def _whole(unet: Any, inputs: Tensor, timestep: Tensor, rows: Rows) -> Tensor:
    """All layers; keeps what comes to the last one from within."""

    def keep(_module: Any, arguments: tuple[Tensor, ...]) -> None:
        beside = unet.conv_in.out_channels
        rows.features = arguments[0][:, :-beside].clone()

    handle = unet.up_blocks[-1].resnets[-1].register_forward_pre_hook(keep)
    try:
        output: Tensor = unet(
            inputs, timestep, encoder_hidden_states=rows.states, return_dict=False
        )[0]
    finally:
        handle.remove()
    return output


def _outer(unet: Any, inputs: Tensor, timestep: Tensor, rows: Rows) -> Tensor:
    """The outermost layers, as `UNet2DConditionModel.forward` has them."""
    assert rows.features is not None
    embedded = unet.time_embedding(unet.get_time_embed(inputs, timestep))
    block = unet.up_blocks[-1]
    hidden = torch.cat([rows.features, unet.conv_in(inputs)], dim=1)
    hidden = block.resnets[-1](hidden, embedded)
    if getattr(block, "attentions", None):
        hidden = block.attentions[-1](hidden, encoder_hidden_states=rows.states, return_dict=False)[
            0
        ]
    output: Tensor = unet.conv_out(unet.conv_act(unet.conv_norm_out(hidden)))
    return output
