"""Muon for the matrices of a transformer, AdamW for everything else, as one optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sonoriff.errors import ParameterError
from sonoriff.training.config import LoopConfig

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
# Root mean square of an update at rate 1: three times AdamW's, see docs/research/experiments.md.
_SPREAD = 0.6
# Where the matrices and kernels stand that Muon takes.
_MUON = ("blocks.", "before.", "after.")


def orthogonalised(matrix: Tensor) -> Tensor:
    """The nearest matrix with singular values near one, by a quintic Newton-Schulz iteration.

    The iteration multiplies the matrix from its short side by polynomials of its Gram matrix, so
    only their product is built up, and the long matrix is touched twice. In float32: the product
    multiplies the rounding of bfloat16 until a gradient of small rank comes out wrong by half.
    """
    a, b, c = _COEFFICIENTS
    x = matrix / (matrix.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    gram = x.T @ x if tall else x @ x.T
    total: Tensor | None = None
    for left in reversed(range(_ITERATIONS)):
        step = b * gram + c * gram @ gram
        step.diagonal().add_(a)
        total = step if total is None else step @ total
        if left:
            gram = step @ gram @ step
    assert total is not None
    result: Tensor = x @ total if tall else total @ x
    return result


class MuonAdamW(torch.optim.Optimizer):
    """Groups with ``muon=True`` take orthogonalised momentum, the others AdamW.

    Parameters
    ----------
    groups : parameter groups with keys params, weight_decay, rate_scale, muon
    lr : learning rate of both; Muon's updates spread three times as far as AdamW's
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
        # A convolution's kernel is the matrix of its outputs by all that each of them sees.
        change = orthogonalised(gradient.lerp(mean, group["momentum"]).flatten(1))
        scale = _SPREAD * max(change.shape) ** 0.5
        parameter.add_(change.view_as(parameter), alpha=-group["lr"] * scale)

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


def make_optimizer(model: nn.Module, config: LoopConfig) -> torch.optim.Optimizer:
    """Matrices inside blocks by Muon if asked; weight decay on matrices only.

    Raises ParameterError where 8-bit moments are asked for and bitsandbytes is not installed.
    """
    groups: dict[tuple[str, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            scale = next((s for start, s in config.rate_scales if name.startswith(start)), 1.0)
            groups.setdefault((_kind(name, parameter, config), scale), []).append(parameter)
    if not groups:
        raise ParameterError("nothing in this model is trained: every weight is frozen")
    ordered = [
        {
            "params": parameters,
            "weight_decay": 0.0 if kind == "vector" else config.weight_decay,
            "muon": kind == "inner",
            "rate_scale": scale,
        }
        for (kind, scale), parameters in sorted(groups.items(), key=lambda item: item[0])
    ]
    if config.eight_bit:
        return _eight_bit_adamw(ordered, config.learning_rate)
    return MuonAdamW(ordered, config.learning_rate)


def _kind(name: str, parameter: nn.Parameter, config: LoopConfig) -> str:
    """Its group; stored runs have them in the order of these names."""
    if parameter.ndim < 2:
        return "vector"
    muon = config.muon and name.startswith(_MUON) and name.endswith(".weight")
    return "inner" if muon else "outer"


def _eight_bit_adamw(groups: list[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise ParameterError(
            "8-bit Adam needs bitsandbytes: pip install bitsandbytes, or leave it off"
        ) from error
    optimizer: torch.optim.Optimizer = AdamW8bit(groups, lr=rate, betas=(0.9, 0.99))
    return optimizer
