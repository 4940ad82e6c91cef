"""Bands in the genres that mma's library lacks: reggae, dub, punk, surf, klezmer, celtic ..."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.splits import draw_source
from sonoriff_composer.arranging import arpeggio, bass_line, drum_notes, pattern_chords
from sonoriff_composer.harmony import KEYS, Chord, choose_progression, chords_from_text
from sonoriff_composer.piece import Piece, Timing, bars_needed, choose_starts, choose_timing
from sonoriff_composer.players import Desk
from sonoriff_composer.score import Note, Part, Score, seeded
from sonoriff_composer.synthesiser import Room

NAME = "bands"
VERSION = 2
FAMILIES = 40


@dataclass
class Band(Desk):
    """A desk with a drummer: shortcuts for the parts of a band."""

    bars: int = 8

    def drums(self, patterns: dict[str, str], *, volume: int = 100, kit: int = 0) -> Part:
        """Drums from patterns of equal steps; '_' in a drum's name stands for a space."""
        named = {name.replace("_", " "): p for name, p in patterns.items()}
        notes = drum_notes(self.rng, named, self.bars, self.timing.bar_beats)
        return Part("drums", "drums", kit, notes, volume, 25)

    def bass(self, program: int, pattern: str, low: int = 33, hold: float = 0.85) -> Part:
        """A bass part."""
        notes = bass_line(
            self.rng, self.chords, pattern, low=low, bar_beats=self.timing.bar_beats, hold=hold
        )
        return Part("bass", "bass", program, notes, 108, 20)

    def comp(
        self,
        program: int,
        pattern: str,
        *,
        around: int = 60,
        hold: float = 0.9,
        strum: float = 0.0,
        volume: int = 92,
        most: int = 4,
        role: str = "chords",
    ) -> Part:
        """Chords on a pattern."""
        notes = pattern_chords(
            self.rng, self.chords, pattern, around=around, bar_beats=self.timing.bar_beats,
            hold=hold, strum=strum, most=most,
        )  # fmt: skip
        return Part(f"comp{program}", role, program, notes, volume, 35)

    def power(
        self,
        pattern: str,
        *,
        low: int = 40,
        hold: float = 0.95,
        program: int = 30,
        volume: int = 92,
    ) -> Part:
        """Power chords: root, fifth, octave."""
        notes: list[Note] = []
        size = self.timing.bar_beats / 16
        for chord in self.chords:
            base = low + (chord.root - low) % 12
            first, count = round(chord.start / size), round(chord.length / size)
            for index in range(first, first + count):
                mark = pattern[index % len(pattern)]
                if mark not in "xo.":
                    continue
                length = 1
                while (
                    index + length < first + count
                    and pattern[(index + length) % len(pattern)] == "="
                ):
                    length += 1
                velocity = {"x": 104, "o": 92, ".": 80}[mark]
                tones = (0, 7, 12) if mark != "." else (0,)
                notes += [
                    Note(index * size, length * size * hold, base + t, velocity) for t in tones
                ]
        return Part("power", "chords", program, tuple(notes), volume, 25)

    def maybe(self, names: tuple[str, ...], share: float = 0.6, **manner: float) -> list[Part]:
        """A lead on one of the instruments, or none."""
        if self.rng.random() >= share:
            return []
        return [self.lead(self.rng.choice(names), **manner)]


def reggae(b: Band) -> list[Part]:
    """One drop or steppers, skank on the off-beats, bubbling organ, a melodic bass."""
    kick, snare = b.dna.choice(
        (
            ("--------x-------", "--------x-------"),
            ("x---x---x---x---", "--------x-------"),
            ("x-------x-------", "--------x-------"),
        )
    )
    hat = b.dna.choice(("x-o-x-o-x-o-x-o-", "o-x-o-x-o-x-o-xo", "x-oox-oox-oox-oo"))
    parts = [b.drums({"kick": kick, "rim": snare, "hat": hat})]
    parts.append(
        b.bass(
            b.dna.choice((33, 33, 32, 38)),
            b.dna.choice(
                ("r==-r=--f=-o--a-", "--r=r=--f=r-----", "r=--r-t-f=--f---", "r===--f=t=--r---")
            ),
            hold=0.8,
        )
    )
    parts.append(
        b.comp(
            b.dna.choice((27, 28, 27)),
            "----x-------x---",
            around=62,
            hold=0.5,
            strum=0.01,
            volume=100,
        )
    )
    if b.dna.random() < 0.6:
        parts.append(
            b.comp(
                b.dna.choice((16, 17)),
                b.dna.choice(("--o-o-o---o-o-o-", "--x---x---x---x-")),
                around=60,
                hold=0.5,
                volume=80,
            )
        )
    elif b.dna.random() < 0.7:
        parts.append(b.comp(0, "----x-------x---", around=64, hold=0.4, volume=88))
    return parts + b.maybe(
        ("trombone", "harmonica", "organ", "tenor saxophone", "flute", "electric guitar"),
        0.45,
        density=0.8,
    )


