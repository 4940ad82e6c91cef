"""Recipe: the denoiser, by flow matching on latents."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sonoriff.analysis.chords import chord_of_class
from sonoriff.models.small.conditions import DenoiserConditions
from sonoriff.models.small.config import CONDITIONS, DenoiserConfig
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.scale import chord_vector
from sonoriff.models.small.sides import CHANNELS
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.models.small.torch.denoiser import Conditions, Denoiser
from sonoriff.models.small.torch.networks import TorchNetworks, torch_networks
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.training.data.latents import LatentSet, pad_captions
from sonoriff.training.data.pictures import picture_from_mel, training_clips
from sonoriff.training.flow import mix, training_times
from sonoriff.training.masks import random_mask
from sonoriff.training.sample_grids import save_sheet, save_sounds

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

# Of the answers of `chords_of_waveform`; the last one is that for none.
_CHORDS = torch.from_numpy(
    np.stack([chord_vector(chord_of_class(number)) for number in (*range(24), -1)])
)


def _chords_of_columns(chords: npt.NDArray[np.int8], columns: int) -> Tensor:
    """(columns, 24) of chords that were heard at even distances, the first -1 where unknown."""
    places = (torch.arange(columns) * len(chords)) // columns
    return _CHORDS[torch.from_numpy(chords.astype(np.int64))[places]]


def _moved(condition: Conditions, device: torch.device) -> Conditions:
    return condition.map(lambda tensor: tensor.to(device))


@dataclass
class DenoiserRecipe:
    """Velocity matching with caption dropout and random masks.

    What a clip will be is decided at times above 0.8: there the prompt lowers the error most.

    Attributes
    ----------
    latents : the training latents
    autoencoder : decodes the sample sheets
    model_config : shape of the denoiser
    text_dropout, fact_dropout : shares of clips that lose the prompt, and each of tempo and key
    beat_dropout : share of clips with a tempo whose place in the beat is not told
    heard_dropout : shares of clips that lose kind, energy and chords, each by itself
    time_shift : of the training times, above 1 towards noise; 2 has 26 % above 0.85
    compile_model : fuse with torch.compile; pays after some hundred steps
    start : the model whose denoiser the run begins with, of the same shape, but that a mono one may
        become stereo; None for fresh weights
    sheet_prompts : of the sample sheets
    """

    latents: LatentSet
    autoencoder: SonogramAutoencoder
    model_config: DenoiserConfig = field(default_factory=DenoiserConfig)
    text_dropout: float = 0.1
    fact_dropout: float = 0.4
    beat_dropout: float = 0.2
    heard_dropout: tuple[float, float, float] = (0.15, 0.4, 0.5)
    time_shift: float = 2.0
    n_validation: int = 192
    compile_model: bool = False
    start: SmallModel | None = None
    sheet_prompts: tuple[str, ...] = SHEET_PROMPTS
    name: str = "denoiser"
    _tempi: tuple[Tensor, Tensor] | None = None

    def __post_init__(self) -> None:
        self.train_indices = training_clips(self.latents)
        held_out = self.latents.subset("validation")
        every = max(1, len(held_out) // self.n_validation)
        self.validation_indices = held_out[::every][: self.n_validation]

    def build(self) -> nn.Module:
        """The start's denoiser, or a new one that knows the mean and the spread of the latents."""
        denoiser = Denoiser(self.model_config)
        if self.start is not None:
            # What it was not told yet begins at zero.
            new = {n for n in denoiser.state_dict() if n.partition(".")[0] in CONDITIONS}
            state = torch_networks(self.start).denoiser.state_dict()
            if self.model_config.stereo and not self.start.stereo:
                state = self._widened(state)
            missing, unexpected = denoiser.load_state_dict(state, strict=False)
            assert not unexpected
            assert set(missing) <= new
            return denoiser
        level, spread = self._measured()
        denoiser.level.copy_(level)
        denoiser.spread.copy_(spread)
        return denoiser

    def _measured(self) -> tuple[Tensor, Tensor]:
        """Mean and spread of the latents of each channel and row, (C, H)."""
        count = min(512, len(self.train_indices))
        picks = np.linspace(0, len(self.train_indices) - 1, count).astype(int)
        data = self._data(self.train_indices[picks])
        return data.mean(dim=(0, 3)), data.std(dim=(0, 3)).clamp_min(1e-3)

    def _widened(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """A mono denoiser's weights with two channels more, which it neither reads nor writes."""
        wide = dict(state)
        for name, measured in zip(("level", "spread"), self._measured(), strict=True):
            wide[name] = torch.cat([state[name], measured[-CHANNELS:]])
        channels = len(state["level"])
        noisy, known, mask = torch.tensor_split(
            state["enter.weight"], (channels, 2 * channels), dim=1
        )
        none = torch.zeros(len(noisy), CHANNELS)
        wide["enter.weight"] = torch.cat([noisy, none, known, none, mask], dim=1)
        weight, bias = state["leave.weight"], state["leave.bias"]
        wide["leave.weight"] = torch.cat([weight, torch.zeros(CHANNELS, weight.shape[1])])
        wide["leave.bias"] = torch.cat([bias, torch.zeros(CHANNELS)])
        return wide

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
        velocity = forward(
            mix(data, noise, times), times, _moved(condition, device), data, mask
        ).float()
        error = (velocity - (noise - data)).square().mean(dim=1, keepdim=True)
        unknown = 1.0 - mask
        loss = (error * unknown).sum() / unknown.sum().clamp_min(1.0)
        return loss, {}

    def _data(self, indices: np.ndarray[Any, Any]) -> Tensor:
        rows = np.stack([self.latents.latent(int(i)) for i in indices])
        return torch.from_numpy(rows[:, : self.model_config.latent_channels]).float()

    def _condition(
        self, indices: np.ndarray[Any, Any], generator: torch.Generator | None
    ) -> Conditions:
        """Random captions and dropouts; the first caption and all facts without a generator."""
        dice = torch.rand(len(indices), 9, generator=generator) if generator else None
        captions, facts, heard = [], [], []
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
            heard.append(self.latents.heard(index))
        text, present = pad_captions(captions, CAPTION_TOKENS)
        bpm_t, key_t, mode_t, beat_t = (torch.tensor(column) for column in zip(*facts, strict=True))
        kind_t, energy_t = (torch.tensor([each[i] for each in heard]) for i in (0, 1))
        columns = self.latents.latent(int(indices[0])).shape[-1]
        chords_t = torch.stack([_chords_of_columns(each[2], columns) for each in heard])
        if dice is not None:
            dropped = dice[:, 3] < self.text_dropout
            present = present & ~dropped[:, None]
            # Half of the dropped prompts drop the facts as well: guidance may push away from music
            # without a wish, or from any music at the same tempo.
            bare = dropped & (dice[:, 5] < 0.5)
            bpm_t = torch.where(bare, 0.0, bpm_t)
            key_t, mode_t = torch.where(bare, -1, key_t), torch.where(bare, -1, mode_t)
            kind, energy, chords = (
                bare | (dice[:, 6 + i] < share) for i, share in enumerate(self.heard_dropout)
            )
            kind_t = torch.where(kind, -1, kind_t)
            energy_t = torch.where(energy, 0, energy_t)
            chords_t = torch.where(chords[:, None, None], 0.0, chords_t)
        return DenoiserConditions(
            text, present, bpm_t, key_t, mode_t, beat_t, kind_t, energy_t, chords_t
        )

    def before_save(self, model: nn.Module) -> None:
        """Learn which tempo a caption lets expect."""
        assert isinstance(model, Denoiser)
        pooled, bpm = self._caption_tempi()
        if bpm.any():
            model.tempo_guess.fit(pooled, bpm)

    def _caption_tempi(self) -> tuple[Tensor, Tensor]:
        """Mean states (B, 384) of the training captions, and the tempi of their clips (B,)."""
        if self._tempi is None:
            captions = [
                (index, which)
                for index in self.train_indices.tolist()
                for which in range(len(self.latents.spans[index]))
            ]
            states = [self.latents.caption(*c).mean(axis=0, dtype=np.float32) for c in captions]
            bpm = [self.latents.facts(index)[0] for index, _ in captions]
            self._tempi = torch.from_numpy(np.stack(states)), torch.tensor(bpm)
        return self._tempi

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
            condition = _moved(self._condition(indices, None), device)
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
        """A sheet and the sounds of the prompts, one seed each, as `generate` makes them."""
        assert isinstance(model, Denoiser)
        autoencoder = self.autoencoder.to(model.row_position.device)
        small = SmallModel(TorchNetworks(autoencoder, model), {"name": "in training"})
        rows, sonograms = [], []
        for prompt in self.sheet_prompts:
            settings = GenerateSettings(prompt=prompt, seed=7)
            sonogram = generate(small, settings).sonogram
            picture = picture_from_mel(torch.from_numpy(sonogram.mono), sonogram.params)
            rows.append((prompt, picture))
            sonograms.append((prompt, sonogram))
        sheet = folder / f"step-{step:07d}.png"
        save_sheet(sheet, rows, columns=3)
        save_sounds(sheet, sonograms)
