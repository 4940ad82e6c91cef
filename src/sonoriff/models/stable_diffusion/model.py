"""A Stable Diffusion checkpoint as a text-to-sonogram model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sonoriff.diffusion.schedule import NoiseSchedule
from sonoriff.models.lora import Layers
from sonoriff.models.prompts import Phrase, Prompt
from sonoriff.models.protocol import Conditioning, Defaults, MusicAttributes, Term
from sonoriff.models.stable_diffusion.prompting import PhraseEncoder, mixed, padded
from sonoriff.models.stable_diffusion.reuse import Rows, step
from sonoriff.models.torch_layers import layers_of
from sonoriff.sonogram.params import RIFFUSION_V1, SonogramParams

FloatArray = npt.NDArray[np.float32]
_DEFAULTS = Defaults(sampler="dpm++", num_inference_steps=25, guidance_scale=7.0)
_INPAINTING_CHANNELS = 9


@dataclass
class StableDiffusionModel:
    """The networks of diffusers and transformers behind the protocol of `sonoriff.models`.

    Attributes
    ----------
    unet : UNet2DConditionModel; one of 9 input channels (inpainting) is told what is known
    vae : AutoencoderKL
    text_encoder, tokenizer : of CLIP
    schedule : noise levels that the UNet was trained on
    title : as `sonoriff models` lists it
    loras : what was merged into the weights
    styles : words that were added to the text encoder
    words : vectors of those words that have several, by the first one's number
    reuse : the UNet's inner layers are computed at every step (1), every second one (2), and so on
    origins : what was taken from where: prediction, tokenizer, noise levels
    prediction : what the UNet predicts, where that was given and not read
    weights : a digest of the files that it was loaded from

    Notes
    -----
    Riffusion's pictures are white where it is silent and have high frequencies above, so pictures
    are turned over and inverted on their way in and out; latents here have low frequencies first.
    """

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    schedule: NoiseSchedule
    title: str
    loras: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    words: dict[int, tuple[int, ...]] = field(default_factory=dict)
    reuse: int = 1
    origins: Mapping[str, str] = field(default_factory=dict)
    prediction: str | None = None
    weights: str = ""
    params: SonogramParams = RIFFUSION_V1
    defaults: Defaults = _DEFAULTS
    takes_facts: bool = False
    conditions: tuple[str, ...] = ()
    max_batch: int = 8

    @property
    def name(self) -> str:
        """As `sonoriff models` lists it, and what else decides what it paints."""
        more = [f"prediction:{self.prediction}"] if self.prediction else []
        more += [f"reuse:{self.reuse}"] if self.reuse > 1 else []
        return " + ".join((self.title, *self.loras, *self.styles, *more))

    @property
    def device(self) -> str:
        """Where the networks are."""
        return str(self.unet.device)

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which they compute."""
        return self.unet.dtype  # type: ignore[no-any-return]

    @property
    def cell(self) -> tuple[int, int]:
        """(mel rows, columns) of the sonogram under one latent cell."""
        side = 2 ** (len(self.vae.config.block_out_channels) - 1)
        return side, side

    @property
    def window_frames(self) -> int:
        """Columns of the pictures that it was trained on."""
        size = self.unet.config.sample_size
        return int(size if isinstance(size, int) else size[1]) * self.cell[1]

    @property
    def stereo(self) -> bool:
        """It paints one channel."""
        return False

    @property
    def supports_inpainting(self) -> bool:
        """Whether it is an inpainting model."""
        return bool(self.unet.config.in_channels == _INPAINTING_CHANNELS)

    def latent_shape(self, n_frames: int) -> tuple[int, int, int]:
        """(C, H, W) of the latents of a picture of at least `n_frames` columns."""
        rows, columns = self.cell
        return self.vae.config.latent_channels, self.params.n_mels // rows, -(-n_frames // columns)

    def encode_prompt(self, prompt: Prompt, facts: MusicAttributes) -> Conditioning:  # noqa: ARG002
        """One term whose row is (1, L, D) states of CLIP; tempo and key count as words only."""
        phrases = prompt.phrases or (Phrase(()),)
        rows = [self._phrases(phrase) for phrase in phrases]
        row = mixed(rows, [phrase.share for phrase in phrases], self._empty)
        return (Term(1.0, row),)

    def likely_bpm(self, prompt: Prompt) -> float | None:  # noqa: ARG002
        """None: it hears tempo only as words."""
        return None

    def blend(self, conditions: Sequence[Conditioning], shares: Sequence[float]) -> Conditioning:
        """A mixture of states, as Riffusion interpolates prompts: one evaluation."""
        for condition, share in zip(conditions, shares, strict=True):
            if share == 1.0:
                return condition
        return (Term(1.0, mixed([c[0].embedding for c in conditions], shares, self._empty)),)

    def collate(
        self, rows: Sequence[Tensor], since_beat_s: Sequence[float | None], columns: int
    ) -> Rows:
        """Rows as one batch, short ones followed by empty text; the beat is not heard."""
        del since_beat_s, columns
        longest = max(row.shape[1] for row in rows)
        if all(row.shape[1] == longest for row in rows):
            return Rows(torch.cat(list(rows)))
        return Rows(torch.cat([padded(row, longest, self._empty) for row in rows]))

    @torch.inference_mode()
    def predict(
        self,
        x: FloatArray,
        time: float,
        batch: Rows,
        known_latents: FloatArray | None = None,
        mask: FloatArray | None = None,
    ) -> FloatArray:
        """What the UNet gives at the noisy latents `x`; see the protocol."""
        inputs = x if not self.supports_inpainting else self._with_known(x, known_latents, mask)
        given = _tensor(inputs).flip(2)
        given = given.to(self.device, self.dtype, memory_format=torch.channels_last)
        timestep = torch.tensor(self.schedule.timestep(time), device=self.device)
        return _array(step(self.unet, given, timestep, batch, self.reuse).flip(2))

    @torch.inference_mode()
    def encode(self, picture: FloatArray) -> FloatArray:
        """Latents float32 (B, C, H, W) of pictures (B, 1, M, N) in [-1, 1]: the most likely."""
        image = _tensor(-picture).flip(2).expand(-1, 3, -1, -1).to(self.device, self.dtype)
        latents = self.vae.encode(image).latent_dist.mode() * self.vae.config.scaling_factor
        return _array(latents.flip(2))

    @torch.inference_mode()
    def decode(self, latents: FloatArray) -> FloatArray:
        """Pictures float32 (B, 1, M, N) in [-1, 1] of latents (B, C, H, W)."""
        scaled = (
            _tensor(latents).flip(2).to(self.device, self.dtype) / self.vae.config.scaling_factor
        )
        image = self.vae.decode(scaled, return_dict=False)[0].float()
        return _array(-image.mean(dim=1, keepdim=True).flip(2).clamp(-1.0, 1.0))

    def layers(self) -> dict[str, Layers]:
        """Those of each network that a LoRA may change."""
        return {"unet": layers_of(self.unet), "text_encoder": layers_of(self.text_encoder)}

    @cached_property
    def _phrases(self) -> PhraseEncoder:
        return PhraseEncoder(self.tokenizer, self.text_encoder, self.words)

    @cached_property
    def _empty(self) -> Tensor:
        return self._phrases(Phrase(()))

    @cached_property
    def _grey(self) -> FloatArray:
        """Latents (1, C, H, 1) of a grey picture, which stand where nothing is known."""
        picture = np.zeros((1, 1, self.params.n_mels, 8 * self.cell[1]), np.float32)
        return self.encode(picture)[..., 4:5]

    def _with_known(
        self, x: FloatArray, known_latents: FloatArray | None, mask: FloatArray | None
    ) -> FloatArray:
        shape = (len(x), 1, *x.shape[2:])
        if known_latents is None or mask is None:
            known_latents, mask = x, np.zeros(shape, np.float32)
        seen = np.broadcast_to(np.where(mask > 0, known_latents, self._grey), x.shape)
        return np.concatenate([x, 1.0 - np.broadcast_to(mask, shape), seen], axis=1)


def _tensor(array: FloatArray) -> Tensor:
    return torch.from_numpy(np.require(array, np.float32, ["C", "W"]))


def _array(tensor: Tensor) -> FloatArray:
    array: FloatArray = tensor.float().cpu().numpy()
    return array
