"""Train, validation and test by source."""

from __future__ import annotations

from collections import Counter

from sonoriff.corpus.splits import divide, draw_source, split_of
from sonoriff_composer.score import seeded


def test_a_source_is_in_one_split_only_and_few_sources_still_give_all_splits() -> None:
    for count in (3, 5, 20, 60):
        parts = divide([f"s{n}" for n in range(count)])
        members = [s for names in parts.values() for s in names]
        assert sorted(members) == sorted(f"s{n}" for n in range(count))
        assert all(parts[name] for name in ("train", "validation", "test"))
    assert divide(["a", "b"])["train"]
    assert not divide(["a", "b"])["test"]


def test_shares_hold_however_few_sources() -> None:
    drawn = [draw_source(seeded(n), ["a", "b", "c"]) for n in range(3_000)]
    counts = Counter(split for _, split in drawn)
    assert 0.90 < counts["train"] / 3_000 < 0.94
    assert 0.025 < counts["test"] / 3_000 < 0.055
    assert len(set(drawn)) == 3


def test_lone_sources_keep_their_split() -> None:
    names = [f"track {n}" for n in range(2_000)]
    counts = Counter(split_of(n) for n in names)
    assert 0.89 < counts["train"] / 2_000 < 0.95
    assert [split_of(n) for n in names] == [split_of(n) for n in names]
