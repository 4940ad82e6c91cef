"""Where a stream is: its seeds, its bars, its morph. Arithmetic only."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from sonoriff.models.prompts import parse_prompt
from sonoriff.music import BEATS_PER_BAR, STREAM_MAX_BPM, STREAM_MIN_BPM, parse_key
from sonoriff.pipeline.prompt import bpm_in_prompt, key_in_prompt
from sonoriff.stream.scene import Scene, WeightedPrompt

DEFAULT_BPM = 120.0
Blend = tuple[WeightedPrompt, ...]
# Tonic and mode, such as ("D", "minor"); the mode may be unknown.
Key = tuple[str, str | None]


@dataclass(frozen=True)
class Walk:
    """A place on the path through seeds: a share of the way from one to the next."""

    seed: int
    alpha: float = 0.0

    def moved(self, by: float) -> Walk:
        """The place `by` seeds further."""
        total = self.alpha + by
        whole = math.floor(total + 1e-9)
        return Walk((self.seed + whole) % 2**63, max(0.0, total - whole))


@dataclass(frozen=True)
class Bars:
    """A tempo and the sample at which its first bar began."""

    bpm: float
    origin: int
    sample_rate: int

    @property
    def beat_samples(self) -> float:
        """Length of a beat."""
        return 60.0 / self.bpm * self.sample_rate

    @property
    def bar_samples(self) -> float:
        """Length of a bar of four beats."""
        return BEATS_PER_BAR * self.beat_samples

    def bar_at(self, sample: int) -> float:
        """Number of the bar, with its fraction."""
        return (sample - self.origin) / self.bar_samples

    def next_bar(self, sample: int) -> int:
        """First sample at or after `sample` at which a bar begins."""
        number = math.ceil(self.bar_at(sample) - 1e-9)
        return max(sample, round(self.origin + number * self.bar_samples))


@dataclass(frozen=True)
class Morph:
    """A blend of prompts on its way to another.

    Attributes
    ----------
    before, after : blends
    start : sample
    length : samples; 0 is at once
    """

    before: Blend
    after: Blend
    start: int = 0
    length: float = 0.0

    def share_at(self, sample: int) -> float:
        """How much of the way is done."""
        if self.length <= 0:
            return 1.0
        return min(1.0, max(0.0, (sample - self.start) / self.length))

    def blend_at(self, sample: int) -> Blend:
        """Prompts and their shares, which add up to 1."""
        share = self.share_at(sample)
        totals: dict[str, float] = {}
        for blend, part in ((self.before, 1.0 - share), (self.after, share)):
            whole = sum(prompt.weight for prompt in blend)
            for prompt in blend:
                totals[prompt.text] = totals.get(prompt.text, 0.0) + part * prompt.weight / whole
        return tuple(WeightedPrompt(text, total) for text, total in totals.items() if total > 1e-6)


@dataclass(frozen=True)
class StreamPosition:
    """The scene in force and what has to be remembered of those before.

    Attributes
    ----------
    scene : in force
    walk : seeds
    morph : prompts
    bars : None where no tempo is set
    key : that was heard in what was made; scenes that name none go on in it
    """

    scene: Scene
    walk: Walk
    morph: Morph
    bars: Bars | None
    key: Key | None = None

    @staticmethod
    def begun(scene: Scene, sample_rate: int, likely_bpm: float | None = None) -> StreamPosition:
        """The start of a stream; `likely_bpm` is for a scene that names no tempo."""
        bpm = tempo_of(scene, likely_bpm)
        bars = Bars(bpm, 0, sample_rate) if bpm else None
        morph = Morph(scene.prompts, scene.prompts)
        return StreamPosition(scene, Walk(scene.seed, scene.alpha), morph, bars)

    def entered(
        self, scene: Scene, sample: int, sample_rate: int, likely_bpm: float | None = None
    ) -> StreamPosition:
        """The course once `scene` is in force at `sample`."""
        if scene == self.scene:
            return self
        walk, morph, bars = self.walk, self.morph, self.bars
        if (scene.seed, scene.alpha) != (self.scene.seed, self.scene.alpha):
            walk = Walk(scene.seed, scene.alpha)
        bpm = tempo_of(scene, likely_bpm)
        if bpm != (bars.bpm if bars else None):
            bars = Bars(bpm, sample, sample_rate) if bpm else None
        if scene.prompts != self.scene.prompts:
            bar = bars.bar_samples if bars else 2.0 * sample_rate
            now = self.morph.blend_at(sample)
            morph = Morph(now, scene.prompts, sample, scene.morph_bars * bar)
        return replace(self, scene=scene, walk=walk, morph=morph, bars=bars)

    def moved(self, by: float) -> StreamPosition:
        """The course with its seed `by` further."""
        return replace(self, walk=self.walk.moved(by))


def tempo_of(scene: Scene, likely_bpm: float | None = None) -> float | None:
    """Beats a minute: the scene's, else those that its heaviest prompt names, else the likely."""
    if scene.bpm is not None:
        return scene.bpm
    named = bpm_in_prompt(words_of(heaviest(scene)))
    for bpm in (named, likely_bpm):
        if bpm is not None and STREAM_MIN_BPM <= bpm <= STREAM_MAX_BPM:
            return bpm
    return DEFAULT_BPM if scene.mode == "riff" or scene.chords else None


def key_of(scene: Scene, words: str) -> Key | None:
    """The key that a scene, or else the words of one of its prompts, name."""
    if scene.key is not None:
        return parse_key(scene.key)
    tonic, mode = key_in_prompt(words)
    return None if tonic is None else (tonic, mode)


def heaviest(scene: Scene) -> str:
    """The text of the prompt that weighs most."""
    return max(scene.prompts, key=lambda prompt: prompt.weight).text


def words_of(text: str) -> str:
    """The words of a prompt without its weights, in which tempo and key are looked for."""
    return parse_prompt(text).text
