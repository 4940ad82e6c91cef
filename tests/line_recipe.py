"""The smallest recipe: a straight line behind a frozen layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class FrozenThenLine(nn.Module):
    """(B, 4) -> (B, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.line = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.line(self.frozen(x))
        return result


@dataclass
class LineRecipe:
    """Learns to sum pairs."""

    data: str = "a folder"
    scale: float = 1.0
    name: str = "line"

    def build(self) -> nn.Module:
        return FrozenThenLine()

    def facts(self) -> dict[str, Any]:
        return {"recipe": self.name, "data": self.data}

    def loss(
        self, model: nn.Module, generator: torch.Generator, batch_size: int
    ) -> tuple[Tensor, dict[str, float]]:
        x = torch.randn(batch_size, 4, generator=generator)
        target = x.view(batch_size, 2, 2).sum(dim=2)
        return self.scale * (model(x) - target).square().mean(), {}

    def before_save(self, model: nn.Module) -> None:
        pass

    def validate(self, model: nn.Module) -> dict[str, float]:
        return {"size": float(sum(p.numel() for p in model.parameters()))}

    def sample(self, model: nn.Module, folder: Path, step: int) -> None:
        pass