def dub(b: Band) -> list[Part]:
    """Reggae stripped to bass and drums with a few chords deep in reverb."""
    parts = [
        b.drums(
            {
                "kick": b.dna.choice(("--------x-------", "x---x---x---x---")),
                "rim": "--------x-----o-",
                "hat": "o-x-o-x-o-x-o-x-",
            }
        )
    ]
    parts.append(
        b.bass(
            b.dna.choice((33, 38, 39)),
            b.dna.choice(("r==-r=--f=-o--a-", "r=--r-t-f=--f---", "r=====--f=t=r===")),
            low=29,
        )
    )
    skank = b.comp(
        27,
        b.dna.choice(("----x-----------", "------------x---", "----x-------x---")),
        around=64,
        hold=0.4,
        volume=96,
    )
    parts.append(replace(skank, reverb=127))
    if b.dna.random() < 0.5:
        parts.append(
            replace(
                b.comp(b.dna.choice((17, 0)), "--------------x-", around=66, hold=1.0), reverb=127
            )
        )
    return parts + [
        replace(p, reverb=120)
        for p in b.maybe(("trombone", "harmonica", "muted trumpet"), 0.4, density=0.5, rest=0.5)
    ]


def punk(b: Band) -> list[Part]:
    """Fast down strokes, pounding drums."""
    kick, snare = b.dna.choice(
        (
            ("x-x---x-x-x---x-", "----x-------x---"),
            ("x---x---x---x---", "--x---x---x---x-"),
            ("x-----x-x-x-----", "----x-------x---"),
        )
    )
    parts = [
        b.drums(
            {
                "kick": kick,
                "snare": snare,
                **{b.dna.choice(("hat", "ride", "open", "crash")): "x-x-x-x-x-x-x-x-"},
            },
            kit=16,
        )
    ]
    parts.append(
        b.power(
            b.dna.choice(("x-x-x-x-x-x-x-x-", "x-o-x-o-x-o-x-o-", "xoxoxoxoxoxoxoxo")),
            program=b.dna.choice((30, 29, 30)),
        )
    )
    parts.append(b.bass(34, "r-r-r-r-r-r-r-r-", low=28))
    return parts + b.maybe(("distorted guitar", "overdriven guitar"), 0.35, density=0.9)


def metal(b: Band) -> list[Part]:
    """Double bass drums, palm-muted gallops, a screaming lead."""
    kick = b.dna.choice(
        ("xxxxxxxxxxxxxxxx", "x-xxx-xxx-xxx-xx", "x-x-xx--x-x-xx--", "x--x--x-x--x--x-")
    )
    parts = [
        b.drums(
            {
                "kick": kick,
                "snare": b.dna.choice(("----x-------x---", "--------x-------")),
                **{b.dna.choice(("hat", "ride", "crash")): "x---x---x---x---"},
            },
            kit=16,
        )
    ]
    riff = b.dna.choice(
        (
            "x.xx.xx.x.xx.xx.",
            "x-..x-..x-..x-x-",
            "x===....x===....",
            "x..x..x-x..x..x-",
            "x===x===o===x===",
        )
    )
    parts.append(b.power(riff, low=b.dna.choice((35, 36, 38, 40)), hold=0.85))
    parts.append(b.bass(34, riff.replace("x", "r").replace(".", "r").replace("o", "r"), low=26))
    return parts + b.maybe(("distorted guitar",), 0.45, density=1.5, leaps=0.35)


