"""Pieces in some seventy genres: mma plays the band, melodies and solos are written here."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.splits import divide, draw_source
from sonoriff.errors import CorpusError, SetupError
from sonoriff_composer.grooves import STYLES, Style, grooves_of
from sonoriff_composer.harmony import KEYS, Chord, choose_progression, chords_from_text
from sonoriff_composer.instruments import VOICES
from sonoriff_composer.melody import Manner, melody
from sonoriff_composer.piece import Piece, Timing, bars_needed, choose_starts, choose_timing
from sonoriff_composer.score import Part, Score, parts_from_midi, seeded
from sonoriff_composer.synthesiser import Room

NAME = "accompaniment"
VERSION = 1
# A piece takes it a fifth of a second; a machine with much else to do, a minute.
_PATIENCE_S = 900
FONTS = ("fluid", "fluid", "musescore", "musescore", "musescore", "timgm")
_SWAPS: tuple[tuple[int, ...], ...] = (
    (0, 0, 1, 4), (26, 26, 24, 27), (32, 32, 35), (33, 34, 35), (48, 48, 49, 50), (4, 4, 5, 0),
    (24, 25), (52, 48, 53), (16, 17, 18), (61, 61, 62), (44, 48),
)  # fmt: skip
_KITS = {
    "jazz": (32, 40, 0),
    "swing": (32, 40, 0),
    "metal": (16,),
    "rock": (16, 8, 0),
    "edm": (25, 24, 0),
    "funk": (8, 16, 0),
    "ambient": (25, 24),
    "blues": (0, 8, 32),
    "ragtime": (0, 32),
}


@cache
def genres() -> tuple[str, ...]:
    """Canonical genres, each once, in the table's order."""
    return tuple(dict.fromkeys(style.genre for style in STYLES))


@cache
def _sources(genre: str) -> tuple[str, ...]:
    """Grooves of a genre."""
    return tuple(g for s in STYLES if s.genre == genre for f in s.files for g in grooves_of(f))


def _style_of(genre: str, groove: str) -> Style:
    """The table's row a groove belongs to."""
    file = groove.split(":")[0]
    return next(s for s in STYLES if s.genre == genre and file in s.files)


