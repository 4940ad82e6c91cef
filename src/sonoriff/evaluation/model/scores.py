"""Figures of a row: its clips against real music, and against what the prompts ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.key import key_of_chroma
from sonoriff.evaluation.judges.classifier import Labels
from sonoriff.evaluation.judges.distances import (
    frechet_distance,
    frechet_distance_infinity,
    kernel_distance,
    mean_distance_within,
)
from sonoriff.evaluation.judges.harmony import key_score
from sonoriff.evaluation.judges.measures import NETWORKS
from sonoriff.evaluation.judges.musicnn import Network
from sonoriff.evaluation.judges.rhythm import tempo_agrees
from sonoriff.evaluation.model.clip_sets import Measures
from sonoriff.evaluation.model.held_out import HeldOutPrompt
from sonoriff.evaluation.model.requested import Asked, tags_of_text, words_of_entry

Figures = dict[str, float]
_LOOSE = 0.99  # a clip nearer to training than this share of real test clips may be a copy


@dataclass(frozen=True)
class Answers:
    """Measured clips and the prompts they answer: prompt i is answered by clip ``clip_of[i]``."""

    measures: Measures
    prompts: Sequence[HeldOutPrompt]
    clip_of: npt.NDArray[np.int64]


def distance_figures(measures: Measures, reference: Measures) -> Figures:
    """FAD and KAD to the reference on the features of both networks."""
    figures: Figures = {}
    for name in NETWORKS:
        x, y = measures[f"features_{name}"], reference[f"features_{name}"]
        kernel = kernel_distance(x, y)
        figures[f"fad_{name}"] = frechet_distance_infinity(x, y)
        figures[f"fad_plain_{name}"] = frechet_distance(x, y)
        figures[f"kad_{name}"] = kernel.value
        figures[f"kad_error_{name}"] = kernel.error
    return figures


def agreement_figures(answers: Answers, labels: Labels) -> Figures:
    """Per cent of the asked genres and instruments that the classifier hears.

    ``agreement`` counts a genre as heard when it comes first, and takes genres and instruments
    together; ``agreement_new`` is that of captions which no training clip has; ``classes`` is how
    many different ones were asked for.
    """
    genre_ranks, heard, classes, of_new = [], [], set(), []
    for i, prompt in enumerate(answers.prompts):
        clip = int(answers.clip_of[i])
        if prompt.asked.genre in labels.genres:
            scores = answers.measures["genre"][clip]
            asked = labels.genres.index(prompt.asked.genre)
            genre_ranks.append(int((scores > scores[asked]).sum()))
            classes.add(prompt.asked.genre)
            of_new += [genre_ranks[-1] < 1] if prompt.new else []
        for name in prompt.asked.instruments:
            if name in labels.instruments:
                k = labels.instruments.index(name)
                heard.append(answers.measures["instruments"][clip, k] > labels.thresholds[k])
                classes.add(name)
                of_new += [heard[-1]] if prompt.new else []
    ranks = np.array(genre_ranks)
    return {
        "genre_top1": _percent(ranks < 1),
        "genre_top5": _percent(ranks < 5),
        "instrument_recall": _percent(heard),
        "agreement": _percent([*(ranks < 1), *heard]),
        "agreement_new": _percent(of_new),
        "asked_genres": float(len(ranks)),
        "asked_instruments": float(len(heard)),
        "classes": float(len(classes)),
    }


def tag_figures(
    answers: Answers, reference: Measures, reference_entries: Sequence[dict[str, Any]]
) -> Figures:
    """How often musicnn gives an asked tag a higher score than to a real clip without it, per cent.

    50 is chance; 100 is always. Each tag counts the same.
    """
    figures: Figures = {}
    for name in NETWORKS:
        with_tag = [tags_of_text(words_of_entry(e), name) for e in reference_entries]
        wins: dict[int, list[float]] = {}
        for i, prompt in enumerate(answers.prompts):
            for tag in tags_of_text(prompt.caption, name):
                score = answers.measures[f"tags_{name}"][answers.clip_of[i], tag]
                others = _without(reference, with_tag, tag, name)
                if len(others):
                    wins.setdefault(tag, []).append(float((score > others).mean()))
        means = [float(np.mean(values)) for values in wins.values()]
        figures[f"tags_{name}"] = 100.0 * float(np.mean(means)) if means else float("nan")
    return figures


def _without(
    reference: Measures, with_tag: list[frozenset[int]], tag: int, name: Network
) -> npt.NDArray[np.float32]:
    keep = np.array([tag not in tags for tags in with_tag], bool)
    scores: npt.NDArray[np.float32] = reference[f"tags_{name}"][keep, tag]
    return scores


def music_figures(answers: Answers) -> Figures:
    """Tempo and key against what the prompts name."""
    bpms = [
        (float(answers.measures["bpm"][answers.clip_of[i]]), prompt.asked.bpm)
        for i, prompt in enumerate(answers.prompts)
        if prompt.asked.bpm
    ]
    scores = [
        _key_score(answers.measures["chroma"][answers.clip_of[i]], prompt.asked)
        for i, prompt in enumerate(answers.prompts)
        if prompt.asked.key
    ]
    return {
        "tempo": _percent([tempo_agrees(found, bpm, octaves=True) for found, bpm in bpms]),
        "tempo_exact": _percent([tempo_agrees(found, bpm, octaves=False) for found, bpm in bpms]),
        "asked_tempos": float(len(bpms)),
        "key_exact": _percent(np.array(scores) >= 1.0),
        "key_score": _percent(scores),
        "asked_keys": float(len(scores)),
    }


def _key_score(chroma: npt.NDArray[np.float32], asked: Asked) -> float:
    assert asked.key is not None
    return key_score(key_of_chroma(chroma), *asked.key)


def sound_figures(measures: Measures) -> Figures:
    """Means of what is measured on a clip alone; the loudness is a median."""
    return {
        "pulse_clarity": float(measures["clarity"].mean()),
        "onset_sharpness": float(measures["onsets"].mean()),
        "line_sharpness_db": float(measures["lines"].mean()),
        "loudness_lufs": float(np.median(measures["lufs"])),
        "loudness_spread_db": float(np.std(measures["lufs"])),
    }


def speed_figures(measures: Measures) -> Figures:
    """Median seconds to make a clip, and how many times faster than it plays that is."""
    seconds = float(np.median(measures["seconds"]))
    return {
        "seconds_per_clip": seconds,
        "times_real_time": float(np.median(measures["duration"])) / max(seconds, 1e-9),
    }


def diversity(
    measures: Measures, groups: Sequence[npt.NDArray[np.int64]], reference: Measures
) -> float:
    """Mean distance within groups of clips, per cent of the mean distance in the reference.

    Features of both networks side by side, each scaled by its spread in the reference.
    """
    x, y = (
        np.concatenate([m[f"features_{n}"] for n in NETWORKS], axis=1)
        for m in (measures, reference)
    )
    scale = y.std(axis=0) + 1e-6
    whole = mean_distance_within([y / scale])
    return 100.0 * mean_distance_within([x[g] / scale for g in groups]) / whole


def genre_groups(entries: Sequence[dict[str, Any]]) -> list[npt.NDArray[np.int64]]:
    """Clips of one genre, one of each piece: as unlike as two real answers to a prompt."""
    seen: set[tuple[str, str]] = set()
    groups: dict[str, list[int]] = {}
    for i, entry in enumerate(entries):
        genre = entry["facts"].get("genre")
        piece = str(entry.get("piece") or entry["file_name"])
        if genre and (genre, piece) not in seen:
            seen.add((genre, piece))
            groups.setdefault(genre, []).append(i)
    return [np.array(group) for group in groups.values() if len(group) > 1]


def nearness_figures(
    similarity: npt.NDArray[np.float64], of_real: npt.NDArray[np.float64]
) -> Figures:
    """How near clips come to their nearest training clip, next to real test clips.

    ``copies`` is the per cent of clips nearer than all but one in a hundred real test clips; about
    1 says that nothing is copied.
    """
    return {
        "nearest_training": float(np.median(similarity)),
        "copies": _percent(similarity > np.quantile(of_real, _LOOSE)),
    }


def _percent(values: Any) -> float:
    values = np.asarray(values, np.float64)
    return 100.0 * float(values.mean()) if values.size else float("nan")
