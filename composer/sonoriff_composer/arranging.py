"""Textures over chords: arpeggios, strums, bass lines, chorales, drum patterns; all as notes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from sonoriff_composer.harmony import Chord
from sonoriff_composer.score import Note

LEVELS = {"x": 96, "o": 76, ".": 52}
# Drum notes of General MIDI by the letters used in patterns.
DRUMS = {
    "kick": 36,
    "snare": 38,
    "rim": 37,
    "hat": 42,
    "open": 46,
    "pedal": 44,
    "ride": 51,
    "crash": 49,
    "low tom": 45,
    "mid tom": 47,
    "high tom": 50,
    "clap": 39,
    "tambourine": 54,
    "cowbell": 56,
    "shaker": 70,
    "conga": 63,
    "low conga": 64,
    "bongo": 60,
    "claves": 75,
    "guiro": 73,
    "bell": 53,
}


def human(rng: random.Random, note: Note, timing: float = 0.008, force: float = 5) -> Note:
    """A note a little early or late, a little softer or louder (beats, velocity)."""
    start = max(0.0, note.start + rng.gauss(0, timing))
    velocity = max(20, min(125, round(note.velocity + rng.gauss(0, force))))
    return replace(note, start=start, velocity=velocity)


def voicing(chord: Chord, around: int, most: int = 4) -> list[int]:
    """The chord's notes in the octave around a pitch, rising."""
    return sorted(around - 6 + (tone - around + 6) % 12 for tone in chord.tones[:most])


def root(chord: Chord, low: int) -> int:
    """The chord's root in the octave above `low`."""
    return low + (chord.root - low) % 12


def drum_notes(
    rng: random.Random, patterns: dict[str, str], bars: int, bar_beats: float
) -> tuple[Note, ...]:
    """Drum strokes from patterns of equal steps, one string a drum, one or more bars long."""
    notes = []
    for name, pattern in patterns.items():
        sixteenths = round(bar_beats * 4)
        steps = sixteenths if len(pattern) % sixteenths == 0 else len(pattern)
        cells = len(pattern) // steps
        for bar in range(bars):
            for index in range(steps):
                mark = pattern[(bar % cells) * steps + index]
                if mark in LEVELS:
                    at = bar * bar_beats + index * bar_beats / steps
                    notes.append(human(rng, Note(at, 0.2, DRUMS[name], LEVELS[mark])))
    return tuple(notes)


def pattern_chords(
    rng: random.Random, chords: Sequence[Chord], pattern: str, *, around: int, bar_beats: float,
    hold: float = 0.9, strum: float = 0.0, most: int = 4, velocity: int = 0,
) -> tuple[Note, ...]:  # fmt: skip
    """Chords struck on a pattern; '=' holds; `strum` beats between strings, up and down in turn."""
    steps = len(pattern) if len(pattern) <= 16 else 16
    size = bar_beats / steps
    notes = []
    for chord in chords:
        pitches = voicing(chord, around, most)
        first, count = round(chord.start / size), round(chord.length / size)
        for index in range(first, first + count):
            mark = pattern[index % len(pattern)]
            if mark not in LEVELS:
                continue
            length = 1
            while (
                index + length < first + count and pattern[(index + length) % len(pattern)] == "="
            ):
                length += 1
            order = pitches if index % 4 < 2 else pitches[::-1]
            for place, pitch in enumerate(order):
                at = index * size + place * strum
                note = Note(at, length * size * hold, pitch, LEVELS[mark] + velocity)
                notes.append(human(rng, note, 0.004))
    return tuple(notes)


def arpeggio(
    rng: random.Random, chords: Sequence[Chord], order: Sequence[int], *, around: int, step: float,
    hold: float, velocity: int = 82, most: int = 4,
) -> tuple[Note, ...]:  # fmt: skip
    """Broken chords: `order` counts up the chord's notes over octaves (0 the lowest)."""
    notes = []
    for chord in chords:
        pitches = voicing(chord, around, most)
        for index in range(round(chord.length / step)):
            octave, place = divmod(order[index % len(order)], len(pitches))
            level = velocity + (8 if index % len(order) == 0 else 0)
            note = Note(chord.start + index * step, hold, pitches[place] + 12 * octave, level)
            notes.append(human(rng, note))
    return tuple(notes)


