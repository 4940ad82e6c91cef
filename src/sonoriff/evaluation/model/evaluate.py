"""Evaluation of the model: real clips, real clips through autoencoder and codec, made clips."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sonoriff.errors import ParameterError
from sonoriff.evaluation.judges.classifier import Classifier
from sonoriff.evaluation.judges.classifier_training import (
    ClassifierConfig,
    OnStep,
    classifier_for_corpus,
    corpus_digest,
)
from sonoriff.evaluation.judges.distances import nearest_similarity
from sonoriff.evaluation.judges.measures import Judges, load_judges, thumbnail
from sonoriff.evaluation.model.clip_sets import (
    Measures,
    OnClip,
    Row,
    ceiling_row,
    codec_row,
    measured,
    model_row,
    real_row,
    sampling_facts,
)
from sonoriff.evaluation.model.held_out import HeldOut, held_out_clips
from sonoriff.evaluation.model.scores import (
    Answers,
    Figures,
    agreement_figures,
    distance_figures,
    diversity,
    genre_groups,
    music_figures,
    nearness_figures,
    sound_figures,
    speed_figures,
    tag_figures,
)
from sonoriff.evaluation.model.sheet import PROMPTS, SEEDS, sheet_settings
from sonoriff.evaluation.model.table import Table, with_shares
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import GenerateSettings
from sonoriff.training.data.pictures import PictureSet, floats_from_bytes
from sonoriff.training.recipes.autoencoder import DB_PER_UNIT
from sonoriff.version import __version__

ROWS = ("real", "codec", "ceiling", "model")


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What is evaluated.

    Attributes
    ----------
    n_prompts : held-out captions, each answered once
    split : the split they are from
    rows : of "real", "codec", "ceiling" and "model", in the order of the table
    seed : of the choice of clips and captions
    sampling : steps, guidance and the rest; its prompt and seed are not used
    classifier : how the judge of genres and instruments is trained
    n_seed_prompts : prompts of the sheet whose four seeds are compared with each other
    """

    n_prompts: int = 1000
    split: str = "test"
    rows: tuple[str, ...] = ("real", "ceiling", "model")
    seed: int = 0
    sampling: GenerateSettings = field(default_factory=lambda: GenerateSettings(prompt=""))
    classifier: ClassifierConfig = field(default_factory=ClassifierConfig)
    n_seed_prompts: int = len(PROMPTS)

    def __post_init__(self) -> None:
        if not self.rows or not set(self.rows) <= set(ROWS):
            raise ParameterError(
                f"rows are {', '.join(ROWS)}; got {', '.join(self.rows) or 'none'}"
            )

    @property
    def needs_model(self) -> bool:
        """Whether a row is made with a model."""
        return bool({"ceiling", "model"} & set(self.rows))


def evaluate_model(
    model: SmallModel | None,
    corpus: Path,
    pictures: PictureSet,
    work: Path,
    settings: EvaluationSettings,
    *,
    on_clip: OnClip | None = None,
    on_step: OnStep | None = None,
) -> Table:
    """Measure the rows and compare them.

    Parameters
    ----------
    model : None where no row needs one
    corpus : folder with metadata.jsonl and the sound files
    pictures : of the same corpus, for the classifier and for the nearest training clips
    work : folder for what is kept between runs: the classifier and the measures of every clip

    Raises
    ------
    CorpusError
        too few clips in the held-out splits
    CheckpointError
        musicnn is not installed
    """
    if model is None and settings.needs_model:
        raise ParameterError("the rows ceiling and model need a model")
    held_out = held_out_clips(
        pictures.entries, split=settings.split, n_prompts=settings.n_prompts, seed=settings.seed
    )
    classifier, classifier_facts = classifier_for_corpus(
        pictures, work, settings.classifier, on_step=on_step
    )
    bench = _Bench(
        corpus=corpus,
        held_out=held_out,
        classifier=classifier,
        judges=load_judges(classifier),
        judges_digest=corpus_digest(pictures, settings.classifier),
        work=work,
        on_clip=on_clip,
    )
    reference = bench.measured(real_row("reference", corpus, held_out.reference))
    real = bench.measured(real_row("real", corpus, held_out.tested))
    training = _training_thumbnails(pictures)
    of_real = nearest_similarity(real["thumbnail"], training)
    rows: dict[str, Figures] = {}
    for name in settings.rows:
        row = _row(name, corpus, held_out, model, settings.sampling)
        measures = real if name == "real" else bench.measured(row)
        rows[name] = bench.figures(name, measures, reference)
        near = of_real if name == "real" else nearest_similarity(measures["thumbnail"], training)
        rows[name] |= nearness_figures(near, of_real)
        rows[name]["diversity"] = _diversity(bench, name, measures, reference, model, settings)
        if name == "ceiling" and model is not None:
            rows[name]["autoencoder_db"] = _autoencoder_error(model, pictures, held_out.tested)
    facts = _facts(model, held_out, settings, classifier, classifier_facts)
    return Table(with_shares(rows), facts)


