"""The prompt language: weights inside a prompt, and blends of prompts.

``(piano)`` counts 1.1 times, ``(piano:1.3)`` 1.3 times, ``[piano]`` 1 / 1.1 times; they may be
nested. ``(piano:0)`` is as if it were not there. ``\\(``, ``\\)``, ``\\[``, ``\\]`` and ``\\\\``
are the characters themselves.
``reggae:0.7 + techno:0.3`` is a blend; its shares are scaled to sum to one. A number above 10 that
stands apart from its colon is text: ``tempo: 120 + drums`` is no blend.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sonoriff.errors import ParameterError
from sonoriff.models.lora_tags import without_tags

EMPHASIS = 1.1
MAX_WEIGHT = 10.0
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_WEIGHT = re.compile(_NUMBER)
_ESCAPED = "()[]\\"
_SHOWN = 80
_CLOSING = {")": "(", "]": "["}


@dataclass(frozen=True)
class Span:
    """A span of a prompt and its weight."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True)
class Phrase:
    """One prompt of a blend, its share of the whole in [0, 1], and its spans."""

    spans: tuple[Span, ...]
    share: float = 1.0

    @property
    def text(self) -> str:
        """The words alone."""
        return _joined(self.spans)

    @property
    def weights(self) -> tuple[float, ...]:
        """The different weights other than 1, in the order of their first span."""
        return tuple(dict.fromkeys(s.weight for s in self.spans if s.weight != 1.0))

    def without(self, weight: float) -> str:
        """The text without the words of this weight."""
        return _joined([s for s in self.spans if s.weight != weight])


@dataclass(frozen=True)
class Prompt:
    """A parsed prompt: a blend of one or more phrases, shares summing to one."""

    phrases: tuple[Phrase, ...]

    @property
    def text(self) -> str:
        """The words of all phrases."""
        return ", ".join(phrase.text for phrase in self.phrases)


def parse_prompt(text: str) -> Prompt:
    """Read a prompt.

    Raises
    ------
    ParameterError
        a weight below 0 or above 10, alone or with those around it, or a blend whose shares are
        all 0

    Notes
    -----
    A bracket without its partner is an ordinary character, and so is a ``+`` where no part of the
    prompt has a share: nothing that a person may type is an error but a senseless number.
    """
    text = without_tags(text)
    parts = [_share(part) for part in _split_blend(text)]
    if len(parts) == 1 or all(share is None for _, share in parts):
        return Prompt((Phrase(_spans(text)),))
    shares = [1.0 if share is None else _checked_share(share, part) for part, share in parts]
    total = sum(shares)
    if total == 0:
        raise ParameterError(f"the shares of a blend must not all be 0, got {text!r}")
    phrases = [
        Phrase(_spans(part), share / total)
        for (part, _), share in zip(parts, shares, strict=True)
        if share > 0
    ]
    return Prompt(tuple(phrases))


def _split_blend(text: str) -> list[str]:
    """Parts between the ``+`` that stand outside brackets with space around them."""
    partners = _partners(text)
    parts, start, i = [], 0, 0
    while i < len(text):
        if text.startswith(" + ", i):
            parts.append(text[start:i])
            i = start = i + 3
            continue
        i = i + 1 if _is_escape(text, i) else partners.get(i, i)
        i += 1
    return [*parts, text[start:]]


def _share(part: str) -> tuple[str, float | None]:
    """The words of a part and the number after its last colon, if it is one."""
    words, colon, number = part.rpartition(":")
    if not colon or not _WEIGHT.fullmatch(number.strip()):
        return part.strip(), None
    # Whoever writes "tempo: 120" means no share; whoever writes "reggae:70" is told the range.
    if number.startswith(" ") and float(number) > MAX_WEIGHT:
        return part.strip(), None
    return words.strip(), float(number)


