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
    """

    name: str
    parts: tuple[Part, ...]
    step: int = 4


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
        ),
        Form(
            "through-composed",
            (
                Part("opening", 1, (2, 3)),
                Part("development", 2, (3, 4)),
                Part("climax", 1, (5, 5)),
                Part("close", 1, (3, 1)),
            ),
        ),
        Form(
            "ambient arc",
            (
                Part("emerging", 1, (1, 2)),
                Part("floating", 2, (2, 3)),
                Part("fading", 1, (2, 1), like="emerging"),
            ),
        ),
    )
}
# Where a wish suggests none.
USUAL_FORM = "pop"
ENERGY_SHAPES = ("form", "rising", "falling", "steady")
