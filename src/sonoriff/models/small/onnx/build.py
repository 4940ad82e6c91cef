"""The networks of the small model as ONNX graphs; see `models.small.torch` for what they are."""

from __future__ import annotations

import math

import numpy as np

from sonoriff.models.small.conditions import CHORD_WIDTH
from sonoriff.models.small.config import (
    BEAT_PARTS,
    ENERGIES,
    ROPE_BASE,
    AutoencoderConfig,
    DenoiserConfig,
)
from sonoriff.models.small.onnx.graph import Graph
from sonoriff.models.small.onnx.stored import Config, StoredGraph
from sonoriff.models.small.scale import chord_table, scale_table
from sonoriff.models.small.text import TEXT_EPSILON, TEXT_HEADS, TEXT_LAYERS, TEXT_WIDTH
from sonoriff.music import KEYS, KINDS, MODES
from sonoriff.sonogram.params import HIFI


def build_graph(name: str, config: Config = None) -> StoredGraph:
    """The graph of "denoiser", "denoiser-int8", "encoder", "decoder" or "text"."""
    if isinstance(config, DenoiserConfig):
        return denoiser_graph(config, whole=name.endswith("-int8"))
    if isinstance(config, AutoencoderConfig):
        return encoder_graph(config) if name == "encoder" else decoder_graph(config)
    return text_graph()


