"""What can be chosen instead of written: genres, moods, themes, instruments and tempo words.

The one table behind `sonoriff song new`, the page and ``GET /api/v1/menu``. Words are those that
captions use, so that the models know them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Genre:
    """A genre.

    Attributes
    ----------
    bpm : beats a minute from and to, where a wish names no tempo
    form : name of its usual form
    words : by which a wish names it, besides its name
    """

    name: str
    bpm: tuple[int, int]
    form: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Colour:
    """A mood or a theme.

    Attributes
    ----------
    words : added to the style
    lift : added to the energy of each section
    """

    name: str
    words: str
    lift: float = 0.0


# Where several fit a wish, the first gives the tempo.
GENRES = (
    Genre("drum and bass", (168, 176), "dance"),
    Genre("dubstep", (138, 142), "dance"),
    Genre("lo-fi", (72, 88), "AABA", ("lofi",)),
    Genre("hip hop", (84, 98), "AABA"),
    Genre("trance", (132, 140), "dance"),
    Genre("techno", (126, 136), "dance"),
    Genre("eurodance", (130, 142), "dance"),
    Genre("house", (120, 128), "dance"),
    Genre("disco", (114, 124), "dance"),
    Genre("dance", (120, 130), "dance", ("edm",)),
    Genre("electronic", (110, 128), "dance", ("electro",)),
    Genre("ambient", (60, 80), "ambient arc", ("drone", "meditat", "new age", "space")),
    Genre("punk", (160, 184), "pop"),
    Genre("metal", (130, 170), "pop"),
    Genre("rockabilly", (150, 180), "blues", ("boogie",)),
    Genre("rock", (104, 140), "pop"),
    Genre("reggae", (70, 86), "pop"),
    Genre("ska", (140, 164), "pop"),
    Genre("swing", (130, 180), "AABA"),
    Genre("jazz", (100, 150), "AABA"),
    Genre("bossa nova", (116, 136), "AABA", ("bossa",)),
    Genre("latin", (96, 126), "AABA", ("salsa",)),
    Genre("blues", (70, 112), "blues"),
    Genre("waltz", (84, 120), "AABA"),
    Genre("ballad", (64, 80), "AABA"),
    Genre("country", (96, 124), "pop"),
    Genre("folk", (88, 116), "pop"),
    Genre("funk", (98, 114), "pop"),
    Genre("soul", (84, 108), "pop"),
    Genre("orchestra", (80, 116), "through-composed", ("symphon", "film", "epic")),
    Genre("classical", (80, 120), "through-composed", ("baroque",)),
    Genre("piano", (72, 104), "through-composed"),
    Genre("pop", (96, 124), "pop"),
)
MOODS = (
    Colour("calm", "calm, gentle", -1.0),
    Colour("happy", "happy, bright"),
    Colour("sad", "sad, slow", -1.0),
    Colour("dark", "dark"),
    Colour("dreamy", "dreamy, soft", -1.0),
    Colour("driving", "driving, energetic", 1.0),
    Colour("heroic", "heroic, powerful", 1.0),
    Colour("tense", "tense"),
    Colour("romantic", "romantic, warm"),
    Colour("playful", "playful, light"),
)
THEMES = (
    Colour("study", "relaxed, steady", -1.0),
    Colour("sleep", "very calm, slow, soft", -2.0),
    Colour("workout", "energetic, strong beat", 1.0),
    Colour("party", "dance, upbeat", 1.0),
    Colour("film", "film music, cinematic"),
    Colour("game", "video game music"),
    Colour("nature", "peaceful, acoustic", -1.0),
    Colour("travel", "bright, open, uplifting"),
    Colour("night", "night, dark, slow"),
    Colour("documentary", "background music, thoughtful", -1.0),
)
INSTRUMENTS = (
    *("piano", "electric piano", "organ", "harpsichord", "accordion", "vibraphone", "bells"),
    *("acoustic guitar", "electric guitar", "bass", "banjo", "harp", "sitar"),
    *("strings", "violin", "cello", "flute", "clarinet", "saxophone", "trumpet", "brass"),
    *("choir", "synthesizer", "drums", "percussion"),
)
TEMPI: dict[str, tuple[int, int]] = {
    "very slow": (50, 64),
    "slow": (64, 84),
    "medium": (84, 112),
    "fast": (112, 144),
    "very fast": (144, 176),
}


def names(table: tuple[Genre, ...] | tuple[Colour, ...]) -> tuple[str, ...]:
    """The names of a table, as they are chosen by."""
    return tuple(entry.name for entry in table)


def menu() -> dict[str, Any]:
    """All menus, for JSON."""
    from sonoriff.songs.forms import ENERGY_SHAPES, FORMS
    from sonoriff.songs.plan import TRANSITIONS

    return {
        "genres": [
            {"name": genre.name, "bpm": list(genre.bpm), "form": genre.form} for genre in GENRES
        ],
        "moods": list(names(MOODS)),
        "themes": list(names(THEMES)),
        "instruments": list(INSTRUMENTS),
        "tempi": [{"name": name, "bpm": list(span)} for name, span in TEMPI.items()],
        "forms": [
            {"name": form.name, "sections": [part.name for part in form.parts]}
            for form in FORMS.values()
        ],
        "energies": list(ENERGY_SHAPES),
        "transitions": list(TRANSITIONS),
    }
