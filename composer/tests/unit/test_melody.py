"""Melodies: in range, on the harmony, repeatable, with returning motifs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoriff_composer.harmony import chords_from_text
from sonoriff_composer.instruments import VOICES
from sonoriff_composer.melody import Manner, make_motif, melody, scale_for, swung, vary
from sonoriff_composer.score import Note, seeded


def tune(
    seed: int, name: str = "flute", text: str = "I | vi | ii7 | V7", bars: int = 8
) -> tuple[Note, ...]:
    chords = chords_from_text(text, 0, bars, 4.0)
    return melody(
        seeded(seed),
        chords,
        key=0,
        mode="major",
        bar_beats=4.0,
        voice=VOICES[name],
        manner=Manner(),
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(VOICES)))
def test_notes_stay_in_the_instruments_range_and_time(seed: int, name: str) -> None:
    voice = VOICES[name]
    notes = tune(seed, name)
    assert notes
    assert all(voice.low <= n.pitch <= voice.high for n in notes)
    assert all(0 <= n.start < 32 and 0 < n.length <= 4 and 30 <= n.velocity <= 124 for n in notes)


def test_a_seed_repeats_and_another_differs() -> None:
    assert tune(1) == tune(1)
    assert tune(1) != tune(2)


def test_strong_beats_are_chord_tones_and_all_notes_fit_the_scale() -> None:
    chords = chords_from_text("I | vi | ii7 | V7", 0, 8, 4.0)
    strong = hit = 0
    for seed in range(20):
        for note in tune(seed):
            chord = next(c for c in chords if c.start <= note.start + 0.02 < c.start + c.length)
            assert note.pitch % 12 in scale_for(chord, 0, "major")
            if note.start % 2 < 0.02:
                strong += 1
                hit += note.pitch % 12 in chord.tones[:4]
    assert strong > 100
    assert hit / strong > 0.97


def test_a_motif_returns() -> None:
    """Half of all bars have a rhythm that another bar has too; random rhythms have not."""
    same = total = 0
    for seed in range(20):
        bars: dict[int, list[int]] = {}
        for note in tune(seed, bars=16):
            bars.setdefault(int(note.start // 4), []).append(round(note.start % 4 * 12))
        rhythms = [tuple(r) for r in bars.values()]
        same += sum(rhythms.count(r) > 1 for r in rhythms)
        total += len(rhythms)
    assert same / total > 0.4


def test_scale_bends_to_the_chord() -> None:
    (chord,) = chords_from_text("VI7", 0, 1, 4.0)
    assert 1 in scale_for(chord, 0, "major")
    assert 0 not in scale_for(chord, 0, "major")


@pytest.mark.parametrize(
    ("beat", "expected"), [(1.0, 1.0), (1.5, 1.66), (0.25, 0.33), (1 / 3, 1 / 3)]
)
def test_swing_moves_offbeats_only(beat: float, expected: float) -> None:
    assert swung(beat, 0.66) == pytest.approx(expected, abs=0.005)


def test_motifs_begin_on_their_first_beat_and_variations_keep_their_length() -> None:
    for seed in range(30):
        motif = make_motif(seeded(seed), 4, Manner(density=0.5))
        assert motif.onsets[0] < 1.0
        other = vary(seeded(seed, 2), motif, Manner())
        assert other.beats == motif.beats
        assert len(other.onsets) == len(other.steps) == len(other.lengths)
