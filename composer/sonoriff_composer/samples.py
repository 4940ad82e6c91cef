"""The programme of recorded sounds: drum loops, tabla, a typist, church bells.

What General MIDI and oscillators lack. The sounds come from two Debian packages; church bells are
added up from their partials. Patterns are drawn anew for every piece, so that no loop is a copy.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.splits import draw_source
from sonoriff_composer.debian import SOURCES, fetch
from sonoriff_composer.electronic.kernels import SAMPLE_RATE, Signal
from sonoriff_composer.electronic.mixer import place, seated, step_times, wet_sides
from sonoriff_composer.piece import Piece, Timing, choose_starts, choose_timing
from sonoriff_composer.score import seeded
from sonoriff_composer.stage import Seat

NAME = "samples"
VERSION = 1
FAMILIES = 40
_SONIC_PI, _BUCKLESPRING = "sonic-pi-samples", "bucklespring-data"


@dataclass(frozen=True)
class Sketch:
    """What a kind of piece plays: its sound, what is known of it, and phrases true of it."""

    sound: Signal
    facts: ClipLabels
    phrases: tuple[str, ...]
    licence: str = "CC0-1.0"
    credit: str = ""


@dataclass(frozen=True)
class _Beat:
    """A drum style: tempo range, swing, and patterns of sixteen steps to choose from."""

    slow: float
    fast: float
    kicks: tuple[str, ...]
    snares: tuple[str, ...]
    hats: tuple[str, ...]
    swing: float = 0.5
    electronic: bool = False


BEATS: dict[str, _Beat] = {
    "rock": _Beat(
        88, 148,
        ("x-------x-x-----", "x-----x-x-------", "x-x-----x-------"),
        ("----x-------x---",),
        ("x-o-x-o-x-o-x-o-", "x---x---x---x---"),
    ),
    "funk": _Beat(
        92, 118,
        ("x--x--o---x--x--", "x-----x--xx-----", "x-x----x--x--o--"),
        ("----x--.-.--x--.", "----x-.--.-.x---"),
        ("x-oox-oox-oox-oo", "xoxoxoxoxoxoxoxo"),
        swing=0.53,
    ),
    "hip hop": _Beat(
        78, 98,
        ("x------x--x-----", "x--x------x--x--", "x-------x-x-----"),
        ("----x-------x---", "----x--.----x---"),
        ("x-x-x-x-x-x-x-x-", "x-o-x-oox-o-x-o-"),
        swing=0.57,
        electronic=True,
    ),
    "house": _Beat(
        116, 128,
        ("x---x---x---x---",),
        ("----x-------x---",),
        ("--x---x---x---x-", "..x...x...x...x."),
        electronic=True,
    ),
    "breakbeat": _Beat(
        120, 172,
        ("x-x-------xx----", "x-----x---x-----", "x-x-----x-x-----"),
        ("----x--.-.--x---", "----x--x-o--x--o"),
        ("x-x-x-x-x-x-x-x-", "x-oxx-o-x-oxx-o-"),
    ),
    "disco": _Beat(
        112, 126,
        ("x---x---x---x---",),
        ("----x-------x---",),
        ("x-x-x-x-x-x-x-x-", "xox.xox.xox.xox."),
    ),
    "march": _Beat(
        96, 124,
        ("x-------x-------",),
        ("x--.x-..x--.x.x.", "x-..x-..x-x-x-..", "x..xx..xx..xx.x."),
        ("x-------x-------",),
    ),
}  # fmt: skip
_KICKS = {
    False: ("drum_bass_hard", "drum_bass_soft", "drum_heavy_kick", "bd_ada", "bd_pure"),
    True: ("bd_808", "bd_haus", "bd_klub", "bd_fat", "bd_tek", "bd_zum", "elec_hollow_kick"),
}
_SNARES = {
    False: ("drum_snare_hard", "drum_snare_soft"),
    True: ("sn_dolf", "sn_dub", "sn_zome", "sn_generic", "elec_hi_snare", "elec_snare"),
}
_HATS = {False: ("drum_cymbal_closed", "drum_cymbal_pedal"), True: ("drum_cymbal_closed",)}
_TOMS = ("drum_tom_hi_hard", "drum_tom_mid_hard", "drum_tom_lo_hard", "drum_tom_mid_soft")
_TABLA_LOW = tuple(f"tabla_ghe{i}" for i in range(1, 9))
_TABLA_HIGH = (
    "tabla_na", "tabla_na_o", "tabla_tas1", "tabla_tas2", "tabla_tun1", "tabla_tun2", "tabla_te1",
    "tabla_te2", "tabla_ke1", "tabla_ke2", "tabla_dhec",
)  # fmt: skip
_TABLA_CYCLES = ("x-x-x-x-x-x-x-x-", "x--xx-x-x--xx-x-", "x-xxx-x-x-xxx-xx", "x-x-xxx-x-x-xxx-")
# Partials of a tuned church bell: hum, prime, tierce, quint, nominal and those above it.
_BELL = (
    (0.5, 0.8, 1.6), (1.0, 0.6, 1.0), (1.2, 0.9, 0.9), (1.5, 0.25, 0.7), (2.0, 1.0, 0.7),
    (2.51, 0.45, 0.4), (2.66, 0.35, 0.35), (3.01, 0.4, 0.3), (4.17, 0.25, 0.2), (5.43, 0.15, 0.15),
)  # fmt: skip


@lru_cache(maxsize=1)
def _library() -> dict[str, Path]:
    """Every sound by its name: the file's, and ``key/CODE-0`` (down) or ``-1`` (up) for keys."""
    sounds = {p.stem: p for p in fetch(_SONIC_PI, SOURCES).rglob("*.flac")}
    keys = fetch(_BUCKLESPRING, SOURCES).rglob("*.wav")
    return sounds | {f"key/{p.stem}": p for p in keys}


