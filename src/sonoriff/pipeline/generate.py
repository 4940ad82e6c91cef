"""Text to music."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sonoriff import __version__
from sonoriff.diffusion.flow import sampling_times
from sonoriff.diffusion.guidance import guided
from sonoriff.diffusion.samplers import SAMPLERS, Velocity
from sonoriff.errors import ParameterError
from sonoriff.models.small.denoiser import Conditioning
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.prompt import bpm_in_prompt, key_in_prompt, parse_key
from sonoriff.pipeline.windows import windowed
from sonoriff.sonogram.sonogram import Sonogram

WINDOW_FRAMES = 512
OVERLAP = 0.25
MAX_DURATION_S = 600.0
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class GenerateSettings:
    """Everything that decides what a clip is, besides the model.

    Attributes
    ----------
    prompt, negative_prompt : what to hear and what not; empty is unconditional
    seed : of the noise
    num_inference_steps, guidance_scale, sampler, shift : of the sampler; see `diffusion`
    duration_s : None is one window
    bpm : tempo; None takes the prompt's "120 bpm", if any
    key : "D minor"; None takes the prompt's "in D minor", if any
    """

    prompt: str
    negative_prompt: str = ""
    seed: int = 0
    num_inference_steps: int = 16
    guidance_scale: float = 4.0
    sampler: str = "ab2"
    shift: float = 1.0
    duration_s: float | None = None
    bpm: float | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.num_inference_steps <= 1000:
            raise ParameterError(f"steps must be in [1, 1000], got {self.num_inference_steps}")
        if not 0 <= self.guidance_scale <= 50:
            raise ParameterError(f"guidance must be in [0, 50], got {self.guidance_scale}")
        if not 0 <= self.seed < 2**63:
            raise ParameterError(f"seed must be in [0, 2^63), got {self.seed}")
        if self.sampler not in SAMPLERS:
            raise ParameterError(f"sampler must be one of {', '.join(SAMPLERS)}: {self.sampler!r}")
        if self.duration_s is not None and not 0 < self.duration_s <= MAX_DURATION_S:
            raise ParameterError(
                f"duration must be above 0 and at most {MAX_DURATION_S:.0f} s, "
                f"got {self.duration_s}"
            )


def generate(
    model: SmallModel, settings: GenerateSettings, *, on_progress: OnProgress | None = None
) -> Clip:
    """A clip for a prompt.

    The same settings give the same clip on the same machine. `on_progress(step, steps)` may raise
    `Cancelled` to stop between two steps.
    """
    n_frames = _frames(model, settings)
    noise = _noise(model, n_frames, settings.seed)
    velocity = _velocity(model, settings)
    times = sampling_times(settings.num_inference_steps, shift=settings.shift)
    tell = (lambda i, n, _x: on_progress(i, n)) if on_progress else None
    with torch.inference_mode():
        latents = SAMPLERS[settings.sampler](velocity, noise, times, on_step=tell)
        picture = model.decode(latents)[0, :, :, :n_frames]
    return Clip(_sonogram(model, picture, settings))


def _frames(model: SmallModel, settings: GenerateSettings) -> int:
    if settings.duration_s is None:
        return WINDOW_FRAMES
    return max(1, round(settings.duration_s * model.params.frames_per_second))


def _noise(model: SmallModel, n_frames: int, seed: int) -> Tensor:
    """(1, C, H, W); column by column, so that a longer clip starts with the noise of a shorter."""
    channels, height, width = model.latent_shape(n_frames)
    generator = torch.Generator().manual_seed(seed)
    columns = torch.randn(width, channels, height, generator=generator)
    return columns.permute(1, 2, 0)[None].to(model.device)


def _velocity(model: SmallModel, settings: GenerateSettings) -> Velocity:
    key, mode = parse_key(settings.key) if settings.key else key_in_prompt(settings.prompt)
    bpm = settings.bpm if settings.bpm is not None else bpm_in_prompt(settings.prompt)
    texts = [settings.negative_prompt, settings.prompt]
    condition = model.condition(texts, bpm=bpm, key=key, mode=mode)
    condition.bpm[0], condition.key[0], condition.mode[0] = 0.0, -1, -1

    def evaluate(x: Tensor, time: float, rows: list[int]) -> Tensor:
        """`x` holds the branches `rows` one after the other."""
        chosen = torch.tensor(rows, device=x.device).repeat_interleave(len(x) // len(rows))
        batch = Conditioning(
            *(
                part[chosen]
                for part in (
                    condition.text,
                    condition.present,
                    condition.bpm,
                    condition.key,
                    condition.mode,
                )
            )
        )
        nothing = torch.zeros(len(x), 1, *x.shape[2:], dtype=model.dtype, device=x.device)
        times = torch.full((len(x),), time, device=x.device)
        noisy = x.to(model.dtype)
        result: Tensor = model.denoiser(noisy, times, batch, noisy, nothing)
        return result.float()

    velocity = guided(
        lambda x, t: evaluate(x, t, [0, 1]),
        lambda x, t: evaluate(x, t, [1]),
        settings.guidance_scale,
    )
    window = model.latent_shape(WINDOW_FRAMES)[2]
    return windowed(velocity, window, round(OVERLAP * window))


def _sonogram(model: SmallModel, picture: Tensor, settings: GenerateSettings) -> Sonogram:
    params = model.params
    decibels = (picture + 1.0) * (0.5 * (params.db_max - params.db_min)) + params.db_min
    values = np.ascontiguousarray(decibels.cpu().numpy(), dtype=np.float32)
    return Sonogram(values, params, _metadata(model, settings))


def _metadata(model: SmallModel, settings: GenerateSettings) -> dict[str, Any]:
    return {
        "verb": "generate",
        "model": model.facts.get("name", "small"),
        "version": __version__,
        **vars(settings),
    }
