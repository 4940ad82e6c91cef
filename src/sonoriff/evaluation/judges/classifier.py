"""A small network that says which genre and which instruments a sonogram holds.

It judges the model, so it is trained on real clips and never sees a made one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sonoriff.errors import CheckpointError
from sonoriff.files import atomic_path, write_text

LAYOUT_VERSION = 1
_CONFIG, _WEIGHTS = "classifier.json", "classifier.safetensors"


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What the classifier tells apart.

    Attributes
    ----------
    genres, instruments : names, in the order of the outputs
    thresholds : score of each instrument above which it counts as heard; one clip in twenty
        without the instrument passes it, measured on validation clips
    """

    genres: tuple[str, ...]
    instruments: tuple[str, ...]
    thresholds: tuple[float, ...] = ()


class _Block(nn.Module):
    """x + two 3 x 3 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        change = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        return torch.relu(x + change)


class Classifier(nn.Module):
    """Pictures to scores.

    Convolutions from 4 x 4 pixels up, with a bias for every row (a row has a meaning, a column
    has none); at the end all rows of a column together, then mean and largest over time.
    """

    widths = (32, 64, 128, 192)

    def __init__(self, labels: Labels, n_mels: int = 256) -> None:
        super().__init__()
        self.labels = labels
        first, *rest = self.widths
        self.stem = nn.Conv2d(1, first, 4, stride=4)
        self.row = nn.Parameter(torch.zeros(1, first, n_mels // 4, 1))
        layers: list[nn.Module] = [nn.BatchNorm2d(first)]
        before = first
        for width in rest:
            layers += [nn.Conv2d(before, width, 2, stride=2, bias=False), nn.BatchNorm2d(width)]
            layers += [nn.ReLU(), _Block(width)]
            before = width
        self.body = nn.Sequential(*layers)
        self.column = nn.Linear(before * (n_mels // 32), 256)
        self.dropout = nn.Dropout(0.3)
        self.genre = nn.Linear(512, len(labels.genres))
        self.instrument = nn.Linear(512, len(labels.instruments))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, M, N) in [-1, 1] -> genre logits (B, G), instrument logits (B, I)."""
        x = self.body(self.stem(pictures) + self.row)
        columns = torch.relu(self.column(x.permute(0, 3, 1, 2).flatten(2)))
        pooled = self.dropout(torch.cat([columns.mean(dim=1), columns.amax(dim=1)], dim=1))
        return self.genre(pooled), self.instrument(pooled)

    @torch.inference_mode()
    def scores(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of pictures (B, 1, M, N) in [-1, 1], float32; for a network at rest."""
        genre, instruments = self(pictures.contiguous(memory_format=torch.channels_last))
        return genre.float(), instruments.float()


def save_classifier(folder: Path, classifier: Classifier, facts: dict[str, Any]) -> None:
    """Write the weights and what belongs to them into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.contiguous() for name, t in classifier.state_dict().items()}
    with atomic_path(folder / _WEIGHTS) as partial:
        save_file(tensors, partial)
    config = {"version": LAYOUT_VERSION, "labels": asdict(classifier.labels), "facts": facts}
    write_text(folder / _CONFIG, json.dumps(config, indent=1) + "\n")


def load_classifier(folder: Path) -> tuple[Classifier, dict[str, Any]]:
    """The classifier at rest, and its facts.

    Raises
    ------
    CheckpointError
        missing, damaged or of another version
    """
    try:
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        if config["version"] != LAYOUT_VERSION:
            raise CheckpointError(
                f"{folder} holds a classifier of version {config['version']}, expected "
                f"{LAYOUT_VERSION}: remove the folder, it is trained again"
            )
        labels = Labels(**{name: tuple(value) for name, value in config["labels"].items()})
        classifier = Classifier(labels)
        classifier.load_state_dict(load_file(folder / _WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"no usable classifier in {folder}: {error}") from error
    return classifier.eval().requires_grad_(False), config["facts"]


def has_classifier(folder: Path) -> bool:
    """Whether `save_classifier` has finished there."""
    return (folder / _CONFIG).is_file()
