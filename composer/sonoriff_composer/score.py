"""Scores: notes in beats, parts with a General MIDI program, and a reader of MIDI files."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from pathlib import Path

from sonoriff.errors import FormatError

DRUM_CHANNEL = 9


@dataclass(frozen=True, slots=True)
class Note:
    """One note; times in quarter beats, pitch and velocity 0-127."""

    start: float
    length: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Part:
    """The notes of one instrument.

    `program` is a General MIDI program 0-127, or for drums the number of the kit.
    `role` is one of drums, bass, chords, arpeggio, pad, lead.
    """

    name: str
    role: str
    program: int
    notes: tuple[Note, ...]
    volume: int = 100
    reverb: int = 40

    @property
    def is_drums(self) -> bool:
        """Whether the notes are drum strokes."""
        return self.role == "drums"


@dataclass(frozen=True)
class Score:
    """Parts that sound together at one tempo (quarter beats a minute)."""

    tempo: float
    parts: tuple[Part, ...] = field(default_factory=tuple)

    @property
    def beat_s(self) -> float:
        """Seconds a quarter beat lasts."""
        return 60.0 / self.tempo


def seeded(*names: object) -> random.Random:
    """A random generator that depends on nothing but the given names."""
    text = "/".join(str(name) for name in names)
    return random.Random(
        int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    )


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length quantity and the place behind it."""
    value = 0
    while True:
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at


_DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}


def _read_track(data: bytes, division: int) -> list[tuple[str, int, int, Note]]:
    """(track name, channel, program, note) of one MTrk chunk."""
    at = tick = status = 0
    name = ""
    program: dict[int, int] = {}
    sounding: dict[tuple[int, int], tuple[int, int, int]] = {}
    notes: list[tuple[str, int, int, Note]] = []
    while at < len(data):
        delta, at = _number(data, at)
        tick += delta
        if data[at] >= 0x80:
            status = data[at]
            at += 1
        if status in (0xFF, 0xF0, 0xF7):
            kind = data[at] if status == 0xFF else -1
            size, at = _number(data, at + 1 if status == 0xFF else at)
            if kind == 3:
                name = data[at : at + size].decode("latin-1")
            at += size
            continue
        kind, channel = status >> 4, status & 15
        first, second = data[at], data[at + 1] if _DATA_BYTES[kind] == 2 else 0
        at += _DATA_BYTES[kind]
        if kind == 0xC:
            program[channel] = first
        if kind in (0x8, 0x9) and (channel, first) in sounding:
            start, velocity, voice = sounding.pop((channel, first))
            length = max(tick - start, 1) / division
            notes.append((name, channel, voice, Note(start / division, length, first, velocity)))
        if kind == 0x9 and second > 0:
            sounding[channel, first] = (tick, second, program.get(channel, 0))
    return notes


def parts_from_midi(path: Path) -> list[Part]:
    """The parts of a standard MIDI file, one for each pair of track and program.

    Raises
    ------
    FormatError
        the file is no MIDI file with metrical time, or is cut short
    """
    data = path.read_bytes()
    if data[:4] != b"MThd" or len(data) < 14:
        raise FormatError(f"{path}: expected a standard MIDI file, its first bytes say otherwise")
    division = int.from_bytes(data[12:14], "big")
    found: dict[tuple[str, int, bool], list[Note]] = {}
    at = 14
    try:
        while at + 8 <= len(data):
            size = int.from_bytes(data[at + 4 : at + 8], "big")
            for name, channel, program, note in _read_track(data[at + 8 : at + 8 + size], division):
                drums = channel == DRUM_CHANNEL
                found.setdefault((name, program, drums), []).append(note)
            at += 8 + size
    except (IndexError, KeyError, ZeroDivisionError) as error:
        raise FormatError(f"{path}: the MIDI file is damaged ({error})") from error
    return [
        Part(name, "drums" if drums else _role(name), program, tuple(notes))
        for (name, program, drums), notes in found.items()
    ]


def _role(track: str) -> str:
    """What a track of an accompaniment does, from its name."""
    kind = track.lower().split("-")[0]
    if kind in ("bass", "walk"):
        return "bass"
    if kind in ("arpeggio", "scale", "aria"):
        return "arpeggio"
    if kind in ("solo", "melody"):
        return "lead"
    return "pad" if "sus" in track.lower() else "chords"
