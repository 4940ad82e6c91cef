"""Modules of PyTorch as the layers that a LoRA changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sonoriff.models.lora import Layer, Layers


class _ModuleLayer(Layer):
    def __init__(self, module: nn.Module) -> None:
        assert isinstance(module.weight, Tensor)
        self._weight, self.shape = module.weight, tuple(module.weight.shape)

    @torch.no_grad()
    def add(self, change: npt.NDArray[np.float32]) -> None:
        """Add to the module's weight, in place."""
        weight = self._weight
        weight.copy_(weight.float() + torch.from_numpy(change).to(weight.device))


def layers_of(root: nn.Module) -> Layers:
    """Linear layers and convolutions of a network by their names."""
    return {
        name: _ModuleLayer(module)
        for name, module in root.named_modules()
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d)
    }