def surf(b: Band) -> list[Part]:
    """Twangy reverberating guitar over driving drums."""
    parts = [
        b.drums(
            {
                "kick": "x-----x-x-------",
                "snare": b.dna.choice(("----x-x-----x---", "----x-------x-x-")),
                **{b.dna.choice(("hat", "ride")): "x-x-x-x-x-x-x-x-"},
            },
            kit=0,
        )
    ]
    parts.append(
        b.bass(33, b.dna.choice(("r-r-r-r-f-f-r-r-", "r---f---r---f---", "r-r-t-t-f-f-t-t-")))
    )
    parts.append(
        b.comp(
            27,
            b.dna.choice(("x-xxx-x-x-xxx-x-", "x-x-x-x-x-x-x-x-")),
            around=58,
            strum=0.01,
            hold=0.6,
            volume=86,
        )
    )
    tune = replace(b.lead("electric guitar", density=1.1, rest=0.15), reverb=127)
    return [*parts, tune] if b.rng.random() < 0.8 else parts


def klezmer(b: Band) -> list[Part]:
    """Oom-pah with clarinet or violin in the freygish mode."""
    parts = [b.bass(b.dna.choice((58, 32)), "r---f---r---f---", low=36, hold=0.6)]
    parts.append(b.comp(b.dna.choice((21, 0, 24)), "--x---x---x---x-", around=60, hold=0.5))
    if b.dna.random() < 0.7:
        parts.append(
            b.drums(
                {
                    "kick": "x-------x-------",
                    "snare": b.dna.choice(("--x---x---x-x-x-", "--xxx-x---xxx-x-")),
                },
                volume=80,
            )
        )
    return [
        *parts,
        b.lead(b.dna.choice(("clarinet", "violin", "clarinet", "trumpet")), density=1.25, rest=0.1),
    ]


def celtic(b: Band) -> list[Part]:
    """A reel or jig: fiddle, whistle or pipes over strummed guitar and a frame drum."""
    jig = b.timing.bar_beats == 3
    parts = [b.comp(25, "x-ox-o" if jig else "x-xox-xox-xox-xo", around=57, strum=0.02, volume=96)]
    if b.dna.random() < 0.7:
        low, rim = ("x--x--", "--o--o") if jig else ("x---x---x---x---", "--o---o---o---oo")
        parts.append(b.drums({"low_tom": low, "rim": rim}, volume=85))
    if b.dna.random() < 0.5:
        parts.append(b.bass(32, "r--f--" if jig else "r---f---r---f---"))
    name = b.dna.choice(("fiddle", "whistle", "flute", "bagpipes", "accordion"))
    return [b.lead(name, density=1.3, rest=0.05), *parts]


def cumbia(b: Band) -> list[Part]:
    """Scraped guacharaca, off-beat accordion, a bass on one, three and four."""
    parts = [
        b.drums(
            {
                "guiro": "x-ooo-oox-ooo-oo"[:16],
                "kick": "x-------x-------",
                "low_conga": "----x-o-----x-oo",
                "cowbell": "x---x---x---x---",
            },
            volume=92,
        )
    ]
    parts.append(b.bass(b.dna.choice((33, 32)), "r-------f---o---"))
    parts.append(
        b.comp(
            b.dna.choice((21, 0, 21)),
            b.dna.choice(("----x-------x---", "--x---x---x---x-")),
            around=62,
            hold=0.5,
        )
    )
    return parts + b.maybe(("accordion", "clarinet", "trumpet", "flute", "accordion"), 0.75)


def smooth_jazz(b: Band) -> list[Part]:
    """A light backbeat, electric piano, fretless bass, soprano or alto saxophone."""
    parts = [
        b.drums(
            {
                "kick": b.dna.choice(("x-----x---x-----", "x--x------x-----")),
                "rim": "----x-------x---",
                "hat": "x-o-x-o-x-oox-o-",
            },
            kit=0,
            volume=88,
        )
    ]
    parts.append(
        b.bass(
            b.dna.choice((35, 33)),
            b.dna.choice(("r=====-rf===--a-", "r=---r==--o-f===", "r===--r=f===----")),
        )
    )
    parts.append(
        b.comp(
            4,
            b.dna.choice(("x=======--x=====", "x=====x=========", "--x===----x=====")),
            around=60,
            volume=96,
        )
    )
    if b.dna.random() < 0.4:
        parts.append(b.comp(48, "x===============", around=64, volume=70, role="pad"))
    if b.dna.random() < 0.4:
        parts.append(b.comp(28, "--x-.-x---x-.-x-", around=62, hold=0.4, volume=80))
    return parts + b.maybe(
        (
            "soprano saxophone",
            "alto saxophone",
            "nylon guitar",
            "jazz guitar",
            "flute",
            "muted trumpet",
        ),
        0.8,
    )


