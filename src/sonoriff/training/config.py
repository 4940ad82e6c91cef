"""How a training run is steered. What is trained stands in the recipe."""

from __future__ import annotations

from dataclasses import dataclass

from sonoriff.errors import ParameterError


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """Steps, rates and intervals of a run; the same for every recipe.

    Attributes
    ----------
    steps : step at which the run ends
    batch_size : clips a step and process
    learning_rate : after warm-up
    warmup_steps : linear rise at the start
    cooldown_steps : linear fall to zero before `steps`; 0 keeps the rate, so that the run can go on
    weight_decay : of matrices
    muon : Muon instead of AdamW for the matrices inside transformer blocks
    eight_bit : AdamW with 8-bit moments, from bitsandbytes
    rate_scales : (start of a parameter's name, share of the rate that it learns with)
    ema_decay : of the averaged weights; 0 keeps no average
    clip_norm : largest norm of the gradient
    accumulate : batches added up for one step
    save_minutes, sample_minutes, validate_steps : intervals
    max_minutes : stop (resumable) after this time; 0 for no limit
    keep_best : the run gives the averaged weights of the check with the lowest held-out loss, not
        the last ones; for music of which there is too little to learn from it for long
    seed : of everything random
    precision : "bf16" or "fp16" (autocast), "no", or "auto": bf16 where the processor multiplies
        it natively
    """

    steps: int
    batch_size: int
    learning_rate: float
    warmup_steps: int = 100
    cooldown_steps: int = 0
    weight_decay: float = 0.01
    muon: bool = False
    eight_bit: bool = False
    rate_scales: tuple[tuple[str, float], ...] = ()
    ema_decay: float = 0.999
    clip_norm: float = 1.0
    accumulate: int = 1
    save_minutes: float = 5.0
    sample_minutes: float = 15.0
    validate_steps: int = 250
    max_minutes: float = 0.0
    keep_best: bool = False
    seed: int = 0
    precision: str = "auto"

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulate", "validate_steps"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.ema_decay < 1 or self.learning_rate <= 0:
            raise ParameterError("need 0 <= ema_decay < 1 and learning_rate > 0")
        if self.precision not in ("auto", "bf16", "fp16", "no"):
            raise ParameterError(
                f"precision must be auto, bf16, fp16 or no, got {self.precision!r}"
            )
        if self.eight_bit and self.muon:
            raise ParameterError("choose Muon or 8-bit Adam, not both")

    def rate(self, step: int) -> float:
        """Learning rate at `step`: rise, plateau, fall (trapezoid)."""
        rise = min(1.0, (step + 1) / max(1, self.warmup_steps))
        left = self.steps - step
        fall = min(1.0, left / self.cooldown_steps) if self.cooldown_steps else 1.0
        return self.learning_rate * rise * fall
