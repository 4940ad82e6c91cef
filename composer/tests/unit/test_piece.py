"""Tempo, clip starts and what is heard in a clip."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.windows import CLIP_SECONDS
from sonoriff_composer.piece import (
    Piece,
    Timing,
    bars_needed,
    choose_starts,
    choose_timing,
    clip_facts,
    heard,
)
from sonoriff_composer.score import Note, Part, Score, seeded


def test_a_third_of_tempi_make_whole_bars_and_all_stay_in_range() -> None:
    timings = [choose_timing(seeded(n), 100, 160) for n in range(300)]
    loops = [t for t in timings if t.loop]
    assert 60 < len(loops) < 150
    for timing in loops:
        bars = CLIP_SECONDS / timing.bar_s
        assert bars == pytest.approx(round(bars), abs=1e-9)
    assert all(96 <= t.bpm <= 166.5 for t in timings)
    assert len({t.bpm for t in timings}) > 30


def test_compound_metre_counts_felt_beats() -> None:
    timing = Timing(60.0, 2, 6.0, False)
    assert timing.tempo == 180.0
    assert timing.bar_s == 2.0


def test_clips_follow_each_other_on_bars() -> None:
    timing = Timing(120.0, 4, 4.0, True)
    for seed in range(20):
        starts = choose_starts(seeded(seed), timing, 4, 1)
        assert all(b - a >= CLIP_SECONDS - 0.1 for a, b in pairwise(starts))
        assert all(s % timing.bar_s == pytest.approx(0, abs=1e-9) for s in starts)
        assert bars_needed(starts, timing) * timing.bar_s >= starts[-1] + CLIP_SECONDS


def line(role: str, program: int, velocity: int, count: int, at: float = 0.0) -> Part:
    notes = tuple(Note(at + n * 0.5, 0.4, 60, velocity) for n in range(count))
    return Part(role, role, program, notes)


def test_instruments_are_named_by_weight_the_lead_first() -> None:
    hits = tuple(Note(n * 0.5, 0.1, 36 if n % 2 else 42, 90) for n in range(24))
    congas = tuple(Note(n * 0.5, 0.1, 63, 90) for n in range(20))
    score = Score(120.0, (
        line("chords", 0, 100, 24), line("lead", 73, 70, 8), line("pad", 48, 12, 3),
        line("bass", 33, 100, 4, at=30.0), Part("drums", "drums", 0, hits + congas),
    ))  # fmt: skip
    names, lead, drums = heard(score, 0.0)
    assert names == ("flute", "piano", "drums", "congas")
    assert lead == "flute"
    assert drums
    names, lead, drums = heard(score, 14.0)
    assert names == ("electric bass",)
    assert (lead, drums) == (None, False)


def test_drums_alone_have_no_key() -> None:
    hits = tuple(Note(n * 0.5, 0.1, 36, 90) for n in range(24))
    score = Score(120.0, (Part("drums", "drums", 0, hits),))
    piece = Piece(ClipLabels(genre="rock", key="C", mode="major"), "s", "train", (0.0,), score)
    facts = clip_facts(piece, 0.0)
    assert (facts.key, facts.mode, facts.instruments) == (None, None, ("drums",))
