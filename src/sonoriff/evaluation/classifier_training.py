"""Training of the classifier that judges the model."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from sonoriff.errors import CorpusError
from sonoriff.evaluation.classifier import (
    Classifier,
    Labels,
    has_classifier,
    load_classifier,
    save_classifier,
)
from sonoriff.precision import multiplies_bfloat16
from sonoriff.training.pictures import PictureSet, floats_from_bytes

OnStep = Callable[[int, int, float], None]
_FALSE_ALARMS = 0.05


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """How the classifier is trained.

    Attributes
    ----------
    steps, batch_size, learning_rate : of AdamW, with a rise and a cosine fall
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
    """
    config = config or ClassifierConfig()
    home = folder / f"classifier-{corpus_digest(pictures, config)}"
    if not has_classifier(home):
        classifier, facts = train_classifier(pictures, config, on_step=on_step)
        save_classifier(home, classifier, facts)
    return load_classifier(home)


def corpus_digest(pictures: PictureSet, config: ClassifierConfig) -> str:
    """Names what a classifier was trained on."""
    digest = hashlib.sha256(json.dumps(asdict(config)).encode())
    for entry in pictures.entries:
        if entry["split"] != "test":
            digest.update(json.dumps([entry["file_name"], entry["facts"]]).encode())
    return digest.hexdigest()[:12]


def train_classifier(
    pictures: PictureSet, config: ClassifierConfig, *, on_step: OnStep | None = None
) -> tuple[Classifier, dict[str, Any]]:
    """Train on the split "train", set thresholds on "validation"; classifier and figures."""
    train = pictures.subset("train")
    labels = labels_of_entries([pictures.entries[int(i)] for i in train], config.fewest_clips)
    torch.manual_seed(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    classifier = Classifier(labels).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    targets = _Targets.of_entries(pictures.entries, labels)
    optimizer = torch.optim.AdamW(
        classifier.parameters(), lr=config.learning_rate, weight_decay=0.02
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=config.steps, pct_start=0.1
    )
    for step in range(config.steps):
        picks = train[torch.randint(len(train), (config.batch_size,), generator=generator).numpy()]
        crops = _augmented(_crops(pictures, picks, config.crop_frames, generator), generator)
        loss = _loss(classifier, crops, targets, torch.from_numpy(picks))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if on_step:
            on_step(step + 1, config.steps, float(loss.detach()))
    classifier.eval().requires_grad_(False)
    return _measured(classifier, pictures, targets, config)


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


def _loss(classifier: Classifier, crops: Tensor, targets: _Targets, picks: Tensor) -> Tensor:
    """Cross-entropy of genre and instruments; rare instruments weigh more."""
    with torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bfloat16()):
        genre, instrument = classifier(crops)
    known = targets.genre[picks] >= 0
    loss = 6.0 * F.binary_cross_entropy_with_logits(
        instrument.float(),
        targets.instruments[picks],
        pos_weight=torch.full((instrument.shape[1],), 3.0),
    )
    if known.any():
        loss = loss + F.cross_entropy(
            genre.float()[known], targets.genre[picks][known], label_smoothing=0.1
        )
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
