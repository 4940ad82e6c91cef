"""What is heard in sounds whose tempo, key and chords are known."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import mido
import numpy as np
import pytest

from sonoriff.audio import write_audio
from sonoriff.cli.main import main
from sonoriff.errors import ParameterError
from sonoriff.pipeline.analyse import (
    Analysis,
    analyse,
    labels_from_analysis,
    midi_from_analysis,
)
from sounds import MINOR_CADENCE, RATE, cadence, drums

BAR_S, BPM = 0.6, 120.0


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """Drums at 120 bpm, whose first bar begins after 0.6 s, under Dm Gm A Dm of a second each."""
    chords = np.tile(cadence(2, MINOR_CADENCE), 4)
    return (chords + 0.05 * drums(BPM, len(chords) / RATE, BAR_S)).astype(np.float32)[None]


@pytest.fixture(scope="module")
def found(sound: np.ndarray) -> Analysis:
    return analyse(sound, RATE)


def test_what_was_played_is_heard(found: Analysis) -> None:
    assert found.bpm == pytest.approx(BPM, rel=0.01)
    assert found.key == "D minor"
    assert found.duration_s == 16.0
    heard = [span.what for span in found.chords]
    assert {"Dm", "Gm"} <= set(heard)
    first = found.chords[0]
    assert (first.what, first.start_s) == ("Dm", 0.0)
    assert first.end_s == pytest.approx(1.0, abs=0.3)
    assert all(a.end_s <= b.start_s for a, b in zip(found.chords, found.chords[1:], strict=False))
    assert found.energies[0].start_s == 0.0
    assert found.energies[-1].end_s == found.duration_s
    assert 1 <= found.energy <= 5


def test_bars_of_the_midi_file_are_those_of_the_sound(found: Analysis) -> None:
    """Read by mido, a bar line falls on each bar that was heard, to a hundredth of a second."""
    file = mido.MidiFile(file=BytesIO(midi_from_analysis(found)))
    assert file.length == pytest.approx(found.chords[-1].end_s, abs=0.1)
    conductor = [message for message in file.tracks[0] if message.type == "set_tempo"]
    assert mido.tempo2bpm(conductor[-1].tempo) == pytest.approx(found.bpm, rel=1e-3)
    beat_s = 60.0 / (found.bpm or 0.0)
    for i, bar_s in enumerate(found.bars_s):
        assert bar_s == pytest.approx(found.bars_s[0] + 4 * i * beat_s, abs=0.05)
    now, notes = 0.0, []
    for message in file:
        now += message.time
        if message.type == "note_on" and message.velocity:
            notes.append((round(now, 1), message.note % 12))
    assert {note for at, note in notes if at == notes[0][0]} == {2, 5, 9}


def test_labels_are_lines_of_three(found: Analysis) -> None:
    lines = [line.split("\t") for line in labels_from_analysis(found).splitlines()]
    assert all(len(line) == 3 and float(line[0]) <= float(line[1]) for line in lines)
    assert len([line for line in lines if line[2].startswith("bar ")]) == len(found.bars_s)


def test_silence_and_a_short_tone_have_none_of_it() -> None:
    silence = analyse(np.zeros((2, RATE * 5), np.float32), RATE)
    assert (silence.bpm, silence.key, silence.loudness_lufs) == (None, None, None)
    assert (silence.energy, silence.chords) == (1, ())
    tone = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)[None]
    assert analyse(tone, RATE).bpm is None
    with pytest.raises(ParameterError, match="no clear tempo"):
        midi_from_analysis(analyse(tone, RATE))


def test_the_command_prints_json_and_writes_files(
    sound: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_audio(tmp_path / "song.wav", sound, RATE)
    files = ["--midi", str(tmp_path / "song.mid"), "--labels", str(tmp_path / "song.txt")]
    assert main(["analyse", str(tmp_path / "song.wav"), "--json", *files]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["bpm"] == pytest.approx(BPM, rel=0.01)
    assert facts["key"] == "D minor"
    assert (tmp_path / "song.mid").read_bytes().startswith(b"MThd")
    assert "bar 1" in (tmp_path / "song.txt").read_text()
    assert main(["analyse", str(tmp_path / "song.wav")]) == 0
    assert "D minor" in capsys.readouterr().out


def test_bad_input_is_a_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    assert main(["analyse", str(tmp_path / "text.wav")]) == 2
    write_audio(tmp_path / "quiet.wav", np.zeros((1, RATE), np.float32), RATE)
    target = tmp_path / "quiet.mid"
    assert main(["analyse", str(tmp_path / "quiet.wav"), "--midi", str(target)]) == 2
    assert main(["analyse", str(tmp_path), "--midi", str(target)]) == 2
    assert not target.exists()
    assert all(line.startswith("sonoriff: ") for line in capsys.readouterr().err.splitlines())
