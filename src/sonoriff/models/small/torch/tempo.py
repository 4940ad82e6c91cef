"""Learning the tempo that prompts without one mostly have."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sonoriff.models.small.tempo import N_TEMPI, PARTS_AN_OCTAVE, SLOWEST_BPM

# Of the ridge, as a share of the mean power of a dimension.
_RIDGE = 1e-3


class TempoGuess(nn.Module):
    """A linear score for each of `N_TEMPI` tempi and for none, from the mean of a text's states.

    A denoiser that is told tempo and beat keeps a pulse far better than one that must choose them
    while it paints; so a prompt without a tempo gets the likeliest one of such music.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, text_width: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(N_TEMPI + 1, text_width))
        self.register_buffer("bias", torch.zeros(N_TEMPI + 1))

    @torch.no_grad()
    def fit(self, pooled: Tensor, bpm: Tensor) -> None:
        """Ridge regression of captions on the tempi of their clips.

        Parameters
        ----------
        pooled : float32 (B, text_width), mean token states of captions
        bpm : float32 (B,), 0 where the music has no tempo
        """
        places = PARTS_AN_OCTAVE * torch.log2(bpm.clamp_min(1.0) / SLOWEST_BPM)
        away = (places.clamp(0, N_TEMPI - 1)[:, None] - torch.arange(N_TEMPI)).square()
        wanted = torch.exp(-0.5 * away) * (bpm > 0)[:, None]
        wanted = torch.cat([wanted, (bpm == 0)[:, None].float()], dim=1)
        mean, level = pooled.mean(dim=0), wanted.mean(dim=0)
        x, y = (pooled - mean).double(), (wanted - level).double()
        power = x.T @ x
        ridge = _RIDGE * power.diagonal().mean() * torch.eye(len(power), dtype=torch.float64)
        solved = torch.linalg.solve(power + ridge, x.T @ y).float()
        self.weight.copy_(solved.T)
        self.bias.copy_(level - mean @ solved)
