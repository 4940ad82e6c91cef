"""Which clips of a folder are compared, and how far a taught model has come."""

from __future__ import annotations

import math

import pytest

from sonoriff.corpus.manifest import ClipLabels, CorpusClip
from sonoriff.errors import CorpusError, ParameterError
from sonoriff.evaluation.model.table import Table
from sonoriff.evaluation.personal.distance import (
    OwnSettings,
    compared_clips,
    in_words,
    with_ways,
)


def clip(number: int, split: str, *captions: str) -> CorpusClip:
    source = f"import/{number % 3}-{split}.wav"
    return CorpusClip(
        f"audio/{number:04d}.flac", captions, ClipLabels(), split, source, "CC0-1.0", "", source
    )


def folder(held_out: int, *captions: str, trained: int = 12) -> list[CorpusClip]:
    train = [clip(i, "train", f"trained {i % 3}") for i in range(trained)]
    return train + [clip(100 + i, "validation", *captions) for i in range(held_out)]


def row(distance: float, clips: int = 80) -> dict[str, float]:
    names = ("fad_MTT", "fad_MSD", "kad_MTT", "kad_MSD")
    return dict.fromkeys(names, distance) | {"clips": float(clips)}


def test_prompts_are_the_held_out_captions_and_no_clip_is_on_both_sides() -> None:
    clips = folder(11, "a", "b", "c", "d")
    found = compared_clips(clips, OwnSettings(n_clips=44))
    assert {c.split for c in found.reference} == {"validation"}
    assert len(found.reference) == 11
    assert {c.split for c in found.real} == {"train"}
    assert len(found.real) == 12
    # Eleven clips with four captions: each caption of each clip once.
    assert sorted(found.prompts) == sorted("abcd" * 11)
    assert found == compared_clips(clips, OwnSettings(n_clips=44))
    assert len(compared_clips(clips, OwnSettings(n_clips=10)).real) == 10


def test_few_held_out_captions_are_joined_by_the_others() -> None:
    found = compared_clips(folder(10, "a"), OwnSettings(n_clips=22))
    assert set(found.prompts) == {"a", "trained 0", "trained 1", "trained 2"}


def test_too_few_clips_are_refused_with_what_to_do() -> None:
    for clips in (folder(9, "a"), folder(20, "a", trained=9)):
        with pytest.raises(CorpusError, match="column split"):
            compared_clips(clips, OwnSettings())
    with pytest.raises(ParameterError, match="at least 10"):
        OwnSettings(n_clips=9)
    with pytest.raises(ParameterError, match="rows are real, ceiling, base, result; got model"):
        OwnSettings(rows=("model",))


def test_the_way_is_a_share_of_the_distance_between_base_and_real() -> None:
    rows = with_ways({"real": row(10), "base": row(50), "result": row(20)})
    assert rows["base"]["way_fad_MTT"] == 0.0
    assert rows["real"]["way_kad_MSD"] == 100.0
    assert rows["result"]["way_fad_MSD"] == pytest.approx(75.0)
    table = Table(rows, {"held_out_clips": 60})
    assert in_words(table).startswith("The result has gone 75 % of the way")
    assert "rough" not in in_words(table)
    few = Table(rows, {"held_out_clips": 20})
    assert "Only 20 clips" in in_words(few)


def test_a_base_that_is_near_already_has_no_way_to_go() -> None:
    rows = with_ways({"real": row(10), "base": row(9), "result": row(8)})
    assert math.isnan(rows["result"]["way_fad_MTT"])
    assert "already as near" in in_words(Table(rows, {"held_out_clips": 60}))
    assert with_ways({"result": row(1)}) == {"result": row(1)}
    assert in_words(Table({"result": row(1)}, {})) == ""
