"""The works that the programme `scores` plays: which they are, on what terms, and their notes.

They lie in the wheel of music21. Left out is whatever is not free: the Essen folk songs
(non-commercial), Palestrina and the chorales in Humdrum (rights reserved), the chorales of Margaret
Greentree (commercial use reserved), Aird's airs and what else Jack Campin sells, Monteverdi (partly
from a new edition), works whose file says "all rights reserved" or nothing but "copyright".
"""

from __future__ import annotations

import re
import warnings
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from sonoriff.analysis.key import Key, key_of_chroma
from sonoriff.errors import CorpusError, SetupError
from sonoriff_composer.harmony import SCALES
from sonoriff_composer.score import Note

# A tempo range in felt beats a minute; its metre is the written one.
Tempo = tuple[float, float]


@dataclass(frozen=True)
class Work:
    """One movement or tune.

    `source` is shared by all versions and movements of a work. `block` counts the tunes of an ABC
    file; None takes the whole file. `kind` says which ensembles it is for: tune, quartet, keys,
    voices. `felt` is the number of beats a bar, 0 where the written metre tells it and None where
    there are no bars.
    """

    source: str
    file: str
    kind: str
    genre: str
    tempo: Tempo
    title: str
    composer: str = ""
    style: str = ""
    block: int | None = None
    felt: int | None = 0
    licence: str = "CC0-1.0"
    encoder: str = ""

    @property
    def credit(self) -> str:
        """Who wrote it and who wrote it out."""
        by = f" by {self.composer}" if self.composer else ""
        who = f", written out by {self.encoder}" if self.encoder else ""
        return f"{self.title}{by}; score{who}, from the music21 corpus"


@dataclass(frozen=True)
class Run:
    """Whole bars in a row of one metre: start and lengths in quarter beats, felt beats a bar."""

    start: float
    bars: int
    bar_beats: float
    felt: int


@dataclass(frozen=True)
class Reading:
    """The notes of a work by voice, the highest first, and its runs of whole bars.

    `tonic` and `mode` are written above the tune; None where they are not or do not fit the notes.
    """

    voices: tuple[tuple[Note, ...], ...]
    runs: tuple[Run, ...]
    tonic: int | None = None
    mode: str | None = None


@dataclass(frozen=True)
class _Quartet:
    folder: str
    composer: str
    title: str
    tempi: tuple[Tempo, ...]


_PRESTO, _MINUET = (112.0, 132.0), (112.0, 134.0)
_QUARTETS = (
    _Quartet(
        "haydn/opus1no1", "Haydn", "String Quartet Op. 1 No. 1",
        (_PRESTO, _MINUET, (50, 62), _MINUET, (116, 136)),
    ),
    _Quartet(
        "haydn/opus74no1", "Haydn", "String Quartet Op. 74 No. 1",
        ((120, 144), (96, 116), (126, 150), (120, 140)),
    ),
    _Quartet(
        "mozart/k80", "Mozart", "String Quartet K. 80",
        ((60, 76), (116, 138), _MINUET, (76, 92)),
    ),
    _Quartet(
        "mozart/k155", "Mozart", "String Quartet K. 155", ((120, 140), (72, 92), (116, 138))
    ),
    _Quartet(
        "mozart/k156", "Mozart", "String Quartet K. 156",
        ((176, 204), (48, 60), _MINUET, (48, 60)),
    ),
    _Quartet(
        "mozart/k458", "Mozart", "String Quartet K. 458",
        ((96, 116), (104, 126), (46, 56), (124, 144)),
    ),
    _Quartet(
        "beethoven/opus18no1", "Beethoven", "String Quartet Op. 18 No. 1",
        ((144, 168), (44, 50), (200, 240), (108, 124)),
    ),
    _Quartet(
        "beethoven/opus59no1", "Beethoven", "String Quartet Op. 59 No. 1",
        ((132, 156), (150, 172), (44, 52), (112, 128)),
    ),
    _Quartet(
        "beethoven/opus59no2", "Beethoven", "String Quartet Op. 59 No. 2",
        ((76, 90), (52, 62), (160, 190), (84, 96)),
    ),
    _Quartet(
        "beethoven/opus59no3", "Beethoven", "String Quartet Op. 59 No. 3",
        ((120, 144), (54, 64), (104, 120), (76, 86)),
    ),
    _Quartet(
        "schumann_robert/opus41no1", "Robert Schumann", "String Quartet Op. 41 No. 1",
        ((84, 100), (116, 132), (80, 100), (58, 68), (216, 240)),
    ),
)  # fmt: skip
_CLARA = {"licence": "CC-BY-SA-4.0", "encoder": "Cypressdome (IMSLP)"}


