"""From a prompt to the small model's conditioning."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sonoriff.models.prompts import Phrase, Prompt
from sonoriff.models.protocol import Conditioning, Term, summed
from sonoriff.models.small.conditions import DenoiserConditions
from sonoriff.models.small.networks import Conditions

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Encode = Callable[[str], Conditions]


def condition_from_prompt(prompt: Prompt, encode: Encode) -> Conditioning:
    """Terms whose sum is the prompt with all its weights and shares.

    A weight w adds w - 1 times what the words under it change: the prediction with all words less
    that without these. The network normalises its text, so that scaling the words' vectors, as is
    done for CLIP, would do nothing here. Words that count 0 times are in no parsed prompt.
    """
    rows: dict[str, Conditions] = {}

    def row(text: str) -> Conditions:
        return rows.setdefault(text, rows.get(text) or encode(text))

    phrases = [_phrase(phrase, row) for phrase in prompt.phrases]
    return summed(phrases, [phrase.share for phrase in prompt.phrases])


def _phrase(phrase: Phrase, row: Encode) -> Conditioning:
    extra = [(weight - 1.0, phrase.without(weight)) for weight in phrase.weights]
    terms = [Term(1.0 + sum(more for more, _ in extra), row(phrase.text))]
    terms += [Term(-more, row(text)) for more, text in extra]
    return tuple(term for term in terms if abs(term.weight) > 1e-9)


def chunks(text: str, tokenizer: Tokenizer, max_tokens: int) -> list[str]:
    """A text in pieces of at most `max_tokens` word pieces, cut after commas where it can be.

    Two of them go to the marks of begin and end. A text that fits is returned as it is.
    """
    room = max_tokens - 2

    def count(piece: str) -> int:
        encoding = tokenizer.encode(piece, add_special_tokens=False)
        # Counted over what the tokenizer cut off as well.
        return len(encoding.ids) + sum(len(part.ids) for part in encoding.overflowing)

    if count(text) <= room:
        return [text]
    pieces: list[str] = []
    for clause in re.findall(r"[^,]+,?", text):
        parts = [clause] if count(clause) <= room else _words(clause, room, count)
        for part in parts:
            if pieces and count(pieces[-1] + part) <= room:
                pieces[-1] += part
            else:
                pieces.append(part)
    return [piece.strip() for piece in pieces if piece.strip()]


def _words(clause: str, room: int, count: Callable[[str], int]) -> list[str]:
    """A clause in single words; a word that is too long by itself in pieces of `room` letters."""
    words = re.findall(r"\s*\S+\s*", clause)
    return [
        part
        for word in words
        for part in ([word] if count(word) <= room else re.findall(rf".{{1,{room}}}", word))
    ]


def stacked(rows: Sequence[Conditions]) -> Conditions:
    """Rows of a batch of one each as one batch, texts padded to the longest."""
    longest = max(row.text.shape[1] for row in rows)

    def padded(row: Conditions) -> Conditions:
        missing = longest - row.text.shape[1]
        return replace(
            row,
            text=np.pad(row.text, ((0, 0), (0, missing), (0, 0))),
            present=np.pad(row.present, ((0, 0), (0, missing))),
        )

    wide = [padded(row).arrays() for row in rows]
    return DenoiserConditions(
        **{name: np.concatenate([each[name] for each in wide]) for name in wide[0]}
    )
