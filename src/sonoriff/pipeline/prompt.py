"""What a prompt says besides words: tempo and key."""

from __future__ import annotations

import re

from sonoriff.music import KEY_IN_WORDS, MAX_BPM, MIN_BPM, key_of_parts

_BPM = re.compile(r"(?<![\w.])(\d{2,3}(?:\.\d+)?)[\s-]*bpm\b", re.IGNORECASE)


def bpm_in_prompt(prompt: str) -> float | None:
    """The tempo that a prompt's words name ("techno, 132 bpm"), or None."""
    match = _BPM.search(prompt)
    bpm = float(match.group(1)) if match else None
    return bpm if bpm is not None and MIN_BPM <= bpm <= MAX_BPM else None


def key_in_prompt(prompt: str) -> tuple[str | None, str | None]:
    """Key and mode that a prompt's words name ("in D minor"), or (None, None)."""
    match = KEY_IN_WORDS.search(prompt)
    return key_of_parts(*match.groups()) if match else (None, None)
