"""Recipe: Stable Diffusion taught somebody's own music, whole or by adapters."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sonoriff.diffusion.schedule import NoiseSchedule, scaled_linear_schedule
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.latent_codec import picture_from_sonogram
from sonoriff.training.adapters import (
    TEXT_LAYERS,
    UNET_LAYERS,
    LoraConfig,
    adapter_tensors,
    add_adapters,
)
from sonoriff.training.data.posteriors import (
    DiffusionData,
    Half,
    prepare_captions,
    prepare_data,
    quick_digest,
    tokens_of_captions,
)
from sonoriff.training.personal.music import OwnMusic, Progress
from sonoriff.training.personal.prior import Prior, prepare_prior
from sonoriff.training.sample_grids import save_sheet, save_sounds

PREDICTIONS = {"noise": "epsilon", "velocity": "v_prediction"}
_VALIDATION_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig:
    """What is special to models of Stable Diffusion's kind.

    Attributes
    ----------
    prediction : "noise" (epsilon), "velocity" (v-prediction), or "base": as the base model does
    min_snr : gamma of the min-SNR weighting; 0 weighs all times alike
    noise_offset : spread of a noise that is the same over a whole channel
    caption_dropout : share of clips that lose their caption, for guidance
    text_rate : share of the learning rate that the text encoder learns with; 0 freezes it
    gradient_checkpointing : less memory, more time
    prior_prompt, prior_clips, prior_weight : what the base model makes of `prior_prompt` is trained
        on beside the music, so that it is not forgotten; without a prompt there is none

    References
    ----------
    Salimans & Ho (2022) for v-prediction; Hang et al., Efficient Diffusion Training via Min-SNR
    Weighting Strategy (2023); Guttenberg, Diffusion with Offset Noise (2023); Ruiz et al.,
    DreamBooth (2022) for prior preservation; Ho & Salimans, Classifier-Free Diffusion Guidance
    (2022) for caption dropout.
    """

    prediction: str = "base"
    min_snr: float = 5.0
    noise_offset: float = 0.0
    caption_dropout: float = 0.1
    text_rate: float = 0.0
    gradient_checkpointing: bool = False
    prior_prompt: str = ""
    prior_clips: int = 50
    prior_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.prediction not in ("base", *PREDICTIONS):
            raise ParameterError(
                f"prediction must be noise, velocity or base, got {self.prediction!r}"
            )
        if min(self.min_snr, self.noise_offset, self.text_rate, self.prior_weight) < 0:
            raise ParameterError(
                "min-SNR, noise offset, text rate and prior weight must not be negative"
            )
        if not 0 <= self.caption_dropout < 1:
            raise ParameterError(f"caption dropout must be in [0, 1), got {self.caption_dropout}")
        if self.prior_clips < 1:
            raise ParameterError(f"prior clips must be at least 1, got {self.prior_clips}")


class DiffusionNetworks(nn.Module):
    """The UNet, and the text encoder where that is trained too."""

    def __init__(self, unet: Any, text_encoder: Any | None) -> None:
        super().__init__()
        self.unet, self.text_encoder = unet, text_encoder

    def forward(self, noisy: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        """Prediction (B, C, H, W).

        Parameters
        ----------
        noisy : (B, C, H, W)
        timesteps : int (B,)
        text : states (B, L, D), or tokens int (B, L) for the text encoder
        """
        states = text if self.text_encoder is None else self.text_encoder(text)[0]
        result: Tensor = self.unet(noisy, timesteps, encoder_hidden_states=states).sample
        return result


@dataclass
class StableDiffusionRecipe:
    """Denoising of latents, with all that `DiffusionConfig` names.

    Attributes
    ----------
    data : posteriors and captions of the clips
    base : the model that the run begins with; its networks are trained in place, which saves the
        memory of one copy, so that a recipe is good for one run
    states : of every caption, where the text encoder is frozen; else empty
    prior : what the base model makes, or None
    adapters : shape of the LoRA; None trains every weight
    digest : of the music
    """

    data: DiffusionData
    base: StableDiffusionModel
    config: DiffusionConfig
    states: dict[str, Half]
    prior: Prior | None
    adapters: LoraConfig | None
    digest: str
    sheet_prompts: tuple[str, ...]

    def __post_init__(self) -> None:
        self.name = "stable-diffusion-" + ("lora" if self.adapters else "finetune")
        self.train_indices = self.data.subset("train")
        self.validation_indices = self.data.subset("validation")[:64]
        self.power = torch.tensor(self.base.schedule.alphas_cumprod)
        self.base_digest = quick_digest(self.base.unet)

    def build(self) -> nn.Module:
        """The base's networks, with adapters if these are what is trained."""
        learns_text = self.config.text_rate > 0
        unet = self.base.unet.float().requires_grad_(True)
        text = self.base.text_encoder.float() if learns_text else None
        if text is not None:
            text.requires_grad_(True)
        if self.adapters is not None:
            add_adapters(unet, self.adapters, UNET_LAYERS)
            if text is not None:
                add_adapters(text, self.adapters, TEXT_LAYERS)
        if self.config.gradient_checkpointing:
            unet.enable_gradient_checkpointing()
            if text is not None:
                # Version 5 of transformers gave it another name.
                newer = getattr(text, "activation_checkpointing_enable", None)
                (newer or text.gradient_checkpointing_enable)()
        return DiffusionNetworks(unet, text).train()

    def facts(self) -> dict[str, Any]:
        """The base, the music, and the settings that decide what is learnt."""
        settings = asdict(self.config)
        del settings["gradient_checkpointing"]
        return {
            "recipe": self.name,
            "base": self.base_digest,
            "data": self.digest,
            "adapters": self.adapters.to_dict() if self.adapters else None,
            "settings": settings,
        }

    def loss(
        self, model: nn.Module, generator: torch.Generator, batch_size: int
    ) -> tuple[Tensor, dict[str, float]]:
        """Weighted squared error; that of the prior's clips is added."""
        picks = torch.randint(len(self.train_indices), (batch_size,), generator=generator)
        indices = self.train_indices[picks.numpy()]
        latents = self._latents(indices, generator)
        captions = self._captions(indices, generator)
        if self.prior is not None:
            more = self.prior.draw(generator, batch_size)
            latents = torch.cat([latents, more])
            captions += [self.config.prior_prompt] * batch_size
        noise = torch.randn(latents.shape, generator=generator)
        if self.config.noise_offset:
            flat = torch.randn(*latents.shape[:2], 1, 1, generator=generator)
            noise = noise + self.config.noise_offset * flat
        steps = torch.randint(len(self.power), (len(latents),), generator=generator)
        errors = self._errors(model, latents, noise, steps, captions) * self._weights(steps)
        loss = errors[:batch_size].mean()
        if self.prior is None:
            return loss, {}
        kept = errors[batch_size:].mean()
        return loss + self.config.prior_weight * kept, {"prior": float(kept.detach())}

    def _errors(
        self, model: nn.Module, latents: Tensor, noise: Tensor, steps: Tensor, captions: list[str]
    ) -> Tensor:
        """Squared error of each clip, float32 (B,), on the CPU."""
        device = next(model.parameters()).device
        power = self.power[steps].view(-1, 1, 1, 1)
        alpha, sigma = power.sqrt(), (1.0 - power).sqrt()
        noisy = alpha * latents + sigma * noise
        target = noise if self.config.prediction == "noise" else alpha * noise - sigma * latents
        text = self._text(captions)
        predicted = model(noisy.to(device), steps.to(device), text.to(device)).float()
        errors: Tensor = (predicted.cpu() - target).square().mean(dim=(1, 2, 3))
        return errors

    def _weights(self, steps: Tensor) -> Tensor:
        """min(SNR, gamma) over what the prediction's own weighting is, (B,)."""
        power = self.power[steps]
        if not self.config.min_snr:
            return torch.ones_like(power)
        ratio = power / (1.0 - power)
        own = ratio if self.config.prediction == "noise" else ratio + 1.0
        return ratio.clamp_max(self.config.min_snr) / own

    def _latents(self, indices: npt.NDArray[np.int64], generator: torch.Generator | None) -> Tensor:
        """Draws from the posteriors, their means without a generator: float32 (B, C, H, W)."""
        stacked = np.stack([self.data.posterior(int(i)) for i in indices])
        mean, log_variance = torch.from_numpy(stacked).float().chunk(2, dim=1)
        if generator is not None:
            spread = (0.5 * log_variance.clamp(-30.0, 20.0)).exp()
            mean = mean + spread * torch.randn(mean.shape, generator=generator)
        scaled: Tensor = mean * self.base.vae.config.scaling_factor
        return scaled

    def _captions(self, indices: npt.NDArray[np.int64], generator: torch.Generator) -> list[str]:
        dice = torch.rand(len(indices), 2, generator=generator).tolist()
        texts = []
        for index, (which, dropped) in zip(indices.tolist(), dice, strict=True):
            captions = self.data.clips[index].captions
            chosen = captions[int(which * len(captions))]
            texts.append("" if dropped < self.config.caption_dropout else chosen)
        return texts

    def _text(self, captions: list[str]) -> Tensor:
        if not self.states:
            return tokens_of_captions(captions, self.base.tokenizer)
        return torch.from_numpy(np.stack([self.states[c] for c in captions])).float()

    def before_save(self, model: nn.Module) -> None:
        """Nothing belongs to the weights but themselves."""

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """Mean squared error on held-out clips at five times, noise and captions fixed."""
        if len(self.validation_indices) == 0:
            return {}
        generator = torch.Generator().manual_seed(1)
        errors = []
        for start in range(0, len(self.validation_indices), 4):
            indices = self.validation_indices[start : start + 4]
            latents = self._latents(indices, None)
            captions = [self.data.clips[int(i)].captions[0] for i in indices]
            for share in _VALIDATION_SHARES:
                noise = torch.randn(latents.shape, generator=generator)
                steps = torch.full((len(latents),), int(share * (len(self.power) - 1)))
                errors.append(self._errors(model, latents, noise, steps, captions))
        return {"validation": float(torch.cat(errors).mean())}

    @torch.no_grad()
    def sample(self, model: nn.Module, folder: Path, step: int) -> None:
        """A sheet of the prompts, one seed each."""
        trained = self.trained(model)
        rows, sonograms = [], []
        for prompt in self.sheet_prompts:
            settings = GenerateSettings(prompt=prompt, seed=7, num_inference_steps=12)
            sonogram = generate(trained, settings).sonogram
            picture = picture_from_sonogram(sonogram)[0][0, 0]
            rows.append((prompt, torch.from_numpy(picture)))
            sonograms.append((prompt, sonogram))
        sheet = folder / f"step-{step:07d}.png"
        save_sheet(sheet, rows, columns=3)
        save_sounds(sheet, sonograms)

    def trained(self, model: nn.Module) -> StableDiffusionModel:
        """The base with what was learnt in its place."""
        assert isinstance(model, DiffusionNetworks)
        text_encoder = model.text_encoder or self.base.text_encoder
        return replace(self.base, unet=model.unet, text_encoder=text_encoder)

    def save(self, averaged: nn.Module, folder: Path, facts: dict[str, Any]) -> None:  # noqa: ARG002
        """Write a pipeline in diffusers layout, or a LoRA that diffusers loads."""
        import diffusers

        pipeline: Any = diffusers.StableDiffusionPipeline
        assert isinstance(averaged, DiffusionNetworks)
        if self.adapters is not None:
            text = averaged.text_encoder
            pipeline.save_lora_weights(
                folder,
                unet_lora_layers=adapter_tensors(averaged.unet),
                text_encoder_lora_layers=adapter_tensors(text) if text is not None else None,
            )
            return
        trained = self.trained(averaged)
        pipeline(
            vae=trained.vae,
            text_encoder=trained.text_encoder,
            tokenizer=trained.tokenizer,
            unet=trained.unet,
            scheduler=_scheduler(trained.schedule),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ).save_pretrained(folder)


