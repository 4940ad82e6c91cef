"""How far a model that was taught a folder of music has come from its base towards that music."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sonoriff.corpus.manifest import CorpusClip
from sonoriff.errors import CorpusError, ParameterError
from sonoriff.evaluation.judges.distances import mean_distance_within
from sonoriff.evaluation.judges.measures import NETWORKS, load_judges
from sonoriff.evaluation.model.clip_sets import (
    Measures,
    OnClip,
    Row,
    ceiling_row,
    measured,
    model_row,
    real_row,
    sampling_facts,
)
from sonoriff.evaluation.model.scores import (
    Figures,
    distance_figures,
    sound_figures,
    speed_figures,
)
from sonoriff.evaluation.model.table import LINES, Line, Table
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import GenerateSettings
from sonoriff.training.personal.music import OwnMusic
from sonoriff.version import __version__

ROWS = ("real", "ceiling", "base", "result")
FEWEST_CLIPS = 10
# Below this the figures are a check that all works.
FEW_CLIPS = 50
_FEW_CAPTIONS = 4
_WAYS = tuple(f"{kind}_{name}" for kind in ("fad", "kad") for name in NETWORKS)

OWN_LINES = (
    *LINES,
    *(
        Line(f"way_{kind}_{name}", f"way from base to real, {title} {name}, %", 0, "100")
        for kind, title in (("fad", "FAD∞"), ("kad", "KAD"))
        for name in NETWORKS
    ),
)


@dataclass(frozen=True, kw_only=True)
class OwnSettings:
    """What is compared.

    Attributes
    ----------
    n_clips : clips of each row
    rows : of "real" (training clips), "ceiling" (these through autoencoder and codec), "base" and
        "result", in the order of the table
    seed : of the choice of clips and captions
    sampling : steps, guidance and the rest; its prompt and seed are not used
    """

    n_clips: int = 100
    rows: tuple[str, ...] = ("real", "base", "result")
    seed: int = 0
    sampling: GenerateSettings = field(default_factory=lambda: GenerateSettings(prompt=""))

    def __post_init__(self) -> None:
        if not self.rows or not set(self.rows) <= set(ROWS):
            raise ParameterError(
                f"rows are {', '.join(ROWS)}; got {', '.join(self.rows) or 'none'}"
            )
        if self.n_clips < FEWEST_CLIPS:
            raise ParameterError(f"need at least {FEWEST_CLIPS} clips a row, got {self.n_clips}")


@dataclass(frozen=True)
class Compared:
    """The clips of a folder in their roles.

    Attributes
    ----------
    reference : all held-out clips; every row is measured against them
    real : training clips, the yardstick
    prompts : what base and result are asked for
    """

    reference: tuple[CorpusClip, ...]
    real: tuple[CorpusClip, ...]
    prompts: tuple[str, ...]


def compared_clips(clips: Sequence[CorpusClip], settings: OwnSettings) -> Compared:
    """Choose clips and prompts.

    Prompts are captions of held-out clips, dealt clip by clip and again from the start when all
    are used; of the whole folder where fewer than four held-out captions differ.

    Raises CorpusError where too few clips are held out or trained on.
    """
    held_out = [clip for clip in clips if clip.split != "train"]
    trained = [clip for clip in clips if clip.split == "train"]
    if min(len(held_out), len(trained)) < FEWEST_CLIPS:
        raise CorpusError(
            f"{len(held_out)} clips are held out and {len(trained)} are not; a comparison needs "
            f"{FEWEST_CLIPS} of each, better {FEW_CLIPS}: hold more files out with a column split "
            "(train or validation) in metadata.csv, or add music"
        )
    generator = np.random.default_rng(settings.seed)
    real = [trained[i] for i in generator.permutation(len(trained))[: settings.n_clips]]
    asked = held_out
    if len({text for clip in held_out for text in clip.captions}) < _FEW_CAPTIONS:
        asked = list(clips)
    decks = [list(asked[i].captions) for i in generator.permutation(len(asked))]
    for deck in decks:
        generator.shuffle(deck)
    prompts = [
        decks[i % len(decks)][i // len(decks) % len(decks[i % len(decks)])]
        for i in range(settings.n_clips)
    ]
    return Compared(tuple(held_out), tuple(real), tuple(prompts))


def evaluate_own(
    music: OwnMusic,
    base: SmallModel,
    taught: SmallModel,
    work: Path,
    settings: OwnSettings,
    *,
    on_clip: OnClip | None = None,
) -> Table:
    """Measure training clips and what base and result make of captions against held-out clips.

    Parameters
    ----------
    music : from `gather`
    taught : the result, of the same kind as its base
    work : where the measures of every clip are kept between runs

    Raises
    ------
    CorpusError
        too few clips
    CheckpointError
        musicnn is not installed
    """
    chosen = compared_clips(music.clips, settings)
    judges = load_judges()

    def heard(row: Row) -> Measures:
        return measured(row, judges, "own", work, on_clip)

    reference = heard(real_row("held out", music.corpus, _entries(chosen.reference)))
    rows: dict[str, Figures] = {}
    for name in settings.rows:
        measures = heard(_row(name, music.corpus, chosen, base, taught, settings.sampling))
        made = name in ("base", "result")
        captions = chosen.prompts if made else [clip.captions[0] for clip in chosen.real]
        rows[name] = {"clips": float(len(measures["bpm"]))}
        rows[name] |= distance_figures(measures, reference) | sound_figures(measures)
        rows[name]["diversity"] = _diversity(measures, captions, reference)
        rows[name] |= speed_figures(measures) if made else {}
    return Table(with_ways(rows), _facts(base, taught, chosen, settings), OWN_LINES)


def with_ways(rows: dict[str, Figures]) -> dict[str, Figures]:
    """The rows with how much of the way from "base" to "real" they have gone, per cent.

    NaN where the base is no farther from the held-out clips than the real ones are.
    """
    if not {"real", "base"} <= set(rows):
        return rows
    found = {}
    for name, figures in rows.items():
        found[name] = dict(figures)
        for key in _WAYS:
            begin, end = rows["base"][key], rows["real"][key]
            way = 100.0 * (begin - figures[key]) / (begin - end) if begin > end else math.nan
            found[name][f"way_{key}"] = way
    return found


def in_words(table: Table) -> str:
    """What the table says of the result, in a sentence or two; empty without base and real."""
    if not {"real", "base", "result"} <= set(table.rows):
        return ""
    result = table.rows["result"]
    fad, kad = (
        float(np.mean([result[f"way_{kind}_{name}"] for name in NETWORKS]))
        for kind in ("fad", "kad")
    )
    if math.isnan(fad) or math.isnan(kad):
        return "The base is already as near to the held-out music as the rest of the folder is."
    words = (
        f"The result has gone {fad:.0f} % of the way from its base to the real music "
        f"(FAD∞; {kad:.0f} % by KAD)."
    )
    few = min(table.facts["held_out_clips"], int(result["clips"]))
    if few < FEW_CLIPS:
        words += f" Only {few} clips were compared: take it as a rough figure."
    return words


def _row(
    name: str,
    corpus: Path,
    chosen: Compared,
    base: SmallModel,
    taught: SmallModel,
    sampling: GenerateSettings,
) -> Row:
    if name == "real":
        return real_row(name, corpus, _entries(chosen.real))
    if name == "ceiling":
        return ceiling_row(name, corpus, _entries(chosen.real), taught)
    settings = [
        replace(sampling, prompt=prompt, seed=seed) for seed, prompt in enumerate(chosen.prompts)
    ]
    return model_row(name, base if name == "base" else taught, settings)


def _entries(clips: Sequence[CorpusClip]) -> list[dict[str, Any]]:
    return [{"file_name": clip.file_name} for clip in clips]


def _diversity(measures: Measures, captions: Sequence[str], reference: Measures) -> float:
    """Mean distance between clips of one caption, per cent of that between held-out clips.

    Features as they are: some of them never change in the music of one folder, so that they cannot
    be divided by their spread.
    """
    groups: dict[str, list[int]] = {}
    for i, caption in enumerate(captions):
        groups.setdefault(caption, []).append(i)
    x, y = (
        np.concatenate([m[f"features_{name}"] for name in NETWORKS], axis=1)
        for m in (measures, reference)
    )
    return 100.0 * mean_distance_within([x[g] for g in groups.values()]) / mean_distance_within([y])


def _facts(
    base: SmallModel, taught: SmallModel, chosen: Compared, settings: OwnSettings
) -> dict[str, Any]:
    return {
        "sonoriff": __version__,
        "held_out_clips": len(chosen.reference),
        "held_out_files": len({clip.source for clip in chosen.reference}),
        "real_files": len({clip.source for clip in chosen.real}),
        "captions": len(set(chosen.prompts)),
        "seed": settings.seed,
        "sampling": {
            "base": sampling_facts(settings.sampling, base),
            "result": sampling_facts(settings.sampling, taught),
        },
        "base": {"name": base.name, "denoiser": base.digest("denoiser")},
        "result": {"name": taught.name, "denoiser": taught.digest("denoiser")},
        "precision": taught.precision,
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
    }
