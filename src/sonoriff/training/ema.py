"""Exponential moving average of weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


class AveragedModel:
    """Weights averaged over the steps; `model` is the averaged copy.

    The decay rises with the number of steps, min(decay, (1 + n) / (10 + n)), so that a short run
    is not dominated by its start. Frozen weights are shared with the model, not copied; a decay
    of 0 shares all of them, which saves the memory of one copy.

    References
    ----------
    Polyak & Juditsky (1992), SIAM J. Control Optim. 30(4).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.n_updates = 0
        shared = {id(p): p for p in model.parameters() if not (p.requires_grad and decay)}
        self.model = copy.deepcopy(model, dict(shared)).eval()
        for parameter in self.model.parameters():
            if id(parameter) not in shared:
                parameter.requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move towards the weights of `model`; buffers are copied."""
        decay = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        self.n_updates += 1
        pairs = [
            (mine, theirs.detach())
            for mine, theirs in zip(self.model.parameters(), model.parameters(), strict=True)
            if mine is not theirs and mine.is_floating_point()
        ]
        if pairs:
            averaged, current = (list(tensors) for tensors in zip(*pairs, strict=True))
            torch._foreach_lerp_(averaged, current, 1.0 - decay)
        for mine, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)
