"""Rendering: repeatable, resumable, exactly labelled; what it says when a program is missing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoriff.analysis.beats import find_beats
from sonoriff.audio.loudness import level_lufs
from sonoriff.corpus.manifest import Corpus
from sonoriff.corpus.windows import CLIP_SAMPLES, CLIP_SECONDS, SAMPLE_RATE
from sonoriff.errors import CorpusError, SetupError, SonoriffWarning
from sonoriff_composer import accompaniment, bands, players, render, samples
from sonoriff_composer.debian import SOURCES
from sonoriff_composer.harmony import PROGRESSIONS, chords_from_text
from sonoriff_composer.piece import Piece, clip_facts
from sonoriff_composer.render import Job, jobs
from sonoriff_composer.score import Note, Part, Score
from sonoriff_composer.synthesiser import SOUND_FONTS, Room, Synthesiser

SMALL_FONT = Path(next(path for name, path, _ in SOUND_FONTS if name == "timgm"))
needs_mma = pytest.mark.skipif(shutil.which("mma") is None, reason="Debian's mma is not installed")
needs_font = pytest.mark.skipif(
    not SMALL_FONT.exists(), reason="timgm6mb-soundfont is not installed"
)


def read(root: Path) -> dict[str, np.ndarray]:
    return {
        c.file_name: soundfile.read(root / c.file_name, dtype="float32")[0]
        for c in Corpus(root).clips()
    }


def test_an_interrupted_run_ends_as_one_in_one_go(tmp_path: Path) -> None:
    for root, targets in ((tmp_path / "a", (9,)), (tmp_path / "b", (3, 3, 9))):
        for target in targets:
            render.render(root, clips=target, seed=4, programmes=("electronic",))
    one, two = read(tmp_path / "a"), read(tmp_path / "b")
    assert list(one) == list(two)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert (
        Corpus(tmp_path / "a").metadata.read_bytes() == Corpus(tmp_path / "b").metadata.read_bytes()
    )
    for wave in one.values():
        assert wave.shape == (CLIP_SAMPLES, 2)
        assert np.abs(wave).max() <= 0.98
        assert -24 < level_lufs(wave.mean(axis=1), SAMPLE_RATE) < -14
    info = Corpus(tmp_path / "a").info()
    assert info["clips"] == len(one)
    assert info["seed"] == 4


def test_tempo_of_electronic_clips_is_what_the_facts_say(tmp_path: Path) -> None:
    render.render(tmp_path, clips=12, seed=2, programmes=("electronic",))
    right = total = 0
    for clip in Corpus(tmp_path).clips():
        if clip.facts.bpm and clip.facts.drums:
            wave, _ = soundfile.read(tmp_path / clip.file_name, dtype="float32")
            ratio = find_beats(wave.mean(axis=1)).bpm / clip.facts.bpm
            right += min(abs(ratio * m - 1) for m in (0.5, 1, 2, 4 / 3, 2 / 3, 1.5)) < 0.04
            total += 1
    assert total >= 6
    assert right / total > 0.7


def test_programmes_are_mixed_by_their_shares_in_a_fixed_order() -> None:
    stream = jobs(1, tuple(render.PROGRAMMES))
    shares = sum(share for _, _, share in render.PROGRAMMES.values())
    first = [next(stream) for _ in range(100 * shares)]
    for name, (_, _, share) in render.PROGRAMMES.items():
        indices = [j.index for j in first if j.programme == name]
        assert indices == list(range(len(indices)))
        assert len(indices) == pytest.approx(100 * share, abs=2)
    assert first[0].name.endswith("-1-0")


def test_unknown_programmes_and_a_second_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="electronic"):
        render.render(tmp_path, clips=1, programmes=("polka band",))
    with render.alone(tmp_path, ("electronic",)), pytest.raises(CorpusError, match="another run"):
        render.render(tmp_path, clips=1, programmes=("electronic",))


@needs_font
def test_a_score_sounds_the_same_whatever_was_played_before() -> None:
    loud = Score(120, (
        Part("pad", "pad", 48, tuple(Note(0, 8, p, 120) for p in (48, 60, 64, 67)), 120, 127),
        Part("drums", "drums", 0, tuple(Note(n / 4, 0.2, 49, 120) for n in range(16)), 120, 127),
    ))  # fmt: skip
    quiet = Score(120, (Part("lead", "lead", 73, (Note(2, 1, 72, 90),), 100, 60),))
    synth, fresh = Synthesiser(), Synthesiser()
    room = Room(0.8, 0.2, 0.8)
    synth.render(loud, 2.0, font="timgm", room=room)
    after = synth.render(quiet, 2.0, font="timgm", room=room)
    assert np.array_equal(after, fresh.render(quiet, 2.0, font="timgm", room=room))
    assert np.abs(after[:, :40_000]).max() < 1e-5
    assert np.abs(after[:, 44_100:60_000]).max() > 0.005


@needs_font
@pytest.mark.parametrize("programme", [players, bands])
def test_players_and_bands_compose_what_they_name(programme: object) -> None:
    compose = programme.compose  # type: ignore[attr-defined]
    genres = set()
    for index in range(70):
        piece = compose(1, index)
        assert compose(1, index) == piece
        assert piece.score.parts
        names, ends = set(), max(n.start for p in piece.score.parts for n in p.notes)
        for start in piece.starts_s:
            facts = clip_facts(piece, start)
            names |= set(facts.instruments)
            if facts.loop:
                bars = CLIP_SECONDS * facts.bpm / 60 / facts.beats_per_bar
                assert bars == pytest.approx(round(bars), abs=0.01)
        assert names
        assert ends * piece.score.beat_s > piece.starts_s[-1] + 3
        genres.add(piece.facts.genre)
    assert len(genres) > 12


@needs_mma
@needs_font
def test_accompaniment_follows_the_recipe() -> None:
    piece = accompaniment.compose(3, 11)
    assert accompaniment.compose(3, 11) == piece
    assert piece.source.startswith("mma/")
    assert piece.facts.genre in accompaniment.genres()
    assert clip_facts(piece, piece.starts_s[0]).instruments
    assert accompaniment.metre("stdlib/waltz:Waltz") == (3.0, 3)
    assert accompaniment.metre("stdlib/blues68:Blues68") == (6.0, 2)


@needs_mma
def test_mma_knows_every_chord() -> None:
    names = set()
    for modes in PROGRESSIONS.values():
        for texts in modes.values():
            for text in texts:
                names |= {c.name for c in chords_from_text(text, 6, len(text.split("|")), 4.0)}
    parts, _ = accompaniment.run_mma(
        "Groove stdlib/swing:Swing\n" + "\n".join(sorted(names)) + "\n"
    )
    assert parts
    with pytest.raises(CorpusError, match="no music"):
        accompaniment.run_mma("Groove stdlib/swing:Swing\nHmaj99\n")


def test_a_missing_program_or_font_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CorpusError, match="package mma"):
        accompaniment.run_mma("Groove Swing\n1 C\n")
    monkeypatch.setattr(
        "sonoriff_composer.synthesiser.SOUND_FONTS",
        (("fluid", "/nowhere/a.sf2", "fluid-soundfont-gm"),),
    )
    with pytest.raises(CorpusError, match="fluid-soundfont-gm"):
        Synthesiser().render(Score(120, ()), 0.1)


def test_a_piece_that_fails_is_dropped_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sonoriff_composer.electronic import programme

    def failing(seed: int, index: int) -> None:
        raise ValueError(f"piece {index} of {seed}")

    monkeypatch.setattr(programme, "compose", failing)
    job, clips, reason = render._attempt(tmp_path, Job("electronic", 1, 7))
    assert (clips, reason) == ([], "ValueError: piece 7 of 1")
    Corpus(tmp_path).drop(job.name, reason)
    assert "electronic-1-7" in Corpus(tmp_path).pieces()


def fake_program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@needs_mma
@pytest.mark.parametrize("workers", [1, 2])
def test_a_programme_that_only_fails_ends_the_run_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    fake_program(tmp_path / "bin", "mma", "echo out of order; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    root = tmp_path / "corpus"
    programmes = ("accompaniment", "electronic")
    with pytest.raises(CorpusError, match=r"20 .*'accompaniment' in a row.*out of order"):
        render.render(root, clips=1_000, workers=workers, programmes=programmes)
    corpus = Corpus(root)
    assert corpus.dropped() == {}
    assert {name.split("-")[0] for name in corpus.pieces()} == {"electronic"}


@needs_mma
def test_failures_in_a_row_at_the_end_are_named_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program(tmp_path / "bin", "mma", "echo out of order; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    with pytest.warns(SonoriffWarning, match=r"'accompaniment'.*out of order.*tries them anew"):
        render.render(tmp_path, clips=8, programmes=("accompaniment", "electronic"))
    assert Corpus(tmp_path).dropped() == {}


def test_what_was_dropped_is_said_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sonoriff.cli.main import main
    from sonoriff_composer.electronic import programme

    real = programme.compose

    def failing(seed: int, index: int) -> Piece:
        if index == 0:
            raise ValueError("no tune")
        return real(seed, index)

    monkeypatch.setattr(programme, "compose", failing)
    arguments = ["corpus", "render", "-o", str(tmp_path), "--programme", "electronic"]
    assert main([*arguments, "--clips", "2"]) == 0
    listed = tmp_path / "dropped.txt"
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"1 gave no clip, listed with the reason in {listed}"
    )
    assert listed.read_text("utf-8") == "electronic-1-0\tValueError: no tune\n"


@pytest.fixture
def no_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The packages of recorded sounds are not there yet."""
    caches = (samples._library, samples._sound)
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setattr(samples, "SOURCES", tmp_path / "sources")
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("no_samples")
def test_without_apt_or_network_no_piece_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "corpus"
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        with pytest.raises(SetupError, match="apt-get"):
            render.render(root, clips=3, programmes=("samples",))
    failing = "echo half > $5.deb; echo 'E: Failed to fetch' >&2; exit 100"
    fake_program(tmp_path / "bin", "apt-get", failing)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
        with pytest.raises(SetupError, match="Failed to fetch"):
            render.render(root, clips=3, programmes=("samples",))
    assert Corpus(root).pieces() == set()
    assert list((tmp_path / "sources" / "deb").iterdir()) == []
    monkeypatch.setattr(samples, "SOURCES", SOURCES)
    render.render(root, clips=1, programmes=("samples",))
    assert Corpus(root).pieces() == {"samples-1-0"}
    assert next(Corpus(root).clips()).facts.instruments == ("drums",)


def test_a_disk_that_cannot_be_written_is_not_the_pieces_fault(tmp_path: Path) -> None:
    (tmp_path / "audio").write_text("a file where a folder is needed")
    with pytest.raises(SetupError, match="cannot write"):
        render.render(tmp_path, clips=1, programmes=("electronic",))
    assert Corpus(tmp_path).pieces() == set()


def test_every_line_is_an_audiofolder_row(tmp_path: Path) -> None:
    render.render(tmp_path, clips=2, seed=9, programmes=("electronic",))
    for line in Corpus(tmp_path).metadata.read_text("utf-8").splitlines():
        row = json.loads(line)
        assert (tmp_path / row["file_name"]).exists()
        assert row["text"] == row["captions"][0]
        assert row["split"] in ("train", "validation", "test")
        assert row["licence"] == "CC0-1.0"
