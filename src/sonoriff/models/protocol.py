"""The model protocol: everything that the verbs rely on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.chords import Chord
from sonoriff.diffusion.schedule import Schedule
from sonoriff.models.prompts import Prompt
from sonoriff.sonogram.params import SonogramParams

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class MusicAttributes:
    """Musical attributes that condition a model besides text; None is unknown.

    Attributes
    ----------
    bpm : beats a minute, in [20, 400]
    key : "C", "C#" ... "B"
    mode : "major" or "minor"
    energy : how much happens, 1 (calm) to 5 (full)
    chords : with the beats that each lasts, from the beginning of the music and again and again
    kind : how it came about, of `sonoriff.music.KINDS`
    """

    bpm: float | None = None
    key: str | None = None
    mode: str | None = None
    energy: int | None = None
    chords: tuple[tuple[Chord, int], ...] | None = None
    kind: str | None = None

    def named(self) -> dict[str, Any]:
        """Tempo and key for the settings of a clip: {"bpm": 90.0, "key": "A minor"}."""
        key = " ".join(part for part in (self.key, self.mode) if part) or None
        return {"bpm": self.bpm, "key": key}


@dataclass(frozen=True)
class Term:
    """One evaluation of the model and its share in the sum.

    Attributes
    ----------
    weight : shares of a condition sum to 1; one of them may be negative
    embedding : conditioning of one member of a batch, of the model's own type
    """

    weight: float
    embedding: Any


Conditioning = tuple[Term, ...]


@dataclass(frozen=True)
class Defaults:
    """Settings that suit a model.

    Attributes
    ----------
    guidance_interval : times (low, high) between which guidance acts, 0 is data and 1 noise
    shift : above 1 spends more of the steps near the noise
    paced_share : how much of what guidance pushes away from has the tempo that is asked for. Away
        from no tempo the pulse comes out, away from the same tempo the rest of the prompt does
    """

    sampler: str
    num_inference_steps: int
    guidance_scale: float
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    shift: float = 1.0
    paced_share: float = 0.0


@runtime_checkable
class Model(Protocol):
    """A text-to-sonogram model.

    A picture is float32 (B, 1, M, N) in [-1, 1], -1 is silence, low frequencies first: rows and
    columns of the sonogram format `params`. That of a stereo model is (B, 3, M, N): the middle's
    level, pan in [-1, 1] and width in [0, 1], see `sonogram.stereo`. Latents are float32
    (B, C, H, W); one cell covers `cell` (rows, columns) of the picture.
    """

    @property
    def name(self) -> str:
        """As `sonoriff models` lists it."""

    @property
    def params(self) -> SonogramParams:
        """The sonogram format."""

    @property
    def schedule(self) -> Schedule:
        """Noise levels, and what `predict` gives."""

    @property
    def defaults(self) -> Defaults:
        """Default sampling settings."""

    @property
    def device(self) -> str:
        """The device of the networks: "cpu", "cuda:0", "mps"."""

    @property
    def cell(self) -> tuple[int, int]:
        """(mel rows, columns) of the sonogram under one latent cell."""

    @property
    def window_frames(self) -> int:
        """Columns of the pictures that it was trained on."""

    @property
    def stereo(self) -> bool:
        """Whether its pictures have left and right; without them they are taken as mono."""

    @property
    def supports_inpainting(self) -> bool:
        """Whether `predict` uses known latents and their mask."""

    @property
    def takes_facts(self) -> bool:
        """Whether tempo and key are conditions, not just words of the prompt."""

    @property
    def conditions(self) -> Collection[str]:
        """Fields of `MusicAttributes` that the model supports; "key" covers key and mode."""

    @property
    def max_batch(self) -> int:
        """Largest batch size that speeds up `predict`."""

    def latent_shape(self, n_frames: int) -> tuple[int, int, int]:
        """(C, H, W) of the latents of a picture of at least `n_frames` columns."""

    def encode_prompt(self, prompt: Prompt, facts: MusicAttributes) -> Conditioning:
        """Conditioning for a prompt; a prompt without words gives the unconditional one."""

    def likely_bpm(self, prompt: Prompt) -> float | None:
        """Typical tempo for a prompt that names none; None if the model cannot tell."""

    def blend(self, conditions: Sequence[Conditioning], shares: Sequence[float]) -> Conditioning:
        """A weighted mixture; shares sum to 1, and a share of 1 gives that conditioning itself."""

    def collate(
        self, rows: Sequence[Any], since_beat_s: Sequence[float | None], columns: int
    ) -> Any:
        """Collate embeddings into one batch for `predict`.

        Parameters
        ----------
        columns : of latent cells in each window
        since_beat_s : seconds from the beginning of a bar, or from a beat where no bar is known,
            to the beginning of each row's window; None is unknown
        """

    def predict(
        self,
        x: FloatArray,
        time: float,
        batch: Any,
        known_latents: FloatArray | None = None,
        mask: FloatArray | None = None,
    ) -> FloatArray:
        """The network's prediction, of the kind ``schedule.prediction``, float32 like `x`.

        Parameters
        ----------
        x : (B, C, H, W), noisy
        time : in [0, 1]
        batch : of B rows, from `collate`
        known, mask : (B, C, H, W) clean latents and (B, 1, H, W), 1 where they are known
        """

    def encode(self, picture: FloatArray) -> FloatArray:
        """Latents of pictures whose width is a multiple of a cell's."""

    def decode(self, latents: FloatArray) -> FloatArray:
        """Pictures of latents."""


def summed(conditions: Sequence[Conditioning], shares: Sequence[float]) -> Conditioning:
    """A mixture as a weighted sum of predictions; equal embeddings are evaluated once.

    References
    ----------
    Liu et al., Compositional Visual Generation with Composable Diffusion Models (2022).
    """
    weights: dict[int, float] = {}
    rows: dict[int, Any] = {}
    for condition, share in zip(conditions, shares, strict=True):
        if share == 1.0:
            return condition
        for term in condition:
            rows[id(term.embedding)] = term.embedding
            weights[id(term.embedding)] = weights.get(id(term.embedding), 0.0) + share * term.weight
    return tuple(Term(weight, rows[i]) for i, weight in weights.items() if weight != 0.0)