def _spans(text: str) -> tuple[Span, ...]:
    """Characters with their weights, joined into runs of equal weight; none that counts 0 times.

    Spaces between two weights are a run of their own, of weight 1: they keep words apart.
    """
    runs: list[Span] = []
    for piece, weight in _weighted(text.strip(), 1.0):
        if weight == 0.0:
            continue
        if runs and runs[-1].weight == weight:
            runs[-1] = Span(runs[-1].text + piece, weight)
        else:
            runs.append(Span(piece, weight))
    return tuple(s if s.text.strip() else Span(s.text) for s in runs)


def _weighted(text: str, weight: float) -> list[tuple[str, float]]:
    """Characters, each with its weight. Brackets are matched once, however deep they are nested."""
    partners = _partners(text)
    pieces: list[tuple[str, float]] = []
    # Stretches that are open, the innermost last: where each ends, where to go on, and its weight.
    open_, i = [(len(text), len(text), weight)], 0
    while open_:
        stop, after, weight = open_[-1]
        if i >= stop:
            open_.pop()
            i = after
        elif _is_escape(text, i, stop):
            pieces.append((text[i + 1], weight))
            i += 2
        elif (end := partners.get(i, stop)) >= stop:
            pieces.append((text[i], weight))
            i += 1
        else:
            inner, factor = _inside(text, i, end)
            product = _checked(round(weight * factor, 6), text[i : end + 1])
            open_.append((inner, end + 1, product))
            i += 1
    return pieces


def _is_escape(text: str, i: int, stop: int | None = None) -> bool:
    """Whether a backslash that makes the next character an ordinary one is at `i`."""
    stop = len(text) if stop is None else stop
    return text[i] == "\\" and i + 1 < stop and text[i + 1] in _ESCAPED


def _partners(text: str) -> dict[int, int]:
    """Place of the bracket that closes the one at each place; those that stand alone are left out.

    Round and square ones do not heed each other.
    """
    partners: dict[int, int] = {}
    waiting: dict[str, list[int]] = {"(": [], "[": []}
    i = 0
    while i < len(text):
        character = text[i]
        if character == "\\":
            i += 1
        elif character in waiting:
            waiting[character].append(i)
        elif character in _CLOSING and waiting[_CLOSING[character]]:
            partners[waiting[_CLOSING[character]].pop()] = i
        i += 1
    return partners


def _inside(text: str, start: int, end: int) -> tuple[int, float]:
    """Where the content of a bracket ends, and how much it multiplies."""
    if text[start] == "[":
        return end, 1.0 / EMPHASIS
    colon = text.rfind(":", start, end)
    number = text[colon + 1 : end].strip() if colon > start else ""
    if not _WEIGHT.fullmatch(number):
        return end, EMPHASIS
    return colon, _checked(float(number), text[start : end + 1])


def _checked(weight: float, where: str) -> float:
    if not math.isfinite(weight) or not 0 <= weight <= MAX_WEIGHT:
        raise ParameterError(
            f"a weight must be in [0, {MAX_WEIGHT:g}], got {weight:g} in {_shortened(where)!r}; "
            "what is not wanted goes into the negative prompt"
        )
    return weight


def _checked_share(share: float, words: str) -> float:
    if not 0 <= share <= MAX_WEIGHT:
        raise ParameterError(
            f"{_shortened(f'{words}:{share:g}')!r} was read as a part of a blend with the share "
            f"{share:g}: a share must be in [0, {MAX_WEIGHT:g}], like 'reggae:0.7 + techno:0.3'; "
            "if the number is text, write it without the colon"
        )
    return share


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _joined(spans: tuple[Span, ...] | list[Span]) -> str:
    """The spans' words, without the commas and spaces that a left-out span leaves."""
    text = re.sub(r"\s+", " ", "".join(s.text for s in spans)).strip()
    text = re.sub(r"(?:\s*,)+(?=\s*,)", "", text)
    return re.sub(r"\s+,", ",", text).strip(" ,")
