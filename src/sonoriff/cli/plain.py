"""Untrusted text made safe for a terminal."""

from __future__ import annotations

import unicodedata

# Controls, which can drive the terminal; formats, which can reverse the text direction; lone
# surrogates; private and unassigned characters.
_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn")
_JOINERS = "\u200c\u200d"  # joiners, used in words and emoji


def plain(text: str, keep: str = "\n") -> str:
    """Escape the characters of a text that a terminal would interpret.

    Parameters
    ----------
    keep : control characters to leave in
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or not _is_unsafe(c) else _escape(c) for c in text)


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in _UNSAFE and character not in _JOINERS


def _escape(character: str) -> str:
    """Escaped as in JSON and Python, so that JSON stays valid."""
    code = ord(character)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
