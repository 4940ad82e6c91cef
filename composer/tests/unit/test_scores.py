"""Written music: which works there are, how they are read, and what is said of them."""

from __future__ import annotations

import pytest

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.splits import split_of
from sonoriff.corpus.windows import CLIP_SECONDS
from sonoriff.errors import CorpusError
from sonoriff_composer import scorebook, scores
from sonoriff_composer.captions import captions_for, moods_of
from sonoriff_composer.piece import bars_needed, clip_facts
from sonoriff_composer.render import default_programmes, jobs
from sonoriff_composer.score import Note, seeded
from sonoriff_composer.scorebook import Reading, Run, Work, excerpt, key_of, read, untangled, works
from sonoriff_composer.scores import ENSEMBLES, GENRES, GROUPS, compose


def work(title: str, file: str = "") -> Work:
    return next(w for w in works() if w.title == title and file in w.file)


def beats(notes: tuple[Note, ...]) -> list[tuple[float, float, int]]:
    return [(n.start, n.length, n.pitch) for n in notes]


def test_there_are_many_works_and_none_whose_rights_are_reserved() -> None:
    assert len(works()) > 2_500
    assert {w.genre for w in works()} == set(GENRES)
    assert {w.licence for w in works()} == {"CC0-1.0", "CC-BY-SA-4.0", "GPL-2.0-or-later"}
    folders = {w.file.split("/")[0] for w in works()}
    assert not folders & {"essenFolksong", "palestrina", "monteverdi", "airdsAirs", "trecento"}
    bach = {w.file for w in works() if w.file.startswith("bach")}
    assert bach == {"bach/bwv274.mxl", "bach/bwv846.mxl"}
    assert all((scorebook.library() / w.file).is_file() for w in works())


def test_every_version_of_a_work_is_in_one_split() -> None:
    movements = [w.source for w in works() if w.file.startswith("mozart/k458")]
    assert movements == ["scores/mozart-k458"] * 4
    books = {
        w.file.split("/")[0] for w in works() if w.source == "scores/tune/haste-to-the-wedding"
    }
    assert books == {"oneills1850", "ryansMammoth"}
    drawn = [scores._choose(seeded(n), "reel") for n in range(400)]
    assert all(split == split_of(w.source) for w, split in drawn)
    assert 0.85 < sum(split == "train" for _, split in drawn) / 400 < 0.97
    assert {split for _, split in drawn} == {"train", "validation", "test"}


def test_a_missing_music21_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    scorebook.library.cache_clear()
    monkeypatch.setattr(scorebook, "find_spec", lambda _: None)
    with pytest.raises(CorpusError, match="pip install music21"):
        scorebook.library()


def test_a_chorale_is_read_with_its_upbeat_and_key() -> None:
    reading = read(work("Chorale BWV 274"))
    assert [len(voice) > 30 for voice in reading.voices] == [True] * 4
    (run,) = reading.runs
    assert (run.start, run.bar_beats, run.felt) == (1.0, 4.0, 4)
    key = key_of([note for voice in reading.voices for note in voice])
    assert key is not None
    assert (key.tonic, key.mode) == (7, "minor")


def test_a_prelude_by_bach_is_in_c_major_and_in_whole_bars() -> None:
    reading = read(work("Prelude BWV 846"))
    assert reading.runs == (Run(0.0, 34, 4.0, 4),)
    opening = excerpt(reading, reading.runs[0], 0, 1)
    right = [n.pitch for n in opening[0]]
    assert right == [67, 72, 76] * 4
    key = key_of([n for voice in excerpt(reading, reading.runs[0], 0, 4) for n in voice])
    assert key is not None
    assert (key.tonic, key.mode) == (0, "major")


def tune(monkeypatch: pytest.MonkeyPatch, text: str) -> Reading:
    monkeypatch.setattr(scorebook, "_blocks", lambda _: (text,))
    made = Work("s", "x.abc", "tune", "reel", (100, 100), "A Tune", block=0, felt=2)
    return read.__wrapped__(made)