def run_mma(text: str) -> tuple[list[Part], str]:
    """Parts that mma makes from its own language, and what it printed.

    Raises
    ------
    SetupError
        mma is not installed
    CorpusError
        it refuses the input
    """
    if shutil.which("mma") is None:
        raise SetupError("the program mma is missing: install Debian's package mma")
    with tempfile.TemporaryDirectory(prefix="sonoriff-") as folder:
        source, target = Path(folder) / "piece.mma", Path(folder) / "piece.mid"
        source.write_text(text, "latin-1")
        try:
            done = subprocess.run(
                ["mma", "-w", str(source), "-f", str(target)],
                capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise CorpusError(f"mma was not done after {_PATIENCE_S} seconds") from error
        if not target.exists():
            raise CorpusError(f"mma made no music: {(done.stdout + done.stderr)[-300:]}")
        return parts_from_midi(target), done.stdout


@cache
def metre(groove: str) -> tuple[float, int]:
    """(quarter beats a bar, felt beats a bar) of a groove, as mma itself says."""
    _, printed = run_mma(f"Groove {groove}\nPrint METRE $_Time $_TimeSig\n1 C\n")
    match = re.search(r"METRE (\S+) (\S+)", printed)
    if not match:
        raise CorpusError(f"mma does not know the groove {groove}")
    beats, compound = float(match[1]), match[2] == "6/8"
    if beats == 6:
        return 6.0, 2
    if beats == 3 and compound:
        return 3.0, 2
    return beats, round(beats)


def _mma_text(groove: str, chords: tuple[Chord, ...], timing: Timing, seed: int) -> str:
    """The piece in mma's language."""
    lines = [f"RndSeed {seed}", f"Tempo {timing.tempo:.3f}", f"Groove {groove}"]
    bars: dict[int, list[str]] = {}
    for chord in chords:
        bar, place = divmod(chord.start + 1e-6, timing.bar_beats)
        at = f"@{place + 1:.3g}" if place > 0.01 else ""
        bars.setdefault(int(bar), []).append(chord.name + at)
    return "\n".join(lines + [f"{n + 1} {' '.join(names)}" for n, names in bars.items()]) + "\n"


def _revoice(rng: random.Random, part: Part, kit: int | None) -> Part:
    """A part with its volume moved a little, sometimes another program, octave or kit."""
    volume = max(50, min(120, round(part.volume + rng.gauss(0, 8))))
    if part.is_drums:
        program = part.program if kit is None or part.program else kit
        return replace(part, program=program, volume=volume, reverb=rng.randint(15, 60))
    program = part.program
    if rng.random() < 0.25:
        options = next((s for s in _SWAPS if program in s), (program,))
        program = rng.choice(options)
    return replace(part, program=program, volume=volume, reverb=rng.randint(20, 70))


def _arrange(rng: random.Random, parts: list[Part]) -> tuple[list[Part], bool | None]:
    """Who plays: everybody, no drums, drums alone, one instrument ...; and whether a lead must."""
    roll = rng.random()
    drums = [p for p in parts if p.is_drums]
    bass = [p for p in parts if p.role == "bass"]
    others = [p for p in parts if not p.is_drums and p.role != "bass"]
    if roll < 0.58 or not others:
        return parts, None
    if roll < 0.74:
        return [p for p in parts if not p.is_drums], None
    if roll < 0.78 and sum(len(p.notes) for p in drums) > 60:
        return drums, False
    if roll < 0.88:
        busiest = max(others, key=lambda p: len(p.notes))
        return [busiest], None if rng.random() < 0.5 else False
    if roll < 0.92 and drums and bass:
        return drums + bass, None
    if roll < 0.96:
        return drums + others, None
    return bass + others[:1] + others[2:], None


def _lead_part(
    rng: random.Random,
    style: Style,
    chords: tuple[Chord, ...],
    key: int,
    mode: str,
    timing: Timing,
) -> Part:
    """A melody or solo on one of the style's instruments."""
    name = rng.choice(style.leads)
    voice = VOICES[name]
    calm = {"hymn": 0.6, "waltz": 0.75, "ambient": 0.6, "march": 0.9, "tango": 0.9}
    speed = calm.get(style.family, 1.0) * rng.choice((0.7, 1.0, 1.25))
    per_beat = voice.density * speed * (100 / max(timing.tempo, 60)) ** 0.75
    solo = style.family in ("jazz", "blues", "funk") and rng.random() < 0.5
    manner = Manner(
        swing=rng.uniform(0.6, 0.67) if style.swing and timing.tempo < 230 else 0.5,
        density=min(3.2, per_beat * (1.4 if solo else 1.0)),
        rest=rng.uniform(0.1, 0.35),
        leaps=0.35 if solo or voice.kind in ("strike", "pluck") else 0.22,
        velocity=rng.randint(88, 104),
    )
    start = rng.choice((0.0, 0.0, timing.bar_beats))
    notes = melody(
        rng, chords, key=key, mode=mode, bar_beats=timing.bar_beats, voice=voice, manner=manner,
        start=start,
    )  # fmt: skip
    if voice.kind == "keys" and rng.random() < 0.35:
        notes += tuple(replace(n, pitch=n.pitch - 12, velocity=n.velocity - 12) for n in notes)
    reverb = rng.randint(40, 90)
    volume = min(124, round(voice.volume + rng.gauss(2, 5)))
    return Part("lead", "lead", voice.program, notes, volume, reverb)


def compose(seed: int, index: int) -> Piece:
    """Piece number `index` of a seed: which groove, key, tempo, chords, players, clips."""
    rng = seeded(seed, NAME, VERSION, index)
    cycle, place = divmod(index, len(genres()))
    order = list(genres())
    seeded(seed, NAME, "order", cycle).shuffle(order)
    genre = order[place]
    groove, split = _draw_groove(rng, genre)
    style = _style_of(genre, groove)
    bar_beats, felt = metre(groove)
    timing = choose_timing(rng, style.slow, style.fast, felt=felt, bar_beats=bar_beats)
    starts = choose_starts(rng, timing, rng.choice((2, 3, 3, 4)), rng.choice((0, 1, 1, 2)))
    key = rng.randrange(12)
    mode, progression = choose_progression(rng, style.family)
    chords = chords_from_text(progression, key, bars_needed(starts, timing), bar_beats)
    parts, _ = run_mma(_mma_text(groove, chords, timing, rng.randrange(1, 2**31)))
    if style.family == "metal":
        parts = [p for p in parts if p.is_drums or p.program >= 24]
    parts, lead = _arrange(rng, parts)
    if not parts:
        raise CorpusError(f"{groove} plays no note")
    kit = rng.choice(_KITS[style.family]) if style.family in _KITS and rng.random() < 0.6 else None
    parts = [_revoice(rng, part, kit) for part in parts]
    if lead is None and rng.random() < 0.62:
        parts.append(_lead_part(rng, style, chords, key, mode, timing))
    facts = ClipLabels(
        genre=genre, style=style.name, bpm=round(timing.bpm, 2), key=KEYS[key], mode=mode,
        beats_per_bar=felt, loop=timing.loop, kind="render",
    )  # fmt: skip
    room = Room(rng.uniform(0.15, 0.75), rng.uniform(0.1, 0.6), rng.uniform(0.08, 0.45))
    return Piece(
        facts, f"mma/{groove}", split, starts, Score(timing.tempo, tuple(parts)),
        font=rng.choice(FONTS), room=room, level_db=rng.uniform(-19.5, -16.5),
    )  # fmt: skip


def _draw_groove(rng: random.Random, genre: str) -> tuple[str, str]:
    """(groove, split): files weigh the same within a genre, however many grooves they have."""
    _, split = draw_source(rng, _sources(genre))
    same_split = [g for g in _sources(genre) if _split(genre, g) == split]
    files = sorted({g.split(":")[0] for g in same_split})
    file = rng.choice(files)
    return rng.choice([g for g in same_split if g.split(":")[0] == file]), split


def _split(genre: str, groove: str) -> str:
    """The split a groove of a genre belongs to."""
    return next(name for name, members in divide(_sources(genre)).items() if groove in members)
