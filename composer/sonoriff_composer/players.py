"""Soloists and small ensembles: piano, guitars, organ, harp, strings, choir, world instruments."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.splits import draw_source
from sonoriff_composer.arranging import arpeggio, bass_line, chorale, pattern_chords, walking
from sonoriff_composer.harmony import KEYS, Chord, choose_progression, chords_from_text
from sonoriff_composer.instruments import VOICES
from sonoriff_composer.melody import Manner, melody
from sonoriff_composer.piece import Piece, Timing, bars_needed, choose_starts, choose_timing
from sonoriff_composer.score import Note, Part, Score, seeded
from sonoriff_composer.synthesiser import Room

NAME = "players"
VERSION = 2
FAMILIES = 30


@dataclass
class Desk:
    """What a player needs to know: chords, key, time; `dna` belongs to the family."""

    rng: random.Random
    dna: random.Random
    chords: tuple[Chord, ...]
    key: int
    mode: str
    timing: Timing

    def tune(
        self,
        name: str,
        *,
        density: float = 1.0,
        rest: float = 0.25,
        octave: int = 0,
        swing: float = 0.5,
        velocity: int = 92,
        leaps: float = 0.25,
    ) -> tuple[Note, ...]:
        """A melody for an instrument of `VOICES`, its density multiplied."""
        voice = VOICES[name]
        voice = replace(voice, low=voice.low + octave, high=voice.high + octave)
        pace = voice.density * density * (100 / max(self.timing.tempo, 55)) ** 0.75
        manner = Manner(
            swing=swing, density=min(3.4, pace), rest=rest, leaps=leaps, velocity=velocity
        )
        return melody(
            self.rng, self.chords, key=self.key, mode=self.mode, bar_beats=self.timing.bar_beats,
            voice=voice, manner=manner,
        )  # fmt: skip

    def lead(self, name: str, **manner: float) -> Part:
        """A melody as a leading part."""
        notes = self.tune(name, **manner)  # type: ignore[arg-type]
        return Part("lead", "lead", VOICES[name].program, notes, VOICES[name].volume, 60)


Texture = Callable[[Desk], list[Part]]
_ORDERS = (
    (0, 2, 1, 2),
    (0, 1, 2, 3),
    (0, 1, 2, 1),
    (0, 2, 3, 2),
    (0, 1, 2, 3, 4, 3, 2, 1),
    (0, 2, 4, 2),
)


def _part(name: str, role: str, notes: tuple[Note, ...], volume: int = 100) -> Part:
    """A part on an instrument of `VOICES`."""
    return Part(name, role, VOICES[name].program, notes, volume, 55)


def piano_classical(d: Desk) -> list[Part]:
    """Alberti bass or broken chords on the left, a melody on the right."""
    order = d.dna.choice(_ORDERS)
    step = d.dna.choice((0.5, 0.25, 0.5))
    left = arpeggio(d.rng, d.chords, order, around=50, step=step, hold=step * 0.95, velocity=66)
    right = d.tune("piano", density=0.8, rest=0.15, velocity=92)
    return [_part("piano", "lead", left + right)]


def piano_new_age(d: Desk) -> list[Part]:
    """Rolling arpeggios with held tones and a sparse melody."""
    order = d.dna.choice(_ORDERS[2:])
    left = arpeggio(d.rng, d.chords, order, around=46, step=0.5, hold=2.0, velocity=64)
    right = d.tune("piano", density=0.45, rest=0.3, velocity=84)
    return [_part("piano", "lead", left + right)]


def piano_jazz(d: Desk) -> list[Part]:
    """Walking or shell-voiced left hand under a swung right hand."""
    if d.dna.random() < 0.5:
        left = walking(d.rng, d.chords, 36)
    else:
        left = pattern_chords(
            d.rng,
            d.chords,
            d.dna.choice(("--x--x--", "x--x----", "x-----x-")),
            around=52,
            bar_beats=4,
            hold=0.8,
            velocity=-14,
        )
    return [_part("piano", "lead", left + d.tune("piano", density=1.1, swing=0.64))]


def _picked(name: str) -> Texture:
    """Finger-picked broken chords on a guitar or the like, bass note first, maybe a tune on top."""

    def texture(d: Desk) -> list[Part]:
        order = d.dna.choice(_ORDERS)
        step = d.dna.choice((0.5, 0.5, 0.25))
        notes = arpeggio(d.rng, d.chords, order, around=57, step=step, hold=1.4, velocity=82)
        notes += bass_line(
            d.rng, d.chords, "r=======", low=40, bar_beats=d.timing.bar_beats, velocity=88
        )
        if d.rng.random() < 0.5:
            notes += d.tune(name, density=0.5, rest=0.2)
        return [_part(name, "lead", notes, 118)]

    return texture


def _strummed(name: str, with_tune: str | None = None) -> Texture:
    """Strummed chords, alone or under a tune."""

    def texture(d: Desk) -> list[Part]:
        pattern = (
            d.dna.choice(("x-o-xxo-", "x--xo-xo", "x-xxoxxo", "x-x-x-x-", "xoxoxoxo"))
            if d.timing.bar_beats == 4
            else "x-o-o-"
        )
        notes = pattern_chords(
            d.rng,
            d.chords,
            pattern,
            around=57,
            bar_beats=d.timing.bar_beats,
            strum=0.03,
            hold=1.0,
            most=4,
        )
        notes += bass_line(
            d.rng,
            d.chords,
            "r---f---" if d.timing.bar_beats == 4 else "r-----",
            low=40,
            bar_beats=d.timing.bar_beats,
        )
        parts = [_part(name, "chords" if with_tune else "lead", notes, 112)]
        return [d.lead(with_tune), *parts] if with_tune else parts

    return texture


def _alone(name: str, density: float = 1.0, drone: str | None = None, rest: float = 0.2) -> Texture:
    """One melody instrument by itself, with a drone if it has one."""

    def texture(d: Desk) -> list[Part]:
        parts = [d.lead(name, density=density * d.dna.uniform(0.8, 1.2), rest=rest, velocity=96)]
        if drone:
            voice = VOICES[drone]
            end = d.chords[-1].start + d.chords[-1].length
            low = 48 + (d.key - 48) % 12
            notes = tuple(
                Note(at, 4.0, pitch, 64)
                for at in range(0, int(end), 4)
                for pitch in (low - 12, low - 5, low)
            )
            parts.append(Part(drone, "pad", voice.program, notes, 80, 40))
        return parts

    return texture


def _figured(name: str, around: int = 62) -> Texture:
    """Running broken chords on one instrument: harp, marimba, cello suite, harpsichord, kalimba."""

    def texture(d: Desk) -> list[Part]:
        order = d.dna.choice(_ORDERS)
        step = d.dna.choice((0.25, 0.25, 0.5))
        notes = arpeggio(
            d.rng, d.chords, order, around=around, step=step, hold=step * 1.2, velocity=86
        )
        if d.rng.random() < 0.4:
            notes += d.tune(name, density=0.4)
        return [_part(name, "lead", notes, 112)]

    return texture


def _chorale(names: tuple[str, ...], volume: int = 100) -> Texture:
    """A four-part chorale for the named players, highest first."""

    def texture(d: Desk) -> list[Part]:
        ranges = ((62, 79), (57, 72), (50, 66), (38, 55))
        lines = chorale(d.rng, d.chords, ranges, d.dna.choice((1.0, 2.0)))
        found: dict[str, tuple[Note, ...]] = {}
        for index, line in enumerate(lines):
            name = names[min(index, len(names) - 1)]
            found[name] = found.get(name, ()) + line
        return [_part(name, "chords", notes, volume) for name, notes in found.items()]

    return texture


def string_quartet(d: Desk) -> list[Part]:
    """First violin sings, the others accompany in quavers or long notes."""
    lines = chorale(
        d.rng, d.chords, ((69, 84), (60, 74), (52, 67), (38, 55)), d.dna.choice((0.5, 1.0, 2.0))
    )
    tune = d.tune("violin", density=0.9, rest=0.1)
    return [
        _part("violin", "lead", tune + lines[1], 104), _part("viola", "chords", lines[2], 92),
        _part("cello", "bass", lines[3], 100),
    ]  # fmt: skip


def orchestra(d: Desk) -> list[Part]:
    """String ostinato, horns in long notes, brass or winds on the tune, timpani."""
    order = d.dna.choice(_ORDERS)
    parts = [
        _part(
            "strings",
            "chords",
            arpeggio(
                d.rng,
                d.chords,
                order,
                around=62,
                step=d.dna.choice((0.5, 0.25)),
                hold=0.45,
                velocity=88,
            ),
            105,
        )
    ]
    lines = chorale(d.rng, d.chords, ((60, 74), (55, 69), (48, 62), (36, 52)), 4.0)
    parts.append(_part("french horn", "pad", lines[1] + lines[2], 92))
    parts.append(Part("cello", "bass", 48, lines[3], 100, 60))
    if d.dna.random() < 0.6:
        beats = d.dna.choice(("x---x---x-x-x---", "x-------x-----xx", "x--x--x-x--x--x-"))
        rolls = bass_line(
            d.rng,
            d.chords,
            beats.replace("x", "r"),
            low=38,
            bar_beats=d.timing.bar_beats,
            velocity=100,
        )
        parts.append(Part("timpani", "bass", 47, rolls, 100, 70))
    lead = d.dna.choice(
        ("trumpet", "french horn", "oboe", "flute", "violin", "strings", "trombone")
    )
    if d.rng.random() < 0.8:
        parts.append(d.lead(lead, density=0.8, velocity=100))
    if d.dna.random() < 0.3:
        parts.append(Part("choir", "pad", 52, lines[0] + lines[1], 88, 80))
    return parts


def strings_pizzicato(d: Desk) -> list[Part]:
    """Plucked strings, playful."""
    notes = pattern_chords(
        d.rng,
        d.chords,
        d.dna.choice(("x-o-x-o-", "--x---x-", "x-xox-xo")),
        around=64,
        bar_beats=d.timing.bar_beats,
        hold=0.4,
    )
    notes += bass_line(
        d.rng,
        d.chords,
        "r---f---" if d.timing.bar_beats == 4 else "r-----",
        low=43,
        bar_beats=d.timing.bar_beats,
        hold=0.4,
    )
    return [_part("pizzicato strings", "lead", notes + d.tune("pizzicato strings"), 118)]


def woodwinds(d: Desk) -> list[Part]:
    """Flute, oboe, clarinet and bassoon."""
    lines = chorale(
        d.rng, d.chords, ((65, 84), (62, 77), (55, 70), (40, 56)), d.dna.choice((0.5, 1.0))
    )
    return [
        d.lead("flute", density=0.9), _part("oboe", "chords", lines[1], 90),
        _part("clarinet", "chords", lines[2], 92), _part("bassoon", "bass", lines[3], 98),
    ]  # fmt: skip


def brass(d: Desk) -> list[Part]:
    """A brass quintet: fanfares and chorales."""
    lines = chorale(
        d.rng, d.chords, ((62, 79), (58, 72), (50, 65), (34, 50)), d.dna.choice((0.5, 1.0, 2.0))
    )
    return [
        _part("trumpet", "lead", d.tune("trumpet", density=0.9) + lines[1], 98),
        _part("french horn", "chords", lines[1], 92), _part("trombone", "chords", lines[2], 92),
        _part("tuba", "bass", lines[3], 100),
    ]  # fmt: skip


def duo(solo: str, accompanist: str = "piano") -> Texture:
    """A soloist with piano, guitar or harp."""

    def texture(d: Desk) -> list[Part]:
        order = d.dna.choice(_ORDERS)
        step = d.dna.choice((0.5, 0.5, 1.0))
        notes = arpeggio(d.rng, d.chords, order, around=54, step=step, hold=step * 1.3, velocity=66)
        notes += bass_line(
            d.rng,
            d.chords,
            "r=======" if d.timing.bar_beats == 4 else "r=====",
            low=38,
            bar_beats=d.timing.bar_beats,
            velocity=70,
        )
        return [d.lead(solo, density=0.8), _part(accompanist, "chords", notes, 92)]

    return texture


def banjo_rolls(d: Desk) -> list[Part]:
    """Three-finger rolls."""
    order = d.dna.choice(
        ((0, 2, 3, 1, 2, 3, 0, 3), (0, 1, 3, 2, 1, 3, 0, 2), (3, 1, 0, 3, 1, 0, 3, 1))
    )
    return [
        _part(
            "banjo",
            "lead",
            arpeggio(d.rng, d.chords, order, around=62, step=0.25, hold=0.5, velocity=90),
        )
    ]


def bells(d: Desk) -> list[Part]:
    """Church bells ringing changes."""
    scale = [0, 2, 4, 5, 7, 9, 11, 12]
    start = 60 + d.key % 5
    row = list(range(d.dna.choice((5, 6, 8))))[::-1]
    notes, at = [], 0.0
    end = d.chords[-1].start + d.chords[-1].length
    while at < end:
        for bell in row:
            notes.append(Note(at, 4.0, start + scale[bell], d.rng.randint(80, 100)))
            at += d.dna.choice((0.5, 1.0))
        place = d.rng.randrange(len(row) - 1)
        row[place], row[place + 1] = row[place + 1], row[place]
    return [_part("tubular bells", "lead", tuple(n for n in notes if n.start < end), 110)]


def flamenco(d: Desk) -> list[Part]:
    """Rasgueado and picado on a nylon guitar, sometimes with palms."""
    strum = pattern_chords(
        d.rng,
        d.chords,
        d.dna.choice(("x-ooxo.ooxo.", "xooxooxoxoxo"[:12])),
        around=57,
        bar_beats=d.timing.bar_beats,
        strum=0.02,
    )
    parts = [
        _part("nylon guitar", "lead", strum + d.tune("nylon guitar", density=1.3, rest=0.4), 118)
    ]
    if d.dna.random() < 0.5:
        claps = tuple(
            Note(b.start + k, 0.2, 39, 84) for b in d.chords for k in range(int(b.length))
        )
        parts.append(Part("claps", "drums", 0, claps, 90, 30))
    return parts


@dataclass(frozen=True)
class Setting:
    """A texture with its genre, harmony, tempo and metre."""

    name: str
    texture: Texture
    genre: str | None
    family: str
    slow: float
    fast: float
    metres: tuple[int, ...] = (4,)


_S = Setting
SETTINGS: tuple[Setting, ...] = (
    _S("solo classical piano", piano_classical, "classical", "classical", 60, 140, (4, 3)),
    _S("new age piano", piano_new_age, "new age", "ambient", 60, 96),
    _S("solo jazz piano", piano_jazz, "jazz", "jazz", 80, 180),
    _S("solo pop piano", piano_classical, "piano ballad", "pop", 60, 92),
    _S("classical guitar", _picked("nylon guitar"), "classical", "classical", 60, 120, (4, 3)),
    _S("fingerpicked folk guitar", _picked("acoustic guitar"), "folk", "folk", 72, 120, (4, 3)),
    _S("strummed acoustic guitar", _strummed("acoustic guitar"), "folk", "folk", 80, 132, (4, 3)),
    _S("guitar and harmonica", _strummed("acoustic guitar", "harmonica"), "folk", "folk", 80, 125),
    _S("guitar and flute", _strummed("nylon guitar", "flute"), "folk", "folk", 72, 120),
    _S("flamenco guitar", flamenco, "flamenco", "klezmer", 90, 150, (3,)),
    _S("church organ chorale", _chorale(("church organ",)), "hymn", "hymn", 60, 90),
    _S("baroque organ", _figured("church organ", 62), "baroque", "classical", 66, 100),
    _S("harpsichord", _figured("harpsichord", 64), "baroque", "classical", 72, 120),
    _S(
        "harpsichord and recorder",
        duo("recorder", "harpsichord"),
        "baroque",
        "classical",
        72,
        116,
        (4, 3),
    ),
    _S("solo cello suite", _figured("cello", 50), "baroque", "classical", 66, 104),
    _S("solo violin", _alone("violin", 1.3), "classical", "classical", 66, 120),
    _S("violin and piano", duo("violin"), "classical", "classical", 60, 108, (4, 3)),
    _S("cello and piano", duo("cello"), "classical", "classical", 56, 92, (4, 3)),
    _S("flute and harp", duo("flute", "harp"), "classical", "classical", 60, 100, (4, 3)),
    _S("clarinet and piano", duo("clarinet"), "classical", "classical", 66, 116),
    _S("oboe and piano", duo("oboe"), "classical", "classical", 60, 100),
    _S("harp", _figured("harp", 60), "new age", "ambient", 60, 100),
    _S("string quartet", string_quartet, "classical", "classical", 60, 126, (4, 3)),
    _S("string quartet", string_quartet, "classical", "classical", 60, 126, (4,)),
    _S("string ensemble", _chorale(("strings",)), "orchestral", "classical", 56, 90),
    _S("orchestra", orchestra, "orchestral", "classical", 80, 140, (4,)),
    _S("film orchestra", orchestra, "orchestral", "edm", 80, 140),
    _S("film orchestra", orchestra, "orchestral", "pop", 72, 120, (4, 3)),
    _S("pizzicato strings", strings_pizzicato, "classical", "classical", 84, 140, (4, 3)),
    _S("wind quartet", woodwinds, "classical", "classical", 72, 126, (4, 3)),
    _S("brass quintet", brass, "classical", "march", 80, 120),
    _S(
        "brass chorale",
        _chorale(("trumpet", "french horn", "trombone", "tuba"), 92),
        "hymn",
        "hymn",
        60,
        88,
    ),
    _S("choir", _chorale(("choir",)), "choral", "hymn", 56, 84),
    _S("choir and organ", _chorale(("choir", "choir", "church organ")), "choral", "hymn", 60, 88),
    _S("solo saxophone", _alone("tenor saxophone", 1.2), "jazz", "jazz", 80, 160),
    _S("solo alto saxophone", _alone("alto saxophone", 1.2), "jazz", "jazz", 80, 170),
    _S("solo trumpet", _alone("trumpet"), None, "march", 80, 120),
    _S("solo flute", _alone("flute"), "classical", "classical", 66, 120),
    _S("solo clarinet", _alone("clarinet", 1.1), "classical", "classical", 72, 126),
    _S("solo accordion", _strummed("accordion", "accordion"), "musette", "waltz", 140, 184, (3,)),
    _S("marimba", _figured("marimba", 64), None, "pop", 90, 150),
    _S("vibraphone", _alone("vibraphone", 1.0), "cool jazz", "jazz", 72, 130),
    _S("xylophone", _alone("xylophone", 1.0), None, "march", 100, 150),
    _S("steel drums", _figured("steel drums", 67), "calypso", "latin", 100, 150),
    _S("kalimba", _figured("kalimba", 67), None, "folk", 80, 126),
    _S("sitar", _alone("sitar", 1.1, "sitar"), "indian classical", "folk", 66, 120),
    _S("koto", _alone("koto", 1.0), "japanese traditional", "folk", 60, 100),
    _S("shakuhachi", _alone("shakuhachi", 0.9, None, 0.4), "japanese traditional", "folk", 54, 76),
    _S("banjo rolls", banjo_rolls, "bluegrass", "country", 100, 150),
    _S("church bells", bells, None, "hymn", 90, 130),
    _S("music box", _figured("music box", 72), "lullaby", "waltz", 66, 100, (3, 4)),
    _S("celesta", _figured("celesta", 72), "lullaby", "waltz", 66, 100, (3,)),
    _S("glockenspiel", _alone("glockenspiel"), "lullaby", "folk", 72, 110),
    _S("bagpipes", _alone("bagpipes", 1.0, "bagpipes", 0.02), "celtic", "folk", 84, 126, (4, 3)),
    _S("solo fiddle", _alone("fiddle", 1.2), "celtic", "folk", 96, 132),
    _S("tin whistle", _alone("whistle", 1.1), "celtic", "folk", 96, 132),
    _S("celtic harp", _figured("harp", 62), "celtic", "folk", 72, 110, (4, 3)),
    _S("pan flute and guitar", _strummed("nylon guitar", "pan flute"), "andean", "folk", 84, 120),
    _S("dulcimer", _figured("dulcimer", 66), "folk", "folk", 80, 126),
    _S("solo harmonica", _alone("harmonica"), "blues", "blues", 72, 120),
    _S("solo electric guitar", _alone("overdriven guitar", 1.1), "blues", "blues", 72, 126),
    _S("solo bandoneon", _strummed("bandoneon", "bandoneon"), "tango", "tango", 108, 130),
)


# Genres with few settings are played more often.
_WEIGHTS = {
    "choral": 2,
    "orchestral": 2,
    "japanese traditional": 2,
    "flamenco": 3,
    "indian classical": 4,
    "andean": 4,
}
_PROGRAMME = tuple(s for s in SETTINGS for _ in range(_WEIGHTS.get(s.genre or "", 1)))


def _modes(family: str, rng: random.Random, setting: Setting) -> tuple[str, str]:
    """Mode and progression, bent to what the setting needs."""
    mode, progression = choose_progression(rng, family)
    if setting.genre == "flamenco":
        return "phrygian dominant", rng.choice(
            ("I | bII | I | bII", "iv | bIII | bII | I", "I | bII | bIII | bII")
        )
    if setting.genre == "indian classical":
        return rng.choice(
            ("dorian", "mixolydian", "phrygian dominant", "harmonic minor")
        ), "I5 | I5"
    if setting.genre == "japanese traditional":
        return "minor pentatonic", "i5 | i5"
    return mode, progression


def compose(seed: int, index: int) -> Piece:
    """Piece number `index` of a seed."""
    rng = seeded(seed, NAME, VERSION, index)
    cycle, place = divmod(index, len(_PROGRAMME))
    order = list(_PROGRAMME)
    seeded(seed, NAME, "order", cycle).shuffle(order)
    setting = order[place]
    source, split = draw_source(rng, [f"players/{setting.name}/{n:02d}" for n in range(FAMILIES)])
    metre = rng.choice(setting.metres)
    timing = choose_timing(rng, setting.slow, setting.fast, felt=metre, bar_beats=float(metre))
    starts = choose_starts(rng, timing, rng.choice((2, 3, 3)))
    key = rng.randrange(12)
    mode, progression = _modes(setting.family, rng, setting)
    chords = chords_from_text(progression, key, bars_needed(starts, timing), float(metre))
    desk = Desk(rng, seeded(source, VERSION), chords, key, mode, timing)
    parts = tuple(_polished(rng, part) for part in setting.texture(desk) if part.notes)
    facts = ClipLabels(
        genre=setting.genre, style=setting.name, bpm=round(timing.bpm, 2), key=KEYS[key],
        mode=mode if mode not in ("minor pentatonic",) else "minor", beats_per_bar=metre,
        loop=timing.loop, kind="render",
    )  # fmt: skip
    room = Room(rng.uniform(0.2, 0.9), rng.uniform(0.1, 0.6), rng.uniform(0.1, 0.6))
    font = rng.choice(("fluid", "musescore", "musescore", "fluid", "timgm"))
    return Piece(
        facts, source, split, starts, Score(timing.tempo, parts), font=font, room=room,
        level_db=rng.uniform(-20.0, -17.0),
    )  # fmt: skip


def _polished(rng: random.Random, part: Part) -> Part:
    """A part with its own distance to the microphone."""
    volume = max(60, min(124, round(part.volume + rng.gauss(0, 4))))
    return replace(part, volume=volume, reverb=rng.randint(35, 100))
