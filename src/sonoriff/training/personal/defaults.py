"""Steps, batches and rates that suit a folder of music; docs/training.md has them as a table."""

from __future__ import annotations

from sonoriff.training.config import LoopConfig

# (passes over the clips, fewest steps, most steps, clips a step, learning rate)
_SMALL_LORA = (8, 100, 1_500, 8, 4e-3)
_SMALL_WHOLE = (8, 100, 3_000, 8, 5e-4)
_DIFFUSION_LORA = (30, 500, 10_000, 4, 1e-4)
_DIFFUSION_WHOLE = (30, 500, 20_000, 4, 1e-5)

# What a taught model of the bundled kind is played with: a push leads away from its music again;
# see docs/research/experiments.md.
SMALL_GUIDANCE = 2.0


def own_defaults(n_clips: int, *, small: bool, lora: bool, accumulate: int = 1) -> LoopConfig:
    """The configuration for `n_clips` training clips of 5.94 s."""
    if small:
        row = _SMALL_LORA if lora else _SMALL_WHOLE
    else:
        row = _DIFFUSION_LORA if lora else _DIFFUSION_WHOLE
    passes, fewest, most, batch, rate = row
    steps = round(passes * n_clips / (batch * accumulate))
    return LoopConfig(
        steps=min(most, max(fewest, steps)),
        batch_size=batch,
        accumulate=accumulate,
        learning_rate=rate,
        keep_best=True,
    )
