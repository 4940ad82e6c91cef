"""A piece of made music before it is cut: its score or sound, its windows, what is known of it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.windows import CLIP_SECONDS
from sonoriff_composer.instruments import KIT, PERCUSSION, instrument_of
from sonoriff_composer.score import Part, Score
from sonoriff_composer.synthesiser import Room

# Roles and programs whose notes die away: a long note weighs no more than this many beats.
_PLUCKED = frozenset(
    (*range(0, 16), *range(24, 32), 45, 46, 47, *range(104, 109), *range(112, 120))
)


@dataclass(frozen=True)
class Piece:
    """One made piece.

    Either `score` is played by the synthesiser, or `waveform` (float32 (2, T)) is the sound and
    `activity` lists (instrument, start, stop, weight) in seconds. `starts_s` are the clips.
    `phrases` are true of every clip and become captions too.
    """

    facts: ClipLabels
    source: str
    split: str
    starts_s: tuple[float, ...]
    score: Score | None = None
    waveform: npt.NDArray[np.float32] | None = None
    activity: tuple[tuple[str, float, float, float], ...] = ()
    font: str = "fluid"
    room: Room = field(default_factory=Room)
    level_db: float = -18.0
    licence: str = "CC0-1.0"
    credit: str = ""
    phrases: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Seconds of music the clips need."""
        return max(self.starts_s) + CLIP_SECONDS + 0.05


@dataclass(frozen=True)
class Timing:
    """Tempo and metre: `bpm` counts felt beats, `bar_beats` quarter beats, `felt` beats a bar."""

    bpm: float
    felt: int
    bar_beats: float
    loop: bool

    @property
    def tempo(self) -> float:
        """Quarter beats a minute."""
        return self.bpm * self.bar_beats / self.felt

    @property
    def bar_s(self) -> float:
        """Seconds a bar lasts."""
        return 60.0 / self.bpm * self.felt


def choose_timing(
    rng: random.Random, slow: float, fast: float, *, felt: int = 4, bar_beats: float = 4.0,
    loop_share: float = 0.35,
) -> Timing:  # fmt: skip
    """A tempo in the range; with `loop_share`, one at which a clip is a whole number of bars."""
    unit = felt * 60.0 / CLIP_SECONDS
    loops = [unit * n for n in range(1, 12) if slow * 0.96 <= unit * n <= fast * 1.04]
    if loops and rng.random() < loop_share:
        return Timing(rng.choice(loops), felt, bar_beats, True)
    bpm = math.exp(rng.uniform(math.log(slow), math.log(fast)))
    return Timing(float(round(bpm)), felt, bar_beats, False)


def choose_starts(
    rng: random.Random, timing: Timing, count: int, lead_in: int = 0
) -> tuple[float, ...]:
    """Starts of the clips in seconds, one after the other, most of them on a bar line."""
    starts: list[float] = []
    bar = lead_in
    for _ in range(count):
        offset = 0.0
        if not timing.loop and rng.random() < 0.15:
            offset = rng.uniform(0.0, timing.bar_s)
        starts.append(bar * timing.bar_s + offset)
        bar += max(1, math.ceil((CLIP_SECONDS + offset) / timing.bar_s - 0.02))
    return tuple(starts)


def bars_needed(starts_s: tuple[float, ...], timing: Timing) -> int:
    """Bars of music that cover all clips."""
    return math.ceil((max(starts_s) + CLIP_SECONDS) / timing.bar_s + 0.1)


def _weight(part: Part, start: float, stop: float) -> tuple[float, int]:
    """How much of a part sounds between two beats: loudness times length, and notes."""
    total, count = 0.0, 0
    longest = 1.0 if part.program in _PLUCKED else 8.0
    for note in part.notes:
        overlap = min(note.start + min(note.length, longest), stop) - max(note.start, start)
        if overlap > 0.02:
            total += min(overlap, longest) * (note.velocity / 100) ** 2
            count += 1
    return total * (part.volume / 100) ** 2, count


def _drum_names(parts: list[Part], start: float, stop: float) -> tuple[bool, list[str]]:
    """Whether a kit plays, and the percussion that is heard often between two beats."""
    strokes: dict[str, int] = {}
    for part in parts:
        for note in part.notes:
            if start <= note.start < stop and note.velocity > 35:
                name = "drums" if note.pitch in KIT else PERCUSSION.get(note.pitch, "")
                strokes[name] = strokes.get(name, 0) + 1
    kit = strokes.pop("drums", 0) >= 4
    often = sorted((n for n in strokes if n and strokes[n] >= 8), key=lambda n: (-strokes[n], n))
    return kit, often[:3]


def heard(score: Score, start_s: float) -> tuple[tuple[str, ...], str | None, bool]:
    """(instruments most prominent first, the lead or None, whether there are drums) of a clip."""
    start, stop = start_s / score.beat_s, (start_s + CLIP_SECONDS) / score.beat_s
    weights: dict[str, float] = {}
    lead: str | None = None
    for part in score.parts:
        if part.is_drums:
            continue
        weight, count = _weight(part, start, stop)
        name = instrument_of(part.program)
        if part.role == "lead" and count >= 4:
            lead = name
        if count >= 2 or weight > 2.0:
            weights[name] = weights.get(name, 0.0) + weight
    weights.pop("effects", None)
    loudest = max((w for n, w in weights.items() if n != lead), default=0.0)
    limit = 0.06 * (loudest or 1.0)
    names = sorted(
        (n for n in weights if n == lead or weights[n] >= limit),
        key=lambda n: (n != lead, -weights[n], n),
    )
    kit, percussion = _drum_names([p for p in score.parts if p.is_drums], start, stop)
    names = names[:6]
    if kit:
        names.insert(min(2, len(names)), "drums")
    names += [name for name in percussion if name not in names]
    return tuple(names), lead, kit or bool(percussion)


def clip_facts(piece: Piece, start_s: float) -> ClipLabels:
    """The piece's facts with what is heard in one clip."""
    if piece.score is not None:
        names, lead, drums = heard(piece.score, start_s)
    else:
        names, lead, drums = _active(piece, start_s)
    facts = replace(
        piece.facts, instruments=names, lead=lead, drums=drums,
        since_bar_s=_since_bar_s(piece.facts, start_s),
    )  # fmt: skip
    if not [n for n in names if n not in ("drums", *PERCUSSION.values())]:
        facts = replace(facts, key=None, mode=None)
    return facts


def _since_bar_s(facts: ClipLabels, start_s: float) -> float | None:
    """Seconds from the last bar line, to the millisecond; None where there are no bars."""
    if not facts.bpm or not facts.beats_per_bar:
        return None
    bar_s = 60.0 / facts.bpm * facts.beats_per_bar
    since_s = start_s % bar_s
    # The tempo is stored rounded: just before a bar line is on it.
    return 0.0 if bar_s - since_s < 0.01 else round(since_s, 3)


def _active(piece: Piece, start_s: float) -> tuple[tuple[str, ...], str | None, bool]:
    """As `heard`, from the list of what plays when."""
    stop = start_s + CLIP_SECONDS
    weights: dict[str, float] = {}
    for name, begin, end, weight in piece.activity:
        share = (min(end, stop) - max(begin, start_s)) / CLIP_SECONDS
        if share > 0.15:
            weights[name] = weights.get(name, 0.0) + share * weight
    names = sorted(weights, key=lambda n: (-weights[n], n))
    lead = piece.facts.lead if piece.facts.lead in weights else None
    return tuple(names), lead, "drums" in weights
