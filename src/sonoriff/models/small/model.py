"""The small model as one value: text encoder, denoiser and autoencoder.

The folder layout is the one diffusers uses (a config.json and a safetensors file in a folder for
each component), without importing diffusers, which takes longer than making a clip.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.chords import Chord
from sonoriff.diffusion.schedule import FlowSchedule
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.files import write_text
from sonoriff.models.lora import Layers
from sonoriff.models.prompts import Prompt
from sonoriff.models.protocol import Conditioning, Defaults, MusicAttributes, summed
from sonoriff.models.small.conditions import DenoiserConditions
from sonoriff.models.small.config import ENERGIES
from sonoriff.models.small.networks import Conditions, Networks, tensors_digest, write_network
from sonoriff.models.small.prompting import chunks, condition_from_prompt, stacked
from sonoriff.models.small.scale import chord_vector
from sonoriff.models.small.sides import (
    CHANNELS,
    cells_from_pixels,
    latents_from_sides,
    pixels_from_cells,
    sides_from_latents,
)
from sonoriff.models.small.tempo import likely_bpm
from sonoriff.models.small.text import (
    MAX_TOKENS,
    load_text_encoder,
    load_tokenizer,
    states_of_text,
)
from sonoriff.music import KEYS, KINDS, MODES, USUAL_BPM, check_bpm
from sonoriff.precision import NEED_TORCH, precision_named
from sonoriff.sonogram.params import HIFI, SonogramParams

FloatArray = npt.NDArray[np.float32]
Backend = Literal["onnx", "torch"]
LAYOUT_VERSION = 3
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


@dataclass
class SmallModel:
    """The bundled text-to-sonogram model.

    Attributes
    ----------
    networks : autoencoder and denoiser
    facts : name, version, training figures, as stored beside the weights
    loras : what was merged into the weights
    weights : a digest of the files that it was loaded from
    params : the sonogram format
    """

    networks: Networks
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
        return ("bpm", "key", *self.networks.denoiser_config.conditions)

    @property
    def stereo(self) -> bool:
        """Whether it paints left and right."""
        return self.networks.denoiser_config.stereo

    @property
    def device(self) -> str:
        """Where the networks are."""
        return self.networks.device

    @property
    def precision(self) -> str:
        """Precision in which the networks compute."""
        return self.networks.precision

    @property
    def cell(self) -> tuple[int, int]:
        """(mel rows, columns) of the sonogram under one latent cell."""
        return self.networks.autoencoder_config.cell

    def latent_shape(self, n_frames: int) -> tuple[int, int, int]:
        """(C, H, W) of the latents of a picture of at least `n_frames` columns."""
        rows, columns = self.cell
        width = -(-n_frames // columns)
        return self.networks.denoiser_config.latent_channels, self.params.n_mels // rows, width

    def encode_text(self, texts: Sequence[str]) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """States (B, L, 384) and presence (B, L); an empty text has no tokens."""
        only = len(texts) == 1
        states, present = states_of_text(texts[0]) if only else load_text_encoder()(texts)
        blank = np.array([not text.strip() for text in texts])
        return states, present & ~blank[:, None]

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
    ) -> Conditions:
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
        progression = np.stack([chord_vector(chord) for chord in beats or [None]])
        states, present = self.encode_text(texts)
        n = len(texts)
        return DenoiserConditions(
            text=states,
            present=present,
            bpm=np.full(n, bpm or 0.0, np.float32),
            key=np.full(n, KEYS.index(key) if key else -1),
            mode=np.full(n, MODES.index(mode) if mode else -1),
            beat=np.full(n, math.nan, np.float32),
            kind=np.full(n, KINDS.index(kind) if kind else -1),
            energy=np.full(n, energy or 0),
            chords=np.broadcast_to(progression, (n, *progression.shape)),
        )

    def encode_prompt(self, prompt: Prompt, facts: MusicAttributes) -> Conditioning:
        """Terms of a prompt with its weights and shares; a prompt of any length."""
        return condition_from_prompt(prompt, lambda text: self._row(text, facts))

    def likely_bpm(self, prompt: Prompt) -> float | None:
        """The tempo that such music mostly has; None for an empty prompt."""
        states, present = self.encode_text([prompt.text])
        if not present.any():
            return None
        weights = [self.networks.tensor("denoiser", f"tempo_guess.{n}") for n in ("weight", "bias")]
        return likely_bpm(states[0, present[0]].mean(axis=0), *weights)

    def _row(self, text: str, facts: MusicAttributes) -> Conditions:
        """A text and facts, a batch of one; a long text's chunks one after the other."""
        tokenizer = load_tokenizer()
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
        return replace(
            parts[0], text=np.concatenate(texts, axis=1), present=np.concatenate(presents, axis=1)
        )

    def blend(self, conditions: Sequence[Conditioning], shares: Sequence[float]) -> Conditioning:
        """A weighted sum of predictions."""
        return summed(conditions, shares)

    def collate(
        self, rows: Sequence[Conditions], since_beat_s: Sequence[float | None], columns: int
    ) -> Conditions:
        """Rows as one batch; each hears where in the beat its window begins, and which chords."""
        placed = [
            replace(row, chords=self._placed(row, since or 0.0, columns))
            for row, since in zip(rows, since_beat_s, strict=True)
        ]
        batch = stacked(placed)
        seconds = np.array([math.nan if s is None else s for s in since_beat_s], np.float32)
        return replace(batch, beat=seconds * batch.bpm / np.float32(60.0))

    def _placed(self, row: Conditions, since_s: float, columns: int) -> FloatArray:
        """Chords by the beat, (1, P, 24), as chords by the column, (1, columns, 24)."""
        bpm = float(row.bpm[0]) or USUAL_BPM
        middles = (np.arange(columns) + 0.5) * self.networks.denoiser_config.column_seconds
        beats = np.floor((since_s + middles) * (bpm / 60.0)).astype(np.int64)
        chords: FloatArray = row.chords[:, beats % row.chords.shape[1]]
        return chords

    def predict(
        self,
        x: FloatArray,
        time: float,
        batch: Conditions,
        known_latents: FloatArray | None = None,
        mask: FloatArray | None = None,
    ) -> FloatArray:
        """Velocity float32 (B, C, H, W) at the noisy latents `x`; see the protocol."""
        shape = (len(x), 1, *x.shape[2:])
        if known_latents is None or mask is None:
            known_latents, mask = x, np.zeros(shape, np.float32)
        times = np.full(len(x), time, np.float32)
        return self.networks.velocity(
            x, times, batch, known_latents, np.broadcast_to(mask, shape).copy()
        )

    def encode(self, picture: FloatArray) -> FloatArray:
        """Latents float32 (B, C, H, W) of pictures (B, 1 or 3, M, N); see the protocol."""
        latents = self.networks.encode(np.ascontiguousarray(picture[:, :1]))
        if not self.stereo:
            return latents
        cells = np.zeros((len(latents), CHANNELS, *latents.shape[2:]), np.float32)
        if picture.shape[1] > 1:
            cells = cells_from_pixels(picture, self.params, self.cell)
        return np.concatenate([latents, latents_from_sides(cells)], axis=1)

    def decode(self, latents: FloatArray) -> FloatArray:
        """Pictures float32 (B, 1 or 3, M, N) of latents (B, C, H, W)."""
        if not self.stereo:
            return self.networks.decode(latents)
        levels = self.networks.decode(np.ascontiguousarray(latents[:, :-CHANNELS]))
        cells = sides_from_latents(latents[:, -CHANNELS:])
        return np.concatenate([levels, pixels_from_cells(cells, self.cell)], axis=1)

    def digest(self, network: str) -> str:
        """Short digest of the weights of "autoencoder" or "denoiser"."""
        return tensors_digest(self.networks.tensors(network))

    def save_pretrained(self, folder: Path | str, *, dtype: Any = "float16") -> None:
        """Write both networks and the facts as a model folder.

        Parameters
        ----------
        dtype : of the weights, "float16" or "float32", or a torch.dtype
        """
        folder = Path(folder)
        kind = np.dtype(precision_named(dtype))
        for name, config in (
            ("autoencoder", self.networks.autoencoder_config),
            ("denoiser", self.networks.denoiser_config),
        ):
            tensors = self.networks.tensors(name)
            write_network(folder / name, config, {n: t.astype(kind) for n, t in tensors.items()})
        index = {"_class_name": "SmallModel", "version": LAYOUT_VERSION, **self.facts}
        write_text(folder / "model_index.json", json.dumps(index, indent=1) + "\n")

    def layers(self) -> Mapping[str, Layers]:
        """Those of each network that a LoRA may change."""
        return self.networks.layers()

    @classmethod
    def from_pretrained(
        cls,
        folder: Path | str,
        *,
        device: str = "cpu",
        precision: str | None = None,
        backend: Backend | None = None,
    ) -> SmallModel:
        """Load a model folder.

        Parameters
        ----------
        precision : "float32" or "int8" on onnxruntime, "float32", "bfloat16" or "float16" in
            PyTorch; None is the fastest
        backend : None is onnxruntime on the processor and PyTorch on all else

        Raises
        ------
        CheckpointError
            files are missing, damaged, or of another version; PyTorch is wanted and not installed
        ParameterError
            a precision that the backend has not
        """
        folder = Path(folder)
        facts = _facts(folder)
        if (backend or ("onnx" if device == "cpu" else "torch")) == "onnx":
            from sonoriff.models.small.onnx.networks import OnnxNetworks

            return cls(OnnxNetworks.from_folder(folder, precision or "int8"), facts)
        try:
            from sonoriff.models.small.torch.networks import TorchNetworks
        except ImportError as error:
            raise CheckpointError(NEED_TORCH) from error
        from sonoriff.precision import dtype_named

        dtype = dtype_named(precision, device)
        return cls(TorchNetworks.from_folder(folder, device=device, dtype=dtype), facts)


def _facts(folder: Path) -> dict[str, Any]:
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
    return index