def _keys(file: str, composer: str, title: str, genre: str, tempo: Tempo, **more: Any) -> Work:
    """A work for a keyboard."""
    name = re.sub(r"\W+", "-", file.rpartition(".")[0])
    return Work(f"scores/{name}", file, "keys", genre, tempo, title, composer, **more)


_KEYBOARD = (
    _keys("joplin/maple_leaf_rag.mxl", "Scott Joplin", "Maple Leaf Rag", "ragtime", (72, 92)),
    _keys("bach/bwv846.mxl", "Bach", "Prelude BWV 846", "baroque", (60, 76)),
    _keys("mozart/k545/movement1_exposition.mxl", "Mozart", "Sonata K. 545", "classical",
          (116, 138)),
    _keys("cpebach/h186.mxl", "Carl Philipp Emanuel Bach", "Sonata H. 186", "classical", (44, 54)),
    *(
        _keys(f"schumann_clara/polonaise_op1n{n}.mxl", "Clara Schumann", f"Polonaise Op. 1 No. {n}",
              "classical", (84, 104), style="polonaise", **_CLARA)
        for n in (1, 2, 3, 4)
    ),
)  # fmt: skip
_VOICES = (
    Work("scores/bach-bwv274", "bach/bwv274.mxl", "voices", "hymn", (60, 80),
         "Chorale BWV 274", "Bach", "chorale"),
    Work("scores/lift-every-voice", "johnson_j_r/lift_every_voice.mxl", "voices", "hymn", (60, 76),
         "Lift Every Voice and Sing", "J. Rosamond Johnson",
         encoder="Michael Scott Asato Cuthbert"),
    Work("scores/allor-che-ignuda", "lusitano/allor_che_ignuda.mxl", "voices", "renaissance",
         (72, 96), "Allor che ignuda", "Vicente Lusitano", "madrigal",
         encoder="Michael Scott Asato Cuthbert"),
    *(
        Work(f"scores/josquin-{name}", f"josquin/{name}.abc", "voices", "renaissance", (54, 72),
             title, "Josquin des Prez", "renaissance polyphony", felt=None,
             licence="GPL-2.0-or-later", encoder="Laura E. Conrad")
        for name, title in (
            ("4vPerIlludAveProlatum", "Per illud ave prolatum"),
            ("adieuMesAmours", "Adieu mes amours"),
            ("fortunaDunGranTempo", "Fortuna d'un gran tempo"),
            ("laDeplorationDeLaMorteDeJohannesOckeghem", "Nymphes des bois"),
            ("laPlusDesPlus", "La plus des plus"),
            ("milleRegrets", "Mille regretz"),
            ("oVenusBant", "O Venus bant"),
            ("petiteCamusette", "Petite camusette"),
        )
    ),
)  # fmt: skip

# Felt beats a bar and tempo of each dance, by its written metres.
_DANCES: dict[str, tuple[int, Tempo, tuple[str, ...]]] = {
    "reel": (2, (94, 118), ("C|", "2/4", "C", "4/4")),
    "hornpipe": (2, (70, 92), ("C|", "2/4", "C", "4/4")),
    "strathspey": (4, (108, 138), ("C|", "2/4", "C", "4/4")),
    "jig": (2, (100, 124), ("6/8",)),
    "slip jig": (3, (98, 120), ("9/8",)),
}
_AIRS: dict[str, Tempo] = {
    "3/4": (66, 100), "6/8": (44, 64), "C": (66, 96), "4/4": (66, 96), "C|": (44, 58),
    "2/4": (50, 70), "9/8": (44, 58), "3/8": (80, 112),
}  # fmt: skip
# Where the sections of O'Neill's book end; behind them are long dances and marches.
_ONEILL = ((625, "irish air"), (700, "carolan"), (1115, "jig"), (1175, "slip jig"),
           (1555, "reel"), (1780, "hornpipe"))  # fmt: skip
