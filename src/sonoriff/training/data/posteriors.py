"""What a Stable Diffusion model is trained on, computed once: posteriors of pictures, and captions.

For every shard of a corpus there is ``posterior-NNNNN.npy`` (float16, clips x 2C x H x W: mean and
log variance of the autoencoder) with ``index-NNNNN.json`` (the clips' files), and for all captions
``captions.json`` with ``captions.npy`` (float16, captions x tokens x width).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sonoriff.audio import read_audio
from sonoriff.corpus.manifest import CorpusClip
from sonoriff.errors import CorpusError
from sonoriff.files import atomic_path, write_text
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.pipeline.latent_codec import picture_from_sonogram
from sonoriff.sonogram.codec import encode

_CAPTIONS_AT_ONCE = 64
Half = npt.NDArray[np.float16]


@dataclass(frozen=True)
class DiffusionData:
    """Clips as the autoencoder sees them.

    Attributes
    ----------
    posteriors : float16 arrays (clips, 2C, H, W), one a shard
    clips : in the order of the shards
    places : (shard, row) of each clip
    """

    posteriors: list[Half]
    clips: list[CorpusClip]
    places: list[tuple[int, int]]

    def subset(self, split: str) -> npt.NDArray[np.int64]:
        """Indices of the clips of a split."""
        return np.array([i for i, c in enumerate(self.clips) if c.split == split], np.int64)

    def posterior(self, index: int) -> Half:
        """float16 (2C, H, W)."""
        shard, row = self.places[index]
        posterior: Half = self.posteriors[shard][row]
        return posterior


def prepare_data(
    corpus: Path,
    clips: Sequence[CorpusClip],
    folder: Path,
    model: StableDiffusionModel,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> DiffusionData:
    """Map the posteriors of clips; those that are missing are computed."""
    folder.mkdir(parents=True, exist_ok=True)
    by_shard: dict[str, list[CorpusClip]] = {}
    for clip in clips:
        by_shard.setdefault(Path(clip.file_name).parent.name, []).append(clip)
    data = DiffusionData([], [], [])
    for shard, own in sorted(by_shard.items()):
        rows = _posteriors(corpus, own, folder, shard, model)
        data.places.extend((len(data.posteriors), row) for row in range(len(own)))
        data.posteriors.append(rows)
        data.clips.extend(own)
        if progress:
            progress(len(data.clips), len(clips))
    return data


def _posteriors(
    corpus: Path, clips: list[CorpusClip], folder: Path, shard: str, model: StableDiffusionModel
) -> Half:
    """A shard's posteriors; clips that were computed before are taken from there."""
    target, index = folder / f"posterior-{shard}.npy", folder / f"index-{shard}.json"
    names = [f"{clip.piece}/{clip.file_name}" for clip in clips]
    before: dict[str, int] = {}
    if target.exists() and index.exists():
        before = {n: i for i, n in enumerate(json.loads(index.read_text(encoding="utf-8")))}
    if list(before) != names:
        old = np.load(target, mmap_mode="r") if before else None
        rows = [
            old[before[name]] if old is not None and name in before
            else posterior_of_clip(corpus / clip.file_name, model)
            for name, clip in zip(names, clips, strict=True)
        ]  # fmt: skip
        with atomic_path(target) as partial, partial.open("wb") as stream:
            np.save(stream, np.stack(rows))
        write_text(index, json.dumps(names))
    stored: Half = np.load(target, mmap_mode="r")
    return stored


@torch.inference_mode()
def posterior_of_clip(path: Path, model: StableDiffusionModel) -> Half:
    """float16 (2C, H, W) of the first window of a clip, in the model's sonogram format.

    The picture is never flipped or shifted: mirrored, its time would run backwards.
    """
    waveform, sample_rate = read_audio(path, max_channels=1)
    sonogram = encode(waveform, sample_rate, model.params)
    picture, _ = picture_from_sonogram(sonogram)
    window = model.window_frames
    if picture.shape[-1] < window:
        raise CorpusError(
            f"{path.name} has {picture.shape[-1]} columns, the model's window is {window}: "
            "choose a base model with a window of 5.12 s"
        )
    image = torch.from_numpy(-picture[..., :window]).flip(2).expand(-1, 3, -1, -1)
    posterior = model.vae.encode(image.to(model.device, model.dtype)).latent_dist
    half: Half = posterior.parameters[0].half().cpu().numpy()
    return half


def tokens_of_captions(captions: Sequence[str], tokenizer: Any) -> Tensor:
    """int64 (B, L), cut or filled up as the diffusers pipelines do it."""
    tokens: Tensor = tokenizer(
        list(captions),
        padding="max_length",
        truncation=True,
        max_length=tokenizer.model_max_length,
        return_tensors="pt",
    ).input_ids
    return tokens


@torch.inference_mode()
def prepare_captions(
    captions: Sequence[str], folder: Path, model: StableDiffusionModel
) -> dict[str, Half]:
    """States float16 (L, D) of every caption, kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    listed, target = folder / "captions.json", folder / "captions.npy"
    wanted = sorted(set(captions))
    if not (target.exists() and listed.exists()) or wanted != json.loads(listed.read_text("utf-8")):
        parts = []
        for start in range(0, len(wanted), _CAPTIONS_AT_ONCE):
            some = wanted[start : start + _CAPTIONS_AT_ONCE]
            tokens = tokens_of_captions(some, model.tokenizer).to(model.device)
            parts.append(model.text_encoder(tokens)[0].half().cpu().numpy())
        with atomic_path(target) as partial, partial.open("wb") as stream:
            np.save(stream, np.concatenate(parts))
        write_text(listed, json.dumps(wanted))
    return dict(zip(wanted, np.load(target, mmap_mode="r"), strict=True))


def quick_digest(module: nn.Module) -> str:
    """A short name of a large network's weights, from the ends and the size of every tensor."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        flat = tensor.detach().flatten()
        ends = torch.cat([flat[:8], flat[-8:]]).float().cpu()
        digest.update(f"{name}{tuple(tensor.shape)}".encode() + ends.numpy().tobytes())
    return digest.hexdigest()[:12]
