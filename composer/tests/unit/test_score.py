"""MIDI files read as parts, checked against an independent reader."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest

from sonoriff.errors import FormatError
from sonoriff_composer.score import Note, Part, Score, parts_from_midi, seeded


def write_midi(path: Path) -> None:
    """Two melodic tracks and drums; a note that is repeated before its end; a tempo."""
    file = mido.MidiFile(ticks_per_beat=192)
    bass = mido.MidiTrack([mido.MetaMessage("track_name", name="Bass")])
    bass.append(mido.Message("program_change", channel=2, program=33))
    bass.append(mido.Message("note_on", channel=2, note=40, velocity=90, time=0))
    bass.append(mido.Message("note_on", channel=2, note=40, velocity=0, time=192))
    bass.append(mido.Message("note_on", channel=2, note=43, velocity=80, time=96))
    bass.append(mido.Message("note_off", channel=2, note=43, time=288))
    drums = mido.MidiTrack([mido.MetaMessage("track_name", name="Drum-Kick")])
    drums.append(mido.Message("note_on", channel=9, note=36, velocity=100, time=200))
    drums.append(mido.Message("note_on", channel=9, note=36, velocity=70, time=10))
    drums.append(mido.Message("note_off", channel=9, note=36, time=5))
    file.tracks.extend(
        [mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)]), bass, drums]
    )
    file.save(str(path))


def test_parts_carry_program_role_and_beats(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid")
    bass, drums = parts_from_midi(tmp_path / "a.mid")
    assert (bass.name, bass.role, bass.program) == ("Bass", "bass", 33)
    assert bass.notes == (Note(0.0, 1.0, 40, 90), Note(1.5, 1.5, 43, 80))
    assert drums.is_drums
    assert [round(n.start * 192) for n in drums.notes] == [200, 210]


def test_same_onsets_as_mido(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid")
    ours = sorted((n.start, n.pitch) for p in parts_from_midi(tmp_path / "a.mid") for n in p.notes)
    theirs = []
    for track in mido.MidiFile(str(tmp_path / "a.mid")).tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                theirs.append((tick / 192, message.note))
    assert ours == sorted(theirs)


@pytest.mark.parametrize(
    "data", [b"", b"RIFF....", b"MThd\0\0\0\6\0\1\0\1\0\xc0MTrk\0\0\0\4\0\x90\x40"]
)
def test_what_is_no_midi_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.mid").write_bytes(data)
    with pytest.raises(FormatError, match=r"a\.mid"):
        parts_from_midi(tmp_path / "a.mid")


def test_seeded_depends_on_every_name() -> None:
    assert seeded("a", 1).random() == seeded("a", 1).random()
    assert len({seeded("a", n).random() for n in range(20)}) == 20
    assert Score(120.0, (Part("x", "lead", 0, ()),)).beat_s == 0.5