@lru_cache(maxsize=256)
def _sound(name: str) -> Signal:
    """One sound, mono, its peak at 1."""
    import soundfile

    samples, rate = soundfile.read(_library()[name], dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    if rate != SAMPLE_RATE:
        import soxr

        mono = soxr.resample(mono, rate, SAMPLE_RATE)
    return np.asarray(mono / (np.abs(mono).max() + 1e-9), np.float32)


def _shifted(sound: Signal, factor: float) -> Signal:
    """Played faster (above 1) or slower, and so higher or lower."""
    places = np.arange(0, len(sound) - 1, factor)
    return np.asarray(np.interp(places, np.arange(len(sound)), sound), np.float32)


def _in_a_room(sound: Signal, rng: random.Random, most: float) -> Signal:
    """A sound (T,) somewhere in a room, float32 (2, T)."""
    level = rng.choice((0.0, 0.15, 0.3, most))
    noise = np.random.default_rng(rng.randrange(2**32))
    seat = Seat(pan=0.2 * float(noise.uniform(-1, 1)), width=0.2 * float(noise.uniform()))
    wet = seated(sound, seat)
    if level:
        wet = wet + np.float32(level) * wet_sides(sound, rng.uniform(0.3, 1.6), noise)
    return np.asarray(0.5 * wet / (np.abs(wet).max() + 1e-9), np.float32)


def _drums(rng: random.Random, dna: random.Random, timing: Timing, duration_s: float) -> Sketch:
    """A kit of recorded strokes; `dna` has chosen style, kit and patterns."""
    style = dna.choice(list(BEATS))
    beat = BEATS[style]
    kit = {
        role: _shifted(_sound(dna.choice(names[beat.electronic])), dna.uniform(0.9, 1.12))
        for role, names in (("kick", _KICKS), ("snare", _SNARES), ("hat", _HATS))
    }
    patterns = {
        "kick": (dna.choice(beat.kicks), 1.0),
        "snare": (dna.choice(beat.snares), 0.8),
        "hat": (dna.choice(beat.hats), 0.3),
    }
    step_s = timing.bar_s / 16
    out = np.zeros(round(duration_s * SAMPLE_RATE), np.float32)
    bars = int(duration_s / timing.bar_s) + 1
    fills = [bar for bar in range(bars) if bar % 4 == 3 and rng.random() < 0.5]
    for bar in range(bars):
        for role, (pattern, level) in patterns.items():
            for at_s, gain in step_times(pattern, step_s, bar, swing=beat.swing):
                if bar in fills and role != "kick" and at_s >= (bar + 0.75) * timing.bar_s:
                    continue
                late_s = abs(rng.gauss(0, 0.002))
                place(out, kit[role], at_s + late_s, level * gain * _touch(rng))
        if bar in fills:
            for index in range(4):
                at_s = (bar + 0.75) * timing.bar_s + index * step_s
                place(out, _sound(_TOMS[min(index, 2)]), at_s, 0.7 * _touch(rng))
        if bar % 4 == 0 and rng.random() < 0.4:
            place(out, _sound("drum_cymbal_soft"), bar * timing.bar_s, 0.3)
    made = "electronic" if beat.electronic else "acoustic"
    facts = ClipLabels(
        style=f"{style} drums", instruments=("drums",), bpm=round(timing.bpm, 2), beats_per_bar=4,
        drums=True, loop=timing.loop, kind="render",
    )  # fmt: skip
    phrases = (f"{style} drum loop", f"{style} beat, drums only", f"{made} drum loop", "drum loop")
    return Sketch(_in_a_room(out, rng, 0.5), facts, phrases)


def _touch(rng: random.Random) -> float:
    """How hard a stroke is, about 1."""
    return max(0.4, rng.gauss(1.0, 0.1))


def _tabla(rng: random.Random, dna: random.Random, timing: Timing, duration_s: float) -> Sketch:
    """Low and high strokes on a cycle of sixteen."""
    low, high = dna.sample(_TABLA_LOW, 2), dna.sample(_TABLA_HIGH, 4)
    pitch, cycle = dna.uniform(0.88, 1.15), dna.choice(_TABLA_CYCLES)
    words = [rng.choice(high) for _ in range(16)]
    for strong in (0, 3, 8, 12):
        words[strong] = dna.choice(low)
    out = np.zeros(round(duration_s * SAMPLE_RATE), np.float32)
    for bar in range(int(duration_s / timing.bar_s) + 1):
        if bar % 4 == 3:
            words = words[:12] + [rng.choice(high) for _ in range(4)]
        for at_s, gain in step_times(cycle, timing.bar_s / 16, bar):
            place_in_bar = round(at_s / timing.bar_s * 16) % 16
            stroke = _shifted(_sound(words[place_in_bar]), pitch)
            place(out, stroke, at_s + abs(rng.gauss(0, 0.003)), gain * _touch(rng))
    facts = ClipLabels(
        genre="indian classical", style="tabla solo", instruments=("tabla",), lead="tabla",
        bpm=round(timing.bpm, 2), beats_per_bar=4, drums=True, loop=timing.loop, kind="render",
    )  # fmt: skip
    return Sketch(_in_a_room(out, rng, 0.4), facts, ("tabla solo", "tabla rhythm", "Indian tabla"))


def _typing(rng: random.Random, _dna: random.Random, timing: Timing, duration_s: float) -> Sketch:
    """Words of keystrokes with pauses between them, in time now and then."""
    codes = sorted({n[:-2] for n in _library() if n.startswith("key/") and n.endswith("-0")})
    codes = [c for c in codes if f"{c}-1" in _library()]
    rhythmic = rng.random() < 0.3
    gap_s = timing.bar_s / 16 if rhythmic else rng.choice((0.09, 0.13, 0.19))
    out = np.zeros(round(duration_s * SAMPLE_RATE), np.float32)
    at_s = 0.0
    while at_s < duration_s:
        for _ in range(4 if rhythmic else rng.randint(2, 8)):
            code = rng.choice(codes)
            place(out, _sound(f"{code}-0"), at_s, 0.8 * _touch(rng))
            up_s = at_s + rng.uniform(0.05, 0.1)
            place(out, _sound(f"{code}-1"), up_s, 0.4 * _touch(rng))
            at_s += gap_s if rhythmic else gap_s * rng.lognormvariate(0.0, 0.3)
        if not rhythmic:
            at_s += gap_s * rng.choice((0.5, 1.0, 1.0, 2.5))
    pace = "rhythmic" if rhythmic else {0.09: "fast", 0.13: "steady", 0.19: "slow"}[gap_s]
    facts = ClipLabels(
        style="typing on a keyboard", bpm=round(timing.bpm, 2) if rhythmic else None,
        beats_per_bar=4 if rhythmic else None, drums=False, loop=rhythmic and timing.loop,
        moods=(pace,), kind="render",
    )  # fmt: skip
    phrases = (
        "typing on a keyboard", f"{pace} typing on a mechanical keyboard", "typing",
        "keyboard clicks", "someone typing", f"{pace} typing",
    )  # fmt: skip
    credit = "Bucklespring by Ico Doornekamp"
    chosen = tuple(rng.sample(phrases, 4))
    return Sketch(_in_a_room(out, rng, 0.3), facts, chosen, "GPL-2.0-or-later", credit)


def _bell(hz: float, rng: random.Random) -> Signal:
    """One stroke of a church bell.

    References
    ----------
    Hibbert, The Quantification of Strike Pitch and Pitch Shifts in Church Bells (2008), for the
    places of the partials.
    """
    long_s = 4.0 * (440.0 / hz) ** 0.5
    t = np.arange(round(min(8.0, 2 * long_s) * SAMPLE_RATE)) / SAMPLE_RATE
    out = np.zeros_like(t)
    for ratio, level, decay in _BELL:
        tone = np.sin(2 * np.pi * hz * ratio * (1 + rng.gauss(0, 0.002)) * t + rng.random())
        out += level * tone * np.exp(-t * 6.9 / (long_s * decay))
    return np.asarray(out / np.abs(out).max(), np.float32)


def _bells(rng: random.Random, dna: random.Random, timing: Timing, duration_s: float) -> Sketch:
    """One bell that tolls, or rounds and changes on several."""
    count = dna.choice((1, 1, 3, 4, 5, 6))
    top_hz = dna.uniform(350, 900) if count > 1 else dna.uniform(160, 500)
    scale = (1.0, 8 / 9, 4 / 5, 3 / 4, 2 / 3, 3 / 5)
    tones = [_bell(top_hz * ratio, dna) for ratio in scale[:count]]
    row = list(range(count))
    out = np.zeros(round(duration_s * SAMPLE_RATE), np.float32)
    gap_s = 60.0 / timing.bpm * (2 if count == 1 else 0.5)
    at_s, place_in_row = 0.0, 0
    while at_s < duration_s:
        place(out, tones[row[place_in_row]], at_s + abs(rng.gauss(0, 0.01)), _touch(rng))
        at_s, place_in_row = at_s + gap_s, (place_in_row + 1) % count
        if place_in_row == 0 and count > 2 and rng.random() < 0.6:
            swap = rng.randrange(count - 1)
            row[swap], row[swap + 1] = row[swap + 1], row[swap]
    facts = ClipLabels(
        style="church bells", instruments=("church bells",), drums=False, moods=("solemn",),
        kind="render",
    )  # fmt: skip
    one = ("church bell tolling", "tolling bell", "a single church bell", "church bell")
    several = ("church bells", "church bells ringing", "ringing bells", "bells of a church tower")
    return Sketch(_in_a_room(out, rng, 0.6), facts, one if count == 1 else several)


_Kind = Callable[[random.Random, random.Random, Timing, float], Sketch]
# Kind, how often, tempo range where the style has none.
KINDS: dict[str, tuple[_Kind, int, float, float]] = {
    "drums": (_drums, 6, 0.0, 0.0),
    "tabla": (_tabla, 2, 56.0, 110.0),
    "typing": (_typing, 2, 80.0, 130.0),
    "bells": (_bells, 2, 50.0, 96.0),
}


def compose(seed: int, index: int) -> Piece:
    """Piece number `index` of a seed."""
    rng = seeded(seed, NAME, VERSION, index)
    order = [name for name, (_, share, _, _) in KINDS.items() for _ in range(share)]
    name = order[index % len(order)]
    kind, _, slow, fast = KINDS[name]
    source, split = draw_source(rng, [f"{NAME}/{name}/{i:02d}" for i in range(FAMILIES)])
    dna = seeded(source, VERSION)
    if kind is _drums:
        # The style is the family's first choice, which `_drums` makes again.
        beat = BEATS[seeded(source, VERSION).choice(list(BEATS))]
        slow, fast = beat.slow, beat.fast
    timing = choose_timing(rng, slow, fast, loop_share=0.5)
    starts = choose_starts(rng, timing, rng.choice((2, 3)))
    piece = Piece(ClipLabels(), source, split, starts)
    sketch = kind(rng, dna, timing, piece.duration_s)
    names = [(n, 0.0, piece.duration_s, 1.0) for n in sketch.facts.instruments]
    return Piece(
        sketch.facts, source, split, starts, waveform=sketch.sound, activity=tuple(names),
        licence=sketch.licence, credit=sketch.credit, phrases=sketch.phrases,
        level_db=rng.uniform(-19.0, -16.0),
    )  # fmt: skip
