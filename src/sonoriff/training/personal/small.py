"""Recipe: the small model taught somebody's own music, whole or by adapters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from sonoriff.models.lora import GUIDANCE_NOTE
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.torch.denoiser import Denoiser
from sonoriff.models.small.torch.networks import TorchNetworks, torch_networks
from sonoriff.training.adapters import DENOISER_LAYERS, LoraConfig, add_adapters, save_peft_folder
from sonoriff.training.data.latents import (
    LatentSet,
    latents_digest,
    load_latents,
    prepare_latents,
)
from sonoriff.training.data.pictures import prepare_pictures
from sonoriff.training.personal.defaults import SMALL_GUIDANCE
from sonoriff.training.personal.music import OwnMusic
from sonoriff.training.recipes.denoiser import DenoiserRecipe


@dataclass
class OwnSmallRecipe(DenoiserRecipe):
    """The denoiser's recipe, from a finished model on.

    Attributes
    ----------
    adapters : shape of the LoRA; None trains every weight
    data : digest of the music
    """

    adapters: LoraConfig | None = None
    data: str = ""

    def build(self) -> nn.Module:
        """The start's denoiser, with adapters if these are what is trained."""
        denoiser = super().build()
        if self.adapters is not None:
            add_adapters(denoiser, self.adapters, DENOISER_LAYERS)
        return denoiser.train()

    def facts(self) -> dict[str, Any]:
        """The model that the run began with, the music, and the shape of the adapters."""
        assert self.start is not None
        return super().facts() | {
            "base": self.start.digest("denoiser"),
            "data": self.data,
            "adapters": self.adapters.to_dict() if self.adapters else None,
        }

    def save(self, averaged: nn.Module, folder: Path, facts: dict[str, Any]) -> None:
        """Write a model folder, or a LoRA folder in peft's layout."""
        assert self.start is not None
        assert isinstance(averaged, Denoiser)
        if self.adapters is not None:
            save_peft_folder(
                folder, averaged, self.adapters, DENOISER_LAYERS, guidance=SMALL_GUIDANCE
            )
            return
        known = {**self.start.facts, **facts, GUIDANCE_NOTE: SMALL_GUIDANCE}
        networks = TorchNetworks(torch_networks(self.start).autoencoder, averaged.cpu())
        SmallModel(networks, known).save_pretrained(folder)


def own_small_recipe(
    music: OwnMusic,
    base: SmallModel,
    work: Path,
    *,
    adapters: LoraConfig | None,
    caption_dropout: float = 0.1,
    prompts: tuple[str, ...] = (),
    progress: Callable[[int, int], None] | None = None,
) -> OwnSmallRecipe:
    """The recipe for gathered music; pictures and latents are computed where they are missing."""
    latents = _latents(music, base, work, progress)
    return OwnSmallRecipe(
        latents,
        torch_networks(base).autoencoder,
        base.networks.denoiser_config,
        text_dropout=caption_dropout,
        start=base,
        adapters=adapters,
        data=music.digest(),
        sheet_prompts=prompts or tuple(music.captions(6)),
        name="lora" if adapters else "finetune",
    )


def _latents(
    music: OwnMusic, base: SmallModel, work: Path, progress: Callable[[int, int], None] | None
) -> LatentSet:
    pictures = work / "pictures" / music.corpus.name
    prepare_pictures(music.corpus, pictures, progress=progress)
    autoencoder = torch_networks(base).autoencoder
    folder = work / "latents" / latents_digest(autoencoder) / music.corpus.name
    prepare_latents(pictures, folder, autoencoder, progress=progress)
    return load_latents([folder])