def afrobeat(b: Band) -> list[Part]:
    """Interlocking guitars, busy kit and percussion, horn stabs, a circling bass."""
    parts = [
        b.drums(
            {
                "kick": "x---x--x--x-x---",
                "snare": "----x--o-o--x--o",
                "hat": "x-xxx-xxx-xxx-xx",
                "shaker": "xoxoxoxoxoxoxoxo",
                "conga": "--x--x----x--x--",
            }
        )
    ]
    parts.append(
        b.bass(33, b.dna.choice(("r--r--f---o-f---", "r-r---f-o---f-a-", "--r-r---f--o--f-")))
    )
    parts.append(
        b.comp(
            27, b.dna.choice(("x--x--x---x-x---", "--x-xx---x--x-x-")), around=62, hold=0.4, most=2
        )
    )
    parts.append(
        b.comp(
            28,
            b.dna.choice(("-x-x--x-x-x--x--", "xx--xx--xx--xx--")),
            around=67,
            hold=0.3,
            most=2,
            volume=86,
        )
    )
    if b.dna.random() < 0.6:
        parts.append(b.comp(17, "x-----x---------", around=60, volume=78))
    if b.dna.random() < 0.6:
        parts.append(
            b.comp(61, b.dna.choice(("x--x------------", "----------x-x-x-")), around=64, hold=0.6)
        )
    return parts + b.maybe(("tenor saxophone", "trumpet", "organ"), 0.4)


def grunge(b: Band) -> list[Part]:
    """Loud, loose power chords and a heavy backbeat."""
    parts = [
        b.drums(
            {
                "kick": b.dna.choice(("x--x----x-x-----", "x-----x-x--x----")),
                "snare": "----x-------x---",
                **{b.dna.choice(("open", "crash", "ride")): "x---x---x---x---"},
            },
            kit=16,
        )
    ]
    parts.append(
        b.power(
            b.dna.choice(("x===x=-xx=-xx===", "x==x==x=x==x==x=", "x=======x==x====")),
            low=38,
            program=30,
        )
    )
    parts.append(b.bass(34, b.dna.choice(("r-r-r-r-r-r-r-r-", "r==r==r=r==r==r="))))
    return parts + b.maybe(("distorted guitar",), 0.4, density=0.7)


def indie(b: Band) -> list[Part]:
    """Jangling clean guitars, a straight beat, melodic bass."""
    parts = [
        b.drums(
            {
                "kick": b.dna.choice(("x-------x-x-----", "x---x---x---x---")),
                "snare": "----x-------x---",
                "hat": b.dna.choice(("x-x-x-x-x-x-x-x-", "xoxoxoxoxoxoxoxo")),
            },
            volume=94,
        )
    ]
    parts.append(b.bass(34, b.dna.choice(("r-r-r-r-r-r-r-r-", "r=r=r=f=r=r=o=f="))))
    order = b.dna.choice(((0, 2, 1, 3), (0, 1, 2, 3, 2, 1), (3, 1, 2, 0)))
    notes = arpeggio(b.rng, b.chords, order, around=66, step=0.5, hold=0.9, velocity=86)
    parts.append(Part("guitar", "arpeggio", 27, notes, 100, 50))
    if b.dna.random() < 0.6:
        parts.append(b.comp(25, "x-oxx-oxx-oxx-ox", around=57, strum=0.02, volume=80))
    return parts + b.maybe(
        ("electric guitar", "synth lead", "organ", "glockenspiel"), 0.4, density=0.8
    )


def flamenco_rumba(b: Band) -> list[Part]:
    """Two guitars, palms and a box drum."""
    parts = [
        b.drums(
            {
                "clap": b.dna.choice(("x--x--x-x--x--x-", "--x---x---x---x-")),
                "low_tom": "x-----x-x-----x-",
                "rim": "--o-o---o-o---o-",
            },
            volume=84,
        )
    ]
    parts.append(
        b.comp(
            24,
            b.dna.choice(("x-oxx-oxx-oxx-ox", "x--xx-x-x--xx-x-")),
            around=57,
            strum=0.02,
            volume=112,
        )
    )
    parts.append(b.bass(32, "r-----f-r-----f-"))
    return (
        [b.lead("nylon guitar", density=1.4, rest=0.2), *parts] if b.rng.random() < 0.85 else parts
    )


