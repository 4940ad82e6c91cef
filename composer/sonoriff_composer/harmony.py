"""Keys, chords and the progressions of each style family."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from sonoriff.errors import ParameterError

KEYS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_DEGREES = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
# Quality: intervals above the root, and the name mma gives it.
QUALITIES: dict[str, tuple[tuple[int, ...], str]] = {
    "": ((0, 4, 7), ""),
    "m": ((0, 3, 7), "m"),
    "7": ((0, 4, 7, 10), "7"),
    "M7": ((0, 4, 7, 11), "M7"),
    "m7": ((0, 3, 7, 10), "m7"),
    "6": ((0, 4, 7, 9), "6"),
    "m6": ((0, 3, 7, 9), "m6"),
    "9": ((0, 4, 7, 10, 14), "9"),
    "m9": ((0, 3, 7, 10, 14), "m9"),
    "M9": ((0, 4, 7, 11, 14), "M9"),
    "13": ((0, 4, 7, 10, 14, 21), "13"),
    "7b9": ((0, 4, 7, 10, 13), "7b9"),
    "ø": ((0, 3, 6, 10), "m7b5"),
    "o": ((0, 3, 6, 9), "dim7"),
    "o7": ((0, 3, 6, 9), "dim7"),
    "sus": ((0, 5, 7), "sus4"),
    "sus2": ((0, 2, 7), "sus2"),
    "7sus": ((0, 5, 7, 10), "7sus"),
    "5": ((0, 7), "5"),
    "add9": ((0, 4, 7, 14), "(add9)"),
    "mM7": ((0, 3, 7, 11), "mM7"),
    "+": ((0, 4, 8), "aug"),
}
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "phrygian dominant": (0, 1, 4, 5, 7, 8, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
}


@dataclass(frozen=True)
class Chord:
    """A chord over a span of beats; `root` is a pitch class."""

    start: float
    length: float
    root: int
    quality: str

    @property
    def tones(self) -> tuple[int, ...]:
        """Pitch classes, root first."""
        return tuple((self.root + i) % 12 for i in QUALITIES[self.quality][0])

    @property
    def intervals(self) -> tuple[int, ...]:
        """Semitones above the root."""
        return QUALITIES[self.quality][0]

    @property
    def name(self) -> str:
        """The chord as mma spells it."""
        return KEYS[self.root] + QUALITIES[self.quality][1]


_SYMBOL = re.compile(r"^([b#]?)([IViv]+)(.*)$")


def chord_from_roman(symbol: str, key: int) -> tuple[int, str]:
    """(root pitch class, quality) of a Roman numeral: lower case is minor."""
    match = _SYMBOL.match(symbol)
    if not match or match[2].upper() not in _DEGREES:
        raise ParameterError(f"expected a Roman numeral such as bVII7, got {symbol!r}")
    accidental = {"b": -1, "#": 1, "": 0}[match[1]]
    quality = match[3]
    if match[2].islower() and quality not in ("ø", "o", "o7", "5", "sus", "sus2"):
        quality = "m" + quality
    if quality not in QUALITIES:
        raise ParameterError(f"unknown chord quality in {symbol!r}: {sorted(QUALITIES)}")
    return (key + _DEGREES[match[2].upper()] + accidental) % 12, quality


def chords_from_text(text: str, key: int, bars: int, bar_beats: float) -> tuple[Chord, ...]:
    """Chords of `bars` bars from "I | vi | ii V", repeated as often as it takes."""
    cells = [cell.split() for cell in text.split("|")]
    chords = []
    for bar in range(bars):
        cell = cells[bar % len(cells)]
        length = bar_beats / len(cell)
        for index, symbol in enumerate(cell):
            root, quality = chord_from_roman(symbol, key)
            chords.append(Chord(bar * bar_beats + index * length, length, root, quality))
    return tuple(chords)


# family -> mode -> progressions. Bars are divided by "|"; two chords in a bar share it.
PROGRESSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "jazz": {
        "major": (
            "ii7 | V7 | IM7 | VI7",
            "IM7 | vi7 | ii7 | V7",
            "IM7 VI7 | ii7 V7 | iii7 VI7 | ii7 V7",
            "IM7 | IM7 | ii7 | V7 | iii7 | VI7 | ii7 | V7",
            "IM7 | #Io7 | ii7 | V7",
            "IM7 | IV7 | iii7 | VI7 | II7 | ii7 V7 | I6 | ii7 V7",
            "IM7 | II7 | ii7 V7 | IM7 | vi7 | II7 | ii7 | V7",
            "I6 | III7 | VI7 | VI7 | II7 | II7 | ii7 | V7",
            "IM7 | i7 IV7 | bVIIM7 | bvii7 bIII7 | ii7 | V7 | IM7 | V7sus",
            "IVM7 | iv6 | iii7 | VI7b9 | ii7 | V7 | I6 | I6",
            "IM9 | ii9 | IM9 | ii9 V13",
        ),
        "minor": (
            "i7 | iiø | V7b9 | i7",
            "iiø | V7b9 | i6 | i6",
            "i7 | iv7 | iiø | V7",
            "i7 | iv7 | bVII7 | bIIIM7 | bVIM7 | iiø | V7 | i6",
            "i7 | i7 | iv7 | iv7 | i7 | bVI7 V7 | i7 | iiø V7",
            "i6 | bVI7 | V7 | i6 | iv7 | i7 | iiø V7 | i6",
            "i9 | i9 | bVIM7 | V7b9",
        ),
        "dorian": ("i7 | i7 | i7 | i7 | bii7 | bii7 | i7 | i7", "i9 | IV9 | i9 | IV9"),
    },
    "swing": {
        "major": (
            "I6 | vi7 | ii7 | V7",
            "I6 | I6 | II7 | II7 | ii7 | V7 | I6 | V7",
            "I6 VI7 | ii7 V7 | I6 VI7 | ii7 V7 | I6 I7 | IV6 iv6 | I6 VI7 | ii7 V7",
            "I6 | #Io7 | ii7 | V7",
            "I6 | III7 | VI7 | VI7 | II7 | II7 | ii7 | V7",
            "I7 | IV7 | I7 | I7 | IV7 | #IVo7 | I6 | VI7 | ii7 | V7 | I6 VI7 | ii7 V7",
        ),
        "minor": (
            "i6 | i6 | iv6 | iv6 | i6 | bVI7 V7 | i6 | V7",
            "i6 | V7 | i6 | V7 | iv6 | i6 | II7 | V7",
            "i6 | iiø V7 | i6 | iiø V7",
        ),
    },
    "blues": {
        "blues": (
            "I7 | I7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | IV7 | I7 | V7",
            "I7 | IV7 | I7 | I7 | IV7 | IV7 | I7 | VI7 | ii7 | V7 | I7 | V7",
            "I7 | I7 | IV7 | I7 | V7 | IV7 | I7 | V7",
            "I7 | IV7 | I7 | V7",
        ),
        "minor": (
            "i7 | i7 | i7 | i7 | iv7 | iv7 | i7 | i7 | bVI7 | V7 | i7 | V7",
            "i7 | iv7 | i7 | i7 | iv7 | iv7 | i7 | i7 | V7 | iv7 | i7 | V7",
        ),
    },
    "pop": {
        "major": (
            "I | V | vi | IV",
            "I | vi | IV | V",
            "vi | IV | I | V",
            "I | IV | vi | V",
            "I | iii | IV | V",
            "IV | V | iii | vi",
            "I | V | ii | IV",
            "I | IV | I | V",
            "I | V | vi | iii | IV | I | IV | V",
            "IVM7 | V | iii7 | vi7",
            "I | Iadd9 | IV | IVadd9",
        ),
        "minor": (
            "i | bVI | bIII | bVII",
            "i | iv | bVII | bIII",
            "i | bVII | bVI | bVII",
            "i | bVI | iv | V",
            "i | v | bVI | bVII",
            "i | bIII | bVII | iv",
            "i | bVII | bVI | V",
        ),
    },
    "rock": {
        "major": (
            "I | IV | V | IV",
            "I | bVII | IV | I",
            "I | I | IV | V",
            "I | V | IV | IV",
            "I | IV | I | V",
            "I bVII | IV I | I bVII | IV",
        ),
        "minor": (
            "i | bVII | bVI | bVII",
            "i | i | bVI | bVII",
            "i | bIII | bVII | IV",
            "i | iv | i | V",
            "i | bVI | bVII | i",
        ),
        "mixolydian": ("I | bVII | I | bVII", "I | I | bVII | IV", "I | bIII | IV | I"),
    },
    "metal": {
        "minor": (
            "i5 | i5 | bVI5 | bVII5",
            "i5 | bII5 | i5 | bVI5",
            "i5 i5 | bIII5 bVII5 | i5 i5 | bVI5 V5",
            "i5 | bVI5 | bIII5 | bVII5",
            "i5 | i5 | iv5 | bVI5 V5",
        ),
    },
    "latin": {
        "major": (
            "I | IV | V7 | IV",
            "I | V7 | V7 | I",
            "I6 | VI7 | ii7 | V7",
            "I | IV | I | V7",
            "I | ii7 | V7 | I",
            "I | I | V7 | V7 | V7 | V7 | I | I",
        ),
        "minor": (
            "i | iv | V7 | V7",
            "i | V7 | V7 | i",
            "i | bVII | bVI | V7",
            "i7 | IV7 | i7 | IV7",
            "i | iv | i | V7",
            "i | i | iv | V7",
        ),
    },
    "tango": {
        "minor": (
            "i | V7 | V7 | i | iv | i | V7 | i",
            "i | iv | V7 | i",
            "i | bVI | V7 | i",
            "i | i | iv | iv | V7 | V7 | i | V7",
        ),
        "major": ("I | V7 | V7 | I | I | VI7 | ii | V7",),
    },
    "folk": {
        "major": (
            "I | IV | V | I",
            "I | I | IV | I | I | I | V | V",
            "I | V | vi | IV",
            "I | IV | I | V | I | IV | I V | I",
            "I | V | I | V | IV | I | V7 | I",
            "I | vi | ii | V",
            "I | I7 | IV | I | II7 | V7 | I | V7",
        ),
        "minor": (
            "i | bVII | i | bVII | bVI | bVII | i | i",
            "i | bIII | bVII | i",
            "i | iv | V | i",
        ),
        "dorian": ("i | bVII | i | i", "i | IV | i | bVII"),
        "mixolydian": ("I | bVII | I | I", "I | bVII | IV | I"),
    },
    "country": {
        "major": (
            "I | I | IV | I | I | I | V7 | V7",
            "I | IV | I | V7",
            "I | V7 | I | V7 | IV | I | V7 | I",
            "I | I7 | IV | IV | I | V7 | I | V7",
            "I | vi | IV | V7",
        ),
    },
    "waltz": {
        "major": (
            "I | V7 | V7 | I",
            "I | I | V7 | V7 | V7 | V7 | I | I",
            "I | VI7 | ii | V7",
            "I | vi | ii | V7 | iii | vi | II7 | V7",
            "I | IV | V7 | I",
        ),
        "minor": ("i | V7 | V7 | i", "i | iv | V7 | i | iv | i | V7 | i", "i | bVI | iiø | V7"),
    },
    "hymn": {
        "major": (
            "I IV | I V | vi IV | V I",
            "I V | vi iii | IV I | ii V",
            "I IV | V I | vi ii | V I",
            "I | IV I | V vi | IV V",
        ),
        "minor": ("i iv | i V | bVI iv | V i", "i bVII | bVI V | iv i | V i"),
    },
    "gospel": {
        "major": (
            "I I7 | IV iv6 | I VI7 | ii7 V7",
            "I III7 | vi II7 | ii7 V7 | I V7sus",
            "I | I7 | IV | #IVo7 | I VI7 | II7 V7 | I IV | I V7",
            "I iii7 | IV V7 | vi II7 | IV V7sus",
        ),
    },
    "funk": {
        "dorian": ("i7 | i7 | i7 | IV9", "i9 | IV9 | i9 | IV9", "i7 | i7 | bVII7 | IV7"),
        "mixolydian": ("I9 | I9 | I9 | IV9", "I9 | bVII9 | I9 | bVII9", "I7 | I7 | IV7 | I7"),
        "minor": ("i7 | iv7 | i7 | v7", "i7 | bVIM7 | i7 | bVIIsus"),
    },
    "soul": {
        "major": (
            "IM7 | ii7 | iii7 | ii7",
            "I | vi7 | ii7 | V7",
            "IM7 | iii7 | vi7 | V7sus",
            "I | IV | I | IV",
            "IVM7 | iii7 | ii7 | IM7",
        ),
        "minor": ("i7 | iv7 | bVIM7 | V7", "i9 | bVIM7 | iv9 | V7", "i7 | bVII | bVIM7 | v7"),
    },
    "march": {
        "major": (
            "I | I | V7 | V7 | V7 | V7 | I | I",
            "I | IV | I V7 | I",
            "I | I | IV | I | II7 | V7 | I | V7",
            "I V7 | I | IV I | V7 | I V7 | I | ii V7 | I",
        ),
    },
    "ragtime": {
        "major": (
            "I | I | II7 | V7 | I | VI7 | II7 V7 | I",
            "VI7 | VI7 | II7 | II7 | V7 | V7 | I | I",
            "I | #Io7 | ii7 V7 | I | III7 | VI7 | II7 | V7",
            "I | I7 | IV | iv | I VI7 | II7 V7 | I | V7",
        ),
    },
    "edm": {
        "minor": (
            "i | bVI | bIII | bVII",
            "i | i | bVI | bVII",
            "i | bVII | bVI | bVI",
            "i | bIII | iv | bVI",
            "i | i | i | i",
            "i | iv | bVI | v",
            "bVI | bVII | i | i",
        ),
        "major": ("I | V | vi | IV", "vi | IV | I | V", "IV | V | vi | iii"),
    },
    "ambient": {
        "major": ("IM7 | IM7 | IVM7 | IVM7", "IM9 | vi9 | IVM7 | IM9", "I | Isus2 | IV | IVadd9"),
        "minor": ("i9 | i9 | bVIM7 | bVIM7", "im9 | bIIIM7 | iv9 | bVIM7", "i | bVI | i | bVII"),
        "lydian": ("IM7 | II | IM7 | II",),
    },
    "classical": {
        "major": (
            "I | V | vi | iii | IV | I | IV | V",
            "I IV | V I | vi ii | V7 I",
            "I | ii7 | V7 | I",
            "I vi | IV ii | V7 | I",
            "I | V7 | I | IV | ii | V7 | I | V7",
            "I | VI7 | ii | V7 | I IV | I V7 | I | I",
        ),
        "minor": (
            "i | V | i | bVII | bIII | bVII | i V | i",
            "i | iv | V7 | i",
            "i | iv | bVII | bIII | bVI | iiø | V7 | i",
            "i bVII | bVI V | i iv | V7 i",
            "i | bVI | iv | V7",
        ),
    },
    "klezmer": {
        "phrygian dominant": ("I | I | bII | I", "I | iv | bII | I", "I | bvii | bII | I"),
        "minor": ("i | i | iv | i | V7 | V7 | i | i", "i | iv | V7 | i"),
    },
    "reggae": {
        "major": (
            "I | IV | I | IV",
            "I | V | IV | V",
            "I | vi | IV | V",
            "I | I | ii | ii",
            "I | IV | V | IV",
        ),
        "minor": (
            "i | iv | i | iv",
            "i | bVII | i | bVII",
            "i | i | bVII | bVI",
            "i | bVI | bVII | i",
        ),
    },
}
PROGRESSIONS["ambient"]["minor"] = (
    "i9 | i9 | bVIM7 | bVIM7",
    "i9 | bIIIM7 | iv9 | bVIM7",
    "i | bVI | i | bVII",
)


def choose_progression(rng: random.Random, family: str) -> tuple[str, str]:
    """(mode, progression) of a style family; a mode's weight is its number of progressions."""
    modes = PROGRESSIONS[family]
    pairs = [(mode, text) for mode, texts in modes.items() for text in texts]
    return rng.choice(pairs)
