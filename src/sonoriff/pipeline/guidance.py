"""Classifier-free guidance: what to move towards, what to move away from."""

from __future__ import annotations

from dataclasses import dataclass

from sonoriff.models.protocol import Conditioning, Term


@dataclass(frozen=True)
class Guidance:
    """Positive and negative conditioning.

    Attributes
    ----------
    positive, negative : conditions
    guidance_scale : 1 leaves the negative one out
    """

    positive: Conditioning
    negative: Conditioning
    guidance_scale: float

    def terms(self, *, guided: bool) -> Conditioning:
        """All model evaluations with their weights; equal embeddings are merged."""
        if not guided or self.guidance_scale == 1.0:
            return self.positive
        scale = self.guidance_scale
        pairs = [(scale * t.weight, t.embedding) for t in self.positive]
        pairs += [((1.0 - scale) * t.weight, t.embedding) for t in self.negative]
        weights: dict[int, float] = {}
        for weight, row in pairs:
            weights[id(row)] = weights.get(id(row), 0.0) + weight
        rows = {id(row): row for _, row in pairs}
        return tuple(Term(weight, rows[i]) for i, weight in weights.items() if weight != 0.0)
