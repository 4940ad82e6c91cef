"""Keys, modes, tempo and bars: the single definition that all packages share."""

from __future__ import annotations

import re

from sonoriff.errors import ParameterError

KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = ("major", "minor")
# Semitones above the tonic; minor with its leading note beside the natural seventh.
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11)}
# How music came about. Rendered music is of samples, synthesised music of oscillators.
KINDS = ("rendered", "synthesised", "recorded")
# What is painted where none is asked for.
USUAL_KIND = "recorded"
# Beats a minute that a model can be told, and those that a stream keeps bars at.
MIN_BPM, MAX_BPM = 20.0, 400.0
STREAM_MIN_BPM, STREAM_MAX_BPM = 30.0, 300.0
USUAL_BPM = 120.0
BEATS_PER_BAR = 4

# A small note would make a key of "in a minor role". Only ASCII: "ſ" is no "s".
_SIGN, _GAP = r"[#♯b♭]|(?ai:sharp|flat)", r"[\s-]*"
KEY_IN_WORDS = re.compile(rf"\b(?ai:in)\s+([A-G])(?:{_GAP}({_SIGN}))?{_GAP}((?ai:major|minor))\b")
_NAME = re.compile(rf"\s*([A-Ga-g])(?:{_GAP}({_SIGN}))?(?:{_GAP}(m|(?ai:min|minor|maj|major)))?\s*")
_SIGNS = {"": "", "#": "#", "♯": "#", "sharp": "#", "b": "b", "♭": "b", "flat": "b"}
_FLATS = {"Db": "C#", "Eb": "D#", "Fb": "E", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B"}
_SHARPS = {"E#": "F", "B#": "C"}


def check_bpm(bpm: float) -> None:
    """ParameterError where a model cannot be told this tempo."""
    if not MIN_BPM <= bpm <= MAX_BPM:
        raise ParameterError(f"bpm must be in [{MIN_BPM:g}, {MAX_BPM:g}], got {bpm}")


def bar_seconds(bpm: float) -> float:
    """Seconds that a bar lasts."""
    return BEATS_PER_BAR * 60.0 / bpm


def parse_key(text: str) -> tuple[str, str | None]:
    """("A#", "minor") of "Bb minor", "a♯ Minor", "B-flat min" or "Bbm"; the mode may be missing.

    Raises
    ------
    ParameterError
        it is no key
    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise ParameterError(f"a key is a letter and a mode, like 'D minor' or 'Bb', got {text!r}")
    return key_of_parts(*match.groups())


def key_of_parts(letter: str, sign: str | None, said: str | None) -> tuple[str, str | None]:
    """Key and mode of what a pattern found."""
    name = letter.upper() + _SIGNS[(sign or "").lower()]
    name = _FLATS.get(name, _SHARPS.get(name, name))
    assert name in KEYS
    if said is None:
        return name, None
    return name, MODES[0] if said.lower().startswith("maj") else MODES[1]


def scale_of_key(key: str, mode: str | None) -> int:
    """The tonic, 0 to 11 from C, of the major key that has the same notes."""
    return (KEYS.index(key) + (3 if mode == "minor" else 0)) % 12


def fifths_apart(scale: int, other: int) -> int:
    """Fifths between two major keys, 0 to 6: so many of their seven notes differ."""
    fifths = 7 * (scale - other) % 12
    return min(fifths, 12 - fifths)
