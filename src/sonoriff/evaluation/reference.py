"""Riffusion's chain, plainly re-implemented: the yardstick of the codec's figures.

Mel picture -> linear magnitude (stochastic gradient descent as torchaudio 0.13 did it, or
least squares as torchaudio 2 does it) -> Griffin-Lim on all of the 17640-point transform.
"""

from __future__ import annotations

import torch

from sonoriff.sonogram.filter_bank import mel_filter_bank
from sonoriff.sonogram.params import RIFFUSION_V1, SonogramParams

SGD_STEPS = 200
SGD_RATE = 0.1
SGD_MOMENTUM = 0.9
SGD_LOSS_TOLERANCE = 1e-5
SGD_CHANGE_TOLERANCE = 1e-8
GRIFFIN_LIM_ITERATIONS = 32
GRIFFIN_LIM_MOMENTUM = 0.99


def spectrum_from_waveform(waveform: torch.Tensor, params: SonogramParams) -> torch.Tensor:
    """Centred, mirrored transform: float32 (C, T) -> complex64 (C, F, 1 + T // hop)."""
    return torch.stft(
        waveform,
        params.n_fft,
        params.hop_length,
        params.win_length,
        torch.hann_window(params.win_length, device=waveform.device),
        center=True,
        pad_mode="reflect",
        return_complex=True,
    )


def mel_from_waveform(waveform: torch.Tensor, params: SonogramParams) -> torch.Tensor:
    """Dense matrix times magnitude, as torchaudio's MelScale: (C, T) -> (C, M, N)."""
    bank = torch.from_numpy(mel_filter_bank(params).copy())
    return bank @ spectrum_from_waveform(waveform, params).abs()


def magnitude_by_least_squares(mel: torch.Tensor, params: SonogramParams) -> torch.Tensor:
    """Least-norm solution, negative values cut off: (C, M, N) -> (C, F, N)."""
    bank = torch.from_numpy(mel_filter_bank(params).copy())
    solved = torch.linalg.lstsq(bank[None].expand(len(mel), -1, -1), mel, driver="gels").solution
    return torch.relu(solved)


def magnitude_by_descent(
    mel: torch.Tensor, params: SonogramParams, *, steps: int = SGD_STEPS, seed: int = 0
) -> torch.Tensor:
    """Gradient descent from uniform noise, cut at zero each step: (C, M, N) -> (C, F, N)."""
    bank = torch.from_numpy(mel_filter_bank(params).copy()).T.contiguous()
    generator = torch.Generator().manual_seed(seed)
    target = mel.transpose(1, 2)
    shape = (target.shape[0], target.shape[1], bank.shape[0])
    magnitude = torch.rand(shape, generator=generator).requires_grad_()
    optimiser = torch.optim.SGD([magnitude], lr=SGD_RATE, momentum=SGD_MOMENTUM)
    earlier_loss = float("inf")
    for _ in range(steps):
        optimiser.zero_grad()
        loss = (target - magnitude @ bank).square().sum(dim=-1).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        magnitude.data.clamp_min_(0.0)
        now = loss.item()
        if now < SGD_LOSS_TOLERANCE or abs(earlier_loss - now) < SGD_CHANGE_TOLERANCE:
            break
        earlier_loss = now
    return magnitude.detach().transpose(1, 2)


def griffin_lim(
    magnitude: torch.Tensor,
    params: SonogramParams,
    *,
    iterations: int = GRIFFIN_LIM_ITERATIONS,
    momentum: float = GRIFFIN_LIM_MOMENTUM,
    seed: int | None = 0,
) -> torch.Tensor:
    """Accelerated Griffin-Lim: (C, F, N) -> (C, (N - 1) * hop); `seed` None starts at phase 0.

    References
    ----------
    Perraudin, Balazs & Søndergaard (2013), "A fast Griffin-Lim algorithm", WASPAA; the momentum
    is scaled by 1 / (1 + momentum) as torchaudio scales it.
    """
    window = torch.hann_window(params.win_length, device=magnitude.device)
    phasor = torch.ones_like(magnitude, dtype=torch.complex64)
    if seed is not None:
        generator = torch.Generator().manual_seed(seed)
        phasor = torch.rand(magnitude.shape, dtype=torch.complex64, generator=generator)
    push = momentum / (1.0 + momentum)
    earlier = torch.zeros_like(phasor)
    for _ in range(iterations):
        waveform = _inverse(magnitude * phasor, params, window)
        rebuilt = spectrum_from_waveform(waveform, params)
        phasor = rebuilt - push * earlier
        phasor = phasor / (phasor.abs() + 1e-16)
        earlier = rebuilt
    return _inverse(magnitude * phasor, params, window)


def _inverse(spectrum: torch.Tensor, params: SonogramParams, window: torch.Tensor) -> torch.Tensor:
    return torch.istft(spectrum, params.n_fft, params.hop_length, params.win_length, window)


def riffusion_decode(
    mel: torch.Tensor, params: SonogramParams = RIFFUSION_V1, *, inverse: str = "sgd"
) -> torch.Tensor:
    """The whole chain, `inverse` "sgd" (2022) or "least squares" (2024): (C, M, N) -> (C, T)."""
    if inverse == "sgd":
        # Riffusion's pictures reach 3e7; the descent runs on that scale as it did there.
        return griffin_lim(magnitude_by_descent(mel, params), params)
    return griffin_lim(magnitude_by_least_squares(mel, params), params)