_RHYTHMS = {
    "reel": "reel", "jig": "jig", "hornpipe": "hornpipe", "clog": "hornpipe",
    "strathspey": "strathspey", "slip jig": "slip jig", "slipjig": "slip jig",
}  # fmt: skip


@lru_cache(maxsize=1)
def library() -> Path:
    """The folder of music21's corpus, found without importing it.

    Raises
    ------
    SetupError
        music21 is not installed
    """
    found = find_spec("music21")
    folder = Path(found.origin).parent / "corpus" if found and found.origin else None
    if folder is None or not folder.is_dir():
        raise SetupError(
            "the programme 'scores' needs the Python package music21 with its corpus:"
            " pip install music21"
        )
    return folder


@lru_cache(maxsize=4)
def _blocks(file: str) -> tuple[str, ...]:
    """The tunes of an ABC file."""
    text = (library() / file).read_text("utf-8", "replace").replace("\r\n", "\n")
    return tuple(part for part in re.split(r"(?m)^(?=X: *\d)", text) if part.startswith("X:"))


def _field(block: str, letter: str) -> str:
    """The first field of a tune, such as its title."""
    match = re.search(rf"(?m)^{letter}:[ \t]*(.*)$", block)
    return match[1].strip() if match else ""


def _title(block: str) -> str:
    """A tune's title without its dance and setting, capitals as in a title."""
    title = re.split(r"\s+--?\s*", _field(block, "T"))[0]
    title = re.sub(r"[:]|\(.*?\)|%.*", "", title).strip(" .")
    title = re.sub(r"^(.*), (The|A)$", r"\2 \1", title)
    if title.isupper():
        title = re.sub(r"'([A-Z])\b", lambda m: m[0].lower(), title.title())
    return title.strip(" .")


def _transcriber(block: str) -> str:
    """Who wrote a tune out, where the field holds a name and not a remark."""
    text = re.sub(r"(?i)\bhenrik\.norbeck\b", "Henrik Norbeck ", _field(block, "Z"))
    text = re.sub(r"(?i)\btranscri\w+|\bcontributed\b|\b(by|be)\b|\d|\W*-\W*", " ", text)
    name = re.match(r"\W*((?:[A-Z][a-z.']*[A-Z]?[a-z]* ?){2,4})(?:\W|$)", text + " ")
    return name[1].strip(" .") if name else ""


def _tune(file: str, number: int, block: str, dance: str, style: str) -> Work | None:
    """The work of one tune; None where its metre is not its dance's."""
    metre, title = _field(block, "M"), _title(block)
    slug = re.sub(r"^(the|a)-|-(the|a)$", "", re.sub(r"\W+", "-", title.lower()).strip("-"))
    genre, felt = dance, 0
    if dance in _DANCES:
        felt, tempo, metres = _DANCES[dance]
        if metre not in metres:
            return None
    elif metre in _AIRS:
        slow, fast = _AIRS[metre]
        lively = 1.0 if dance == "irish air" else 1.45
        tempo = (slow * lively, fast * lively)
        genre = dance if dance == "irish air" else "celtic"
        if genre == "celtic" and metre == "C|":
            felt, tempo = 4, (2 * tempo[0], 2 * tempo[1])
    else:
        return None
    composer = "Turlough O'Carolan" if dance == "carolan" else ""
    return Work(
        f"scores/tune/{slug}", file, "tune", genre, tempo, title or "Tune", composer, style, number,
        felt, encoder=_transcriber(block),
    )  # fmt: skip