def _scheduler(schedule: NoiseSchedule) -> Any:
    """A scheduler of diffusers with the same noise levels."""
    import diffusers

    kind: Any = diffusers.DDIMScheduler
    levels = schedule.alphas_cumprod
    usual = scaled_linear_schedule(steps=len(levels), prediction="noise").alphas_cumprod
    betas: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012}
    if not np.allclose(levels, usual, rtol=1e-4, atol=1e-7):
        before = (1.0, *levels[:-1])
        betas = {"trained_betas": [1.0 - a / b for a, b in zip(levels, before, strict=True)]}
    return kind(
        num_train_timesteps=len(levels),
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=PREDICTIONS[schedule.prediction],
        **betas,
    )


def stable_diffusion_recipe(
    music: OwnMusic,
    base: StableDiffusionModel,
    work: Path,
    config: DiffusionConfig,
    *,
    adapters: LoraConfig | None,
    prompts: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> StableDiffusionRecipe:
    """The recipe for gathered music; latents and captions are computed where they are missing.

    Raises
    ------
    CheckpointError
        the base is an inpainting model, or predicts the sample itself
    ParameterError
        adapters that change what is predicted: nothing would tell that to who uses them
    """
    own = base.schedule.prediction
    if base.supports_inpainting or own not in PREDICTIONS:
        raise CheckpointError(
            f"{base.name} cannot be trained here: expected a model that paints from text alone and "
            "predicts noise or velocity, not an inpainting model"
        )
    if config.prediction == "base":
        config = replace(config, prediction=own)
    if adapters is not None and config.prediction != own:
        raise ParameterError(f"a LoRA predicts what its base does: {own}")
    folder = work / "latents" / quick_digest(base.vae) / music.corpus.name
    data = prepare_data(music.corpus, music.clips, folder, base, progress=progress)
    captions = [text for clip in music.clips for text in clip.captions]
    states: dict[str, Half] = {}
    if not config.text_rate:
        texts = work / "captions" / quick_digest(base.text_encoder) / music.corpus.name
        states = prepare_captions([*captions, "", config.prior_prompt], texts, base)
    prior = None
    if config.prior_prompt:
        prior = prepare_prior(
            base, config.prior_prompt, config.prior_clips, work / "prior", progress=progress
        )
    return StableDiffusionRecipe(
        data,
        replace(base, schedule=_predicting(base.schedule, config.prediction)),
        config,
        states,
        prior,
        adapters,
        music.digest(),
        prompts or tuple(music.captions(3)),
    )


def _predicting(schedule: NoiseSchedule, prediction: str) -> NoiseSchedule:
    return replace(schedule, prediction="noise" if prediction == "noise" else "velocity")
