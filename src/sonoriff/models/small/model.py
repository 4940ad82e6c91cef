"""The small model as one value: text encoder, denoiser and autoencoder, saved and loaded together.

The folder layout is the one diffusers uses (a config.json and a safetensors file in a folder for
each component), without importing diffusers, which takes longer than making a clip.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sonoriff.analysis.chords import Chord
from sonoriff.diffusion.schedule import FlowSchedule
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.files import atomic_path, write_text
from sonoriff.models.prompts import Prompt
from sonoriff.models.protocol import Conditioning, Defaults, MusicAttributes, summed
from sonoriff.models.small.autoencoder import AutoencoderConfig, SonogramAutoencoder
from sonoriff.models.small.denoiser import (
    ENERGIES,
    KEYS,
    KINDS,
    MODES,
    Denoiser,
    DenoiserConditions,
    DenoiserConfig,
)
from sonoriff.models.small.prompting import chunks, condition_from_prompt, stacked
from sonoriff.models.small.scale import chord_vector
from sonoriff.models.small.text import MAX_TOKENS, load_text_encoder, states_of_text
from sonoriff.music import USUAL_BPM, check_bpm
from sonoriff.precision import fastest_dtype
from sonoriff.sonogram.params import HIFI, SonogramParams

LAYOUT_VERSION = 3
_WEIGHTS = "diffusion_pytorch_model.safetensors"
# Guidance close to the data is inaudible, and in the very first step it makes clips alike:
# docs/research/experiments.md.
_DEFAULTS = Defaults(
    sampler="ab2",
    num_inference_steps=12,
    guidance_scale=3.0,
    guidance_interval=(0.3, 0.99),
    shift=2.0,
    paced_share=0.4,
)
_CLASSES: dict[str, tuple[type[nn.Module], Any]] = {
    "autoencoder": (SonogramAutoencoder, AutoencoderConfig),
    "denoiser": (Denoiser, DenoiserConfig),
}


@dataclass
class SmallModel:
    """The bundled text-to-sonogram model.

    Attributes
    ----------
    autoencoder, denoiser : the two networks, in evaluation mode, on one device
    facts : name, version, training figures, as stored beside the weights
    loras : what was merged into the weights
    weights : a digest of the files that it was loaded from
    params : the sonogram format
    """

    autoencoder: SonogramAutoencoder
    denoiser: Denoiser
    facts: dict[str, Any]
    loras: tuple[str, ...] = ()
    weights: str = ""
    params: SonogramParams = HIFI
    schedule: FlowSchedule = field(default_factory=FlowSchedule)
    defaults: Defaults = _DEFAULTS
    window_frames: int = 512
    supports_inpainting: bool = True
    takes_facts: bool = True
    max_batch: int = 32

    @property
    def name(self) -> str:
        """As `sonoriff models` lists it, and the LoRAs in it."""
        return " + ".join((str(self.facts.get("name", "small")), *self.loras))

    @property
    def conditions(self) -> tuple[str, ...]:
        """Supported conditions besides text."""
        return ("bpm", "key", *self.denoiser.config.conditions)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.denoiser.row_position.device

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which the networks compute."""
        return self.denoiser.row_position.dtype

    @property
    def cell(self) -> tuple[int, int]:
        """(mel rows, columns) of the sonogram under one latent cell."""
        return self.autoencoder.config.cell

    def latent_shape(self, n_frames: int) -> tuple[int, int, int]:
        """(C, H, W) of the latents of a picture of at least `n_frames` columns."""
        rows, columns = self.cell
        width = -(-n_frames // columns)
        return self.autoencoder.config.latent_channels, self.params.n_mels // rows, width

    def encode_text(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """States (B, L, 384) and presence (B, L); an empty text has no tokens."""
        only = len(texts) == 1
        states, present = states_of_text(texts[0]) if only else load_text_encoder()(list(texts))
        blank = torch.tensor([not text.strip() for text in texts])
        present = present & ~blank[:, None]
        return states.to(self.device, self.dtype), present.to(self.device)

    def condition(
        self,
        texts: Sequence[str],
        *,
        bpm: float | None = None,
        key: str | None = None,
        mode: str | None = None,
        energy: int | None = None,
        kind: str | None = None,
        chords: Sequence[tuple[Chord, int]] | None = None,
    ) -> DenoiserConditions:
        """Conditioning for a batch of prompts that share all else; the beat is unknown.

        Its chords are a row for each beat; `collate` lays them out over the columns.
        """
        if bpm is not None:
            check_bpm(bpm)
        if key is not None and key not in KEYS:
            raise ParameterError(f"key must be one of {', '.join(KEYS)}, got {key!r}")
        if mode is not None and mode not in MODES:
            raise ParameterError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
        if energy is not None and not 1 <= energy <= ENERGIES:
            raise ParameterError(f"energy must be in [1, {ENERGIES}], got {energy}")
        if kind is not None and kind not in KINDS:
            raise ParameterError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
        beats: list[Chord | None] = [chord for chord, n in chords or () for _ in range(n)]
        progression = torch.stack([chord_vector(chord) for chord in beats or [None]])
        states, present = self.encode_text(texts)
        n, device = len(texts), self.device
        return DenoiserConditions(
            text=states,
            present=present,
            bpm=torch.full((n,), bpm or 0.0, device=device),
            key=torch.full((n,), KEYS.index(key) if key else -1, device=device),
            mode=torch.full((n,), MODES.index(mode) if mode else -1, device=device),
            beat=torch.full((n,), math.nan, device=device),
            kind=torch.full((n,), KINDS.index(kind) if kind else -1, device=device),
            energy=torch.full((n,), energy or 0, device=device),
            chords=progression.expand(n, -1, -1).to(device),
        )

    def encode_prompt(self, prompt: Prompt, facts: MusicAttributes) -> Conditioning:
        """Terms of a prompt with its weights and shares; a prompt of any length."""
        return condition_from_prompt(prompt, lambda text: self._row(text, facts))

    def likely_bpm(self, prompt: Prompt) -> float | None:
        """The tempo that such music mostly has; None for an empty prompt."""
        states, present = self.encode_text([prompt.text])
        return float(self.denoiser.likely_bpm(states, present)) or None

    def _row(self, text: str, facts: MusicAttributes) -> DenoiserConditions:
        """A text and facts, a batch of one; a long text's chunks one after the other."""
        tokenizer = load_text_encoder().tokenizer
        parts = [
            self.condition(
                [part],
                bpm=facts.bpm,
                key=facts.key,
                mode=facts.mode,
                energy=facts.energy,
                kind=facts.kind,
                chords=facts.chords,
            )
            for part in chunks(text, tokenizer, MAX_TOKENS)
        ]
        texts, presents = zip(*((part.text, part.present) for part in parts), strict=True)
        return replace(parts[0], text=torch.cat(texts, dim=1), present=torch.cat(presents, dim=1))

    def blend(self, conditions: Sequence[Conditioning], shares: Sequence[float]) -> Conditioning:
        """A weighted sum of predictions."""
        return summed(conditions, shares)

    def collate(
        self, rows: Sequence[DenoiserConditions], since_beat_s: Sequence[float | None], columns: int
    ) -> DenoiserConditions:
        """Rows as one batch; each hears where in the beat its window begins, and which chords."""
        placed = [
            replace(row, chords=self._placed(row, since or 0.0, columns))
            for row, since in zip(rows, since_beat_s, strict=True)
        ]
        batch = stacked(placed)
        seconds = batch.bpm.new_tensor([math.nan if s is None else s for s in since_beat_s])
        return replace(batch, beat=seconds * batch.bpm / 60.0)

    def _placed(self, row: DenoiserConditions, since_s: float, columns: int) -> Tensor:
        """Chords by the beat, (1, P, 24), as chords by the column, (1, columns, 24)."""
        bpm = float(row.bpm[0]) or USUAL_BPM
        middles = (torch.arange(columns) + 0.5) * self.denoiser.config.column_seconds
        beats = ((since_s + middles) * (bpm / 60.0)).floor().long()
        return row.chords[:, (beats % row.chords.shape[1]).to(row.chords.device)]

    @torch.inference_mode()
    def predict(
        self,
        x: Tensor,
        time: float,
        batch: DenoiserConditions,
        known_latents: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Velocity float32 (B, C, H, W) at the noisy latents `x`; see the protocol."""
        noisy = x.to(self.device, self.dtype)
        if known_latents is None or mask is None:
            known_latents, mask = noisy, noisy.new_zeros(len(x), 1, *x.shape[2:])
        times = torch.full((len(x),), time, device=self.device)
        velocity: Tensor = self.denoiser(
            noisy, times, batch, known_latents.to(noisy), mask.to(noisy).expand(len(x), -1, -1, -1)
        )
        return velocity.float()

    @torch.inference_mode()
    def encode(self, picture: Tensor) -> Tensor:
        """Latents float32 (B, C, H, W) of pictures (B, 1, M, N) in [-1, 1]."""
        return self.autoencoder.encode(picture.to(self.device, self.dtype)).float()

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        """Pictures float32 (B, 1, M, N) in [-1, 1] of latents (B, C, H, W)."""
        return self.autoencoder.decode(latents.to(self.device, self.dtype)).float()

    def modules(self) -> dict[str, nn.Module]:
        """The networks that a LoRA may change."""
        return {"denoiser": self.denoiser, "autoencoder": self.autoencoder}

    def to(self, device: torch.device | str, dtype: torch.dtype) -> SmallModel:
        """Move both networks, in place; returns itself."""
        self.autoencoder.to(device, dtype)
        self.denoiser.to(device, dtype)
        return self

    def save_pretrained(self, folder: Path | str, *, dtype: torch.dtype = torch.float16) -> None:
        """Write both networks and the facts; float16 safetensors by default."""
        folder = Path(folder)
        for name in _CLASSES:
            module = getattr(self, name)
            target = folder / name
            target.mkdir(parents=True, exist_ok=True)
            tensors = {k: v.detach().to(dtype).contiguous() for k, v in module.state_dict().items()}
            with atomic_path(target / _WEIGHTS) as partial:
                save_file(tensors, partial, metadata={"format": "pt"})
            write_text(target / "config.json", json.dumps(module.config.to_dict(), indent=1) + "\n")
        index = {"_class_name": "SmallModel", "version": LAYOUT_VERSION, **self.facts}
        write_text(folder / "model_index.json", json.dumps(index, indent=1) + "\n")

    @classmethod
    def from_pretrained(
        cls,
        folder: Path | str,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
    ) -> SmallModel:
        """Load what `save_pretrained` wrote.

        Parameters
        ----------
        dtype : None takes bfloat16 where the processor multiplies it in hardware, else float32

        Raises
        ------
        CheckpointError
            files are missing, damaged, or of another version
        """
        folder = Path(folder)
        try:
            index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{folder} holds no model: {error}") from error
        if not isinstance(index, dict):
            raise CheckpointError(f"{folder} holds no model: its model_index.json is no mapping")
        kind, version = index.pop("_class_name", None), index.pop("version", 0)
        if kind != "SmallModel" or version != LAYOUT_VERSION:
            raise CheckpointError(
                f"{folder} holds a {kind} of layout version {version}, expected a SmallModel of "
                f"version {LAYOUT_VERSION}: update Sonoriff or choose another model"
            )
        modules = {name: _load_module(folder / name, *_CLASSES[name]) for name in _CLASSES}
        model = cls(facts=index, **modules)  # type: ignore[arg-type]
        return model.to(device, dtype or fastest_dtype(device))


def _load_module(folder: Path, module_class: type[nn.Module], config_class: Any) -> nn.Module:
    try:
        config = config_class.from_dict(json.loads((folder / "config.json").read_text()))
        tensors = {k: v.float() for k, v in load_file(folder / _WEIGHTS).items()}
        # Not on the meta device: that imports the whole compiler, a second of a processor.
        with torch.random.fork_rng(devices=[]):
            module = module_class(config)
        module.load_state_dict(tensors, assign=True)
    except (
        *(OSError, ValueError, TypeError, AttributeError, LookupError, RuntimeError),
        SafetensorError,
    ) as error:
        raise CheckpointError(
            f"cannot load the {folder.name} in {folder.parent}: {error}"
        ) from error
    return module.eval().requires_grad_(False)