@dataclass(frozen=True, kw_only=True)
class _Bench:
    """What every row is measured with."""

    corpus: Path
    held_out: HeldOut
    classifier: Classifier
    judges: Judges
    judges_digest: str
    work: Path
    on_clip: OnClip | None

    def measured(self, row: Row) -> Measures:
        return measured(row, self.judges, self.judges_digest, self.work, self.on_clip)

    def figures(self, name: str, measures: Measures, reference: Measures) -> Figures:
        """All that needs no other row."""
        prompts = self.held_out.prompts
        own = np.arange(len(prompts)) if name == "model" else np.array([p.clip for p in prompts])
        answers = Answers(measures, prompts, own)
        figures = {"clips": float(len(measures["bpm"]))}
        figures |= distance_figures(measures, reference)
        figures |= agreement_figures(answers, self.classifier.labels)
        figures |= tag_figures(answers, reference, self.held_out.reference)
        figures |= music_figures(answers) | sound_figures(measures)
        return figures if name == "real" else figures | speed_figures(measures)


def _row(
    name: str,
    corpus: Path,
    held_out: HeldOut,
    model: SmallModel | None,
    sampling: GenerateSettings,
) -> Row:
    if name == "real":
        return real_row(name, corpus, held_out.tested)
    if name == "codec":
        return codec_row(name, corpus, held_out.tested)
    assert model is not None
    if name == "ceiling":
        return ceiling_row(name, corpus, held_out.tested, model)
    prompts = enumerate(held_out.prompts)
    return model_row(name, model, [replace(sampling, prompt=p.caption, seed=i) for i, p in prompts])


def _diversity(
    bench: _Bench,
    name: str,
    measures: Measures,
    reference: Measures,
    model: SmallModel | None,
    settings: EvaluationSettings,
) -> float:
    """Of seeds for the model, of clips of one genre for real music."""
    if name != "model":
        return diversity(measures, genre_groups(bench.held_out.tested), reference)
    assert model is not None
    several = model_row("seeds", model, sheet_settings(settings.sampling, settings.n_seed_prompts))
    groups = np.arange(several.count).reshape(-1, len(SEEDS))
    return diversity(bench.measured(several), list(groups), reference)


def _autoencoder_error(
    model: SmallModel, pictures: PictureSet, entries: Sequence[dict[str, Any]]
) -> float:
    """Mean absolute difference of 8-bit pictures and what the autoencoder makes of them, dB."""
    places = {entry["file_name"]: i for i, entry in enumerate(pictures.entries)}
    errors = []
    for entry in entries:
        levels = pictures.picture(places[entry["file_name"]])
        picture = floats_from_bytes(levels[None])[:, None].numpy()
        coded = model.decode(model.encode(picture))[:, :1]
        errors.append(float(np.abs(coded - picture).mean()))
    return DB_PER_UNIT * float(np.mean(errors))


def _training_thumbnails(pictures: PictureSet) -> npt.NDArray[np.float16]:
    """(clips, 2048) of the split "train"."""
    indices: Sequence[int] = pictures.subset("train").tolist()
    return np.stack([thumbnail(pictures.picture(i)).astype(np.float16) for i in indices])


def _facts(
    model: SmallModel | None,
    held_out: HeldOut,
    settings: EvaluationSettings,
    classifier: Classifier,
    classifier_facts: dict[str, Any],
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "sonoriff": __version__,
        "split": settings.split,
        "prompts": len(held_out.prompts),
        "tested_clips": len(held_out.tested),
        "tested_sources": len({e.get("source") for e in held_out.tested}),
        "reference_clips": len(held_out.reference),
        "reference_sources": len({e.get("source") for e in held_out.reference}),
        "seed": settings.seed,
        "classifier": {
            **classifier_facts,
            "genres": len(classifier.labels.genres),
            "instruments": len(classifier.labels.instruments),
        },
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
    }
    if model is not None:
        facts["sampling"] = sampling_facts(settings.sampling, model)
        facts["model"] = {
            **model.facts,
            "precision": model.precision,
            "denoiser": model.digest("denoiser"),
            "autoencoder": model.digest("autoencoder"),
        }
    return facts
