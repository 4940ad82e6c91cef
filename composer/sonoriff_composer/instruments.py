"""Canonical instrument names, the General MIDI programs that sound like them, and synonyms."""

from __future__ import annotations

from dataclasses import dataclass

# Program ranges of General MIDI (0-127) to the name a listener would use.
_RANGES: tuple[tuple[int, int, str], ...] = (
    (0, 2, "piano"), (3, 3, "honky-tonk piano"), (4, 5, "electric piano"), (6, 6, "harpsichord"),
    (7, 7, "clavinet"), (8, 8, "celesta"), (9, 9, "glockenspiel"), (10, 10, "music box"),
    (11, 11, "vibraphone"), (12, 12, "marimba"), (13, 13, "xylophone"), (14, 14, "tubular bells"),
    (15, 15, "dulcimer"), (16, 18, "organ"), (19, 19, "church organ"), (20, 20, "reed organ"),
    (21, 21, "accordion"), (22, 22, "harmonica"), (23, 23, "bandoneon"), (24, 24, "nylon guitar"),
    (25, 25, "acoustic guitar"), (26, 26, "jazz guitar"), (27, 28, "electric guitar"),
    (29, 30, "distorted guitar"), (31, 31, "electric guitar"), (32, 32, "upright bass"),
    (33, 34, "electric bass"), (35, 35, "fretless bass"), (36, 37, "slap bass"),
    (38, 39, "synth bass"), (40, 40, "violin"), (41, 41, "viola"), (42, 42, "cello"),
    (43, 43, "double bass"), (44, 44, "strings"), (45, 45, "pizzicato strings"), (46, 46, "harp"),
    (47, 47, "timpani"), (48, 49, "strings"), (50, 51, "synth strings"), (52, 54, "choir"),
    (55, 55, "orchestra hit"), (56, 56, "trumpet"), (57, 57, "trombone"), (58, 58, "tuba"),
    (59, 59, "muted trumpet"), (60, 60, "french horn"), (61, 61, "brass section"),
    (62, 63, "synth brass"), (64, 64, "soprano saxophone"), (65, 65, "alto saxophone"),
    (66, 66, "tenor saxophone"), (67, 67, "baritone saxophone"), (68, 68, "oboe"),
    (69, 69, "english horn"), (70, 70, "bassoon"), (71, 71, "clarinet"), (72, 72, "piccolo"),
    (73, 73, "flute"), (74, 74, "recorder"), (75, 75, "pan flute"), (76, 76, "bottle"),
    (77, 77, "shakuhachi"), (78, 78, "whistle"), (79, 79, "ocarina"), (80, 87, "synth lead"),
    (88, 95, "synth pad"), (96, 98, "synth pad"), (99, 99, "synth pad"), (100, 103, "synth pad"),
    (104, 104, "sitar"), (105, 105, "banjo"), (106, 106, "shamisen"), (107, 107, "koto"),
    (108, 108, "kalimba"), (109, 109, "bagpipes"), (110, 110, "fiddle"), (111, 111, "shanai"),
    (112, 112, "bells"), (113, 113, "agogo"), (114, 114, "steel drums"), (115, 115, "woodblock"),
    (116, 116, "taiko drums"), (117, 117, "toms"), (118, 118, "synth drum"), (119, 127, "effects"),
)  # fmt: skip
_NAMES = tuple(
    next(name for low, high, name in _RANGES if low <= program <= high) for program in range(128)
)


def instrument_of(program: int) -> str:
    """The canonical name of a General MIDI program 0-127."""
    return _NAMES[program]


# Drum notes of General MIDI that are an instrument of their own to a listener.
PERCUSSION: dict[int, str] = {
    39: "hand claps", 54: "tambourine", 56: "cowbell", 60: "bongos", 61: "bongos", 62: "congas",
    63: "congas", 64: "congas", 65: "timbales", 66: "timbales", 67: "agogo", 68: "agogo",
    69: "shaker", 70: "maracas", 73: "guiro", 74: "guiro", 75: "claves", 76: "woodblock",
    77: "woodblock", 78: "cuica", 79: "cuica", 80: "triangle", 81: "triangle", 82: "shaker",
    83: "sleigh bells",
}  # fmt: skip
# Strokes that make a drum kit: kicks, snares, toms, hi-hats, cymbals.
KIT = frozenset(
    (35, 36, 37, 38, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 55, 57, 59)
)


@dataclass(frozen=True)
class Voice:
    """How an instrument plays a melody.

    `low` and `high` bound its comfortable range (MIDI pitch); `density` is notes a beat at
    100 bpm; `legato` the share of a note's length that sounds; `kind` is wind, bow, pluck,
    strike, keys or synth.
    """

    program: int
    low: int
    high: int
    density: float = 1.4
    legato: float = 0.9
    kind: str = "wind"
    volume: int = 105


