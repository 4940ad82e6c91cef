"""Recipe: the sonogram autoencoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sonoriff.models.small.config import AutoencoderConfig
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.training.data.pictures import PictureSet, floats_from_bytes, training_clips
from sonoriff.training.sample_grids import save_sheet, save_sounds, sonogram_from_picture

DB_PER_UNIT = 46.0  # half of the 92 dB that [-1, 1] stands for


@dataclass
class AutoencoderRecipe:
    """L1 on the picture and on its differences in time and frequency, and a little KL.

    Attributes
    ----------
    pictures : the training pictures
    model_config : shape of the autoencoder
    crop_frames : columns of a training crop; all rows are used
    kl_weight, gradient_weight : weights of the loss's terms
    n_validation : held-out clips that `validate` looks at
    start : a trained autoencoder, of the same shape, whose decoder alone goes on learning: its
        latents, and every denoiser taught on them, stay what they are
    """

    pictures: PictureSet
    model_config: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    crop_frames: int = 128
    kl_weight: float = 3e-4
    gradient_weight: float = 0.5
    n_validation: int = 64
    start: SonogramAutoencoder | None = None
    name: str = "autoencoder"

    def __post_init__(self) -> None:
        self.train_indices = training_clips(self.pictures)
        self.validation_indices = self.pictures.subset("validation")[: self.n_validation]

    def build(self) -> nn.Module:
        """A new autoencoder, or the start's."""
        coder = SonogramAutoencoder(self.model_config)
        if self.start is not None:
            coder.load_state_dict(self.start.state_dict())
        else:
            components, level = self._principal_components(coder.config.cell)
            coder.set_linear(components[: coder.config.latent_channels], level)
        model: nn.Module = coder
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def _principal_components(self, cell: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Components of cells (falling power; the first has unit power), and the mean level."""
        count = min(256, len(self.train_indices))
        picks = np.linspace(0, len(self.train_indices) - 1, count).astype(int)
        x = floats_from_bytes(
            np.stack([self.pictures.picture(int(self.train_indices[i])) for i in picks])
        )
        cells = x.unfold(1, cell[0], cell[0]).unfold(2, cell[1], cell[1]).flatten(3).flatten(0, 2)
        level = cells.mean()
        centred = cells - level
        variances, vectors = torch.linalg.eigh(centred.T @ centred / len(cells))
        return vectors.flip(1).T / variances[-1].sqrt(), level

    def facts(self) -> dict[str, Any]:
        """The shape; the corpus may grow between runs."""
        only = {"decoder_only": True} if self.start is not None else {}
        return {"recipe": self.name, "model": self.model_config.to_dict()} | only

    def loss(
        self, model: nn.Module, generator: torch.Generator, batch_size: int
    ) -> tuple[Tensor, dict[str, float]]:
        """Loss of random crops."""
        x = self._crops(generator, batch_size).to(next(model.parameters()).device)
        decoded, mean, log_variance = model(x, generator, decoder_only=self.start is not None)
        decoded, mean, log_variance = decoded.float(), mean.float(), log_variance.float()
        absolute = (decoded - x).abs().mean()
        in_time = (decoded.diff(dim=3) - x.diff(dim=3)).abs().mean()
        in_frequency = (decoded.diff(dim=2) - x.diff(dim=2)).abs().mean()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).mean()
        loss = absolute + self.gradient_weight * (in_time + in_frequency) + self.kl_weight * kl
        return loss, {"error_db": DB_PER_UNIT * float(absolute.detach()), "kl": float(kl.detach())}

    def _crops(self, generator: torch.Generator, batch_size: int) -> Tensor:
        picks = torch.randint(len(self.train_indices), (batch_size,), generator=generator)
        crops = []
        for pick in picks.tolist():
            picture = self.pictures.picture(int(self.train_indices[pick]))
            last = picture.shape[1] - self.crop_frames
            start = int(torch.randint(last + 1, (1,), generator=generator))
            crops.append(picture[:, start : start + self.crop_frames])
        x = floats_from_bytes(np.stack(crops))[:, None]
        return x.contiguous(memory_format=torch.channels_last)

    def before_save(self, model: nn.Module) -> None:
        """Measure the scale of the latents, where they are new."""
        assert isinstance(model, SonogramAutoencoder)
        if self.start is None:
            measure_latents(model, self.pictures, n_clips=128)

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """Mean absolute error in dB of held-out clips, from the mean of the posterior."""
        assert isinstance(model, SonogramAutoencoder)
        if len(self.validation_indices) == 0:
            return {}
        errors = []
        for index in self.validation_indices:
            x = _picture(self.pictures, int(index), model)
            mean, _ = model.posterior(x)
            errors.append(float((model.decoder(mean).float().clamp(-1, 1) - x).abs().mean()))
        return {"validation_db": DB_PER_UNIT * float(np.mean(errors))}

    @torch.no_grad()
    def sample(self, model: nn.Module, folder: Path, step: int) -> None:
        """Clips beside their reconstructions, held-out ones if there are any, and their sounds."""
        assert isinstance(model, SonogramAutoencoder)
        rows: list[tuple[str, Tensor]] = []
        shown = self.validation_indices if len(self.validation_indices) else self.train_indices
        for index in shown[:6]:
            x = _picture(self.pictures, int(index), model)
            decoded = model.decoder(model.posterior(x)[0]).float().clamp(-1, 1)
            rows += [
                (self.pictures.entries[int(index)]["text"], x[0, 0]),
                ("decoded", decoded[0, 0]),
            ]
        sheet = folder / f"step-{step:07d}.png"
        save_sheet(sheet, rows, columns=2)
        save_sounds(sheet, [(label, sonogram_from_picture(picture)) for label, picture in rows])


@torch.no_grad()
def measure_latents(model: SonogramAutoencoder, pictures: PictureSet, n_clips: int = 256) -> None:
    """Set `latent_mean` and `latent_scale` from training clips, in place."""
    indices = pictures.subset("train")
    picks = indices[np.linspace(0, len(indices) - 1, min(n_clips, len(indices))).astype(int)]
    latents = [model.posterior(_picture(pictures, int(i), model))[0] for i in picks]
    stacked = torch.cat(latents).float()
    model.latent_mean.copy_(stacked.mean(dim=(0, 2, 3)))
    spread = stacked.std(dim=(0, 2, 3)).clamp_min(1e-3)
    model.latent_scale.copy_((spread * spread.mean()).sqrt())


def _picture(pictures: PictureSet, index: int, model: SonogramAutoencoder) -> Tensor:
    """A whole clip (1, 1, M, N) where the model is."""
    return floats_from_bytes(pictures.picture(index)[None])[:, None].to(model.latent_mean.device)
