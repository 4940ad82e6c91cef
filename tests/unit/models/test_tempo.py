"""The tempo that a prompt lets expect."""

from __future__ import annotations

import pytest
import torch

from sonoriff.models.small.tempo import likely_bpm
from sonoriff.models.small.torch.tempo import TempoGuess


def captions(n: int, width: int, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Texts of three kinds, at 80 bpm, at 160, and without a beat, with much that says nothing."""
    generator = torch.Generator().manual_seed(seed)
    kind = torch.arange(n) % 3
    pooled = torch.randn(n, width, generator=generator)
    pooled[:, 3:6] = 2.0 * torch.nn.functional.one_hot(kind, 3)
    return pooled, torch.tensor([80.0, 160.0, 0.0])[kind]


def asked(guess: TempoGuess, text: torch.Tensor) -> float:
    return likely_bpm(text.numpy(), guess.weight.numpy(), guess.bias.numpy()) or 0.0


def test_it_learns_which_words_are_fast_and_which_have_no_beat() -> None:
    guess = TempoGuess(24)
    guess.fit(*captions(600, 24))
    texts, bpm = captions(150, 24, seed=1)
    found = torch.tensor([asked(guess, text) for text in texts])
    assert float(((found - bpm).abs() <= 0.03 * bpm).float().mean()) > 0.95


def test_untaught_it_has_no_opinion() -> None:
    assert asked(TempoGuess(8), torch.randn(8)) == 0.0


@pytest.mark.parametrize("bpm", [20.0, 400.0])
def test_tempi_beyond_its_range_are_its_ends(bpm: float) -> None:
    guess = TempoGuess(4)
    pooled = torch.randn(50, 4, generator=torch.Generator().manual_seed(2))
    guess.fit(pooled, torch.full((50,), bpm))
    found = asked(guess, pooled[0])
    assert found == pytest.approx(40.0 if bpm < 40 else 40.0 * 2 ** (63 / 24), rel=1e-3)
