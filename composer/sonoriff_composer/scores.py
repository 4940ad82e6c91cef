"""The programme of written music: quartets, keyboard works, polyphony, fiddle tunes and airs.

Works of `scorebook`, excerpts of whole bars, transposed a little, on the instruments they are
written for or on others that suit them. A tune may get chords beneath it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.splits import draw_split, split_of
from sonoriff.corpus.windows import CLIP_SECONDS
from sonoriff.errors import CorpusError
from sonoriff_composer.arranging import arpeggio, bass_line, pattern_chords
from sonoriff_composer.harmony import KEYS, Chord, chord_from_roman
from sonoriff_composer.instruments import VOICES
from sonoriff_composer.piece import Piece, Timing, bars_needed, choose_starts, choose_timing
from sonoriff_composer.score import Note, Part, Score, seeded
from sonoriff_composer.scorebook import Reading, Run, Work, excerpt, key_of, read, untangled, works
from sonoriff_composer.synthesiser import Room

NAME = "scores"
VERSION = 1
# What a piece is of, and how often; each is a genre or a kind of work.
GROUPS = {
    "quartet": 10, "reel": 4, "jig": 4, "irish air": 4, "keys": 4, "hornpipe": 3, "renaissance": 3,
    "slip jig": 2, "celtic": 2, "strathspey": 1, "ragtime": 1, "hymn": 1,
}  # fmt: skip
GENRES = ("classical", "baroque", *(g for g in GROUPS if g not in ("quartet", "keys")))

# Lowest and highest pitch of instruments as players have them.
_RANGES = {
    "violin": (55, 98), "viola": (48, 86), "cello": (36, 79), "strings": (36, 98),
    "flute": (60, 96), "oboe": (58, 90), "clarinet": (50, 91), "bassoon": (34, 74),
    "recorder": (60, 96), "whistle": (62, 98), "trumpet": (54, 84), "french horn": (41, 77),
    "trombone": (40, 72), "tuba": (28, 60), "soprano saxophone": (56, 88),
    "alto saxophone": (49, 81), "tenor saxophone": (44, 76), "baritone saxophone": (36, 69),
    "piano": (21, 108), "honky-tonk piano": (28, 103), "harpsichord": (29, 89),
    "church organ": (36, 96), "accordion": (41, 93), "harp": (28, 103), "nylon guitar": (40, 83),
    "acoustic guitar": (40, 83), "marimba": (45, 96), "choir": (38, 84), "fiddle": (55, 96),
    "banjo": (50, 86), "bagpipes": (60, 84), "harmonica": (60, 96), "dulcimer": (48, 88),
    "electric piano": (28, 103), "music box": (55, 100), "vibraphone": (53, 89),
}  # fmt: skip


@dataclass(frozen=True)
class Ensemble:
    """Who plays, the highest voice first; the last plays whatever voices are left.

    `fastest` is how many notes a second the busiest player plays; where a work has more, others
    play it.
    """

    style: str
    players: tuple[str, ...]
    share: int = 1
    fastest: float = 99.0


_WINDS = Ensemble("wind quartet", ("flute", "oboe", "clarinet", "bassoon"), 2, 9.0)
_BRASS = Ensemble("brass quartet", ("trumpet", "trumpet", "french horn", "trombone"), 1, 4.0)
_SAXOPHONES = Ensemble(
    "saxophone quartet",
    ("soprano saxophone", "alto saxophone", "tenor saxophone", "baritone saxophone"),
    1,
    8.0,
)
ENSEMBLES: dict[str, tuple[Ensemble, ...]] = {
    "quartet": (
        Ensemble("string quartet", ("violin", "violin", "viola", "cello"), 7),
        Ensemble("string orchestra", ("strings",), 1, 6.0),
        _WINDS,
        _BRASS,
        _SAXOPHONES,
        Ensemble("", ("piano",), 1, 8.0),
    ),
    "keys": (
        Ensemble("solo piano", ("piano",), 5),
        Ensemble("", ("harpsichord",), 2),
        Ensemble("", ("harp",)),
        Ensemble("", ("marimba",), 1, 10.0),
        Ensemble("", ("nylon guitar",), 1, 10.0),
    ),
    "ragtime": (
        Ensemble("piano rag", ("piano",), 3),
        Ensemble("piano rag", ("honky-tonk piano",), 2),
        Ensemble("", ("accordion",)),
    ),
    "renaissance": (
        Ensemble("renaissance polyphony", ("choir",), 4),
        Ensemble("", ("church organ",), 2),
        Ensemble("", ("recorder", "recorder", "viola", "cello"), 2),
        Ensemble("string consort", ("violin", "viola", "cello"), 1),
        _BRASS,
        _WINDS,
    ),
    "hymn": (
        Ensemble("choral hymn", ("choir",), 3),
        Ensemble("organ hymn", ("church organ",), 2),
        Ensemble("brass chorale", ("trumpet", "french horn", "trombone", "tuba"), 1),
        Ensemble("", ("strings",), 1),
    ),
    "dance": tuple(
        Ensemble("", (name,), share)
        for name, share in (
            ("fiddle", 7), ("whistle", 3), ("flute", 2), ("accordion", 3), ("banjo", 2),
            ("harmonica", 1), ("bagpipes", 1), ("dulcimer", 1), ("acoustic guitar", 1),
        )
    ),
    "irish air": tuple(
        Ensemble("", (name,), share)
        for name, share in (
            ("fiddle", 4), ("whistle", 3), ("flute", 3), ("harp", 2), ("oboe", 1), ("cello", 1),
            ("accordion", 1), ("bagpipes", 1), ("nylon guitar", 1), ("clarinet", 1),
        )
    ),
}  # fmt: skip
# Chords beneath a tune, those that come first in doubt with the greater weight.
_CHORDS: dict[str, tuple[tuple[str, float], ...]] = {
    "major": (("I", 1.12), ("V", 1.03), ("IV", 1.0), ("vi", 0.85), ("ii", 0.85)),
    "minor": (("i", 1.12), ("bVII", 1.03), ("iv", 0.95), ("bIII", 0.95), ("V", 0.9)),
    "dorian": (("i", 1.12), ("bVII", 1.05), ("IV", 0.95), ("bIII", 0.9)),
    "mixolydian": (("I", 1.12), ("bVII", 1.05), ("IV", 1.0), ("v", 0.8)),
}
# By quavers (or what takes their place) a bar: chords off the beat, bass, strum, broken chord.
_PATTERNS = {
    6: ("--x--x", "r--f--", "x-ox-o", (0, 2, 3, 4, 3, 2)),
    9: ("--x--x--x", "r--f--r--", "x-ox-ox-o", (0, 2, 3, 4, 3, 2, 1, 2, 3)),
    8: ("--x---x-", "r---f---", "x-o-xoxo", (0, 2, 3, 2, 4, 3, 2, 1)),
}  # fmt: skip
_WALTZ = ("--x-x-", "r-----", "x-o-o-", (0, 2, 3, 4, 3, 2))


def _group(work: Work) -> str:
    """The key of `GROUPS` that a work belongs to."""
    return work.genre if work.genre in GROUPS else work.kind


@lru_cache(maxsize=1)
def _shelves() -> dict[tuple[str, str], dict[str, tuple[Work, ...]]]:
    """Works by (group, split) and source."""
    shelves: dict[tuple[str, str], dict[str, tuple[Work, ...]]] = {}
    for work in works():
        shelf = shelves.setdefault((_group(work), split_of(work.source)), {})
        shelf[work.source] = (*shelf.get(work.source, ()), work)
    return shelves


def _choose(rng: random.Random, group: str) -> tuple[Work, str]:
    """(work, split): the split first, by its share; a source has but one split in all groups."""
    split = draw_split(rng)
    shelves = _shelves()
    if (group, split) not in shelves:
        split = "train" if (group, "train") in shelves else "test"
    shelf = shelves.get((group, split)) or shelves[group, "validation"]
    work = rng.choice(shelf[rng.choice(sorted(shelf))])
    return work, split_of(work.source)


def _cut(
    rng: random.Random, work: Work, reading: Reading
) -> tuple[Timing, tuple[float, ...], Run, int]:
    """Tempo, starts of the clips, and the run of bars and the bar to begin at.

    Raises
    ------
    CorpusError
        the work is too short for a clip
    """
    felt, size = reading.runs[0].felt, reading.runs[0].bar_beats
    share = 0.35 if work.felt is not None else 0.0
    timing = choose_timing(rng, *work.tempo, felt=felt, bar_beats=size, loop_share=share)
    for count in range(rng.choice((2, 3)), 0, -1):
        starts = choose_starts(rng, timing, count)
        bars = bars_needed(starts, timing)
        again = [r for r in reading.runs if work.kind == "tune" and r.bars % 8 == 0]
        long = [r for r in reading.runs if r.bars >= bars]
        if again:
            run = max(again, key=lambda r: r.bars)
            return timing, starts, run, rng.randrange(0, run.bars, 4)
        if long:
            run = rng.choices(long, [r.bars - bars + 1 for r in long])[0]
            step = 4 if work.kind == "tune" else 1
            return timing, starts, run, rng.randrange(0, run.bars - bars + 1, step)
    raise CorpusError(f"{work.file}, {work.title}: too few bars in a row for a clip")


def _fit(notes: Sequence[Note], player: str, octaves: Sequence[int] = (0, 12, -12, 24, -24)) -> int:
    """The least octaves that bring notes into a player's range.

    Raises
    ------
    LookupError
        none does
    """
    low, high = _RANGES[player]
    bottom, top = min(n.pitch for n in notes), max(n.pitch for n in notes)
    for octave in octaves:
        if low <= bottom + octave and top + octave <= high:
            return octave
    raise LookupError(player)


def _moves(voices: Sequence[Sequence[Note]], ensemble: Ensemble) -> list[int]:
    """Semitones (whole octaves) by which each voice moves; all alike where that fits.

    Raises
    ------
    LookupError
        a voice does not fit its player
    """
    players = [_player(ensemble, index) for index in range(len(voices))]
    for octave in (0, 12, -12, 24):
        try:
            return [_fit(v, p, (octave,)) for v, p in zip(voices, players, strict=True)]
        except LookupError:
            continue
    return [_fit(voice, player) for voice, player in zip(voices, players, strict=True)]


def _player(ensemble: Ensemble, voice: int) -> str:
    """Who plays a voice."""
    return ensemble.players[min(voice, len(ensemble.players) - 1)]


def _quickest(voices: Sequence[Sequence[Note]], timing: Timing) -> float:
    """Strokes a second of the busiest voice while it plays."""
    paces = [0.0]
    for voice in voices:
        starts = sorted({note.start for note in voice})
        gaps = sorted(b - a for a, b in pairwise(starts))
        # A tenth of its strokes come closer than this.
        paces += [timing.tempo / 60 / gaps[len(gaps) // 10]] if gaps else []
    return max(paces)


@dataclass(frozen=True)
class _Setting:
    """An ensemble, the voices in its ranges, and the semitones that they were moved."""

    ensemble: Ensemble
    voices: tuple[tuple[Note, ...], ...]
    shift: int


def _set(
    rng: random.Random, work: Work, voices: Sequence[Sequence[Note]], timing: Timing
) -> _Setting:
    """The voices for an ensemble drawn by its share, transposed by up to four semitones.

    Raises
    ------
    CorpusError
        no ensemble can play them
    """
    group = _group(work)
    options = list(ENSEMBLES.get(group, ENSEMBLES["dance"]))
    if work.kind == "keys" and work.genre == "classical" and work.style:
        options = [e for e in options if e.players != ("harpsichord",)]
    pace = _quickest(voices, timing)
    while options:
        ensemble = rng.choices(options, [e.share for e in options])[0]
        options.remove(ensemble)
        if pace > ensemble.fastest:
            continue
        for shift in sorted(range(-4, 5), key=lambda _: rng.random()):
            moved = [[replace(n, pitch=n.pitch + shift) for n in voice] for voice in voices]
            try:
                octaves = _moves(moved, ensemble)
            except LookupError:
                continue
            placed = tuple(
                tuple(replace(n, pitch=n.pitch + octave) for n in voice)
                for voice, octave in zip(moved, octaves, strict=True)
            )
            return _Setting(ensemble, placed, shift)
    raise CorpusError(f"{work.file}, {work.title}: out of the range of every ensemble")


def _performed(
    rng: random.Random, notes: Sequence[Note], player: str, timing: Timing, end: float
) -> tuple[Note, ...]:
    """Notes as a player plays them: phrases of four bars, accents on beats, small deviations."""
    beat = timing.bar_beats / timing.felt
    kept = {"bow": 0.96, "wind": 0.92, "keys": 0.97}.get(VOICES[player].kind, 1.0)
    late = 0.007 * timing.tempo / 60
    played = []
    for note in untangled(notes):
        phrase = math.sin(math.pi * (note.start / timing.bar_beats / 4 % 1))
        accent = 7 if note.start % timing.bar_beats < 0.01 else 3 if note.start % beat < 0.01 else 0
        force = 78 + 8 * phrase + accent + rng.gauss(0, 3.5)
        start = min(max(0.0, note.start + rng.gauss(0, late)), end - 0.01)
        length = max(0.05, min(note.length * kept, end - start))
        played.append(Note(start, length, note.pitch, max(30, min(120, round(force)))))
    return tuple(played)


def _harmony(
    notes: Sequence[Note], key: int, mode: str, bars: int, timing: Timing
) -> tuple[Chord, ...]:
    """A chord for each half bar (each bar in triple time) that most of its notes belong to."""
    parts = 2 if timing.felt % 2 == 0 else 1
    size = timing.bar_beats / parts
    chords = []
    for index in range(bars * parts):
        begin = index * size
        heard = [0.0] * 12
        for note in notes:
            overlap = min(note.start + note.length, begin + size) - max(note.start, begin)
            if overlap > 0:
                heard[note.pitch % 12] += overlap * (1.5 if abs(note.start - begin) < 0.01 else 1.0)
        options = [
            (Chord(begin, size, *chord_from_roman(name, key)), w) for name, w in _CHORDS[mode]
        ]
        best = max(options, key=lambda o: o[1] * sum(heard[tone] for tone in o[0].tones))
        chords.append(best[0])
    return tuple(chords)


def _beneath(
    rng: random.Random, name: str, chords: tuple[Chord, ...], timing: Timing
) -> tuple[Note, ...]:
    """Chords in the manner of the instrument that accompanies."""
    compound = abs(timing.bar_beats / timing.felt % 1.5) < 0.01
    steps = 3 * timing.felt if compound and timing.felt < 4 else 8
    vamp, bass, strum, order = _WALTZ if timing.felt == 3 and not compound else _PATTERNS[steps]
    size = timing.bar_beats
    if name in ("harp", "nylon guitar"):
        step = size / len(order)
        return arpeggio(rng, chords, order, around=55, step=step, hold=step * 2, velocity=62)
    if name in ("accordion", "strings"):
        held = "x" + "=" * (len(vamp) - 1)
        if len(chords) > 1 and chords[0].length < size:
            held = ("x" + "=" * (len(vamp) // 2 - 1)) * 2
        return pattern_chords(rng, chords, held, around=58, bar_beats=size, velocity=-34, most=3)
    low = 40 if name == "acoustic guitar" else 36
    line = bass_line(rng, chords, bass, low=low, bar_beats=size, velocity=70)
    pattern = strum if name == "acoustic guitar" and rng.random() < 0.5 else vamp
    bend = 0.02 if name == "acoustic guitar" else 0.0
    return line + pattern_chords(
        rng, chords, pattern, around=57, bar_beats=size, strum=bend, velocity=-28, hold=0.7
    )


def _accompanist(rng: random.Random, work: Work, lead: str) -> str:
    """Who plays chords beneath a tune; '' for nobody."""
    names = ["", "acoustic guitar", "piano", "harp", "accordion"]
    shares = [7, 6, 4, 2, 1]
    if work.genre == "irish air":
        names, shares = ["", "harp", "nylon guitar", "piano", "strings"], [6, 5, 4, 3, 2]
    if lead == "bagpipes":
        return ""
    name = rng.choices(names, shares)[0]
    kind = lead.split()[-1]
    return "" if kind in name else name


def _key(
    work: Work, reading: Reading, setting: _Setting, timing: Timing, starts: tuple[float, ...]
) -> tuple[int | None, str | None]:
    """Key and mode: as written above a tune, or that which every clip is plainly in."""
    if work.kind == "tune":
        if reading.tonic is None:
            return None, None
        return (reading.tonic + setting.shift) % 12, reading.mode
    if work.felt is None:
        return None, None
    notes = [note for voice in setting.voices for note in voice]
    whole = key_of(notes)
    if whole is None or whole.margin < 0.04:
        return None, None
    for start_s in starts:
        begin, stop = (s * timing.tempo / 60 for s in (start_s, start_s + CLIP_SECONDS))
        here = key_of([n for n in notes if begin <= n.start < stop])
        if here is None or (here.tonic, here.minor) != (whole.tonic, whole.minor):
            return None, None
    return whole.tonic, whole.mode


def _parts(
    rng: random.Random, work: Work, setting: _Setting, timing: Timing, bars: int
) -> list[Part]:
    """The voices as parts."""
    end = bars * timing.bar_beats
    alone = len({_player(setting.ensemble, i) for i in range(len(setting.voices))}) == 1
    parts = []
    for index, voice in enumerate(setting.voices):
        player = _player(setting.ensemble, index)
        leads = index == 0 and (work.kind == "tune" or (work.kind == "quartet" and not alone))
        notes = _performed(rng, voice, player, timing, end)
        volume = max(60, min(122, round(VOICES[player].volume - 4 * (index > 0) + rng.gauss(0, 3))))
        role = "lead" if leads else "chords"
        parts.append(
            Part(player, role, VOICES[player].program, notes, volume, rng.randint(40, 100))
        )
    return parts


def _phrases(rng: random.Random, work: Work, setting: _Setting) -> tuple[str, ...]:
    """What more is true of every clip."""
    if rng.random() < 0.5:
        return ()
    if work.composer:
        written = setting.ensemble.style == "string quartet"
        return (f"string quartet by {work.composer}" if written else f"music by {work.composer}",)
    if work.kind != "tune":
        return ()
    if "oneill" in work.file:
        return (rng.choice(("traditional irish music", "irish traditional tune")),)
    fiddle = setting.ensemble.players[0] == "fiddle"
    return ("fiddle tune" if fiddle else "traditional dance tune",)


def compose(seed: int, index: int) -> Piece:
    """Piece number `index` of a seed.

    Raises
    ------
    SetupError
        music21 is not installed
    CorpusError
        the work that was drawn cannot be read or played
    """
    rng = seeded(seed, NAME, VERSION, index)
    order = [name for name, share in GROUPS.items() for _ in range(share)]
    cycle, place = divmod(index, len(order))
    seeded(seed, NAME, "order", cycle).shuffle(order)
    work, split = _choose(rng, order[place])
    reading = read(work)
    timing, starts, run, first = _cut(rng, work, reading)
    bars = bars_needed(starts, timing)
    voices = [voice for voice in excerpt(reading, run, first, bars) if voice]
    setting = _set(rng, work, voices, timing)
    parts = _parts(rng, work, setting, timing, bars)
    key, mode = _key(work, reading, setting, timing, starts)
    if work.kind == "tune" and key is not None and mode in _CHORDS:
        name = _accompanist(rng, work, parts[0].name)
        if name:
            chords = _harmony(setting.voices[0], key, mode, bars, timing)
            notes = _beneath(rng, name, chords, timing)
            parts.append(Part(name, "chords", VOICES[name].program, notes, 70, 50))
    facts = ClipLabels(
        genre=work.genre, style=work.style or setting.ensemble.style or None,
        bpm=round(timing.bpm, 2), key=None if key is None else KEYS[key], mode=mode,
        beats_per_bar=timing.felt if work.felt is not None else None, loop=timing.loop,
        kind="render",
    )  # fmt: skip
    room = Room(rng.uniform(0.2, 0.9), rng.uniform(0.1, 0.6), rng.uniform(0.1, 0.6))
    return Piece(
        facts, work.source, split, starts, Score(timing.tempo, tuple(parts)),
        font=rng.choice(("fluid", "musescore", "musescore", "fluid", "timgm")), room=room,
        level_db=rng.uniform(-20.0, -17.0), licence=work.licence, credit=work.credit,
        phrases=_phrases(rng, work, setting),
    )  # fmt: skip
