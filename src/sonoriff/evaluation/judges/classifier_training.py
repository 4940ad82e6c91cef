"""Training of the classifier that judges the model."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sonoriff.errors import CorpusError
from sonoriff.evaluation.judges.classifier import (
    Classifier,
    Labels,
    has_classifier,
    load_classifier,
    save_classifier,
)
from sonoriff.training.config import LoopConfig
from sonoriff.training.data.pictures import PictureSet, floats_from_bytes
from sonoriff.training.loop import train

OnStep = Callable[[int, int, float], None]
_FALSE_ALARMS = 0.05


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """How the classifier is trained.

    Attributes
    ----------
    steps, batch_size, learning_rate : of AdamW, with a rise over the first tenth and a fall
    crop_frames : columns of a training crop
    fewest_clips : training clips below which a genre or instrument is left out
    fewest_held_out : validation clips without an instrument that its threshold needs
    seed : of everything random
    """

    steps: int = 1600
    batch_size: int = 32
    learning_rate: float = 2e-3
    crop_frames: int = 256
    fewest_clips: int = 25
    fewest_held_out: int = 20
    seed: int = 0


def classifier_for_corpus(
    pictures: PictureSet,
    folder: Path,
    config: ClassifierConfig | None = None,
    *,
    on_step: OnStep | None = None,
) -> tuple[Classifier, dict[str, Any]]:
    """The classifier of these pictures and settings: read from `folder`, or trained and kept there.

    Raises
    ------
    CorpusError
        fewer than two genres or instruments have enough clips
    KeyboardInterrupt
        stopped; the next call goes on from there
    """
    config = config or ClassifierConfig()
    home = folder / f"classifier-{corpus_digest(pictures, config)}"
    if not has_classifier(home):
        run = home / "run"
        classifier, facts = train_classifier(pictures, config, run, on_step=on_step)
        save_classifier(home, classifier, facts)
        shutil.rmtree(run)
    return load_classifier(home)


def corpus_digest(pictures: PictureSet, config: ClassifierConfig) -> str:
    """Names what a classifier was trained on."""
    digest = hashlib.sha256(json.dumps(asdict(config)).encode())
    for entry in pictures.entries:
        if entry["split"] != "test":
            digest.update(json.dumps([entry["file_name"], entry["facts"]]).encode())
    return digest.hexdigest()[:12]


def train_classifier(
    pictures: PictureSet, config: ClassifierConfig, run: Path, *, on_step: OnStep | None = None
) -> tuple[Classifier, dict[str, Any]]:
    """Train on the split "train", set thresholds on "validation"; classifier and figures.

    The run folder keeps checkpoints, from which a run that was stopped goes on.
    """
    recipe = _Recipe(pictures, config)
    rise = max(1, config.steps // 10)
    loop = LoopConfig(
        steps=config.steps,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        warmup_steps=rise,
        cooldown_steps=config.steps - rise,
        weight_decay=0.02,
        ema_decay=0.0,
        save_minutes=2.0,
        sample_minutes=math.inf,
        seed=config.seed,
    )
    done = config.steps

    def on_progress(step: int, figures: dict[str, float]) -> None:
        nonlocal done
        done = step
        if on_step:
            on_step(step, config.steps, figures["loss"])

    classifier = train(recipe, loop, run, on_step=on_progress)
    if done < config.steps:
        raise KeyboardInterrupt
    assert isinstance(classifier, Classifier)
    return _measured(classifier.eval().requires_grad_(False), pictures, recipe.targets, config)


class _Recipe:
    """What the training loop asks for: genre and instruments of random crops."""

    name = "classifier"

    def __init__(self, pictures: PictureSet, config: ClassifierConfig) -> None:
        self.pictures, self.config = pictures, config
        self.train_indices = pictures.subset("train")
        entries = [pictures.entries[int(i)] for i in self.train_indices]
        self.labels = labels_of_entries(entries, config.fewest_clips)
        self.targets = _Targets.of_entries(pictures.entries, self.labels)

    def build(self) -> nn.Module:
        model: nn.Module = Classifier(self.labels)
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def facts(self) -> dict[str, Any]:
        return {"recipe": self.name, "corpus": corpus_digest(self.pictures, self.config)}

    def loss(
        self, model: nn.Module, generator: torch.Generator, batch_size: int
    ) -> tuple[Tensor, dict[str, float]]:
        picks = torch.randint(len(self.train_indices), (batch_size,), generator=generator)
        indices = self.train_indices[picks.numpy()]
        crops = _crops(self.pictures, indices, self.config.crop_frames, generator)
        # Dropout draws from the global generator, which no checkpoint keeps.
        torch.manual_seed(generator.initial_seed())
        genre, instruments = model(_augmented(crops, generator))
        return _loss(genre.float(), instruments.float(), self.targets, indices), {}

    def before_save(self, model: nn.Module) -> None:
        """Nothing to bring up to date."""

    def validate(self, model: nn.Module) -> dict[str, float]:  # noqa: ARG002
        return {}

    def sample(self, model: nn.Module, folder: Path, step: int) -> None:
        """No picture shows a classifier."""


def labels_of_entries(entries: list[dict[str, Any]], fewest_clips: int) -> Labels:
    """Genres and instruments with enough clips, by name."""
    genres = Counter(e["facts"].get("genre") for e in entries)
    instruments = Counter(i for e in entries for i in e["facts"].get("instruments") or ())
    found = Labels(
        genres=tuple(sorted(g for g, n in genres.items() if g and n >= fewest_clips)),
        instruments=tuple(sorted(i for i, n in instruments.items() if n >= fewest_clips)),
    )
    if min(len(found.genres), len(found.instruments)) < 2:
        raise CorpusError(
            "the classifier needs at least two genres and two instruments with "
            f"{fewest_clips} training clips each; the corpus has {len(found.genres)} and "
            f"{len(found.instruments)}"
        )
    return found


@dataclass(frozen=True)
class _Targets:
    """Genre (clips,), -1 where unknown; instruments (clips, I), 0 or 1."""

    genre: Tensor
    instruments: Tensor

    @classmethod
    def of_entries(cls, entries: list[dict[str, Any]], labels: Labels) -> _Targets:
        genre = torch.full((len(entries),), -1)
        instruments = torch.zeros(len(entries), len(labels.instruments))
        for i, entry in enumerate(entries):
            facts = entry["facts"]
            if facts.get("genre") in labels.genres:
                genre[i] = labels.genres.index(facts["genre"])
            for name in facts.get("instruments") or ():
                if name in labels.instruments:
                    instruments[i, labels.instruments.index(name)] = 1.0
        return cls(genre, instruments)


def _loss(
    genre: Tensor, instruments: Tensor, targets: _Targets, picks: npt.NDArray[np.int64]
) -> Tensor:
    """Cross-entropy of genre (B, G) and instruments (B, I); rare instruments weigh more."""
    wanted, present = targets.genre[picks], targets.instruments[picks]
    known = wanted >= 0
    loss = 6.0 * F.binary_cross_entropy_with_logits(
        instruments, present, pos_weight=torch.full((instruments.shape[1],), 3.0)
    )
    if known.any():
        loss = loss + F.cross_entropy(genre[known], wanted[known], label_smoothing=0.1)
    return loss


def _crops(
    pictures: PictureSet, picks: npt.NDArray[np.int64], frames: int, generator: torch.Generator
) -> Tensor:
    crops = []
    for pick in picks:
        picture = pictures.picture(int(pick))
        start = int(torch.randint(picture.shape[1] - frames + 1, (1,), generator=generator))
        crops.append(picture[:, start : start + frames])
    return floats_from_bytes(np.stack(crops))[:, None]


def _augmented(x: Tensor, generator: torch.Generator) -> Tensor:
    """Other loudness and pitch, a little noise, a gap in time and one in frequency."""
    batch, _, rows, columns = x.shape
    gain = torch.randn(batch, 1, 1, 1, generator=generator) * 0.08
    x = x + gain + 0.02 * torch.randn(x.shape, generator=generator)
    shifts = torch.randint(-2, 3, (batch,), generator=generator).tolist()
    row_at = torch.randint(rows, (batch,), generator=generator).tolist()
    column_at = torch.randint(columns, (batch,), generator=generator).tolist()
    for i in range(batch):
        if shifts[i]:
            x[i] = x[i].roll(shifts[i], dims=1)
        x[i, :, row_at[i] : row_at[i] + rows // 12] = -1.0
        x[i, :, :, column_at[i] : column_at[i] + columns // 8] = -1.0
    return x.clamp(-1.0, 1.0).contiguous(memory_format=torch.channels_last)


def _measured(
    classifier: Classifier, pictures: PictureSet, targets: _Targets, config: ClassifierConfig
) -> tuple[Classifier, dict[str, Any]]:
    """Thresholds and accuracy on validation clips (on training clips where there are none)."""
    held_out = pictures.subset("validation")
    if len(held_out) < config.fewest_held_out:
        held_out = pictures.subset("train")
    genre, instrument = scores_of_pictures(classifier, pictures, held_out)
    present = targets.instruments[torch.from_numpy(held_out)] > 0
    thresholds = []
    for column, there in zip(instrument.T, present.T, strict=True):
        without = column[~there]
        enough = len(without) >= config.fewest_held_out
        thresholds.append(float(torch.quantile(without, 1 - _FALSE_ALARMS)) if enough else 0.0)
    classifier.labels = replace(classifier.labels, thresholds=tuple(thresholds))
    truth = targets.genre[torch.from_numpy(held_out)]
    right = genre.argmax(dim=1)[truth >= 0] == truth[truth >= 0]
    heard = instrument > torch.tensor(thresholds)
    facts = {
        "config": asdict(config),
        "training_clips": len(pictures.subset("train")),
        "validation_clips": len(held_out),
        "validation_genre_top1": round(float(right.float().mean()), 4) if len(right) else None,
        "validation_instrument_recall": round(float(heard[present].float().mean()), 4),
    }
    return classifier, facts


def scores_of_pictures(
    classifier: Classifier, pictures: PictureSet, indices: npt.NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """Genre and instrument logits of the clips `indices`: (n, G), (n, I)."""
    parts = []
    for start in range(0, len(indices), 32):
        batch = np.stack([pictures.picture(int(i)) for i in indices[start : start + 32]])
        parts.append(classifier.scores(floats_from_bytes(batch)[:, None]))
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])
