"""Melodies and solos: motifs that return, breathe, follow the chords and fit the instrument."""

from __future__ import annotations

import random
from dataclasses import dataclass

from sonoriff_composer.harmony import SCALES, Chord
from sonoriff_composer.instruments import Voice
from sonoriff_composer.score import Note

# Rhythms of one beat: (place, length) in beats; the key is the number of notes.
_CELLS: dict[int, tuple[tuple[tuple[float, float], ...], ...]] = {
    0: ((),),
    1: (((0.0, 1.0),), ((0.0, 1.0),), ((0.5, 0.5),), ((0.0, 0.5),)),
    2: (((0.0, 0.5), (0.5, 0.5)), ((0.0, 0.75), (0.75, 0.25)), ((0.0, 0.5), (0.5, 0.5))),
    3: (
        ((0.0, 1 / 3), (1 / 3, 1 / 3), (2 / 3, 1 / 3)),
        ((0.0, 0.5), (0.5, 0.25), (0.75, 0.25)),
        ((0.0, 0.25), (0.25, 0.25), (0.5, 0.5)),
    ),
    4: (((0.0, 0.25), (0.25, 0.25), (0.5, 0.25), (0.75, 0.25)),),
}


@dataclass(frozen=True)
class Motif:
    """A rhythm over some beats with a step (in scale degrees) to each note from the last."""

    beats: float
    onsets: tuple[float, ...]
    lengths: tuple[float, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Manner:
    """How a melody is played.

    `swing` is the place of the second eighth in a beat (0.5 straight, 0.66 triplet);
    `density` notes a beat; `rest` the share of bars that stay empty at phrase ends.
    """

    swing: float = 0.5
    density: float = 1.4
    rest: float = 0.25
    leaps: float = 0.25
    velocity: int = 92


def _cell(rng: random.Random, density: float) -> tuple[tuple[float, float], ...]:
    """The rhythm of one beat at about `density` notes a beat."""
    wanted = density * rng.uniform(0.4, 1.6)
    count = min(4, int(wanted) + (rng.random() < wanted % 1.0))
    return rng.choice(_CELLS[count])


def make_motif(rng: random.Random, beats: int, manner: Manner) -> Motif:
    """A motif of `beats` beats; its first beat is never empty."""
    onsets: list[float] = []
    for beat in range(beats):
        cell = _cell(rng, manner.density)
        if not cell and not onsets:
            cell = ((0.0, 1.0),)
        onsets += [beat + place for place, _ in cell]
    ends = [*onsets[1:], float(beats)]
    lengths = [min(end - onset, 2.0) for onset, end in zip(onsets, ends, strict=True)]
    direction = rng.choice((-1, 1))
    steps = []
    for _ in onsets:
        if rng.random() < 0.25:
            direction = -direction
        size = rng.choice((2, 3, 4)) if rng.random() < manner.leaps else 1
        steps.append(0 if rng.random() < 0.12 else direction * size)
    return Motif(float(beats), tuple(onsets), tuple(lengths), tuple(steps))


def vary(rng: random.Random, motif: Motif, manner: Manner) -> Motif:
    """The motif again, changed a little: new last notes, turned upside down, or as it was."""
    choice = rng.random()
    if choice < 0.35:
        return motif
    if choice < 0.55:
        return Motif(motif.beats, motif.onsets, motif.lengths, tuple(-s for s in motif.steps))
    half = motif.beats / 2
    other = make_motif(rng, int(motif.beats), manner)
    head = [i for i, o in enumerate(motif.onsets) if o < half]
    tail = [i for i, o in enumerate(other.onsets) if o >= half]
    onsets = [motif.onsets[i] for i in head] + [other.onsets[i] for i in tail]
    steps = [motif.steps[i] for i in head] + [other.steps[i] for i in tail]
    ends = [*onsets[1:], motif.beats]
    lengths = [min(end - onset, 2.0) for onset, end in zip(onsets, ends, strict=True)]
    return Motif(motif.beats, tuple(onsets), tuple(lengths), tuple(steps))


def scale_for(chord: Chord, key: int, mode: str) -> frozenset[int]:
    """Pitch classes to move through over a chord: the key's scale bent to the chord's tones."""
    base = SCALES["blues" if mode == "blues" else mode]
    scale = {(key + step) % 12 for step in base}
    if mode == "blues":
        return frozenset(scale | set(chord.tones[:4]))
    for tone in chord.tones:
        if tone not in scale:
            scale -= {(tone - 1) % 12, (tone + 1) % 12} - set(chord.tones)
            scale.add(tone)
    return frozenset(scale)


def _chord_at(chords: tuple[Chord, ...], beat: float) -> Chord:
    """The chord that sounds at a beat."""
    for chord in chords:
        if chord.start <= beat + 1e-6 < chord.start + chord.length:
            return chord
    return chords[-1]


def _nearest(pitch: float, classes: frozenset[int] | tuple[int, ...], low: int, high: int) -> int:
    """The pitch of the given classes nearest to `pitch` within the range."""
    allowed = [p for p in range(low, high + 1) if p % 12 in classes]
    return min(allowed, key=lambda p: (abs(p - pitch), p))


def _move(pitch: int, steps: int, scale: frozenset[int]) -> int:
    """`pitch` moved by scale degrees."""
    direction = 1 if steps > 0 else -1
    for _ in range(abs(steps)):
        pitch += direction
        while pitch % 12 not in scale:
            pitch += direction
    return pitch


def swung(beat: float, swing: float) -> float:
    """A place in beats with its off-beat eighths moved to `swing`."""
    whole, part = divmod(beat, 1.0)
    if abs(part - round(part * 3) / 3) < 1e-6 and abs(part - 0.5) > 0.01 and part > 0.01:
        return beat
    return whole + (part * 2 * swing if part < 0.5 else swing + (part - 0.5) * 2 * (1 - swing))


def _phrase_plan(rng: random.Random, beats: float, bar: int, manner: Manner) -> list[Motif | None]:
    """Motifs one after the other (None is a bar of rest): A A' B, rest, A ..."""
    size = bar * (2 if bar * 2 <= 8 and rng.random() < 0.5 else 1)
    first, second = make_motif(rng, size, manner), make_motif(rng, size, manner)
    plan: list[Motif | None] = []
    filled = 0.0
    while filled < beats:
        for motif in (first, vary(rng, first, manner), second, vary(rng, first, manner)):
            plan.append(motif)
            filled += motif.beats
        if rng.random() < manner.rest * 2:
            plan.append(None)
            filled += bar
        if rng.random() < 0.3:
            second = make_motif(rng, size, manner)
    return plan


def melody(
    rng: random.Random,
    chords: tuple[Chord, ...],
    *,
    key: int,
    mode: str,
    bar_beats: float,
    voice: Voice,
    manner: Manner,
    start: float = 0.0,
) -> tuple[Note, ...]:
    """A melody over the chords on one instrument.

    Parameters
    ----------
    rng : source of every choice
    chords : without gaps, in beats
    key : pitch class 0-11
    mode : a key of `SCALES`
    bar_beats : quarter beats a bar
    voice : the instrument's range and touch
    manner : swing, density, rests
    start : beat at which the melody enters

    Returns
    -------
    tuple of Note, within `voice.low` .. `voice.high`
    """
    end = chords[-1].start + chords[-1].length
    bar = max(2, round(bar_beats))
    middle = (voice.low + voice.high) / 2
    pitch = round(rng.uniform(voice.low + 0.35 * (voice.high - voice.low), middle + 4))
    notes: list[Note] = []
    at = start
    for motif in _phrase_plan(rng, end - start, bar, manner):
        if motif is None:
            at += bar
            continue
        for index, onset in enumerate(motif.onsets):
            beat = at + onset
            if beat >= end - 0.05:
                break
            chord = _chord_at(chords, beat)
            scale = scale_for(chord, key, mode)
            pitch = _next_pitch(rng, pitch, motif.steps[index], chord, scale, voice, onset)
            notes.append(
                _played(rng, beat, motif.lengths[index], pitch, voice, manner, onset, motif)
            )
        at += motif.beats
    return tuple(note for note in notes if note.start < end)


def _next_pitch(
    rng: random.Random,
    pitch: int,
    step: int,
    chord: Chord,
    scale: frozenset[int],
    voice: Voice,
    onset: float,
) -> int:
    """The next pitch: a step in the scale, a chord tone where the beat is strong."""
    target = _nearest(pitch, scale, voice.low - 2, voice.high + 2)
    if step:
        target = _move(target, step, scale)
    centre = voice.low + 0.55 * (voice.high - voice.low)
    if target > voice.high - 1 or target < voice.low + 1 or abs(target - centre) > 14:
        target = _move(_nearest(pitch, scale, voice.low, voice.high), -step or 1, scale)
    strong = onset % 2 < 0.01 or (onset % 1 < 0.01 and rng.random() < 0.55)
    if strong:
        target = _nearest(target + rng.uniform(-0.4, 0.4), chord.tones[:4], voice.low, voice.high)
    return max(voice.low, min(voice.high, target))


def _played(
    rng: random.Random,
    beat: float,
    length: float,
    pitch: int,
    voice: Voice,
    manner: Manner,
    onset: float,
    motif: Motif,
) -> Note:
    """The note as played: swung, shaped in loudness, a little late or early."""
    start = swung(beat, manner.swing)
    stop = swung(beat + length, manner.swing)
    arch = 10 * (1 - abs(2 * onset / motif.beats - 1))
    accent = 6 if onset % 1 < 0.01 else 0
    velocity = round(manner.velocity + arch + accent + rng.uniform(-6, 6))
    held = (stop - start) * voice.legato
    return Note(start + rng.uniform(0.0, 0.015), held, pitch, max(30, min(124, velocity)))
