"""Words of files and other people, made safe for a terminal."""

from __future__ import annotations

import unicodedata

# Controls, which move the cursor or worse; formats, which turn the order of writing round; halves
# of characters; private and unassigned ones, which nobody can read.
_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn")
_JOINERS = "\u200c\u200d"  # part of words, and of emoji


def plain(text: str, keep: str = "\n") -> str:
    """A text without characters that do something to a terminal; they are written as escapes.

    Parameters
    ----------
    keep : controls that may stay
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or not _is_unsafe(c) else _escape(c) for c in text)


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in _UNSAFE and character not in _JOINERS


def _escape(character: str) -> str:
    """As JSON and Python write it, so that JSON stays JSON."""
    code = ord(character)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
