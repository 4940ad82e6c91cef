"""Convolutions of 3 x 3 with a quarter of the multiplications, for processors.

Half of the work of Stable Diffusion's UNet are such convolutions, and a processor's time is its
multiplications. The result is that of the plain convolution to rounding (5e-5 of the spread).

References
----------
Lavin & Gray, Fast Algorithms for Convolutional Neural Networks (2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Below this many channels the transforms cost more than they save.
_LEAST_CHANNELS = 256
# From here on the weights are larger than what they work on: the small tile, whose transformed
# weights are 16 / 9 as many instead of 4 times.
_WIDE_CHANNELS = 1280
# Numbers that are transformed at once: what a processor's last cache may hold.
_STRIP_NUMBERS = 1 << 23


@dataclass(frozen=True)
class _Tile:
    """The three matrices of F(m x m, 3 x 3): of the input, of the weights, of the output."""

    enter: tuple[tuple[float, ...], ...]
    weigh: tuple[tuple[float, ...], ...]
    leave: tuple[tuple[float, ...], ...]


_TWO = _Tile(
    enter=((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
    weigh=((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1)),
    leave=((1, 1, 1, 0), (0, 1, -1, -1)),
)
_FOUR = _Tile(
    enter=(
        (4, 0, -5, 0, 1, 0),
        (0, -4, -4, 1, 1, 0),
        (0, 4, -4, -1, 1, 0),
        (0, -2, -1, 2, 1, 0),
        (0, 2, -1, -2, 1, 0),
        (0, 4, 0, -5, 0, 1),
    ),
    weigh=(
        (1 / 4, 0, 0),
        (-1 / 6, -1 / 6, -1 / 6),
        (-1 / 6, 1 / 6, -1 / 6),
        (1 / 24, 1 / 12, 1 / 6),
        (1 / 24, -1 / 12, 1 / 6),
        (0, 0, 1),
    ),
    leave=((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1)),
)


def quicken(network: nn.Module) -> None:
    """Let the wide 3 x 3 convolutions of a network take the short way where nothing is learned.

    That is in inference mode, on a processor, in float32; anywhere else they are as they were.
    Weights may be changed at any time; the transformed ones are made again when they are needed.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and _suits(module):
            module.forward = _Convolution(module)  # type: ignore[method-assign, assignment]


def _suits(convolution: nn.Conv2d) -> bool:
    asked = (convolution.kernel_size, convolution.stride, convolution.padding)
    return (
        asked == ((3, 3), (1, 1), (1, 1))
        and convolution.dilation == (1, 1)
        and convolution.groups == 1
        and convolution.padding_mode == "zeros"
        and min(convolution.in_channels, convolution.out_channels) >= _LEAST_CHANNELS
    )


class _Convolution:
    """The forward pass of one convolution; keeps its transformed weights, (n * n, C, D)."""

    def __init__(self, plain: nn.Conv2d) -> None:
        self.plain = plain
        wide = max(plain.in_channels, plain.out_channels) >= _WIDE_CHANNELS
        tile = _TWO if wide else _FOUR
        enter, leave = (torch.tensor(m, dtype=torch.float32) for m in (tile.enter, tile.leave))
        self.size, self.step = len(enter), len(leave)
        self.enter, self.leave = torch.kron(enter, enter), torch.kron(leave, leave)
        self.weigh = torch.tensor(tile.weigh, dtype=torch.float32)
        self.weights: Tensor | None = None
        self.made_of: tuple[int, int] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        if not torch.is_inference_mode_enabled() or x.device.type != "cpu" or not _single(x):
            plain: Tensor = self.plain._conv_forward(x, self.plain.weight, self.plain.bias)
            return plain
        batch, channels, height, width = x.shape
        size, step = self.size, self.step
        down, across = -(-height // step), -(-width // step)
        below, right = down * step - height + 1, across * step - width + 1
        padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, right, 1, below))
        y = x.new_empty(batch, down, step, across, step, self.plain.out_channels)
        strip = max(1, _STRIP_NUMBERS // (size * size * batch * across * channels))
        for first in range(0, down, strip):
            last = min(first + strip, down)
            self._strip(padded[:, first * step : last * step + size - step], y[:, first:last])
        if self.plain.bias is not None:
            y += self.plain.bias
        whole = y.view(batch, down * step, across * step, -1)[:, :height, :width]
        return whole.permute(0, 3, 1, 2)

    def _strip(self, rows: Tensor, y: Tensor) -> None:
        """Fill y (B, down, step, across, step, D) from rows (B, H, W, C) with their margins."""
        size, step, channels = self.size, self.step, rows.shape[3]
        batch, down, _, across, _, _ = y.shape
        b, h, w, c = rows.stride()
        tiles = rows.as_strided(
            (size, size, batch, down, across, channels),
            (h, w, b, h * step, w * step, c),
        )
        entered = self.enter @ tiles.reshape(size * size, -1)
        product = torch.bmm(entered.view(size * size, -1, channels), self._transformed())
        left = self.leave @ product.view(size * size, -1)
        y.copy_(left.view(step, step, batch, down, across, -1).permute(2, 3, 0, 4, 1, 5))

    def _transformed(self) -> Tensor:
        weight = self.plain.weight
        state = (weight.data_ptr(), 0 if weight.is_inference() else weight._version)
        if self.weights is None or self.made_of != state:
            turned = torch.einsum("ai,ocij,bj->abco", self.weigh, weight, self.weigh)
            self.weights = turned.reshape(-1, *turned.shape[2:]).contiguous()
            self.made_of = state
        return self.weights


def _single(x: Tensor) -> bool:
    return x.dtype == torch.float32