def mariachi(b: Band) -> list[Part]:
    """Trumpets in thirds, violins, vihuela strum, guitarrón."""
    waltz = b.timing.bar_beats == 3
    parts = [
        b.bass(32, "r-----" if waltz else "r---f---r---f---", low=36),
        b.comp(24, "--x-x-" if waltz else "--x-x-x---x-x-x-", around=62, strum=0.02, volume=100),
    ]
    tune = b.tune("trumpet", density=0.9, rest=0.2)
    third = tuple(
        replace(
            n,
            pitch=n.pitch - 4 if (n.pitch - b.key) % 12 in (4, 9, 11) else n.pitch - 3,
            velocity=n.velocity - 8,
        )
        for n in tune
    )
    if b.rng.random() < 0.75:
        parts.insert(0, Part("lead", "lead", 56, tune + third, 96, 60))
    if b.dna.random() < 0.7:
        parts.append(
            b.comp(48, "x=====" if waltz else "x===============", around=66, volume=80, role="pad")
        )
    return parts


def rockabilly(b: Band) -> list[Part]:
    """Slapped upright bass, twangy guitar, a train beat."""
    parts = [
        b.drums(
            {
                "kick": "x-------x-------",
                "snare": b.dna.choice(
                    ("--x---x---x---x-", "--x-.-x-.-x-.-xx", "xoxoXoxoxoxoxoxo".lower())
                ),
            },
            volume=88,
        )
    ]
    parts.append(b.bass(32, b.dna.choice(("r---f---r---f---", "r-r-t-t-f-f-s-s-")), hold=0.5))
    parts.append(
        b.comp(
            27,
            b.dna.choice(("----x-------x---", "x--x--x-x--x--x-")),
            around=60,
            hold=0.5,
            strum=0.01,
        )
    )
    return parts + b.maybe(
        ("electric guitar", "electric guitar", "bright piano"), 0.75, density=1.2
    )


def middle_eastern(b: Band) -> list[Part]:
    """Frame drums, plucked and bowed lines in a maqam-like mode over a drone."""
    parts = [
        b.drums(
            {
                "low_conga": b.dna.choice(("x-----x-x-------", "x--x----x-------")),
                "conga": "--o-o---o-o-o-oo",
                "tambourine": "--x---x---x-x-x-",
            },
            volume=96,
        )
    ]
    parts.append(b.bass(b.dna.choice((32, 43)), "r-------r-----f-", low=36))
    if b.dna.random() < 0.6:
        parts.append(b.comp(48, "x===============", around=60, most=2, volume=72, role="pad"))
    return [
        b.lead(
            b.dna.choice(("shamisen", "dulcimer", "violin", "clarinet", "oboe", "flute")),
            density=1.3,
            rest=0.12,
        ),
        *parts,
    ]


def post_rock(b: Band) -> list[Part]:
    """Ringing guitar arpeggios that swell over slow drums."""
    parts = (
        [
            b.drums(
                {
                    "kick": "x-----x---x-----",
                    "snare": "--------x-------",
                    "ride": "x---x---x---x---",
                },
                kit=16,
                volume=92,
            )
        ]
        if b.dna.random() < 0.8
        else []
    )
    notes = arpeggio(
        b.rng,
        b.chords,
        b.dna.choice(((0, 2, 3, 2), (0, 1, 2, 4, 3, 2))),
        around=66,
        step=0.5,
        hold=1.8,
        velocity=84,
    )
    parts.append(Part("guitar", "arpeggio", 27, notes, 104, 110))
    parts.append(b.bass(33, "r===r===r===r==="))
    if b.dna.random() < 0.6:
        parts.append(b.power("x===============", low=40, volume=78))
    return parts + b.maybe(("overdriven guitar", "violin", "cello"), 0.4, density=0.6)


@dataclass(frozen=True)
class Act:
    """A band's genre with harmony, tempo and metres."""

    play: Callable[[Band], list[Part]]
    genre: str
    family: str
    slow: float
    fast: float
    metres: tuple[int, ...] = (4,)
    weight: int = 1


