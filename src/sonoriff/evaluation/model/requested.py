"""What a caption asks for: genre, instruments, tempo, key, and tags that musicnn knows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sonoriff.corpus.vocabulary import GENRE_SYNONYMS, INSTRUMENT_SYNONYMS
from sonoriff.evaluation.judges.musicnn import TAGS, Network
from sonoriff.music import KEYS
from sonoriff.pipeline.prompt import bpm_in_prompt, key_in_prompt

_NEGATED = re.compile(r"\b(?:no|without|minus)\s+[\w-]+", re.IGNORECASE)
_ELECTRONIC = (
    *("techno", "house", "trance", "drum and bass", "dubstep", "electro", "synthwave"),
    *("eurodance", "hardstyle", "acid techno", "breakbeat", "uk garage", "industrial"),
)
# Tags of sound and style, each with the words that call for it. Moods, decades, voices and
# "fast" are left out: the network is no judge of them.
_TAG_WORDS: dict[Network, dict[str, tuple[str, ...]]] = {
    "MTT": {
        "guitar": ("guitar",),
        "classical": ("classical", "baroque", "orchestral", "orchestra", "symphonic"),
        "techno": ("techno", "trance", "hardstyle"),
        "strings": ("strings", "string section", "string ensemble", "violin", "cello"),
        "drums": ("drums", "drum kit", "drumset"),
        "electronic": _ELECTRONIC,
        "rock": ("rock",),
        "piano": ("piano",),
        "ambient": ("ambient",),
        "violin": ("violin", "fiddle"),
        "synth": ("synth", "synth lead", "synth pad", "synth bass"),
        "harpsichord": ("harpsichord",),
        "flute": ("flute", "recorder", "piccolo"),
        "sitar": ("sitar",),
        "choir": ("choir",),
        "dance": ("house", "eurodance", "trance", "dance"),
        "harp": ("harp",),
        "cello": ("cello",),
        "country": ("country", "bluegrass"),
        "metal": ("metal",),
    },
    "MSD": {
        "rock": ("rock",),
        "electronic": _ELECTRONIC,
        "dance": ("house", "eurodance", "trance", "dance"),
        "jazz": ("jazz", "bebop", "swing", "big band", "dixieland"),
        "metal": ("metal",),
        "soul": ("soul",),
        "folk": ("folk", "celtic"),
        "punk": ("punk",),
        "blues": ("blues",),
        "ambient": ("ambient",),
        "guitar": ("guitar",),
        "hip hop": ("hip hop", "hip-hop"),
        "country": ("country", "bluegrass"),
        "funk": ("funk",),
        "house": ("house",),
    },
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What can be checked in the answer; None or empty where the caption does not say.

    `key` is (tonic 0-11, minor or None).
    """

    genre: str | None = None
    instruments: tuple[str, ...] = ()
    bpm: float | None = None
    key: tuple[int, bool | None] | None = None


def asked_of_caption(caption: str, facts: dict[str, Any]) -> Asked:
    """What of a clip's facts its caption names, under any of their names.

    Parameters
    ----------
    caption : the prompt
    facts : of the clip it was written for; see `docs/corpus.md`
    """
    text = _NEGATED.sub(" ", caption)
    genre = facts.get("genre")
    names = (genre, facts.get("style"), *GENRE_SYNONYMS.get(genre or "", ()))
    named = genre if genre and _names_one(text, (n for n in names if n)) else None
    instruments = tuple(
        i
        for i in facts.get("instruments") or ()
        if _names_one(text, (i, *INSTRUMENT_SYNONYMS.get(i, ())))
    )
    return Asked(
        genre=named, instruments=instruments, bpm=bpm_in_prompt(caption), key=_asked_key(caption)
    )


def _asked_key(caption: str) -> tuple[int, bool | None] | None:
    key, mode = key_in_prompt(caption)
    return (KEYS.index(key), None if mode is None else mode == "minor") if key else None


def tags_of_text(text: str, network: Network) -> frozenset[int]:
    """Indices of musicnn's tags that a text calls for."""
    text = _NEGATED.sub(" ", text)
    words = _TAG_WORDS[network]
    return frozenset(TAGS[network].index(tag) for tag in words if _names_one(text, words[tag]))


def words_of_entry(entry: dict[str, Any]) -> str:
    """Everything that a manifest line says about a clip, as one text."""
    facts = entry["facts"]
    about = (facts.get("genre") or "", facts.get("style") or "", *(facts.get("instruments") or ()))
    return ", ".join((*about, *entry.get("captions", ())))


def _names_one(text: str, names: Iterable[str]) -> bool:
    return any(
        re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) for name in names
    )