VOICES: dict[str, Voice] = {
    "piano": Voice(0, 60, 91, 1.8, 0.9, "keys"),
    "bright piano": Voice(1, 60, 91, 1.8, 0.9, "keys"),
    "honky-tonk piano": Voice(3, 60, 88, 2.0, 0.8, "keys"),
    "electric piano": Voice(4, 58, 86, 1.5, 0.9, "keys"),
    "harpsichord": Voice(6, 57, 86, 2.2, 0.8, "keys"),
    "clavinet": Voice(7, 48, 76, 2.2, 0.5, "keys"),
    "celesta": Voice(8, 65, 96, 1.4, 0.9, "strike"),
    "glockenspiel": Voice(9, 72, 96, 1.3, 0.9, "strike", 95),
    "music box": Voice(10, 65, 93, 1.5, 0.9, "strike"),
    "vibraphone": Voice(11, 57, 86, 1.5, 0.95, "strike"),
    "marimba": Voice(12, 52, 88, 2.2, 0.6, "strike"),
    "xylophone": Voice(13, 65, 96, 2.2, 0.5, "strike"),
    "tubular bells": Voice(14, 60, 77, 0.6, 1.0, "strike"),
    "dulcimer": Voice(15, 55, 84, 2.0, 0.9, "pluck"),
    "organ": Voice(17, 55, 84, 1.6, 0.9, "keys", 95),
    "church organ": Voice(19, 55, 84, 1.2, 1.0, "keys", 95),
    "accordion": Voice(21, 57, 86, 1.8, 0.9, "keys"),
    "harmonica": Voice(22, 60, 84, 1.4, 0.9, "wind"),
    "bandoneon": Voice(23, 55, 84, 1.6, 0.8, "keys"),
    "nylon guitar": Voice(24, 52, 79, 1.7, 0.9, "pluck", 115),
    "acoustic guitar": Voice(25, 52, 79, 1.8, 0.9, "pluck", 115),
    "jazz guitar": Voice(26, 52, 79, 1.9, 0.85, "pluck", 115),
    "electric guitar": Voice(27, 52, 82, 1.8, 0.85, "pluck", 110),
    "overdriven guitar": Voice(29, 52, 84, 1.6, 0.95, "pluck", 95),
    "distorted guitar": Voice(30, 52, 86, 1.8, 0.95, "pluck", 90),
    "violin": Voice(40, 62, 93, 1.3, 0.95, "bow"),
    "viola": Voice(41, 52, 80, 1.1, 0.95, "bow"),
    "cello": Voice(42, 43, 72, 1.0, 0.95, "bow", 112),
    "pizzicato strings": Voice(45, 50, 84, 1.6, 0.4, "pluck", 115),
    "harp": Voice(46, 50, 91, 2.4, 1.0, "pluck", 115),
    "strings": Voice(48, 55, 86, 0.8, 1.0, "bow"),
    "choir": Voice(52, 55, 79, 0.6, 1.0, "wind"),
    "trumpet": Voice(56, 58, 82, 1.3, 0.85, "wind", 98),
    "trombone": Voice(57, 46, 70, 1.1, 0.85, "wind", 100),
    "tuba": Voice(58, 34, 56, 1.0, 0.7, "wind"),
    "muted trumpet": Voice(59, 58, 82, 1.4, 0.85, "wind"),
    "french horn": Voice(60, 46, 74, 0.9, 0.95, "wind"),
    "soprano saxophone": Voice(64, 60, 86, 1.7, 0.92, "wind"),
    "alto saxophone": Voice(65, 54, 81, 1.8, 0.9, "wind"),
    "tenor saxophone": Voice(66, 48, 75, 1.8, 0.9, "wind"),
    "baritone saxophone": Voice(67, 40, 66, 1.5, 0.85, "wind"),
    "oboe": Voice(68, 60, 86, 1.2, 0.95, "wind"),
    "bassoon": Voice(70, 40, 67, 1.2, 0.85, "wind"),
    "clarinet": Voice(71, 52, 86, 1.7, 0.92, "wind"),
    "piccolo": Voice(72, 76, 98, 1.8, 0.85, "wind", 92),
    "flute": Voice(73, 62, 93, 1.6, 0.92, "wind"),
    "recorder": Voice(74, 65, 91, 1.5, 0.85, "wind"),
    "pan flute": Voice(75, 62, 86, 1.1, 0.9, "wind"),
    "shakuhachi": Voice(77, 60, 82, 0.8, 1.0, "wind"),
    "whistle": Voice(78, 67, 91, 1.4, 0.9, "wind"),
    "ocarina": Voice(79, 65, 88, 1.2, 0.9, "wind"),
    "synth lead": Voice(81, 55, 84, 1.6, 0.9, "synth", 90),
    "square lead": Voice(80, 55, 88, 1.7, 0.8, "synth", 88),
    "sitar": Voice(104, 52, 79, 1.7, 1.0, "pluck"),
    "banjo": Voice(105, 55, 81, 2.8, 0.8, "pluck"),
    "shamisen": Voice(106, 53, 79, 1.6, 0.8, "pluck"),
    "koto": Voice(107, 52, 84, 1.5, 1.0, "pluck"),
    "kalimba": Voice(108, 60, 84, 1.8, 0.9, "strike"),
    "bagpipes": Voice(109, 62, 79, 2.0, 1.0, "wind", 90),
    "fiddle": Voice(110, 57, 88, 2.2, 0.85, "bow"),
    "steel drums": Voice(114, 60, 86, 1.8, 0.8, "strike"),
}
# Names of variants that a listener calls by the family's name.
CANONICAL = {
    "bright piano": "piano", "overdriven guitar": "distorted guitar", "square lead": "synth lead",
}  # fmt: skip