ACTS: tuple[Act, ...] = (
    Act(reggae, "reggae", "reggae", 66, 92, weight=3),
    Act(dub, "dub", "reggae", 66, 84, weight=2),
    Act(punk, "punk", "rock", 150, 205, weight=2),
    Act(metal, "metal", "metal", 110, 190, weight=3),
    Act(surf, "surf rock", "rock", 140, 178, weight=2),
    Act(klezmer, "klezmer", "klezmer", 110, 165, weight=2),
    Act(celtic, "celtic", "folk", 100, 132, (4, 3), weight=2),
    Act(cumbia, "cumbia", "latin", 84, 108, weight=2),
    Act(smooth_jazz, "smooth jazz", "soul", 80, 108, weight=2),
    Act(afrobeat, "afrobeat", "funk", 100, 126, weight=2),
    Act(grunge, "grunge", "rock", 90, 125, weight=2),
    Act(indie, "indie rock", "pop", 110, 160, weight=2),
    Act(flamenco_rumba, "flamenco", "tango", 95, 125, weight=2),
    Act(mariachi, "mariachi", "latin", 110, 165, (4, 3), weight=2),
    Act(rockabilly, "rockabilly", "blues", 160, 205, weight=2),
    Act(middle_eastern, "middle eastern", "klezmer", 84, 126, weight=2),
    Act(post_rock, "post-rock", "ambient", 76, 112, weight=2),
)


def _silence(rng: random.Random, parts: list[Part]) -> list[Part]:
    """Sometimes no drums, or drums and bass alone, or drums alone."""
    roll = rng.random()
    drums = [p for p in parts if p.is_drums]
    if roll < 0.1:
        return [p for p in parts if not p.is_drums]
    if roll < 0.14 and drums:
        return drums
    if roll < 0.19 and drums:
        return drums + [p for p in parts if p.role == "bass"]
    return parts


def _chords(
    rng: random.Random, act: Act, key: int, bars: int, metre: int
) -> tuple[str, tuple[Chord, ...]]:
    """Mode and chords; rock styles play plain triads."""
    mode, progression = choose_progression(rng, act.family)
    if act.genre == "flamenco":
        mode = "minor"
        progression = rng.choice(("i | bVII | bVI | V", "iv | i | V7 | i", "i | bVI | bVII | i"))
    chords = chords_from_text(progression, key, bars, float(metre))
    return mode, chords


def compose(seed: int, index: int) -> Piece:
    """Piece number `index` of a seed."""
    rng = seeded(seed, NAME, VERSION, index)
    names = [act for act in ACTS for _ in range(act.weight)]
    cycle, place = divmod(index, len(names))
    order = list(range(len(names)))
    seeded(seed, NAME, "order", cycle).shuffle(order)
    act = names[order[place]]
    source, split = draw_source(rng, [f"bands/{act.genre}/{n:02d}" for n in range(FAMILIES)])
    metre = rng.choice(act.metres)
    timing: Timing = choose_timing(rng, act.slow, act.fast, felt=metre, bar_beats=float(metre))
    starts = choose_starts(rng, timing, rng.choice((2, 3, 3, 4)))
    key = rng.randrange(12)
    bars = bars_needed(starts, timing)
    mode, chords = _chords(rng, act, key, bars, metre)
    band = Band(rng, seeded(source, VERSION), chords, key, mode, timing, bars)
    parts = [p for p in _silence(rng, act.play(band)) if p.notes]
    parts = [replace(p, volume=max(55, min(124, round(p.volume + rng.gauss(0, 5))))) for p in parts]
    facts = ClipLabels(
        genre=act.genre, style=act.genre, bpm=round(timing.bpm, 2), key=KEYS[key], mode=mode,
        beats_per_bar=metre, loop=timing.loop, kind="render",
    )  # fmt: skip
    spacious = act.genre in ("dub", "surf rock", "post-rock")
    room = Room(
        rng.uniform(0.5, 0.9) if spacious else rng.uniform(0.15, 0.6),
        rng.uniform(0.1, 0.6),
        rng.uniform(0.3, 0.6) if spacious else rng.uniform(0.08, 0.35),
    )
    return Piece(
        facts, source, split, starts, Score(timing.tempo, tuple(parts)),
        font=rng.choice(("fluid", "musescore", "musescore", "timgm")), room=room,
        level_db=rng.uniform(-19.0, -16.0),
    )  # fmt: skip