def _oneill() -> Iterator[Work | None]:
    """O'Neill's Music of Ireland (1903)."""
    for path in sorted((library() / "oneills1850").glob("*.abc")):
        file = f"oneills1850/{path.name}"
        for number, block in enumerate(_blocks(file)):
            place = int(re.sub(r"\D.*", "", _field(block, "X")) or 0)
            dance = next((name for last, name in _ONEILL if place <= last), "celtic")
            style = f"irish {dance}" if dance in _DANCES else ""
            yield _tune(file, number, block, dance, style)


def _ryan() -> Iterator[Work | None]:
    """Ryan's Mammoth Collection (1883)."""
    for path in sorted((library() / "ryansMammoth").glob("*.abc")):
        file = f"ryansMammoth/{path.name}"
        for number, block in enumerate(_blocks(file)):
            on_progress = _field(block, "R") or _field(block, "T").rpartition("--")[2]
            dance = _RHYTHMS.get(on_progress.strip(" .").lower(), "")
            yield _tune(file, number, block, dance, f"traditional {dance}") if dance else None


def _quartets() -> Iterator[Work]:
    """String quartets, movement by movement."""
    for work in _QUARTETS:
        for number, tempo in enumerate(work.tempi, 1):
            yield Work(
                f"scores/{work.folder.replace('/', '-')}", f"{work.folder}/movement{number}.mxl",
                "quartet", "classical", tempo, work.title, work.composer,
            )  # fmt: skip


@lru_cache(maxsize=1)
def works() -> tuple[Work, ...]:
    """Every work, in a fixed order.

    Raises
    ------
    SetupError
        music21 is not installed
    """
    tunes = [work for work in (*_oneill(), *_ryan()) if work]
    return (*_quartets(), *_KEYBOARD, *_VOICES, *tunes)


def _written_key(text: str) -> tuple[int, str] | None:
    """Pitch class and mode of an ABC key such as Ador or Bb."""
    match = re.match(r"([A-G])([b#]?) ?([A-Za-z]*)", text)
    if not match:
        return None
    tonic = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[match[1]]
    word = match[3].lower()
    short = {"dor": "dorian", "mix": "mixolydian", "lyd": "lydian", "phr": "phrygian"}
    mode = short.get(word[:3], "minor" if word in ("m", "min", "minor", "aeo") else "major")
    if word[:3] not in ("", "m", "min", "maj", "aeo", *short):
        return None
    return (tonic + {"b": -1, "#": 1, "": 0}[match[2]]) % 12, mode


def key_of(notes: Sequence[Note]) -> Key | None:
    """The key that notes are most like; None where they are too few, or like none."""
    import numpy as np

    heard = np.zeros(12)
    for note in notes:
        heard[note.pitch % 12] += min(note.length, 2.0)
    if np.count_nonzero(heard) < 5:
        return None
    key = key_of_chroma(heard)
    return key if key.correlation > 0.7 else None


def _checked_key(block: str, notes: Sequence[Note]) -> tuple[int, str] | tuple[None, None]:
    """The key above a tune, if its notes are of that scale and it ends on the tonic."""
    written = _written_key(_field(block, "K"))
    if written is None or not notes:
        return None, None
    tonic, mode = written
    scale = {(tonic + step) % 12 for step in SCALES[mode]}
    raised = {(tonic + 11) % 12, (tonic + 9) % 12} if mode == "minor" else set()
    inside = sum(n.length for n in notes if n.pitch % 12 in scale | raised)
    ends = notes[-1].pitch % 12 == tonic
    return (tonic, mode) if ends and inside > 0.93 * sum(n.length for n in notes) else (None, None)


def _felt(work: Work, numerator: int, denominator: int) -> int:
    """Felt beats a bar: three quavers are one, except in 3/8."""
    if work.felt:
        return work.felt
    return (
        numerator // 3 if denominator >= 8 and numerator % 3 == 0 and numerator > 3 else numerator
    )


@dataclass(frozen=True)
class _Bar:
    """One bar as it is played: from and to where it stands, its length, size and felt beats."""

    written: float
    start: float
    length: float
    size: float
    felt: int