def bass_line(
    rng: random.Random, chords: Sequence[Chord], pattern: str, *, low: int, bar_beats: float,
    hold: float = 0.85, velocity: int = 92,
) -> tuple[Note, ...]:  # fmt: skip
    """A bass line: r root, f fifth, o octave, t third, s sixth, a approach note, '=' holds."""
    steps = len(pattern) if len(pattern) <= 16 else 16
    size = bar_beats / steps
    notes = []
    for number, chord in enumerate(chords):
        base = root(chord, low)
        third = 3 if 3 in chord.intervals else 4
        following = root(chords[(number + 1) % len(chords)], low)
        moves = {"r": base, "f": base + 7, "o": base + 12, "t": base + third, "s": base + 9}
        moves["a"] = following + (-1 if following > base else 1)
        moves["d"] = base - 5
        first, count = round(chord.start / size), round(chord.length / size)
        for index in range(first, first + count):
            mark = pattern[index % len(pattern)]
            if mark not in moves:
                continue
            length = 1
            while (
                index + length < first + count and pattern[(index + length) % len(pattern)] == "="
            ):
                length += 1
            notes.append(
                human(rng, Note(index * size, length * size * hold, moves[mark], velocity))
            )
    return tuple(notes)


def walking(rng: random.Random, chords: Sequence[Chord], low: int) -> tuple[Note, ...]:
    """A walking bass: root, chord tones, an approach to the next root."""
    notes: list[Note] = []
    for number, chord in enumerate(chords):
        base = root(chord, low)
        following = root(chords[(number + 1) % len(chords)], low)
        count = max(1, round(chord.length))
        line = [base]
        for index in range(1, count):
            if index == count - 1:
                line.append(following + rng.choice((-1, 1, -2, 2)))
            else:
                line.append(base + rng.choice([i for i in chord.intervals if i < 12][1:] or [7]))
        notes += [
            human(rng, Note(chord.start + index, 0.9, pitch, 88))
            for index, pitch in enumerate(line)
        ]
    return tuple(notes)


def chorale(
    rng: random.Random,
    chords: Sequence[Chord],
    ranges: Sequence[tuple[int, int]],
    beat: float = 1.0,
) -> list[tuple[Note, ...]]:
    """Voices, highest first, that move as little as they can; some passing notes at the top.

    Parameters
    ----------
    ranges : (low, high) of each voice, highest voice first, the bass last
    beat : beats between chord strokes
    """
    voices: list[list[Note]] = [[] for _ in ranges]
    current = [round((low + high) / 2) + rng.randint(-2, 2) for low, high in ranges]
    for chord in chords:
        pitches = _next_voices(rng, current, chord, ranges)
        strokes = max(1, round(chord.length / beat)) if rng.random() < 0.6 else 1
        size = chord.length / strokes
        for stroke in range(strokes):
            for index, pitch in enumerate(pitches):
                at = chord.start + stroke * size
                held = Note(at, size * 0.97, pitch, rng.randint(74, 88))
                voices[index].append(held)
            if stroke + 1 < strokes and rng.random() < 0.4:
                pitches = _next_voices(
                    rng, [p + rng.choice((-2, 2)) for p in pitches], chord, ranges
                )
        current = pitches
    return [tuple(voice) for voice in voices]


def _next_voices(
    rng: random.Random, current: Sequence[int], chord: Chord, ranges: Sequence[tuple[int, int]]
) -> list[int]:
    """The nearest chord tone for each voice, the root in the bass, every tone used once."""
    low, high = ranges[-1]
    bass = min(
        (p for p in range(low, high + 1) if p % 12 == chord.root),
        key=lambda p: abs(p - current[-1]),
    )
    tones = list(chord.tones[:4])
    out: list[int] = []
    ceiling = 127
    for index in range(len(ranges) - 1):
        floor, top = ranges[index]
        wanted = [t for t in tones if t not in {p % 12 for p in out}] or tones
        if rng.random() < 0.15:
            wanted = tones
        allowed = [p for p in range(floor, min(top, ceiling - 1) + 1) if p % 12 in wanted]
        allowed = allowed or [p for p in range(floor, top + 1) if p % 12 in tones]
        out.append(min(allowed, key=lambda p: (abs(p - current[index]), p)))
        ceiling = out[-1]
    return [*out, bass]
