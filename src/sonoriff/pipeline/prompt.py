"""What a prompt says besides words: tempo and key."""

from __future__ import annotations

import re

from sonoriff.errors import ParameterError
from sonoriff.models.keys import KEYS, MODES

_BPM = re.compile(r"(?<![\w.])(\d{2,3}(?:\.\d+)?)\s*bpm\b", re.IGNORECASE)
_KEY = re.compile(r"\bin\s+([A-G](?:#|b|\s?sharp|\s?flat)?)\s*[- ]?\s*(major|minor)\b")
_FLATS = {"Db": "C#", "Eb": "D#", "Fb": "E", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B"}
_SHARPS = {"E#": "F", "B#": "C"}


def bpm_in_prompt(prompt: str) -> float | None:
    """The tempo that a prompt names ("techno, 132 bpm"), or None."""
    match = _BPM.search(prompt)
    bpm = float(match.group(1)) if match else None
    return bpm if bpm is not None and 20 <= bpm <= 400 else None


def key_in_prompt(prompt: str) -> tuple[str | None, str | None]:
    """Key and mode that a prompt names ("in D minor"), or (None, None)."""
    match = _KEY.search(prompt)
    return parse_key(f"{match.group(1)} {match.group(2)}") if match else (None, None)


def parse_key(text: str) -> tuple[str, str | None]:
    """("A#", "minor") of "Bb minor", "A# minor", "bb min" or "Bbm"; the mode may be missing.

    Raises
    ------
    ParameterError
        it is no key
    """
    match = re.fullmatch(r"\s*([A-Ga-g])\s*(#|b|sharp|flat)?\s*(m|min|minor|maj|major)?\s*", text)
    if match is None:
        raise ParameterError(f"a key is a letter and a mode, like 'D minor' or 'Bb', got {text!r}")
    sign = {"sharp": "#", "flat": "b", None: ""}.get(match.group(2), match.group(2))
    name = match.group(1).upper() + (sign or "")
    name = _FLATS.get(name, _SHARPS.get(name, name))
    said = match.group(3)
    mode = None if said is None else MODES[0] if said.startswith("maj") else MODES[1]
    assert name in KEYS
    return name, mode
