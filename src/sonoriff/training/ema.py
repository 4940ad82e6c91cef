"""Exponential moving average of weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


class AveragedModel:
    """Weights averaged over the steps; `model` is the averaged copy.

    The decay rises with the number of steps, min(decay, (1 + n) / (10 + n)), so that a short run
    is not dominated by its start.

    References
    ----------
    Polyak & Juditsky (1992), SIAM J. Control Optim. 30(4).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.n_updates = 0
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move towards the weights of `model`; buffers are copied."""
        decay = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        self.n_updates += 1
        averaged: list[torch.Tensor] = [p for p in self.model.parameters() if p.is_floating_point()]
        current = [p.detach() for p in model.parameters() if p.is_floating_point()]
        torch._foreach_lerp_(averaged, current, 1.0 - decay)
        for mine, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)
