"""Text that people's programs have written: its encoding, and names that mean the same file."""

from __future__ import annotations

import codecs
import unicodedata
from pathlib import Path

UTF8 = "UTF-8"
# Longest first: the mark of UTF-16 begins that of UTF-32.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", UTF8),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


def decoded(data: bytes) -> tuple[str, str]:
    """Text of a file, and the name of its encoding.

    A byte order mark decides; else it is UTF-8 if it can be; else UTF-16 where every second byte is
    mostly zero; else Windows-1252, which every byte is taken for that Notepad ever wrote.

    Returns
    -------
    text without its mark, and "UTF-8", "UTF-16", "UTF-32" or "Windows-1252"

    References
    ----------
    The order is that of the WHATWG Encoding Standard's "decode", and behind it what Windows writes.
    """
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return data.decode(codec, "replace"), name
    for codec, zeros in (("utf-16-le", data[1::2]), ("utf-16-be", data[::2])):
        if len(data) >= 4 and zeros.count(0) > 0.7 * len(zeros):
            return data.decode(codec, "replace"), "UTF-16"
    try:
        return data.decode("utf-8"), UTF8
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:  # five bytes that Windows-1252 leaves empty
        return data.decode("latin-1"), "Windows-1252"


def read_text(path: Path) -> tuple[str, str]:
    """`decoded` of a file; OSError where it cannot be read."""
    return decoded(path.read_bytes())


def folded(name: str) -> str:
    """A file's name or relative path for comparing: slashes, letters' case and accents made alike.

    macOS takes "é" apart, Windows writes backslashes and knows no case.
    """
    plain = unicodedata.normalize("NFC", name.replace("\\", "/")).casefold()
    return unicodedata.normalize("NFC", plain.removeprefix("./").replace("/./", "/"))
