"""The model card: what a taught model is, what it was taught, and what is known of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sonoriff.files import write_text
from sonoriff.training.config import LoopConfig
from sonoriff.training.personal.music import OwnMusic
from sonoriff.version import __version__


@dataclass(frozen=True, kw_only=True)
class TaughtModel:
    """The facts of a card.

    Attributes
    ----------
    name : of the model
    kind : "LoRA" or "fine-tuned model"
    base : what it began with
    use : the command that plays it
    figures : the last validation figures by name
    copying : what the comparison with the training clips says
    """

    name: str
    kind: str
    base: str
    use: str
    figures: dict[str, float]
    copying: str


def write_card(folder: Path, model: TaughtModel, music: OwnMusic, config: LoopConfig) -> None:
    """Write README.md, with the front matter that the Hugging Face hub reads."""
    write_text(folder / "README.md", card_text(model, music, config))


def card_text(model: TaughtModel, music: OwnMusic, config: LoopConfig) -> str:
    """The card as Markdown."""
    held_out = sum(clip.split != "train" for clip in music.clips)
    licences = _counted([clip.licence for clip in music.clips])
    credits = _counted([clip.credit for clip in music.clips if clip.credit]) or "nobody is named"
    figures = "".join(f"| {name} | {value:.4f} |\n" for name, value in model.figures.items())
    captions = "".join(f"- {text}\n" for text in music.captions(10))
    return f"""---
library_name: sonoriff
base_model: {model.base}
tags: [music, text-to-audio]
---

# {model.name}

A {model.kind} on {model.base}, made with Sonoriff {__version__}.

    {model.use}

## What it was taught

{music.n_files} files, {len(music.clips)} clips ({music.hours:.2f} hours), {held_out} of them held
out. Licences: {licences}. Credit: {credits}.

The most common captions:

{captions}
## How

{config.steps} steps of {config.batch_size * config.accumulate} clips, learning rate \
{config.learning_rate:g}, precision {config.precision}, seed {config.seed}, averaged with a decay \
of {config.ema_decay:g}.

| measure of held-out clips | value |
|---|---|
{figures or "| none was held out | |" + chr(10)}
## Copies of the training clips

{model.copying}
"""


def _counted(values: list[str]) -> str:
    tally = Counter(values).most_common()
    return ", ".join(f"{value} ({count} clips)" for value, count in tally)