def _bars(work: Work, part: Any) -> list[_Bar]:
    """Every bar of a part; the repeats of a tune are played."""
    measures = list(part.getElementsByClass("Measure"))
    order = _played(part, measures) if work.kind == "tune" else range(len(measures))
    metre, metres = None, []
    for measure in measures:
        metre = measure.timeSignature or metre
        metres.append(metre)
    bars: list[_Bar] = []
    at = float(measures[0].offset) if measures else 0.0
    for index in order:
        metre = metres[index]
        if metre is None:
            continue
        length = float(measures[index].duration.quarterLength)
        size = float(metre.barDuration.quarterLength)
        felt = _felt(work, metre.numerator, metre.denominator)
        bars.append(_Bar(float(measures[index].offset), at, length, size, felt))
        at += length
    return bars


def _played(part: Any, measures: Sequence[Any]) -> list[int]:
    """The measures in the order in which they are played, each repeat once again."""
    endings = {
        id(measure)
        for bracket in part.recurse().getElementsByClass("RepeatBracket")
        for measure in bracket.getSpannedElements()
        if "1" in str(bracket.number)
    }
    order: list[int] = []
    begin = 0
    for index, measure in enumerate(measures):
        if getattr(measure.leftBarline, "direction", "") == "start":
            begin = index
        order.append(index)
        if getattr(measure.rightBarline, "direction", "") == "end":
            order += [i for i in range(begin, index + 1) if id(measures[i]) not in endings]
            begin = index + 1
    return order


def _round(bars: list[_Bar]) -> list[_Bar]:
    """A tune's bars, with the upbeat again behind a last bar that leaves room for it."""
    if not bars:
        return bars
    first, last = bars[0], bars[-1]
    if first.length < first.size and abs(first.length + last.length - first.size) < 1e-6:
        bars = [*bars, replace(first, start=last.start + last.length)]
    return bars


def _runs(bars: Sequence[_Bar]) -> tuple[Run, ...]:
    """Whole bars in a row, in the metre that lasts longest; a short bar and its rest are one."""
    runs: list[Run] = []
    start = filled = 0.0
    count, current = 0, (0.0, 0)
    for bar in (*bars, _Bar(0, 0, 0, 0, 0)):
        broken = filled + bar.length > bar.size + 1e-6
        upbeat = count == 0 and filled + bar.length < bar.size - 1e-6
        if (bar.size, bar.felt) != current or broken or upbeat:
            if count:
                runs.append(Run(start, count, *current))
            current, count, filled = (bar.size, bar.felt), 0, 0.0
            start = bar.start + bar.length if upbeat else bar.start
        if upbeat:
            continue
        filled += bar.length
        if abs(filled - bar.size) < 1e-6:
            count, filled = count + 1, 0.0
    lasting: dict[tuple[float, int], float] = {}
    for run in runs:
        metre = run.bar_beats, run.felt
        lasting[metre] = lasting.get(metre, 0.0) + run.bars * run.bar_beats
    most = max(lasting, key=lambda metre: lasting[metre], default=None)
    return tuple(run for run in runs if (run.bar_beats, run.felt) == most)


def _notes(part: Any) -> tuple[Note, ...]:
    """The notes that sound: ties joined, grace notes and chord symbols left out."""
    notes = []
    part.stripTies(inPlace=True)
    for element in part.flatten().notes:
        length = float(element.duration.quarterLength)
        if element.duration.isGrace or length <= 0 or "Harmony" in element.classes:
            continue
        notes += [Note(float(element.offset), length, p.midi, 0) for p in element.pitches]
    return tuple(sorted(set(notes), key=lambda n: (n.start, n.pitch, n.length)))


def _moved(notes: Sequence[Note], bars: Sequence[_Bar]) -> tuple[Note, ...]:
    """The notes of written bars where they are played."""
    starts = [note.start for note in notes]
    return tuple(
        replace(note, start=note.start - bar.written + bar.start)
        for bar in bars
        for note in notes[
            bisect_left(starts, bar.written - 1e-6) : bisect_left(
                starts, bar.written + bar.length - 1e-6
            )
        ]
    )


