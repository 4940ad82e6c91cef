"""Recipe: the denoiser, by flow matching on latents."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sonoriff.diffusion.flow import mix, sampling_times, training_times
from sonoriff.diffusion.guidance import guided
from sonoriff.diffusion.masks import random_mask
from sonoriff.diffusion.samplers import sample_euler
from sonoriff.models.small.autoencoder import SonogramAutoencoder
from sonoriff.models.small.denoiser import Conditioning, Denoiser, DenoiserConfig
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.text import load_text_encoder
from sonoriff.training.latents import LatentSet, pad_captions
from sonoriff.training.sheets import save_sheet

CAPTION_TOKENS = 32
VALIDATION_TIMES = (0.15, 0.35, 0.55, 0.75, 0.95)
SHEET_PROMPTS = (
    "techno",
    "solo piano ballad, slow",
    "smooth tropical dance jazz",
    "heavy metal with distorted guitars",
    "church organ hymn",
    "bossa nova with flute",
    "drum and bass, 174 bpm",
    "string quartet, sad, in D minor",
    "reggae",
    "ambient pads, no drums",
    "funky slap bass",
    "celtic harp",
)


@dataclass
class DenoiserRecipe:
    """Velocity matching with logit-normal times, caption dropout and random masks.

    Attributes
    ----------
    latents : the training latents
    autoencoder : decodes the sample sheets
    model_config : shape of the denoiser
    text_dropout, fact_dropout : shares of clips that lose the prompt, and each of tempo and key
    beat_dropout : share of clips with a tempo whose place in the beat is not told
    time_shift : of the training times, above 1 towards noise
    compile_model : fuse with torch.compile; pays after some hundred steps
    start : the model whose denoiser the run begins with, of the same shape; None for fresh weights
    sheet_prompts : of the sample sheets
    """

    latents: LatentSet
    autoencoder: SonogramAutoencoder
    model_config: DenoiserConfig = field(default_factory=DenoiserConfig)
    text_dropout: float = 0.1
    fact_dropout: float = 0.4
    beat_dropout: float = 0.2
    time_shift: float = 1.0
    n_validation: int = 192
    compile_model: bool = False
    start: SmallModel | None = None
    sheet_prompts: tuple[str, ...] = SHEET_PROMPTS
    name: str = "denoiser"

    def __post_init__(self) -> None:
        self.train_indices = self.latents.subset("train")
        held_out = self.latents.subset("validation")
        every = max(1, len(held_out) // self.n_validation)
        self.validation_indices = held_out[::every][: self.n_validation]

    def build(self) -> nn.Module:
        """The start's denoiser, or a new one that knows the mean and the spread of the latents."""
        denoiser = Denoiser(self.model_config)
        if self.start is not None:
            denoiser.load_state_dict(self.start.denoiser.state_dict())
            return denoiser
        count = min(512, len(self.train_indices))
        picks = np.linspace(0, len(self.train_indices) - 1, count).astype(int)
        data = self._data(self.train_indices[picks])
        denoiser.level.copy_(data.mean(dim=(0, 3)))
        denoiser.spread.copy_(data.std(dim=(0, 3)).clamp_min(1e-3))
        return denoiser

    def facts(self) -> dict[str, Any]:
        """The shape; the corpus may grow between runs."""
        facts: dict[str, Any] = {"recipe": self.name, "model": self.model_config.to_dict()}
        if self.start is not None:
            facts["steps_before"] = self.start.facts.get("denoiser_steps", 0)
        return facts

    def loss(
        self, model: nn.Module, generator: torch.Generator, batch_size: int
    ) -> tuple[Tensor, dict[str, float]]:
        """Mean squared error of the velocity."""
        picks = torch.randint(len(self.train_indices), (batch_size,), generator=generator)
        indices = self.train_indices[picks.numpy()]
        data = self._data(indices)
        condition = self._condition(indices, generator)
        noise = torch.randn(data.shape, generator=generator)
        times = training_times(batch_size, generator, shift=self.time_shift)
        mask = torch.stack(
            [random_mask(data.shape[2], data.shape[3], generator) for _ in range(batch_size)]
        )
        device = next(model.parameters()).device
        data, noise, times, mask = (x.to(device) for x in (data, noise, times, mask))
        forward = torch.compile(model) if self.compile_model else model
        velocity = forward(mix(data, noise, times), times, condition.to(device), data, mask).float()
        error = (velocity - (noise - data)).square().mean(dim=1, keepdim=True)
        unknown = 1.0 - mask
        loss = (error * unknown).sum() / unknown.sum().clamp_min(1.0)
        return loss, {}

    def _data(self, indices: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(np.stack([self.latents.latent(int(i)) for i in indices])).float()

    def _condition(
        self, indices: np.ndarray[Any, Any], generator: torch.Generator | None
    ) -> Conditioning:
        """Random captions and dropouts; the first caption and all facts without a generator."""
        dice = torch.rand(len(indices), 5, generator=generator) if generator else None
        captions, facts = [], []
        for row, index in enumerate(indices.tolist()):
            bpm, key, mode, beat = self.latents.facts(index)
            which = 0
            if dice is not None:
                which = int(dice[row, 0] * len(self.latents.spans[index]))
                bpm = bpm if dice[row, 1] >= self.fact_dropout else 0.0
                key, mode = (key, mode) if dice[row, 2] >= self.fact_dropout else (-1, -1)
                beat = beat if dice[row, 4] >= self.beat_dropout else math.nan
            captions.append(self.latents.caption(index, which))
            facts.append((bpm, key, mode, beat))
        text, present = pad_captions(captions, CAPTION_TOKENS)
        bpm_t, key_t, mode_t, beat_t = (torch.tensor(column) for column in zip(*facts, strict=True))
        if dice is not None:
            dropped = dice[:, 3] < self.text_dropout
            present = present & ~dropped[:, None]
            # A dropped prompt drops the facts as well: the unconditional branch of guidance.
            bpm_t = torch.where(dropped, 0.0, bpm_t)
            key_t, mode_t = torch.where(dropped, -1, key_t), torch.where(dropped, -1, mode_t)
        return Conditioning(text, present, bpm_t, key_t, mode_t, beat_t)

    def before_save(self, model: nn.Module) -> None:
        """Nothing belongs to the weights but themselves."""

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """Mean velocity error on held-out clips at five times, noise and prompts fixed."""
        if len(self.validation_indices) == 0:
            return {}
        generator = torch.Generator().manual_seed(1)
        device = next(model.parameters()).device
        errors: dict[float, list[float]] = {t: [] for t in VALIDATION_TIMES}
        for start in range(0, len(self.validation_indices), 32):
            indices = self.validation_indices[start : start + 32]
            data = self._data(indices).to(device)
            condition = self._condition(indices, None).to(device)
            empty = torch.zeros(len(data), 1, *data.shape[2:], device=device)
            for t in VALIDATION_TIMES:
                noise = torch.randn(data.shape, generator=generator).to(device)
                times = torch.full((len(data),), t, device=device)
                velocity = model(mix(data, noise, times), times, condition, data, empty).float()
                errors[t].append(float((velocity - (noise - data)).square().mean()))
        means = {t: float(np.mean(values)) for t, values in errors.items()}
        return {"validation": float(np.mean(list(means.values())))} | {
            f"validation_{t}": value for t, value in means.items()
        }

    @torch.no_grad()
    def sample(self, model: nn.Module, folder: Path, step: int) -> None:
        """A sheet of the prompts, one seed each, 24 Euler steps, guidance 4."""
        assert isinstance(model, Denoiser)
        device = next(model.parameters()).device
        states, present = load_text_encoder()(list(self.sheet_prompts))
        n, shape = len(self.sheet_prompts), self.latents.latent(0).shape
        none, no_fact = torch.zeros(n), torch.full((n,), -1)
        with_text = Conditioning(states, present, none, no_fact, no_fact, none)
        both = Conditioning(
            torch.cat([states, states]),
            torch.cat([torch.zeros_like(present), present]),
            *(torch.cat([x, x]) for x in (none, no_fact, no_fact, none)),
        )

        def evaluate(x: Tensor, time: float, condition: Conditioning) -> Tensor:
            x, times = x.to(device), torch.full((len(x),), time, device=device)
            empty = torch.zeros(len(x), 1, *shape[1:], device=device)
            with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_amx_tile_supported()):
                v: Tensor = model(x, times, condition.to(device), x, empty)
            return v.float().cpu()

        velocity = guided(
            lambda x, t: evaluate(x, t, both), lambda x, t: evaluate(x, t, with_text), 4.0
        )
        noise = torch.randn(n, *shape, generator=torch.Generator().manual_seed(7))
        latents = sample_euler(velocity, noise, sampling_times(24))
        pictures = torch.cat([self.autoencoder.decode(z[None]) for z in latents])
        rows = list(zip(self.sheet_prompts, pictures[:, 0], strict=True))
        save_sheet(folder / f"step-{step:07d}.png", rows, columns=3)
