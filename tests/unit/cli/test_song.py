"""`sonoriff song`, in this process, on a tiny model of random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sonoriff.audio import read_audio
from sonoriff.audio.loudness import loudness_lufs
from sonoriff.cli.main import main
from sonoriff.models.small.model import SmallModel
from sonoriff.songs.document import load_song


@pytest.fixture
def place(small_model: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, beside the model "tiny"."""
    small_model.save_pretrained(tmp_path / "models" / "tiny", dtype="float32")
    monkeypatch.setenv("SONORIFF_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("SONORIFF_SONGS", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def render(*arguments: str) -> int:
    return main(["song", "render", *arguments, "--model", "tiny", "--steps", "2"])


def test_from_a_wish_to_sound(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["song", "new", "jazz, 120 bpm, in C minor", "--length", "0:16"]) == 0
    assert "0:16 min, 8 bars at 120 bpm in C minor" in capsys.readouterr().out
    assert main(["song", "check", "song.toml"]) == 0
    assert "A 2, like A" in capsys.readouterr().out
    assert render("song.toml", "-o", "a.wav", "--loudness", "-20") == 0
    assert "a.wav: 16.00 s, 4 sections" in capsys.readouterr().out
    sound, rate = read_audio(place / "a.wav")
    assert sound.shape[1] == pytest.approx(16 * rate, abs=1024)
    assert loudness_lufs(sound, rate) <= -19.5
    assert np.abs(sound).max() <= 1.0


def test_a_picture_is_rendered_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["song", "new", "jazz, 240 bpm", "--length", "10"]) == 0
    assert render("song.toml", "-o", "a.wav") == 0
    assert render("a.png", "-o", "b.wav") == 0
    assert (place / "a.wav").read_bytes() == (place / "b.wav").read_bytes()
    assert main(["generate", "--from", "a.png", "--model", "tiny", "-o", "c.wav"]) == 2
    assert "sonoriff song render makes it again" in capsys.readouterr().err


@pytest.mark.usefixtures("place")
def test_reroll_changes_one_seed() -> None:
    assert main(["song", "new", "jazz"]) == 0
    before = load_song("song.toml")
    assert main(["song", "reroll", "song.toml", "--section", "3"]) == 0
    after = load_song("song.toml")
    assert before.seed_of(2) != after.seed_of(2)
    assert before.sections[:2] == after.sections[:2]
    assert main(["song", "reroll", "song.toml", "--section", "2"]) == 0
    returning = load_song("song.toml").sections[1]
    assert (returning.like, returning.vary) == ("A", 1.0)
    assert main(["song", "reroll", "song.toml", "--section", "1", "--seed", "7"]) == 0
    assert load_song("song.toml").seed_of(0) == 7


PLAN = """# Mine.
bpm = 120
style = "jazz"

[[section]]
name = "verse"  # first
bars = 4

[[section]]
name = "chorus"
bars = 8
energy = 4
"""


def test_a_song_is_lengthened_and_shortened(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "song.toml").write_text(PLAN)
    assert main(["song", "extend", "song.toml", "--section", "verse", "--bars", "4"]) == 0
    assert "12 bars, 24.0 s, are now 16 bars, 32.0 s" in capsys.readouterr().out
    assert (place / "song.toml").read_text() == PLAN.replace("bars = 4", "bars = 8")
    assert main(["song", "shorten", "song.toml", "--length", "16"]) == 0
    assert [s.bars for s in load_song("song.toml").sections] == [4, 4]
    assert main(["song", "shorten", "song.toml", "--section", "2", "--bars", "3"]) == 0
    assert [s.bars for s in load_song("song.toml").sections] == [4, 1]


def test_a_section_is_replaced(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "song.toml").write_text(PLAN)
    replace = ["song", "replace", "song.toml", "--section"]
    assert main([*replace, "chorus", "--prompt", "strings", "--energy", "2,5"]) == 0
    assert "section 2: jazz, strings" in capsys.readouterr().out
    text = (place / "song.toml").read_text()
    assert text == PLAN.replace("energy = 4\n", 'energy = [2, 5]\nprompt = "strings"\n')
    assert main([*replace, "2", "--prompt", "", "--energy", "4"]) == 0
    assert (place / "song.toml").read_text() == PLAN


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["new", " "], "say what the song is"),
        (["new", "jazz", "--length", "3 s"], "a song lasts 10 to 600 s"),
        (["new", "jazz", "--form", "sonata"], "form must be one of pop"),
        (["new", "jazz", "-o", "a.txt"], "a plan is a .toml file"),
        (["check", "none.toml"], "there is no file none.toml"),
        (["render", "none.toml"], "there is no file none.toml"),
        (["render", "bad.toml"], "bad.toml, line 2, section 1: unknown key 'bras'"),
        (["reroll", "bad.toml", "--section", "1"], "unknown key"),
        (["reroll", "good.toml", "--section", "bridge"], "there are verse, chorus"),
        (["extend", "good.toml", "--section", "verse"], "give --section and --bars, or --length"),
        (["extend", "good.toml", "--length", "0:12"], "lasts 24.0 s already: sonoriff song shor"),
        (["extend", "good.toml", "--section", "1", "--bars", "400"], "bars must be in [1, 256]"),
        (["shorten", "good.toml", "--length", "2:00"], "already: sonoriff song extend"),
        (["shorten", "good.toml", "--section", "1", "--bars", "4"], "has 4 bars, and keeps one"),
        (["replace", "good.toml", "--section", "1"], "say what to replace: --prompt"),
        (["replace", "good.toml", "--section", "1", "--energy", "loud"], "energy is a number"),
        (["replace", "good.toml", "--section", "1", "--chords", "H7"], "H7"),
    ],
)
def test_mistakes_are_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    (place / "bad.toml").write_text('bpm = 90\n[[section]]\nname = "a"\nbras = 4\n')
    (place / "good.toml").write_text(PLAN)
    assert main(["song", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(place.glob("*.wav"))
    assert (place / "good.toml").read_text() == PLAN


def test_an_existing_plan_is_kept(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "song.toml").write_text("mine")
    assert main(["song", "new", "jazz"]) == 2
    assert "song.toml exists" in capsys.readouterr().err
    assert (place / "song.toml").read_text() == "mine"
    assert main(["song", "new", "jazz", "--force"]) == 0