def test_repeats_ties_chords_and_grace_notes_of_a_tune(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "X:1\nM:2/4\nL:1/8\nK:G\nD|{A}G2 B2-|B d2 B|[GB]4|1 A3:|2 G3||\n"
    reading = tune(monkeypatch, text)
    (notes,) = reading.voices
    assert beats(notes)[:6] == [
        (0.0, 0.5, 62), (0.5, 1.0, 67), (1.5, 1.5, 71), (3.0, 1.0, 74), (4.0, 0.5, 71),
        (4.5, 2.0, 67),
    ]  # fmt: skip
    assert sum(n.pitch == 69 for n in notes) == 1  # the first ending, once; no grace note
    assert reading.runs == (Run(0.5, 8, 2.0, 2),)
    assert (reading.tonic, reading.mode) == (7, "major")
    (again,) = excerpt(reading, reading.runs[0], 4, 8)
    assert max(n.start + n.length for n in again) <= 16.0
    assert again[0].pitch == 67


def test_a_key_that_the_tune_does_not_end_on_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading = tune(monkeypatch, "X:1\nM:2/4\nL:1/8\nK:G\nG2B2|d2B2|A2F2|D4|]\n")
    assert (reading.tonic, reading.mode) == (None, None)


def test_a_pitch_struck_again_ends_first_and_a_doubled_one_is_one() -> None:
    doubled = (Note(0, 4, 60, 1), Note(1, 1, 60, 1), Note(1, 2, 60, 1), Note(0, 1, 64, 1))
    assert beats(untangled(doubled)) == [(0, 1, 60), (0, 1, 64), (1, 2, 60)]


def test_a_work_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CorpusError, match=r"x\.abc, A Tune"):
        tune(monkeypatch, "X:1\nM:2/4\nL:1/8\nK:G\n")


# Pieces of tunes and of small files, so that the test is quick.
PIECES = (1, 3, 4, 5, 7, 8, 12, 18, 21, 22, 23, 38)


def test_pieces_are_the_same_again_and_their_facts_agree_with_their_notes() -> None:
    known = 0
    for index in PIECES:
        piece = compose(4, index)
        assert piece == compose(4, index)
        assert piece.score is not None
        assert piece.split == split_of(piece.source)
        assert "music21 corpus" in piece.credit
        facts = clip_facts(piece, piece.starts_s[0])
        assert facts.genre in GENRES
        assert facts.drums is False
        assert facts.bpm
        assert 40 <= facts.bpm <= 250
        stop = piece.duration_s / piece.score.beat_s
        for part in piece.score.parts:
            low, high = scores._RANGES[part.name]
            assert all(low <= n.pitch <= high for n in part.notes), part.name
            assert all(n.start >= 0 and n.length > 0 for n in part.notes)
            assert max(n.start for n in part.notes) < stop + 12
        if facts.beats_per_bar:
            bar_s = 60 / facts.bpm * facts.beats_per_bar
            assert facts.since_bar_s is not None
            assert facts.since_bar_s < bar_s
            if facts.loop:
                assert CLIP_SECONDS / bar_s == pytest.approx(round(CLIP_SECONDS / bar_s), abs=1e-3)
        known += facts.key is not None
        assert captions_for(seeded(index), facts, piece.phrases)
    assert known > 4


def test_chords_beneath_a_tune_are_of_its_key() -> None:
    timing = scores.Timing(100.0, 2, 4.0, False)
    notes = tuple(Note(n, 1.0, p, 0) for n, p in enumerate((67, 71, 74, 71, 69, 66, 62, 66)))
    names = [c.name for c in scores._harmony(notes, 7, "major", 2, timing)]
    assert names == ["G", "G", "D", "D"]


def test_every_ensemble_has_players_with_ranges_and_every_group_works() -> None:
    for ensembles in ENSEMBLES.values():
        assert {p for e in ensembles for p in e.players} <= set(scores._RANGES)
    assert {scores._group(w) for w in works()} == set(GROUPS)
    assert bars_needed((0.0,), scores.Timing(120.0, 4, 4.0, False)) == 4


def test_the_default_programmes_are_what_they_were() -> None:
    names = default_programmes()
    assert names == ("accompaniment", "players", "bands", "electronic", "samples")
    stream = jobs(1, names)
    first = [next(stream).programme[0] for _ in range(22)]
    assert "".join(first) == "aepabaeasapeabaeapabea"


def test_a_dance_is_neither_slow_nor_calm() -> None:
    facts = ClipLabels("hornpipe", instruments=("fiddle",), bpm=76, mode="major", drums=False)
    assert not {"slow", "calm", "intimate"} & set(moods_of(facts))
    said = " ".join(c for n in range(40) for c in captions_for(seeded(n), facts))
    assert "slow" not in said
    assert "tempo" not in said
