"""What a prompt says besides words: tempo and key."""

from __future__ import annotations

import re

from sonoriff.errors import ParameterError
from sonoriff.models.keys import KEYS, MODES

_BPM = re.compile(r"(?<![\w.])(\d{2,3}(?:\.\d+)?)[\s-]*bpm\b", re.IGNORECASE)
# A small note would make a key of "in a minor role". Only ASCII: "ſ" is no "s".
_SIGN, _GAP = r"[#♯b♭]|(?ai:sharp|flat)", r"[\s-]*"
_KEY = re.compile(rf"\b(?ai:in)\s+([A-G])(?:{_GAP}({_SIGN}))?{_GAP}((?ai:major|minor))\b")
_NAME = re.compile(rf"\s*([A-Ga-g])(?:{_GAP}({_SIGN}))?(?:{_GAP}(m|(?ai:min|minor|maj|major)))?\s*")
_SIGNS = {"": "", "#": "#", "♯": "#", "sharp": "#", "b": "b", "♭": "b", "flat": "b"}
_FLATS = {"Db": "C#", "Eb": "D#", "Fb": "E", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B"}
_SHARPS = {"E#": "F", "B#": "C"}


def bpm_in_prompt(prompt: str) -> float | None:
    """The tempo that a prompt's words name ("techno, 132 bpm"), or None."""
    match = _BPM.search(prompt)
    bpm = float(match.group(1)) if match else None
    return bpm if bpm is not None and 20 <= bpm <= 400 else None


def key_in_prompt(prompt: str) -> tuple[str | None, str | None]:
    """Key and mode that a prompt's words name ("in D minor"), or (None, None)."""
    match = _KEY.search(prompt)
    return _key(*match.groups()) if match else (None, None)


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
    return _key(*match.groups())


def _key(letter: str, sign: str | None, said: str | None) -> tuple[str, str | None]:
    """Key and mode of what a pattern found."""
    name = letter.upper() + _SIGNS[(sign or "").lower()]
    name = _FLATS.get(name, _SHARPS.get(name, name))
    assert name in KEYS
    if said is None:
        return name, None
    return name, MODES[0] if said.lower().startswith("maj") else MODES[1]
