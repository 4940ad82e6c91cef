"""The sonogram autoencoder: a log-mel picture to a small latent grid and back.

Convolutions only, with a norm over channels, so that every output depends on a bounded
neighbourhood: a long picture can be coded in pieces, and a latent cell means a stated stretch
of time and frequency.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sonoriff.errors import ParameterError
from sonoriff.models.small.config import AutoencoderConfig


class ChannelNorm(nn.Module):
    """Layer norm over the channels of (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        last = x.permute(0, 2, 3, 1)
        normed = F.layer_norm(last, (last.shape[-1],), self.weight, self.bias)
        return normed.permute(0, 3, 1, 2)


class ResidualBlock(nn.Module):
    """x + conv(silu(conv(norm(x)))); starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.conv2(F.silu(self.conv1(self.norm(x))))
        return x + change


def _blocks(channels: int, count: int) -> list[nn.Module]:
    return [ResidualBlock(channels) for _ in range(count)]


class _Upsample(nn.Module):
    """Nearest neighbour by (frequency, time), after a 1 x 1 change of width."""

    def __init__(self, inputs: int, outputs: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(inputs, outputs * stride[0] * stride[1], 1)

    def forward(self, x: Tensor) -> Tensor:
        frequency, time = self.stride
        x = self.conv(x)
        batch, channels, height, width = x.shape
        x = x.view(batch, channels // (frequency * time), frequency, time, height, width)
        x = x.permute(0, 1, 4, 2, 5, 3).reshape(batch, -1, height * frequency, width * time)
        return x.contiguous(memory_format=torch.channels_last)


class Encoder(nn.Module):
    """(B, 1, M, N) in [-1, 1] -> mean and log-variance, (B, C, H, W) each."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        widths = config.widths
        layers: list[nn.Module] = [nn.PixelUnshuffle(config.patch)]
        layers.append(nn.Conv2d(config.patch**2, widths[0], 3, padding=1))
        for level, width in enumerate(widths):
            layers += _blocks(width, config.encoder_blocks[level])
            if level + 1 < len(widths):
                stride = config.strides[level]
                layers.append(nn.Conv2d(width, widths[level + 1], stride, stride=stride))
        layers += [ChannelNorm(widths[-1]), nn.Conv2d(widths[-1], 2 * config.latent_channels, 1)]
        self.layers = nn.Sequential(*layers)
        self.linear = nn.Conv2d(1, config.latent_channels, config.cell, stride=config.cell)
        with torch.no_grad():
            head = layers[-1]
            assert isinstance(head, nn.Conv2d)
            assert head.bias is not None
            nn.init.zeros_(head.weight)
            head.bias[: config.latent_channels] = 0.0
            # Start with little noise on the latents: a noisy start learns to ignore them.
            head.bias[config.latent_channels :] = -5.0

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.layers(picture).chunk(2, dim=1)
        return mean + self.linear(picture), log_variance


class Decoder(nn.Module):
    """(B, C, H, W) -> (B, 1, M, N), about [-1, 1]."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        widths = config.widths
        layers: list[nn.Module] = [nn.Conv2d(config.latent_channels, widths[-1], 3, padding=1)]
        for level in reversed(range(len(widths))):
            layers += _blocks(widths[level], config.decoder_blocks[level])
            if level > 0:
                layers.append(
                    _Upsample(widths[level], widths[level - 1], config.strides[level - 1])
                )
        layers += [ChannelNorm(widths[0]), nn.Conv2d(widths[0], config.patch**2, 3, padding=1)]
        last = layers[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        layers.append(nn.PixelShuffle(config.patch))
        self.layers = nn.Sequential(*layers)
        self.linear = nn.ConvTranspose2d(config.latent_channels, 1, config.cell, stride=config.cell)

    def forward(self, latents: Tensor) -> Tensor:
        result: Tensor = self.layers(latents) + self.linear(latents)
        return result


class SonogramAutoencoder(nn.Module):
    """Variational autoencoder of log-mel pictures.

    Beside the network runs a linear map of every cell, which `set_linear` starts at the cell's
    principal components: training begins where the best linear code ends.

    The latents that `encode` gives and `decode` takes are shifted by `latent_mean` and divided by
    `latent_scale`, both measured on the training set. Dividing by the root of a channel's spread
    instead of the spread gives the whole unit variance and keeps half (in dB) of the channels'
    order: noise hides the details first, so that sampling settles them last.

    References
    ----------
    Kingma & Welling, Auto-Encoding Variational Bayes (2014); Rombach et al., High-Resolution
    Image Synthesis with Latent Diffusion Models (2022).
    """

    latent_mean: Tensor
    latent_scale: Tensor

    def __init__(self, config: AutoencoderConfig | None = None) -> None:
        super().__init__()
        self.config = config or AutoencoderConfig()
        self.encoder = Encoder(self.config)
        self.decoder = Decoder(self.config)
        self.register_buffer("latent_mean", torch.zeros(self.config.latent_channels))
        self.register_buffer("latent_scale", torch.ones(self.config.latent_channels))

    @torch.no_grad()
    def set_linear(self, components: Tensor, level: Tensor) -> None:
        """Start from a linear code.

        Parameters
        ----------
        components : (C, rows * columns of a cell), orthogonal rows; their length sets the scale
        level : () mean of the pictures
        """
        rows, columns = self.config.cell
        norms = components.square().sum(1, keepdim=True)
        self.encoder.linear.weight.copy_(components.view(-1, 1, rows, columns))
        back = components / norms
        self.decoder.linear.weight.copy_(back.view(-1, 1, rows, columns))
        assert self.encoder.linear.bias is not None
        assert self.decoder.linear.bias is not None
        self.encoder.linear.bias.copy_(-components.sum(1) * level)
        self.decoder.linear.bias.copy_(level)

    def forward(
        self, picture: Tensor, generator: torch.Generator, *, decoder_only: bool = False
    ) -> tuple[Tensor, ...]:
        """Training pass: decoded sample of the posterior, its mean and log-variance.

        With `decoder_only` the encoder learns nothing.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not decoder_only):
            mean, log_variance = self.posterior(picture)
        noise = torch.randn(mean.shape, generator=generator).to(mean)
        return self.decoder(mean + noise * (0.5 * log_variance).exp()), mean, log_variance

    def posterior(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (B, C, H, W) of the unscaled latents of (B, 1, M, N)."""
        mean, log_variance = self.encoder(picture)
        return mean, log_variance.clamp(-12.0, 4.0)

    def encode(self, picture: Tensor) -> Tensor:
        """Scaled latents (B, C, H, W) of a picture (B, 1, M, N) in [-1, 1]."""
        mean, _ = self.posterior(picture)
        return (mean - self.latent_mean[:, None, None]) / self.latent_scale[:, None, None]

    def decode(self, latents: Tensor) -> Tensor:
        """Picture (B, 1, M, N) in [-1, 1] of scaled latents (B, C, H, W)."""
        unscaled = latents * self.latent_scale[:, None, None] + self.latent_mean[:, None, None]
        result: Tensor = self.decoder(unscaled)
        return result.clamp(-1.0, 1.0)

    def with_decoder_blocks(self, counts: tuple[int, ...]) -> SonogramAutoencoder:
        """The same function, with room to learn: more residual blocks, which start as identity.

        Parameters
        ----------
        counts : decoder blocks at each resolution, finest first, none fewer than there are

        Raises
        ------
        ParameterError
            another number of resolutions, or fewer blocks
        """
        have = self.config.decoder_blocks
        if len(counts) != len(have) or any(n < m for n, m in zip(counts, have, strict=True)):
            raise ParameterError(f"need at least {have} decoder blocks, finest first, got {counts}")
        deeper = SonogramAutoencoder(replace(self.config, decoder_blocks=counts))
        state = {k: v for k, v in self.state_dict().items() if not k.startswith("decoder.layers.")}
        deeper.load_state_dict(state, strict=False)
        ours = list(self.decoder.layers)
        for layer in deeper.decoder.layers:
            if isinstance(layer, ResidualBlock) and not isinstance(ours[0], ResidualBlock):
                continue
            layer.load_state_dict(ours.pop(0).state_dict())
        return deeper