def text_graph() -> StoredGraph:
    """The text encoder, from the embeddings of its tokens on."""
    g, width = Graph("text"), TEXT_WIDTH
    x = g.input("embedded", "float", ("batch", "tokens", width))
    present = g.input("present", "bool", ("batch", "tokens"))

    def norm(x: str, name: str) -> str:
        scale, bias = g.weight(f"{name}.weight", (width,)), g.weight(f"{name}.bias", (width,))
        return g.norm(x, width, scale=scale, bias=bias, eps=TEXT_EPSILON)

    x = norm(x, "norm")
    seen = g.op("Where", present, g.constant(0.0), g.constant(-1e9))
    bias = g.unsqueeze(seen, 1, 2)
    for i in range(TEXT_LAYERS):
        at = f"layers.{i}"
        q, k, v = (
            _heads(g, g.linear(x, f"{at}.{name}", width, width), TEXT_HEADS, width)
            for name in ("query", "key", "value")
        )
        mixed = _attend(g, q, k, v, width // TEXT_HEADS, bias)
        x = norm(g.add(x, g.linear(mixed, f"{at}.attended", width, width)), f"{at}.attended_norm")
        risen = g.op("Gelu", g.linear(x, f"{at}.rise", width, 4 * width))
        x = norm(g.add(x, g.linear(risen, f"{at}.fall", 4 * width, width)), f"{at}.fall_norm")
    return g.done(states=(x, ("batch", "tokens", width)))


def encoder_graph(config: AutoencoderConfig) -> StoredGraph:
    """Picture (B, 1, M, N) -> scaled latents (B, C, H, W)."""
    g, c = Graph("encoder"), config
    picture = g.input("picture", "float", ("batch", 1, HIFI.n_mels, "columns"))
    x = g.op("SpaceToDepth", picture, blocksize=c.patch)
    x = g.conv(x, "encoder.layers.1", c.patch**2, c.widths[0])
    layer = 2
    for level, width in enumerate(c.widths):
        for _ in range(c.encoder_blocks[level]):
            x = _residual(g, x, f"encoder.layers.{layer}", width)
            layer += 1
        if level + 1 < len(c.widths):
            stride = list(c.strides[level])
            x = g.conv(
                x, f"encoder.layers.{layer}", width, c.widths[level + 1], stride, strides=stride
            )
            layer += 1
    x = _channel_norm(g, x, f"encoder.layers.{layer}", c.widths[-1])
    x = g.conv(x, f"encoder.layers.{layer + 1}", c.widths[-1], 2 * c.latent_channels, (1, 1))
    mean, _ = g.split(x, 2, axis=1)
    linear = g.conv(picture, "encoder.linear", 1, c.latent_channels, c.cell, strides=list(c.cell))
    mean_of, spread = (
        g.unsqueeze(g.weight(name, (c.latent_channels,)), 1, 2)
        for name in ("latent_mean", "latent_scale")
    )
    latents = g.op("Div", g.op("Sub", g.add(mean, linear), mean_of), spread)
    return g.done(
        latents=(latents, ("batch", c.latent_channels, HIFI.n_mels // c.cell[0], "cells"))
    )


def decoder_graph(config: AutoencoderConfig) -> StoredGraph:
    """Scaled latents (B, C, H, W) -> picture (B, 1, M, N)."""
    g, c = Graph("decoder"), config
    height = HIFI.n_mels // c.cell[0]
    scaled = g.input("latents", "float", ("batch", c.latent_channels, height, "cells"))
    level, spread = (
        g.unsqueeze(g.weight(name, (c.latent_channels,)), 1, 2)
        for name in ("latent_mean", "latent_scale")
    )
    latents = g.add(g.mul(scaled, spread), level)
    x = g.conv(latents, "decoder.layers.0", c.latent_channels, c.widths[-1])
    layer = 1
    for level_at in reversed(range(len(c.widths))):
        width = c.widths[level_at]
        for _ in range(c.decoder_blocks[level_at]):
            x = _residual(g, x, f"decoder.layers.{layer}", width)
            layer += 1
        if level_at > 0:
            frequency, time = c.strides[level_at - 1]
            finer = c.widths[level_at - 1]
            x = g.conv(x, f"decoder.layers.{layer}.conv", width, finer * frequency * time, (1, 1))
            x = g.reshape(x, (0, finer, frequency, time, height, -1))
            x = g.transpose(x, 0, 1, 4, 2, 5, 3)
            height *= frequency
            x = g.reshape(x, (0, finer, height, -1))
            layer += 1
    x = _channel_norm(g, x, f"decoder.layers.{layer}", c.widths[0])
    x = g.conv(x, f"decoder.layers.{layer + 1}", c.widths[0], c.patch**2)
    x = g.op("DepthToSpace", x, blocksize=c.patch, mode="CRD")
    weight = g.weight("decoder.linear.weight", (c.latent_channels, 1, *c.cell))
    cells = [*c.cell]
    linear = g.op(
        *("ConvTranspose", latents, weight, g.weight("decoder.linear.bias", (1,))),
        kernel_shape=cells,
        strides=cells,
    )
    picture = g.op("Clip", g.add(x, linear), g.constant(-1.0), g.constant(1.0))
    return g.done(picture=(picture, ("batch", 1, HIFI.n_mels, "columns")))


def _residual(g: Graph, x: str, name: str, width: int) -> str:
    h = g.conv(_channel_norm(g, x, f"{name}.norm", width), f"{name}.conv1", width, width)
    return g.add(x, g.conv(g.silu(h), f"{name}.conv2", width, width))


def _channel_norm(g: Graph, x: str, name: str, width: int) -> str:
    scale, bias = g.weight(f"{name}.weight", (width,)), g.weight(f"{name}.bias", (width,))
    normed = g.norm(g.transpose(x, 0, 2, 3, 1), width, scale=scale, bias=bias)
    return g.transpose(normed, 0, 3, 1, 2)


def _heads(g: Graph, x: str, heads: int, width: int) -> str:
    """(B, L, width) -> (B, heads, L, width / heads)."""
    return g.transpose(g.reshape(x, (0, 0, heads, width // heads)), 0, 2, 1, 3)


def _attend(g: Graph, q: str, k: str, v: str, head_width: int, bias: str = "") -> str:
    """softmax(q k / sqrt(D) + bias) v -> (B, L, heads * D)."""
    scores = g.op("MatMul", q, g.transpose(k, 0, 1, 3, 2))
    scores = g.mul(scores, g.constant(head_width**-0.5))
    weights = g.op("Softmax", g.add(scores, bias) if bias else scores, axis=-1)
    return g.reshape(g.transpose(g.op("MatMul", weights, v), 0, 2, 1, 3), (0, 0, -1))


def denoiser_graph(config: DenoiserConfig, *, whole: bool = False) -> StoredGraph:
    """Velocity of the flow; `whole` computes the transformer's products in 8 bits."""
    return _DenoiserGraph(config, whole).built()


class _DenoiserGraph:
    """The denoiser's forward pass, in the order of `Denoiser.forward`."""

    def __init__(self, config: DenoiserConfig, whole: bool) -> None:
        self.c, self.whole, self.g = config, whole, Graph("denoiser")
        g, c = self.g, config
        grid = ("batch", c.latent_channels, c.latent_rows, "columns")
        self.noisy, self.known = (g.input(name, "float", grid) for name in ("noisy", "known"))
        self.mask = g.input("mask", "float", ("batch", 1, c.latent_rows, "columns"))
        self.time = g.input("time", "float", ("batch",))
        self.text = g.input("text", "float", ("batch", "tokens", c.text_width))
        self.present = g.input("present", "bool", ("batch", "tokens"))
        self.bpm, self.beat = (g.input(name, "float", ("batch",)) for name in ("bpm", "beat"))
        self.key, self.mode = (g.input(name, "int64", ("batch",)) for name in ("key", "mode"))
        if "kind" in c.conditions:
            self.kind = g.input("kind", "int64", ("batch",))
        if "energy" in c.conditions:
            self.energy = g.input("energy", "int64", ("batch",))
        if "chords" in c.conditions:
            self.chords = g.input("chords", "float", ("batch", "chord_columns", CHORD_WIDTH))

    def built(self) -> StoredGraph:
        g, c = self.g, self.c
        level, spread = (
            g.unsqueeze(g.weight(name, (c.latent_channels, c.latent_rows)), 0, 3)
            for name in ("level", "spread")
        )
        time = g.unsqueeze(self.time, 1, 2, 3)
        rest = g.op("Sub", g.constant(1.0), time)
        data = g.mul(rest, spread)
        power = g.add(g.mul(time, time), g.mul(data, data))
        scale = g.op("Reciprocal", g.op("Sqrt", power))
        skip = g.op("Div", g.op("Sub", time, g.mul(data, spread)), power)
        centred = g.op("Sub", self.noisy, g.mul(rest, level))
        told = g.mul(g.op("Div", g.op("Sub", self.known, level), spread), self.mask)
        inputs = g.op("Concat", g.mul(centred, scale), told, self.mask, axis=1)
        vector = self._vector()
        active = g.silu(vector)
        x = g.transpose(inputs, 0, 2, 3, 1)
        x = self._linear(x, "enter", 2 * c.latent_channels + 1, c.grid_width)
        x = g.add(x, g.weight("row_position", (c.latent_rows, 1, c.grid_width)))
        for notes in self._notes():
            x = g.add(x, notes)
        for i in range(c.grid_blocks[0]):
            x = self._grid_block(x, active, f"before.{i}")
        x = g.add(x, self._rows(self._columns(x, vector)))
        for i in range(c.grid_blocks[1]):
            x = self._grid_block(x, active, f"after.{i}")
        both = g.unsqueeze(self._linear(active, "leave_modulate", c.width, 2 * c.grid_width), 1, 2)
        shift, stretch = g.split(both, 2, axis=-1)
        x = self._modulated(x, c.grid_width, shift, stretch)
        x = g.transpose(self._linear(x, "leave", c.grid_width, c.latent_channels), 0, 3, 1, 2)
        gain = g.mul(spread, scale)
        velocity = g.op("Sub", g.add(g.mul(skip, centred), g.mul(gain, x)), level)
        grid = ("batch", c.latent_channels, c.latent_rows, "columns")
        return g.done(velocity=(velocity, grid))

    def _linear(self, x: str, name: str, inputs: int, outputs: int, **more: bool) -> str:
        return self.g.linear(x, name, inputs, outputs, **more)

    def _modulated(self, x: str, width: int, shift: str, scale: str) -> str:
        g = self.g
        return g.add(g.mul(g.norm(x, width), g.add(scale, g.constant(1.0))), shift)

    def _embedded(self, name: str, count: int, index: str, first: int) -> str:
        g = self.g
        place = g.add(index, g.constant(-first, np.int64)) if first else index
        return g.op("Gather", g.weight(f"{name}.weight", (count, self.c.width)), place, axis=0)

    def _waves(self, values: str, width: int, longest: float, shortest: float) -> str:
        g = self.g
        periods = np.logspace(math.log10(longest), math.log10(shortest), width // 2)
        angles = g.mul(g.unsqueeze(values, 1), g.constant(2 * math.pi / periods[None]))
        return g.op("Concat", g.op("Sin", angles), g.op("Cos", angles), axis=1)

    def _known_bpm(self) -> str:
        g = self.g
        return g.op("Cast", g.op("Greater", self.bpm, g.constant(0.0)), to=1)

    def _vector(self) -> str:
        g, c = self.g, self.c
        counted = g.unsqueeze(g.op("Cast", self.present, to=1), 2)
        axis = g.constant([1], np.int64)
        total = g.op("ReduceSum", g.mul(self.text, counted), axis, keepdims=0)
        n = g.op("Max", g.op("ReduceSum", counted, axis, keepdims=0), g.constant(1.0))
        pooled = self._linear(g.op("Div", total, n), "pooled", c.text_width, c.width)
        octaves = g.op("Log", g.op("Max", self.bpm, g.constant(1.0)))
        octaves = g.op(
            "Sub", g.mul(octaves, g.constant(1 / math.log(2))), g.constant(math.log2(120))
        )
        bpm = self._linear(self._waves(octaves, 64, 8.0, 0.05), "bpm", 64, c.width)
        bpm = g.mul(bpm, g.unsqueeze(self._known_bpm(), 1))
        time = self._linear(self._waves(self.time, 256, 4.0, 0.004), "time.0", 256, c.width)
        time = self._linear(g.silu(time), "time.2", c.width, c.width)
        terms = [time, pooled, bpm]
        terms.append(self._embedded("key", len(KEYS) + 1, self.key, -1))
        terms.append(self._embedded("mode", len(MODES) + 1, self.mode, -1))
        if "kind" in c.conditions:
            terms.append(self._embedded("kind", len(KINDS) + 1, self.kind, -1))
        if "energy" in c.conditions:
            terms.append(self._embedded("energy", ENERGIES + 1, self.energy, 0))
        return g.add(*terms)

    def _notes(self) -> list[str]:
        """What pitches add to the grid, (B, H, W or 1, grid_width) each."""
        g, c = self.g, self.c
        count, _, rows, width = scale_table(c.latent_rows).shape
        flat = g.weight("scale_rows", (count * len(KEYS), rows, width))
        known = g.op("Cast", g.op("GreaterOrEqual", self.key, g.constant(0, np.int64)), to=1)
        key = g.op("Max", self.key, g.constant(0, np.int64))
        place = g.add(self.mode, g.constant(1, np.int64))
        place = g.add(g.mul(place, g.constant(len(KEYS), np.int64)), key)
        shown = g.mul(g.op("Gather", flat, place, axis=0), g.unsqueeze(known, 1, 2))
        scale = self._linear(shown, "scale", width, c.grid_width, bias=False)
        notes = [g.unsqueeze(scale, 2)]
        if "chords" in c.conditions:
            width = chord_table(c.latent_rows).shape[-1]
            spread = g.weight("chord_rows", (len(KEYS), c.latent_rows * width))
            parts = []
            for part in g.split(self.chords, 2, axis=-1):
                laid = g.reshape(g.op("MatMul", part, spread), (0, 0, c.latent_rows, width))
                parts.append(g.transpose(laid, 0, 2, 1, 3))
            both = g.op("Concat", *parts, axis=-1)
            notes.append(self._linear(both, "chords", 2 * width, c.grid_width, bias=False))
        return notes

    def _grid_block(self, x: str, vector: str, name: str) -> str:
        g, width = self.g, self.c.grid_width
        told = g.unsqueeze(self._linear(vector, f"{name}.modulate", self.c.width, 3 * width), 1, 2)
        shift, scale, gate = g.split(told, 3, axis=-1)
        h = g.transpose(self._modulated(x, width, shift, scale), 0, 3, 1, 2)
        h = g.conv(g.silu(g.conv(h, f"{name}.conv1", width, width)), f"{name}.conv2", width, width)
        return g.add(x, g.mul(gate, g.transpose(h, 0, 2, 3, 1)))

    def _rows(self, x: str) -> str:
        g, c = self.g, self.c
        wide = self._linear(
            g.norm(x, c.width), "up", c.width, c.latent_rows * c.grid_width, whole=self.whole
        )
        return g.transpose(g.reshape(wide, (0, 0, c.latent_rows, c.grid_width)), 0, 2, 1, 3)

    def _columns(self, grid: str, vector: str) -> str:
        g, c = self.g, self.c
        x = g.reshape(g.transpose(grid, 0, 2, 1, 3), (0, 0, c.latent_rows * c.grid_width))
        x = self._linear(x, "down", c.latent_rows * c.grid_width, c.width, whole=self.whole)
        columns = g.op("Gather", g.op("Shape", x), g.constant(1, np.int64))
        places = g.op("Range", g.constant(0, np.int64), columns, g.constant(1, np.int64))
        place = g.unsqueeze(g.op("Cast", places, to=1), 1)
        x = g.add(x, self._beats(place))
        shared = self._linear(g.silu(vector), "modulate.1", c.width, 6 * c.width)
        shared = g.reshape(shared, (0, 6, c.width))
        half = c.width // c.heads // 2
        angles = g.mul(place, g.constant(ROPE_BASE ** (-np.arange(half)[None] / half)))
        turns = g.op("Cos", angles), g.op("Sin", angles)
        text, seen = self._text()
        for i in range(c.depth):
            x = self._block(x, shared, turns, text, seen, i)
        return x

    def _beats(self, place: str) -> str:
        """(B, W, width), of the places of columns (W, 1)."""
        g, c = self.g, self.c
        lost = g.op("IsNaN", self.beat)
        known = g.mul(self._known_bpm(), g.op("Cast", g.op("Not", lost), to=1))
        begun = g.op("Where", lost, g.constant(0.0), self.beat)
        pace = g.mul(self.bpm, g.constant(c.column_seconds / 60.0))
        beats = g.add(
            g.unsqueeze(begun, 1, 2),
            g.mul(g.unsqueeze(pace, 1, 2), g.unsqueeze(place, 0)),
        )
        angles = g.mul(beats, g.constant(2 * math.pi * np.array(BEAT_PARTS)[None, None]))
        waves = g.op("Concat", g.op("Cos", angles), g.op("Sin", angles), axis=-1)
        waves = g.mul(waves, g.unsqueeze(known, 1, 2))
        return self._linear(waves, "beat", 2 * len(BEAT_PARTS), c.width, bias=False)

    def _text(self) -> tuple[str, str]:
        """States of the prompt behind the empty token, and what attention adds where none is."""
        g, c = self.g, self.c
        scale, bias = (
            g.weight(f"text_in.0.{name}", (c.text_width,)) for name in ("weight", "bias")
        )
        text = g.norm(self.text, c.text_width, scale=scale, bias=bias)
        text = self._linear(text, "text_in.1", c.text_width, c.width)
        batch = g.op("Shape", text, start=0, end=1)
        shape = g.op("Concat", batch, g.constant([1, c.width], np.int64), axis=0)
        empty = g.op("Expand", g.unsqueeze(g.weight("empty_text", (c.width,)), 0, 1), shape)
        bias = g.op("Where", self.present, g.constant(0.0), g.constant(-1e4))
        column = g.op("Concat", batch, g.constant([1], np.int64), axis=0)
        always = g.op("Expand", g.constant([[0.0]]), column)
        seen = g.unsqueeze(g.op("Concat", always, bias, axis=1), 1, 2)
        return g.op("Concat", empty, text, axis=1), seen

    def _block(
        self, x: str, shared: str, turns: tuple[str, str], text: str, seen: str, number: int
    ) -> str:
        g, c, at = self.g, self.c, f"blocks.{number}"
        table = g.add(shared, g.weight(f"{at}.modulation", (6, c.width)))
        shift1, scale1, gate1, shift2, scale2, gate2 = g.split(table, 6, axis=1)
        h = self._modulated(x, c.width, shift1, scale1)
        x = g.add(x, g.mul(gate1, self._self_attention(h, turns, f"{at}.attention")))
        if number % c.cross_every == 0:
            x = g.add(x, self._text_attention(x, text, seen, f"{at}.text_attention"))
        h = self._modulated(x, c.width, shift2, scale2)
        h = self._linear(h, f"{at}.rise", c.width, 4 * c.width, whole=self.whole)
        h = g.op("Gelu", h, approximate="tanh")
        h = self._linear(h, f"{at}.fall", 4 * c.width, c.width, whole=self.whole)
        return g.add(x, g.mul(gate2, h))

    def _self_attention(self, x: str, turns: tuple[str, str], name: str) -> str:
        g, c = self.g, self.c
        wide = self._linear(x, f"{name}.qkv", c.width, 3 * c.width, bias=False, whole=self.whole)
        q, k, v = (_heads(g, part, c.heads, c.width) for part in g.split(wide, 3, axis=-1))
        head = c.width // c.heads
        q, k = (
            self._turned(
                g.norm(part, head, scale=g.weight(f"{name}.{which}_scale", (head,))), turns
            )
            for part, which in ((q, "q"), (k, "k"))
        )
        mixed = _attend(g, q, k, v, head)
        return self._linear(mixed, f"{name}.out", c.width, c.width, bias=False, whole=self.whole)

    def _turned(self, x: str, turns: tuple[str, str]) -> str:
        g, (cosines, sines) = self.g, turns
        a, b = g.split(x, 2, axis=-1)
        first = g.op("Sub", g.mul(a, cosines), g.mul(b, sines))
        return g.op("Concat", first, g.add(g.mul(a, sines), g.mul(b, cosines)), axis=-1)

    def _text_attention(self, x: str, text: str, seen: str, name: str) -> str:
        g, c = self.g, self.c
        scale, bias = (g.weight(f"{name}.norm.{which}", (c.width,)) for which in ("weight", "bias"))
        h = g.norm(x, c.width, scale=scale, bias=bias)
        q = self._linear(h, f"{name}.q", c.width, c.width, bias=False, whole=self.whole)
        both = self._linear(text, f"{name}.kv", c.width, 2 * c.width, bias=False)
        q, k, v = (_heads(g, part, c.heads, c.width) for part in (q, *g.split(both, 2, axis=-1)))
        mixed = _attend(g, q, k, v, c.width // c.heads, seen)
        return self._linear(mixed, f"{name}.out", c.width, c.width, bias=False, whole=self.whole)
