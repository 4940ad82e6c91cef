"""The denoiser: convolutions on the latent grid, and a transformer over its columns."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sonoriff.models.small.conditions import DenoiserConditions
from sonoriff.models.small.config import BEAT_PARTS, ENERGIES, ROPE_BASE, DenoiserConfig
from sonoriff.models.small.torch.scale import ChordRows, ScaleRows
from sonoriff.models.small.torch.tempo import TempoGuess
from sonoriff.music import KEYS, KINDS, MODES

Conditions = DenoiserConditions[Tensor]


def mean_state(text: Tensor, present: Tensor) -> Tensor:
    """(B, L, width) and (B, L) -> (B, width): mean over the tokens that are there."""
    weights = present.to(text.dtype)[..., None]
    return (text * weights).sum(1) / weights.sum(1).clamp_min(1)


def sinusoids(values: Tensor, width: int, longest: float, shortest: float) -> Tensor:
    """(B,) -> (B, width): sines and cosines of periods from `longest` to `shortest`."""
    periods = torch.logspace(math.log10(longest), math.log10(shortest), width // 2)
    angles = values.float()[:, None] * (2 * math.pi / periods.to(values.device))
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def beat_waves(bpm: Tensor, beat: Tensor, columns: int, column_seconds: float) -> Tensor:
    """Phase within the beat at the start of each column.

    Shape (B, columns, 2 * len(BEAT_PARTS)), cosines and sines; zero where the tempo or the place is
    unknown. A network given only the tempo must learn to count; from these waves it can read when
    the next beat falls.
    """
    known = (bpm > 0) & beat.isfinite()
    seconds = torch.arange(columns, device=bpm.device) * column_seconds
    beats = beat.float().nan_to_num()[:, None] + bpm.float()[:, None] / 60.0 * seconds
    angles = 2 * math.pi * beats[..., None] * torch.tensor(BEAT_PARTS, device=bpm.device)
    return torch.cat([angles.cos(), angles.sin()], dim=-1) * known[:, None, None]


def rotations(columns: int, head_width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Rotary positions of columns.

    Returns
    -------
    cosines and sines, float32 (columns, head_width // 2) each

    References
    ----------
    Su et al., RoFormer (2021).
    """
    half = head_width // 2
    rates = ROPE_BASE ** (-torch.arange(half, device=device) / half)
    angles = torch.arange(columns, device=device)[:, None] * rates
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Turn the halves of the last axis of (B, heads, L, D) by the angles (L, D // 2)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cosines - b * sines, a * sines + b * cosines], dim=-1)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(q k / sqrt(D)) v, (B, heads, L, D) -> (B, L, heads * D).

    Written out, since the grid has some hundred tokens: the fused kernel's backward pass on a
    CPU takes five times as long as these two products and gains only at thousands of tokens.
    """
    scores = torch.matmul(q, k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e4)
    mixed = torch.matmul(scores.softmax(dim=-1).to(v.dtype), v)
    return mixed.transpose(1, 2).flatten(2)


class _SelfAttention(nn.Module):
    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        self.q_scale = nn.Parameter(torch.ones(config.width // config.heads))
        self.k_scale = nn.Parameter(torch.ones(config.width // config.heads))

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        batch, length, _ = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q = rotate(F.layer_norm(q, q.shape[-1:], self.q_scale.to(q.dtype)), *turns)
        k = rotate(F.layer_norm(k, k.shape[-1:], self.k_scale.to(k.dtype)), *turns)
        result: Tensor = self.out(attend(q, k, v))
        return result


class _TextAttention(nn.Module):
    """Cross-attention to the prompt; a learned empty token is always there to look at."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.width)
        self.q = nn.Linear(config.width, config.width, bias=False)
        self.kv = nn.Linear(config.width, 2 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        batch, length, _ = x.shape
        q = self.q(self.norm(x)).view(batch, length, self.heads, -1).transpose(1, 2)
        k, v = self.kv(text).view(batch, text.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        result: Tensor = self.out(attend(q, k, v, mask))
        return result


class _Block(nn.Module):
    """Self-attention, text and MLP; the condition shifts, scales and gates (adaLN-single)."""

    def __init__(self, config: DenoiserConfig, *, reads_text: bool) -> None:
        super().__init__()
        width = config.width
        self.attention = _SelfAttention(config)
        self.text_attention = _TextAttention(config) if reads_text else None
        self.rise = nn.Linear(width, 4 * width)
        self.fall = nn.Linear(4 * width, width)
        self.modulation = nn.Parameter(torch.randn(6, width) / width**0.5)

    def forward(
        self, x: Tensor, shared: Tensor, turns: tuple[Tensor, Tensor], text: Tensor, mask: Tensor
    ) -> Tensor:
        table = (shared + self.modulation).to(x.dtype)
        shift1, scale1, gate1, shift2, scale2, gate2 = table.unsqueeze(2).unbind(1)
        width = (x.shape[-1],)
        h = F.layer_norm(x, width) * (1 + scale1) + shift1
        x = x + gate1 * self.attention(h, turns)
        if self.text_attention is not None:
            x = x + self.text_attention(x, text, mask)
        h = F.layer_norm(x, width) * (1 + scale2) + shift2
        change: Tensor = gate2 * self.fall(F.gelu(self.rise(h), approximate="tanh"))
        return x + change


class _GridBlock(nn.Module):
    """x + conv(silu(conv(norm(x)))) on (B, H, W, C); the condition shifts, scales and gates."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width = config.grid_width
        self.modulate = nn.Linear(config.width, 3 * width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        shift, scale, gate = self.modulate(vector)[:, None, None].to(x.dtype).chunk(3, dim=-1)
        h = F.layer_norm(x, x.shape[-1:]) * (1 + scale) + shift
        # A permuted (B, H, W, C) is channels-last, the convolution's own layout.
        h = self.conv2(F.silu(self.conv1(h.permute(0, 3, 1, 2)))).permute(0, 2, 3, 1)
        result: Tensor = x + gate * h
        return result


class Denoiser(nn.Module):
    """Velocity of the flow at a noisy latent grid.

    Convolutions see the grid cell by cell: lines that go on in time, partials in frequency. Between
    them a transformer sees whole columns, so that what sounds together is one token. The grid may
    be of any width: positions in time are relative (rotary), rows are told apart by a learned
    vector. A second grid and a mask tell what is already known (all zero: nothing).

    The network's inputs have unit power and its output corrects the best linear guess of each
    channel and row, so that an untrained network is that guess and no layer has to carry noise
    through.

    References
    ----------
    Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models (2022), for
    inputs and outputs of unit power, here on the straight path and for each channel;
    Peebles & Xie, Scalable Diffusion Models with Transformers (2023); Chen et al.,
    PixArt-alpha (2023) for adaLN-single; Hoogeboom et al., Simple Diffusion (2023) for
    convolutions around a transformer; Liu et al., Flow Straight and Fast (2022).
    """

    level: Tensor
    spread: Tensor

    def __init__(self, config: DenoiserConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or DenoiserConfig()
        # Mean and standard deviation of the latents of each channel and row, which training sets.
        self.register_buffer("level", torch.zeros(c.latent_channels, c.latent_rows))
        self.register_buffer("spread", torch.ones(c.latent_channels, c.latent_rows))
        self.enter = nn.Linear(2 * c.latent_channels + 1, c.grid_width)
        self.row_position = nn.Parameter(torch.randn(c.latent_rows, 1, c.grid_width) * 0.02)
        self.scale_rows = ScaleRows(c.latent_rows)
        self.scale = nn.Linear(self.scale_rows.width, c.grid_width, bias=False)
        self.before = nn.ModuleList(_GridBlock(c) for _ in range(c.grid_blocks[0]))
        self.down = nn.Linear(c.latent_rows * c.grid_width, c.width)
        self.text_in = nn.Sequential(nn.LayerNorm(c.text_width), nn.Linear(c.text_width, c.width))
        self.empty_text = nn.Parameter(torch.randn(c.width) * 0.02)
        self.pooled = nn.Linear(c.text_width, c.width)
        self.time = nn.Sequential(nn.Linear(256, c.width), nn.SiLU(), nn.Linear(c.width, c.width))
        self.bpm = nn.Linear(64, c.width)
        self.tempo_guess = TempoGuess(c.text_width)
        self.beat = nn.Linear(2 * len(BEAT_PARTS), c.width, bias=False)
        self.key = nn.Embedding(len(KEYS) + 1, c.width)
        self.mode = nn.Embedding(len(MODES) + 1, c.width)
        if "kind" in c.conditions:
            self.kind = nn.Embedding(len(KINDS) + 1, c.width)
        if "energy" in c.conditions:
            self.energy = nn.Embedding(ENERGIES + 1, c.width)
        if "chords" in c.conditions:
            self.chord_rows = ChordRows(c.latent_rows)
            self.chords = nn.Linear(self.chord_rows.width, c.grid_width, bias=False)
        self.modulate = nn.Sequential(nn.SiLU(), nn.Linear(c.width, 6 * c.width))
        self.blocks = nn.ModuleList(
            _Block(c, reads_text=i % c.cross_every == 0) for i in range(c.depth)
        )
        self.up = nn.Linear(c.width, c.latent_rows * c.grid_width)
        self.after = nn.ModuleList(_GridBlock(c) for _ in range(c.grid_blocks[1]))
        self.leave_modulate = nn.Linear(c.width, 2 * c.grid_width)
        self.leave = nn.Linear(c.grid_width, c.latent_channels)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for block in self.blocks:
            assert isinstance(block, _Block)
            with torch.no_grad():
                block.modulation[[2, 5]] = 0.0
            if block.text_attention is not None:
                nn.init.zeros_(block.text_attention.out.weight)
        for grid in (*self.before, *self.after):
            assert isinstance(grid, _GridBlock)
            nn.init.zeros_(grid.modulate.weight)
            with torch.no_grad():
                # Open from the start: the convolutions carry what the tokens cannot.
                grid.modulate.bias[2 * self.config.grid_width :] = 0.3
        for layer in (self.modulate[1], self.leave_modulate, self.leave, self.beat, self.scale):
            assert isinstance(layer, nn.Linear)
            nn.init.zeros_(layer.weight)
        # Zero until learned, so that an untrained condition has no effect.
        for name in self.config.conditions:
            nn.init.zeros_(getattr(self, name).weight)
        nn.init.normal_(self.key.weight, std=0.02)
        nn.init.normal_(self.mode.weight, std=0.02)

    def forward(
        self,
        noisy: Tensor,
        time: Tensor,
        condition: Conditions,
        known: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Velocity, noise minus data.

        Parameters
        ----------
        noisy : (B, C, H, W)
        time : (B,) in [0, 1], 0 is data and 1 is noise
        condition : of the same batch size
        known : (B, C, H, W), clean latents where `mask` is 1; not read elsewhere
        mask : (B, 1, H, W), 1 where the latents are known

        Returns
        -------
        (B, C, H, W)
        """
        c = self.config
        level, spread = (p.to(noisy.dtype)[None, ..., None] for p in (self.level, self.spread))
        scale, skip, gain = self._linear_guess(time, noisy.dtype)
        centred = noisy - (1.0 - time.to(noisy.dtype)).view(-1, 1, 1, 1) * level
        inputs = torch.cat([centred * scale, (known - level) / spread * mask, mask], dim=1)
        vector = self._vector(time, condition)
        active = F.silu(vector)
        grid = self.enter(inputs.permute(0, 2, 3, 1)) + self.row_position.to(noisy.dtype)
        grid = grid + self._notes(condition, noisy.dtype)
        for block in self.before:
            grid = block(grid, active)
        grid = grid + self._rows(self._columns_mixed(grid, vector, condition))
        for block in self.after:
            grid = block(grid, active)
        shift, stretch = self.leave_modulate(active)[:, None, None].to(grid.dtype).chunk(2, dim=-1)
        grid = self.leave(F.layer_norm(grid, (c.grid_width,)) * (1 + stretch) + shift)
        velocity: Tensor = skip * centred + gain * grid.permute(0, 3, 1, 2) - level
        return velocity

    def _columns_mixed(self, grid: Tensor, vector: Tensor, condition: Conditions) -> Tensor:
        """(B, H, W, grid_width) -> (B, W, width), through the transformer."""
        c = self.config
        x = self.down(grid.transpose(1, 2).flatten(2))
        x = x + self._beats(condition, x.shape[1], x.dtype)
        text, text_mask = self._text(condition)
        shared = self.modulate(vector).float().view(-1, 6, c.width)
        cosines, sines = rotations(x.shape[1], c.width // c.heads, x.device)
        turns = (cosines.to(x.dtype), sines.to(x.dtype))
        for block in self.blocks:
            x = block(x, shared, turns, text, text_mask)
        mixed: Tensor = x
        return mixed

    def _rows(self, x: Tensor) -> Tensor:
        """(B, W, width) -> (B, H, W, grid_width)."""
        c = self.config
        columns: Tensor = self.up(F.layer_norm(x, (c.width,)))
        rows: Tensor = columns.view(len(x), x.shape[1], c.latent_rows, c.grid_width)
        return rows.transpose(1, 2)

    def _linear_guess(self, time: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """(B, C, H, 1) each: 1 / spread of x_t, the share of x_t in the best linear guess of the
        velocity, and the spread of what that guess leaves open."""
        t = time.float().view(-1, 1, 1, 1)
        data = self.spread.float()[None, ..., None]
        power = t.square() + ((1.0 - t) * data).square()
        scale = power.rsqrt()
        skip = (t - (1.0 - t) * data.square()) / power
        return scale.to(dtype), skip.to(dtype), (data * scale).to(dtype)

    def _text(self, condition: Conditions) -> tuple[Tensor, Tensor]:
        text = self.text_in(condition.text)
        empty = self.empty_text.to(text.dtype).expand(len(text), 1, -1)
        always = torch.ones(len(text), 1, dtype=torch.bool, device=text.device)
        mask = torch.cat([always, condition.present], dim=1)[:, None, None, :]
        return torch.cat([empty, text], dim=1), mask

    def _beats(self, condition: Conditions, columns: int, dtype: torch.dtype) -> Tensor:
        """(B, columns, width)."""
        seconds = self.config.column_seconds
        waves: Tensor = self.beat(
            beat_waves(condition.bpm, condition.beat, columns, seconds).to(dtype)
        )
        return waves

    def _notes(self, condition: Conditions, dtype: torch.dtype) -> Tensor:
        """(B, H, W or 1, grid_width), from the pitches of the key and of the chords."""
        notes: Tensor = self.scale(self.scale_rows(condition.key, condition.mode).to(dtype))
        notes = notes.unsqueeze(2)
        if "chords" in self.config.conditions:
            notes = notes + self.chords(self.chord_rows(condition.chords).to(dtype))
        return notes

    def _vector(self, time: Tensor, condition: Conditions) -> Tensor:
        pooled = mean_state(condition.text, condition.present)
        known_bpm = (condition.bpm > 0).float()
        octaves = torch.log2(condition.bpm.float().clamp_min(1.0) / 120.0)
        dtype = condition.text.dtype
        bpm = self.bpm(sinusoids(octaves, 64, 8.0, 0.05).to(dtype)) * known_bpm[:, None].to(dtype)
        vector: Tensor = (
            self.time(sinusoids(time, 256, 4.0, 0.004).to(dtype))
            + self.pooled(pooled)
            + bpm
            + self.key(condition.key + 1)
            + self.mode(condition.mode + 1)
        )
        if "kind" in self.config.conditions:
            vector = vector + self.kind(condition.kind + 1)
        if "energy" in self.config.conditions:
            vector = vector + self.energy(condition.energy)
        return vector
