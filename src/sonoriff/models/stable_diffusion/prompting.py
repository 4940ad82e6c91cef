"""From a prompt to CLIP's states: weights, mixtures, and prompts of any length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from sonoriff.models.prompts import Phrase

# A chunk may end this many tokens early, to end with a comma.
_COMMA_REACH = 20


class PhraseEncoder:
    """Phrases to states (1, 77 k, D), k the number of chunks that the text fills.

    Notes
    -----
    Words that weigh more than 1 have their states pushed away from those of empty text. Words that
    weigh less are in that share of a mixture of texts: of "(a:0.2) (b:0.5) c", 0.2 is the whole
    text, 0.3 is "b c" and 0.5 is "c".
    A word of a style may have several vectors: `words` gives them all for the first one.
    """

    def __init__(
        self, tokenizer: Any, text_encoder: Any, words: Mapping[int, tuple[int, ...]]
    ) -> None:
        self.tokenizer, self.encoder, self.words = tokenizer, text_encoder, words
        self.room = int(text_encoder.config.max_position_embeddings) - 2

    def __call__(self, phrase: Phrase) -> Tensor:
        """States of a phrase; its share is not applied."""
        levels = [0.0, *sorted(w for w in phrase.weights if 0.0 < w < 1.0), 1.0]
        rows = [self._pushed(_heavier(phrase, low)) for low in levels[:-1]]
        if len(rows) == 1:
            return rows[0]
        shares = [high - low for low, high in pairwise(levels)]
        return mixed(rows, shares, self._pushed(Phrase(())))

    @torch.inference_mode()
    def _pushed(self, phrase: Phrase) -> Tensor:
        ids, weights = self._tokens(phrase)
        pieces = self._pieces(ids)
        states = self._states([ids[a:b] for a, b in pieces])
        factors = torch.ones(states.shape[:2])
        for place, (a, b) in enumerate(pieces):
            factors[place, 1 : 1 + b - a] = torch.tensor([max(1.0, w) for w in weights[a:b]])
        if bool((factors != 1.0).any()):
            empty = self._states([[]])
            states = empty + factors[..., None].to(states) * (states - empty)
        return states.reshape(1, -1, states.shape[-1])

    def _tokens(self, phrase: Phrase) -> tuple[list[int], list[float]]:
        ids: list[int] = []
        weights: list[float] = []
        for span in phrase.spans:
            own = self.tokenizer(
                span.text, add_special_tokens=False, truncation=False, verbose=False
            )["input_ids"]
            own = [number for i in own for number in self.words.get(i, (i,))]
            ids += own
            weights += [span.weight] * len(own)
        return ids, weights

    def _pieces(self, ids: list[int]) -> list[tuple[int, int]]:
        """Begin and end of each chunk, one at least; cut after a comma where one is near."""
        comma = self.tokenizer.convert_tokens_to_ids(",</w>")
        pieces, start = [], 0
        while len(ids) - start > self.room:
            end = start + self.room
            near = range(end, end - min(_COMMA_REACH, self.room - 1), -1)
            end = next((i for i in near if ids[i - 1] == comma), end)
            pieces.append((start, end))
            start = end
        return [*pieces, (start, len(ids))]

    def _states(self, chunks: Sequence[list[int]]) -> Tensor:
        """(k, 77, D) of chunks of tokens, marks of begin and end added."""
        begin, end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        fill = self.tokenizer.pad_token_id
        rows = [[begin, *ids, end, *[fill] * (self.room - len(ids))] for ids in chunks]
        tokens = torch.tensor(rows, device=self.encoder.device)
        states: Tensor = self.encoder(tokens).last_hidden_state
        return states


def _heavier(phrase: Phrase, weight: float) -> Phrase:
    """The words that count more than `weight` times."""
    return replace(phrase, spans=tuple(s for s in phrase.spans if s.weight > weight))


def padded(row: Tensor, length: int, empty: Tensor) -> Tensor:
    """`row` (1, L, D) followed by empty text up to `length`, a multiple of the length of that."""
    return torch.cat([row, *[empty] * ((length - row.shape[1]) // empty.shape[1])], dim=1)


def mixed(rows: Sequence[Tensor], shares: Sequence[float], empty: Tensor) -> Tensor:
    """Weighted sum of states, short ones followed by empty text; a share of 1 changes nothing."""
    longest = max(row.shape[1] for row in rows)
    total: Tensor | None = None
    for row, share in zip(rows, shares, strict=True):
        if share == 1.0:
            return row
        whole = padded(row, longest, empty)
        total = share * whole if total is None else total + share * whole
    assert total is not None
    return total
