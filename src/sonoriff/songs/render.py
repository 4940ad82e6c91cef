"""From a plan to a picture: sections painted by themselves, then the joins between them.

Sections share tempo, key and one grid of bars but no cells, so that a section depends on its own
words and place alone. A join paints the cells around a bar line anew with both sides known. What an
edit does not touch comes out of the cache.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.chords import names_by_bar
from sonoriff.files import atomic_path
from sonoriff.models.protocol import Model
from sonoriff.music import BEATS_PER_BAR, bar_seconds, fifths_apart, parse_key, scale_of_key
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.guidance import Guidance
from sonoriff.pipeline.guides import blended_guide, guide_from_settings
from sonoriff.pipeline.latent_codec import (
    painted_sonogram,
    picture_from_latents,
)
from sonoriff.pipeline.noise import noise_grid, slerp
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.settings import OnProgress, Sampling, stage
from sonoriff.pipeline.source_analysis import key_of_latents
from sonoriff.songs.document import toml_from_song
from sonoriff.songs.dynamics import level_sections
from sonoriff.songs.joins import soften_joins
from sonoriff.songs.plan import Section, Song
from sonoriff.songs.transitions import add_transitions

FloatArray = npt.NDArray[np.float32]
# Of the cache: another number wherever the same plan comes to be painted otherwise.
RENDERING = 3
# Of the picture made of them: levels, transitions, joins, ending.
SHAPING = 2
# Of a cut, before the bar line and after it, in beats.
_CUT_BEATS = (1.0, 0.5)
# A section in a key more fifths than this from the song's is painted once more.
_FIFTHS = 1
# How free the cells at the edge of a join are, from the inside out.
_EDGE = (0.7, 0.4)


@dataclass(frozen=True)
class _Span:
    """Where a section lies: cells [first, last) of the song, which begins at `start_s`."""

    first: int
    last: int
    start_s: float


def render_song(
    model: Model,
    song: Song,
    sampling: Sampling | None = None,
    *,
    cache: Path | None = None,
    on_progress: OnProgress | None = None,
) -> Clip:
    """The whole song; the same plan and model give the same samples on the same machine.

    Parameters
    ----------
    sampling : steps, guidance, sampler and kind; what a plan says itself is passed over
    cache : folder for latents of sections and joins, by what they are made of; made if missing
    on_progress : told ``(step, steps)`` of the sections and joins together, those that lie in the
        cache included. It may raise `Cancelled`: what is done stays in the cache
    """
    chosen = (sampling or Sampling()).resolved(model)
    painter = _Painter(model, song, chosen, cache)
    latents = painter.paint_all(on_progress)
    n_frames = round(song.duration_s * model.params.frames_per_second)
    facts = {
        "verb": "song",
        "plan": toml_from_song(song),
        "song": _outline(song),
        "attributes": {"bpm": song.bpm, "key": painter.key or None},
        **_how(chosen),
    }
    picture = picture_from_latents(model, latents)
    made = painted_sonogram(model, picture[..., :n_frames], facts)
    del picture  # as large as the sonogram itself
    for shape in (level_sections, add_transitions, soften_joins):
        shape(made.values, made.params, song)
    return Clip(made)


def _outline(song: Song) -> dict[str, Any]:
    """What a sound file says of the song; the plan says the rest."""
    starts = [bar * bar_seconds(song.bpm) for bar in song.first_bars()[:-1]]
    sections = [
        {"name": section.name, "start_s": start}
        for section, start in zip(song.sections, starts, strict=True)
    ]
    return {
        "title": song.title,
        "style": song.style,
        "negative": song.negative,
        "seed": song.seed,
        "sections": sections,
    }


class _Painter:
    """Paints the sections and joins of one song."""

    def __init__(self, model: Model, song: Song, sampling: Sampling, cache: Path | None) -> None:
        self.model, self.song, self.sampling, self.cache = model, song, sampling, cache
        self.cell_s = model.params.duration_s(model.cell[1])
        self.bar_s = bar_seconds(song.bpm)
        self.window = model.latent_shape(model.window_frames)[2]
        self.margin = self.window // 4
        self.spans = self._spans()
        self.key = song.key
        # Sections that were painted with another seed, by their first occurrence.
        self.attempts: dict[int, int] = {}
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)

    def paint_all(self, on_progress: OnProgress | None) -> FloatArray:
        """Latents (1, C, H, W) of the whole song."""
        steps = self.sampling.num_inference_steps
        assert steps is not None
        count = len(self.spans)
        total = (2 * count - 1) * steps
        parts = []
        for i in range(count):
            tell = stage(on_progress, i * steps, total)
            parts.append(self._section(i, tell))
            if self.key is None:
                self._hear_key(parts[0])
            elif self._strays(i, parts[i]):
                self.attempts[i] = 1
                again = self._section(i, tell)
                if self._strays(i, again):
                    self.attempts[i] = 0
                else:
                    parts[i] = again
        apart = np.concatenate(parts, axis=-1)
        joined: FloatArray = apart.copy()
        for i in range(count - 1):
            tell = stage(on_progress, (count + i) * steps, total)
            first, cells = self._join(i, apart, tell)
            joined[..., first : first + cells.shape[-1]] = cells
        return joined

    def _spans(self) -> list[_Span]:
        places = [bar * self.bar_s for bar in self.song.first_bars()]
        cells = [round(place / self.cell_s) for place in places[:-1]]
        cells.append(math.ceil(places[-1] / self.cell_s - 1e-6))
        return [
            _Span(a, max(b, a + 1), start)
            for a, b, start in zip(cells, cells[1:], places, strict=False)
        ]

    def _hear_key(self, latents: FloatArray) -> None:
        """Take the first section's key for the others, where the plan names none."""
        heard = key_of_latents(self.model, latents[..., : self.window])
        self.key = f"{heard[0]} {heard[1]}" if heard else ""

    def _strays(self, index: int, latents: FloatArray) -> bool:
        """Whether a section came out in a key far from the song's; a return is as it is."""
        if not self.key or self.song.original(index) != index:
            return False
        # A part of it tells, and costs a part.
        spare = max(0, latents.shape[-1] - self.window) // 2
        heard = key_of_latents(self.model, latents[..., spare : latents.shape[-1] - spare])
        if heard is None:
            return False
        return fifths_apart(scale_of_key(*heard), scale_of_key(*parse_key(self.key))) > _FIFTHS

    def _section(self, index: int, on_progress: OnProgress | None) -> FloatArray:
        """Latents of a section."""
        span, section = self.spans[index], self.song.resolved(index)
        seeds = self._seeds(index)
        about = {
            "prompt": self.song.prompt_of(index),
            "energy": section.energy,
            "chords": section.chords,
            "seeds": seeds,
            "vary": section.vary if len(seeds) > 1 else 0.0,
            "cells": span.last - span.first,
            "since": round(self._since_bar(span, span.first), 6),
        }
        return self._cached(about, on_progress, lambda: self._painted(index, on_progress))

    def _painted(self, index: int, on_progress: OnProgress | None) -> FloatArray:
        span, margin = self.spans[index], self.margin
        n_cells = span.last - span.first
        width = max(n_cells + 2 * margin, self.window)
        seeds, vary = self._seeds(index), self.song.sections[index].vary
        noise = noise_grid(self.model, width, seeds[0])
        for seed in seeds[1:]:
            noise = slerp(noise, noise_grid(self.model, width, seed), vary)
        first = span.first - margin
        canvas = Canvas(
            noise,
            self._guide_at(index, first),
            since_beat_s=self._since_bar(span, first),
        )
        sampling = replace(self.sampling, seed=seeds[0])
        latents = paint(self.model, canvas, sampling, on_progress=on_progress)
        return latents[..., margin : margin + n_cells]

    def _join(
        self, index: int, apart: FloatArray, on_progress: OnProgress | None
    ) -> tuple[int, FloatArray]:
        """The cells around the bar line after a section: where they begin, and their latents."""
        before, after = self.spans[index], self.spans[index + 1]
        line, section = before.last, self.song.sections[index]
        beat = self.bar_s / BEATS_PER_BAR / self.cell_s
        if section.transition == "crossfade":
            left = right = section.transition_bars * BEATS_PER_BAR * beat / 2
        else:
            left, right = (beats * beat for beats in _CUT_BEATS)
        # Two joins of one section must not meet.
        first = line - min(round(left), (line - before.first) // 2)
        last = line + min(max(1, round(right)), max(1, (after.last - line) // 2))
        around = max(self.window - (last - first), 0) // 2 + len(_EDGE)
        # Nothing of other sections is seen: an edit there must not change this join.
        start, end = max(before.first, first - around), min(after.last, last + around)
        source = apart[..., start:end]

        def painted() -> FloatArray:
            strength_map = np.zeros((1, 1, source.shape[2], end - start), np.float32)
            strength_map[..., first - start : last - start] = 1.0
            for i, free in enumerate(_EDGE):
                if first - start > i:
                    strength_map[..., first - start - 1 - i] = free
                if last + i < end:
                    strength_map[..., last - start + i] = free
            canvas = Canvas(
                noise_grid(self.model, end - start, self.song.seed_of(index)),
                self._guide_of_join(index, start, first, last),
                source,
                strength_map,
                since_beat_s=self._since_bar(before, start),
            )
            sampling = replace(self.sampling, seed=self.song.seed_of(index))
            return paint(self.model, canvas, sampling, on_progress=on_progress)

        about = {
            "join": [first - start, line - start, last - start],
            "prompts": [self.song.prompt_of(i) for i in (index, index + 1)],
            "energies": [self.song.resolved(i).energy for i in (index, index + 1)],
            "source": hashlib.sha256(source.tobytes()).hexdigest(),
            "seed": self.song.seed_of(index),
            "since": round(self._since_bar(before, start), 6),
        }
        begin = max(start, first - len(_EDGE))
        cells = self._cached(about, on_progress, painted)
        return begin, cells[..., begin - start : last + len(_EDGE) - start]

    def _guide_of_join(
        self, index: int, start: int, first: int, last: int
    ) -> Callable[[float], Guidance]:
        """From the end of one section to the beginning of the next."""
        ends = self._guide(index, 1.0), self._guide(index + 1, 0.0)

        def guide_at(middle: float) -> Guidance:
            way = (start + middle - first) / max(1, last - first)
            share = min(max(way, 0.0), 1.0)
            return blended_guide(self.model, *ends, round(4 * share) / 4)

        return guide_at

    def _guide_at(self, index: int, first: int) -> Callable[[float], Guidance]:
        """The guide of each window of a section, whose canvas begins at the cell `first`."""
        span = self.spans[index]
        known: dict[int | None, Guidance] = {}

        def guide_at(middle: float) -> Guidance:
            way = (first + middle - span.first) / max(1, span.last - span.first)
            level = _level(self.song.resolved(index), min(max(way, 0.0), 1.0))
            if level not in known:
                ahead = -(-(span.first - first) * self.cell_s // self.bar_s)
                known[level] = self._guide(index, way, bars_ahead=round(ahead))
            return known[level]

        return guide_at

    def _guide(self, index: int, way: float, *, bars_ahead: int = 0) -> Guidance:
        section = self.song.resolved(index)
        level, prompt = _level(section, way), self.song.prompt_of(index)
        chords = section.chords if "chords" in self.model.conditions else None
        sampling = replace(
            self.sampling,
            prompt=prompt,
            negative_prompt=self.song.negative,
            bpm=float(self.song.bpm),
            # A key that was only heard must not contradict the chords that were asked for.
            key=(self.song.key if chords else self.key) or None,
            energy=level,
            chords=_from_earlier(chords, bars_ahead) if chords else None,
        )
        return guide_from_settings(self.model, sampling)

    def _seeds(self, index: int) -> list[int]:
        """The seed of the section that it is like, then its own where it varies."""
        like = self.song.original(index)
        seeds = [self.song.seed_of(like) ^ (self.attempts.get(like, 0) << 24)]
        if like != index and self.song.sections[index].vary > 0:
            seeds.append(self.song.seed_of(index))
        return seeds

    def _since_bar(self, span: _Span, cell: int) -> float:
        """Seconds from the beginning of a bar to a cell."""
        since = (cell * self.cell_s - span.start_s) % self.bar_s
        return 0.0 if self.bar_s - since < 1e-9 else since

    def _cached(
        self, about: dict[str, Any], on_progress: OnProgress | None, make: Callable[[], FloatArray]
    ) -> FloatArray:
        if self.cache is None:
            return make()
        facts = {
            **about,
            "rendering": RENDERING,
            "model": [self.model.name, getattr(self.model, "weights", "")],
            "song": [self.song.bpm, self.key, self.song.negative],
            "sampling": _how(self.sampling),
        }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
        path = self.cache / f"{digest}.npy"
        if path.is_file():
            try:
                latents: FloatArray = np.load(path, allow_pickle=False)
                os.utime(path)  # `sonoriff.songs.cache.prune` keeps what is used
            except (OSError, ValueError, EOFError):
                path.unlink(missing_ok=True)  # damaged: paint it again
            else:
                steps = self.sampling.num_inference_steps
                assert steps is not None
                if on_progress is not None:
                    on_progress(steps, steps)
                return latents
        latents = make()
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, latents, allow_pickle=False)
        return latents


def _how(sampling: Sampling) -> dict[str, Any]:
    """The settings of a render that are not in the plan."""
    names = ("num_inference_steps", "guidance_scale", "sampler", "guidance_interval", "shift")
    return {name: getattr(sampling, name) for name in (*names, "kind")}


def _level(section: Section, way: float) -> int | None:
    """Energy at a part of the way through a section."""
    if section.energy is None:
        return None
    first, last = section.energy
    return round(first + (last - first) * min(max(way, 0.0), 1.0))


def _from_earlier(chords: str, bars: int) -> str:
    """The progression begun so many bars before its first chord."""
    each = names_by_bar(chords)
    shift = -bars % len(each)
    return " ".join(each[shift:] + each[:shift])
