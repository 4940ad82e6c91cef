"""Muon for the matrices of a transformer, AdamW for everything else, as one optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_MATCH = 0.2  # spread of an AdamW update, to which Muon's is scaled


def orthogonalised(matrix: Tensor) -> Tensor:
    """The nearest matrix with singular values near one, by a quintic Newton-Schulz iteration.

    Computed in bfloat16 where the processor multiplies it in hardware, else in float32: without
    that hardware bfloat16 is a hundred times slower.
    """
    a, b, c = _COEFFICIENTS
    fast = matrix.is_cuda or torch.cpu._is_amx_tile_supported()
    x = matrix / (matrix.norm() + 1e-7)
    x = x.to(torch.bfloat16) if fast else x
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(_ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    result: Tensor = (x.T if tall else x).to(matrix.dtype)
    return result


class MuonAdamW(torch.optim.Optimizer):
    """Groups with ``muon=True`` take orthogonalised momentum, the others AdamW.

    Parameters
    ----------
    groups : parameter groups with keys params, weight_decay, rate_scale, muon
    lr : learning rate of both; Muon's update is scaled to the spread of AdamW's
    betas : of AdamW
    momentum : of Muon, with Nesterov's look-ahead

    References
    ----------
    Jordan et al., Muon (2024); Liu et al., Muon is Scalable for LLM Training (2025) for the
    scale; Loshchilov & Hutter, Decoupled Weight Decay Regularization (2019).
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        lr: float,
        *,
        betas: tuple[float, float] = (0.9, 0.99),
        momentum: float = 0.95,
    ) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of all groups."""
        assert closure is None, "closures are not supported"
        for group in self.param_groups:
            update = self._muon if group["muon"] else self._adamw
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
                    update(parameter, parameter.grad, group)

    def _muon(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        mean = state["momentum"].lerp_(gradient, 1.0 - group["momentum"])
        change = orthogonalised(gradient.lerp(mean, group["momentum"]))
        scale = _MATCH * max(parameter.shape) ** 0.5
        parameter.add_(change, alpha=-group["lr"] * scale)

    def _adamw(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["mean"] = torch.zeros_like(parameter)
            state["square"] = torch.zeros_like(parameter)
        first, second = group["betas"]
        state["step"] += 1
        n = float(state["step"])
        state["mean"].lerp_(gradient, 1.0 - first)
        state["square"].lerp_(gradient.square(), 1.0 - second)
        root = (state["square"] / (1.0 - second**n)).sqrt_().add_(1e-8)
        parameter.addcdiv_(state["mean"], root, value=-group["lr"] / (1.0 - first**n))


def make_optimizer(
    model: nn.Module, learning_rate: float, weight_decay: float, *, muon: bool
) -> MuonAdamW:
    """Matrices inside blocks by Muon if asked; weight decay on matrices only."""
    inner, outer, vectors = [], [], []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim < 2:
            vectors.append(parameter)
        elif muon and name.startswith("blocks.") and name.endswith(".weight"):
            inner.append(parameter)
        else:
            outer.append(parameter)
    groups = [
        {"params": inner, "weight_decay": weight_decay, "muon": True},
        {"params": outer, "weight_decay": weight_decay, "muon": False},
        {"params": vectors, "weight_decay": 0.0, "muon": False},
    ]
    return MuonAdamW([g for g in groups if g["params"]], learning_rate)
