"""Forms of songs: which sections follow each other, how long and how full each is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A section of a form.

    Attributes
    ----------
    share : of the length, relative to the other parts
    energy : as of `sonoriff.songs.plan.Section`
    hint : added to the prompt, in words that captions use
    like : an earlier part's name that returns here
    """

    name: str
    share: float
    energy: tuple[float, float]
    hint: str = ""
    like: str | None = None


@dataclass(frozen=True)
class Form:
    """A form.

    Attributes
    ----------
    step : bars that sections are a multiple of, where the length allows it
    genres : words of a wish that suggest it
    """

    name: str
    parts: tuple[Part, ...]
    step: int = 4
    genres: tuple[str, ...] = ()


FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form(
            "pop",
            (
                Part("intro", 1, (2, 2), "intro"),
                Part("verse", 2, (3, 3)),
                Part("chorus", 2, (4, 4)),
                Part("verse 2", 2, (3, 3), like="verse"),
                Part("chorus 2", 2, (4, 5), like="chorus"),
                Part("bridge", 1, (2, 3)),
                Part("chorus 3", 2, (5, 5), like="chorus"),
                Part("ending", 1, (3, 1)),
            ),
            genres=("pop", "rock", "metal", "punk", "country", "folk", "reggae", "ska", "soul"),
        ),
        Form(
            "dance",
            (
                Part("intro", 2, (2, 3), "beat"),
                Part("build", 2, (3, 5)),
                Part("drop", 2, (5, 5)),
                Part("break", 2, (1, 3)),
                Part("build 2", 2, (3, 5), like="build"),
                Part("drop 2", 2, (5, 5), like="drop"),
                Part("ending", 1, (3, 1)),
            ),
            step=8,
            genres=(
                *("techno", "house", "trance", "dance", "electronic", "edm", "dubstep"),
                *("drum and bass", "eurodance", "disco", "electro"),
            ),
        ),
        Form(
            "blues",
            (
                Part("theme", 1, (3, 3)),
                Part("chorus", 1, (3, 4), like="theme"),
                Part("solo", 1, (4, 5), "solo"),
                Part("theme again", 1, (3, 2), like="theme"),
            ),
            step=12,
            genres=("blues", "boogie", "rockabilly"),
        ),
        Form(
            "AABA",
            (
                Part("A", 1, (3, 3)),
                Part("A 2", 1, (3, 3), like="A"),
                Part("B", 1, (4, 4)),
                Part("A 3", 1, (3, 2), like="A"),
            ),
            step=8,
            genres=(
                "jazz",
                "swing",
                "bossa",
                "lo-fi",
                "lofi",
                "hip hop",
                "waltz",
                "ballad",
                "latin",
            ),
        ),
        Form(
            "through-composed",
            (
                Part("opening", 1, (2, 3)),
                Part("development", 2, (3, 4)),
                Part("climax", 1, (5, 5)),
                Part("close", 1, (3, 1)),
            ),
            genres=("orchestra", "classical", "symphon", "film", "epic", "piano", "baroque"),
        ),
        Form(
            "ambient arc",
            (
                Part("emerging", 1, (1, 2)),
                Part("floating", 2, (2, 3)),
                Part("fading", 1, (2, 1), like="emerging"),
            ),
            genres=("ambient", "drone", "meditat", "sleep", "calm", "new age", "space"),
        ),
    )
}
# Where a wish suggests none.
USUAL_FORM = "pop"
# Words that a mood adds, and by how much it changes the energy.
MOOD_WORDS = {
    "calm": ("calm, gentle", -1.0),
    "happy": ("happy, bright", 0.0),
    "sad": ("sad, slow", -1.0),
    "dark": ("dark", 0.0),
    "dreamy": ("dreamy, soft", -1.0),
    "driving": ("driving, energetic", 1.0),
    "heroic": ("heroic, powerful", 1.0),
    "tense": ("tense", 0.0),
}
ENERGY_SHAPES = ("form", "rising", "falling", "steady")
# Tempo of a genre, beats a minute from and to, where a wish names none; the first that fits.
TEMPI: tuple[tuple[str, tuple[int, int]], ...] = (
    ("drum and bass", (168, 176)),
    ("dubstep", (138, 142)),
    ("lo-fi", (72, 88)),
    ("lofi", (72, 88)),
    ("hip hop", (84, 98)),
    ("trance", (132, 140)),
    ("techno", (126, 136)),
    ("house", (120, 128)),
    ("eurodance", (130, 142)),
    ("disco", (114, 124)),
    ("dance", (120, 130)),
    ("electronic", (110, 128)),
    ("ambient", (60, 80)),
    ("punk", (160, 184)),
    ("metal", (130, 170)),
    ("rock", (104, 140)),
    ("reggae", (70, 86)),
    ("ska", (140, 164)),
    ("swing", (130, 180)),
    ("jazz", (100, 150)),
    ("bossa", (116, 136)),
    ("blues", (70, 112)),
    ("waltz", (84, 120)),
    ("ballad", (64, 80)),
    ("country", (96, 124)),
    ("folk", (88, 116)),
    ("funk", (98, 114)),
    ("soul", (84, 108)),
    ("orchestra", (80, 116)),
    ("classical", (80, 120)),
    ("piano", (72, 104)),
    ("pop", (96, 124)),
)
