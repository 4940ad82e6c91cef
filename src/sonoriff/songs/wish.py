"""From a wish in words to a plan; the same wish and seed give the same plan."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from sonoriff.analysis.energy import STEPS
from sonoriff.errors import ParameterError
from sonoriff.music import KEYS, MODES, USUAL_BPM, bar_seconds
from sonoriff.pipeline.prompt import bpm_in_prompt, key_in_prompt
from sonoriff.pipeline.settings import MAX_DURATION_S
from sonoriff.songs.forms import ENERGY_SHAPES, FORMS, USUAL_FORM, Form
from sonoriff.songs.menu import (
    GENRES,
    INSTRUMENTS,
    MOODS,
    TEMPI,
    THEMES,
    Colour,
    names,
)
from sonoriff.songs.plan import Section, Song

SHORTEST_S, USUAL_S, LONGEST_WISH = 10.0, 120.0, 1000
_LENGTH = re.compile(r"(?:(\d{1,2}):([0-5]\d)|(\d{1,3}(?:\.\d+)?)\s*s?)")


def parse_length(text: str) -> float:
    """Seconds of "2:00", "90" or "90 s".

    Raises
    ------
    ParameterError
        it is no length, or not in [10, 600] s
    """
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        raise ParameterError(f"a length is written 2:00 or 90, got {text!r}")
    minutes, seconds, plain = match.groups()
    length_s = float(plain) if plain else 60.0 * int(minutes) + int(seconds)
    if not SHORTEST_S <= length_s <= MAX_DURATION_S:
        raise ParameterError(
            f"a song lasts {SHORTEST_S:g} to {MAX_DURATION_S:g} s, got {length_s:g} s"
        )
    return length_s


def form_of_wish(wish: str) -> Form:
    """The form whose genre the wish names first, or the usual one."""
    words = wish.lower()
    found = [
        (words.index(word), genre.form)
        for genre in GENRES
        for word in (genre.name, *genre.words)
        if word in words
    ]
    return FORMS[min(found)[1]] if found else FORMS[USUAL_FORM]


def plan_song(
    wish: str,
    *,
    length_s: float = USUAL_S,
    form: str | None = None,
    mood: str | None = None,
    theme: str | None = None,
    instruments: Sequence[str] = (),
    tempo: str | None = None,
    energy: str = "form",
    bpm: float | None = None,
    key: str | None = None,
    seed: int = 0,
) -> Song:
    """A plan for a wish like "lo-fi hip hop, rainy night, 84 bpm".

    Parameters
    ----------
    length_s : seconds, in [10, 600]; met to the bar
    form : a name of `FORMS`; None takes what suits the wish
    mood, theme, tempo : names of `MOODS`, `THEMES` and `TEMPI` in `sonoriff.songs.menu`
    instruments : of `INSTRUMENTS`; added to the style
    energy : "form" takes the form's own course; "rising", "falling" or "steady"
    bpm, key : None takes those that the wish names; else they are drawn by the seed, the tempo
        among those of the genre

    Raises
    ------
    ParameterError
        no wish, or a value that is not known or out of range
    """
    if not wish.strip():
        raise ParameterError('say what the song is: sonoriff song new "lo-fi hip hop"')
    if len(wish) > LONGEST_WISH:
        raise ParameterError(f"a wish has at most {LONGEST_WISH} characters, got {len(wish)}")
    if not SHORTEST_S <= length_s <= MAX_DURATION_S:
        raise ParameterError(
            f"a song lasts {SHORTEST_S:g} to {MAX_DURATION_S:g} s, got {length_s:g} s"
        )
    _check(form, FORMS, "form")
    _check(energy, ENERGY_SHAPES, "energy")
    _check(tempo, TEMPI, "tempo")
    colours = [c for c in (_chosen(mood, MOODS, "mood"), _chosen(theme, THEMES, "theme")) if c]
    for instrument in instruments:
        _check(instrument, INSTRUMENTS, "instrument")
    chosen = FORMS[form] if form else form_of_wish(wish)
    beats = bpm or bpm_in_prompt(wish) or _likely_bpm(wish, tempo, seed)
    if key is None:
        named, mode = key_in_prompt(wish)
        # A generator of its own: the key must not depend on what else is drawn.
        draw = random.Random(f"key of {wish} {seed}")
        mode = mode or draw.choice(MODES)
        key = f"{named or draw.choice(KEYS)} {mode}"
    shape = _course(chosen, energy, sum(colour.lift for colour in colours))
    bars = _bars(chosen, max(1, round(length_s / bar_seconds(beats))))
    sections = tuple(
        Section(name=part.name, bars=n, energy=levels, prompt=part.hint, like=part.like)
        for part, n, levels in zip(chosen.parts, bars, shape, strict=True)
        if n
    )
    return Song(
        sections=_without_missing(sections),
        bpm=beats,
        style=", ".join([wish.strip(), *instruments, *(colour.words for colour in colours)]),
        key=key,
        seed=seed,
        title=wish.strip()[:80],
    )


def _likely_bpm(wish: str, tempo: str | None, seed: int) -> float:
    """A tempo that suits the genre and the tempo word; the word wins where they do not meet."""
    words = wish.lower()
    genre = next((g for g in GENRES if any(w in words for w in (g.name, *g.words))), None)
    low, high = genre.bpm if genre else (round(USUAL_BPM), round(USUAL_BPM))
    if tempo is not None:
        first, last = TEMPI[tempo]
        low, high = max(low, first), min(high, last)
        if low > high or genre is None:
            low, high = first, last
    return float(random.Random(f"tempo of {wish} {seed}").randint(low, high))


def _chosen(name: str | None, table: tuple[Colour, ...], what: str) -> Colour | None:
    _check(name, names(table), what)
    return next((entry for entry in table if entry.name == name), None)


def _check(value: str | None, known: Iterable[str], what: str) -> None:
    names = tuple(known)
    if value is not None and value not in names:
        raise ParameterError(f"{what} must be one of {', '.join(names)}, got {value!r}")


def _bars(form: Form, total: int) -> list[int]:
    """Bars of each part, whose sum is `total`: multiples of the form's step where they fit."""
    shares = [part.share for part in form.parts]
    step = form.step
    while step > 1 and total < step * len(shares):
        step = 1 if step == 12 else step // 2
    units = max(1, total // step)
    exact = [share * units / sum(shares) for share in shares]
    counts = [max(1, int(value)) if units >= len(shares) else int(value) for value in exact]
    # What rounding left over goes where most was cut off; what it took, from the longest.
    while sum(counts) < units:
        counts[max(range(len(counts)), key=lambda i: exact[i] - counts[i])] += 1
    while sum(counts) > units:
        counts[max(range(len(counts)), key=lambda i: counts[i])] -= 1
    bars = [count * step for count in counts]
    # The bars of no whole step lengthen the last section.
    bars[-1] += total - sum(bars)
    return bars


def _course(form: Form, energy: str, lift: float) -> list[tuple[float, float]]:
    """Energy of each part at its beginning and end."""
    count = len(form.parts)
    if energy == "form":
        levels = [part.energy for part in form.parts]
    elif energy == "steady":
        levels = [(3.0, 3.0)] * count
    else:
        edges = [1.0 + (STEPS - 1.0) * i / count for i in range(count + 1)]
        levels = list(pairwise(edges))
        if energy == "falling":
            levels = [(b, a) for a, b in reversed(levels)]
    return [
        (min(max(a + lift, 1.0), float(STEPS)), min(max(b + lift, 1.0), float(STEPS)))
        for a, b in levels
    ]


def _without_missing(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Sections of a short song, none of them like one that was left out."""
    names = {section.name for section in sections}
    return tuple(
        section if section.like in names else replace(section, like=None) for section in sections
    )