def _from_abc(work: Work) -> Reading:
    """A tune, or the voices of an ABC file."""
    blocks = _blocks(work.file)
    if work.block is not None:
        block = blocks[work.block]
        part = _parsed(block).parts[0]
        bars = _bars(work, part)
        written = _notes(part)
        key = _checked_key(block, _moved(written, bars))
        bars = _round(bars)
        return Reading((_moved(written, bars),), _runs(bars), *key)
    voices = tuple(_notes(_parsed(block).parts[0]) for block in blocks)
    end = min(voice[-1].start + voice[-1].length for voice in voices)
    return Reading(voices, (Run(0.0, int(end // 4), 4.0, 2),))


def _parsed(text: str) -> Any:
    """One ABC tune, parsed from its text: music21 keeps no pickle of that."""
    return import_module("music21.converter").parseData(text, format="abc")


def _from_file(work: Work) -> Reading:
    """The parts of a MusicXML file."""
    path = library() / work.file
    # forceSource: no pickle is read from the shared temporary folder, and none written.
    score = import_module("music21.converter").parse(path, forceSource=True)
    runs = _runs(_bars(work, score.parts[0]))
    return Reading(tuple(_notes(part) for part in score.parts), runs)


@lru_cache(maxsize=96)
def read(work: Work) -> Reading:
    """The notes of a work; only its own file is parsed.

    Raises
    ------
    SetupError
        music21 is not installed
    CorpusError
        it cannot read the work
    """
    library()
    base = import_module("music21.exceptions21").Music21Exception
    try:
        with warnings.catch_warnings():
            # It warns of details of engraving.
            warnings.simplefilter("ignore")
            reading = _from_abc(work) if work.file.endswith(".abc") else _from_file(work)
    except (base, ArithmeticError, LookupError, ValueError, AttributeError, TypeError) as error:
        raise CorpusError(f"{work.file}, {work.title}: music21 cannot read it ({error})") from error
    if not reading.runs or not any(reading.voices):
        raise CorpusError(f"{work.file}, {work.title}: it has no whole bars")
    return reading


def excerpt(reading: Reading, run: Run, first: int, bars: int) -> tuple[tuple[Note, ...], ...]:
    """Bars of a run from bar `first`, counted from 0; past its end the run begins again.

    What was struck before a span is not struck again unless most of it still sounds.
    """
    out: list[list[Note]] = [[] for _ in reading.voices]
    at, bar = 0.0, first % run.bars
    while bars > 0:
        count = min(bars, run.bars - bar)
        begin = run.start + bar * run.bar_beats
        for voice, notes in zip(out, reading.voices, strict=True):
            voice += _span(notes, begin, begin + count * run.bar_beats, at - begin)
        at, bars, bar = at + count * run.bar_beats, bars - count, 0
    return tuple(tuple(voice) for voice in out)


def _span(notes: Sequence[Note], begin: float, end: float, shift: float) -> list[Note]:
    """The notes between two places, moved by `shift`."""
    found = []
    for note in notes:
        start, stop = max(note.start, begin), min(note.start + note.length, end)
        if stop - start > 1e-6 and stop - start >= 0.5 * min(note.length, end - begin):
            found.append(Note(start + shift, stop - start, note.pitch, note.velocity))
    return found


def untangled(notes: Sequence[Note]) -> tuple[Note, ...]:
    """Notes of one instrument: a pitch that is struck again ends first, a doubled one is one."""
    out: list[Note] = []
    for pitch in sorted({n.pitch for n in notes}):
        longest = {n.start: n for n in sorted((n for n in notes if n.pitch == pitch),
                                              key=lambda n: n.length)}  # fmt: skip
        row = [longest[start] for start in sorted(longest)]
        for note, following in pairwise(row):
            length = min(note.length, following.start - note.start)
            out.append(Note(note.start, length, pitch, note.velocity))
        out += row[-1:]
    return tuple(sorted(out, key=lambda n: (n.start, n.pitch)))
