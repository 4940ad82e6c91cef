"""Scenes: what a stream plays, and from which sample on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sonoriff.analysis.chords import parse_progression
from sonoriff.analysis.energy import STEPS
from sonoriff.errors import ParameterError
from sonoriff.models.prompts import parse_prompt
from sonoriff.music import STREAM_MAX_BPM, STREAM_MIN_BPM, parse_key

Mode = Literal["flow", "riff"]
MAX_PROMPTS = 4
MAX_PROMPT_CHARS = 500
MAX_STEPS = 100
# The largest whole number that JavaScript counts exactly.
MAX_SEED = 2**53 - 1
BARS = (1, 2, 4, 8)
MAX_MORPH_BARS = 64.0
MAX_GUIDANCE = 20.0


def _check(
    name: str,
    value: float,
    low: float,
    high: float,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> None:
    inside = math.isfinite(value) and low <= value <= high
    if not inside or (open_low and value == low) or (open_high and value == high):
        left, right = "(" if open_low else "[", ")" if open_high else "]"
        raise ParameterError(f"{name} must be in {left}{low:g}, {high:g}{right}, got {value}")


@dataclass(frozen=True)
class WeightedPrompt:
    """A prompt of a blend.

    Attributes
    ----------
    text : what to hear
    weight : in (0, 100], relative to the others
    """

    text: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        _check("a prompt's weight", self.weight, 0.0, 100.0, open_low=True)
        if len(self.text) > MAX_PROMPT_CHARS:
            raise ParameterError(
                f"a prompt has at most {MAX_PROMPT_CHARS} characters, got {len(self.text)}"
            )
        parse_prompt(self.text)  # which refuses weights that no model can be told


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What to play.

    Attributes
    ----------
    mode : "flow", every window goes on from the end of the last; "riff", variations on one riff
        of whole bars
    prompts : 1 to 4, blended by weight
    negative_prompt : what not to hear
    bpm : [30, 300]; None takes what the prompt names, and 120 for a riff where it names none
    key : "D minor"; None takes what the prompt names
    energy : how much happens, 1 (calm) to 5 (full); None leaves it to the prompt
    chords : "Am F C G", a bar each, "Am:2 F" two bars of the first, again and again; None leaves
        them to the model. Without a tempo they have 120 bpm
    seed, alpha : of the noise: `alpha` in [0, 1) is how far from `seed` towards the next
    walk : [0, 1], how far the seed moves with each riff
    strength : (0, 1], how far a variation may go from the riff
    bars : 1, 2, 4 or 8 of four beats, the length of a riff; None takes what fits the model
    morph_bars : [0, 64], how long a change of prompts takes; without a tempo a bar is 2 s
    guidance_scale : [1, 20]; None takes the model's own
    num_inference_steps : [1, 100]
    """

    mode: Mode = "flow"
    prompts: tuple[WeightedPrompt, ...] = (WeightedPrompt(""),)
    negative_prompt: str = ""
    bpm: float | None = None
    key: str | None = None
    energy: int | None = None
    chords: str | None = None
    seed: int = 0
    alpha: float = 0.0
    walk: float = 0.25
    strength: float = 0.75
    bars: int | None = None
    morph_bars: float = 4.0
    guidance_scale: float | None = None
    num_inference_steps: int = 8

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ParameterError(f'mode must be "flow" or "riff", got {self.mode!r}')
        if not 1 <= len(self.prompts) <= MAX_PROMPTS:
            raise ParameterError(f"need 1 to {MAX_PROMPTS} prompts, got {len(self.prompts)}")
        WeightedPrompt(self.negative_prompt)
        if self.bpm is not None:
            _check("bpm", self.bpm, STREAM_MIN_BPM, STREAM_MAX_BPM)
        if self.key is not None:
            parse_key(self.key)
        if self.chords is not None:
            if len(self.chords) > MAX_PROMPT_CHARS:
                raise ParameterError(f"chords have at most {MAX_PROMPT_CHARS} characters")
            parse_progression(self.chords)
        for name in ("seed", "num_inference_steps", "energy"):
            value = getattr(self, name)
            if not isinstance(value, int) and (name, value) != ("energy", None):
                raise ParameterError(f"{name} must be a whole number: {value!r}")
        if self.energy is not None:
            _check("energy", self.energy, 1, STEPS)
        if self.bars is not None and self.bars not in BARS:
            raise ParameterError(f"bars must be 1, 2, 4 or 8, got {self.bars}")
        if not 0 <= self.seed <= MAX_SEED:
            raise ParameterError(f"seed must be in [0, {MAX_SEED}], got {self.seed}")
        _check("alpha", self.alpha, 0.0, 1.0, open_high=True)
        _check("walk", self.walk, 0.0, 1.0)
        _check("strength", self.strength, 0.0, 1.0, open_low=True)
        _check("morph_bars", self.morph_bars, 0.0, MAX_MORPH_BARS)
        if self.guidance_scale is not None:
            _check("guidance_scale", self.guidance_scale, 1.0, MAX_GUIDANCE)
        _check("num_inference_steps", self.num_inference_steps, 1, MAX_STEPS)

    def to_dict(self) -> dict[str, Any]:
        """Every field, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Scene:
        """Inverse of `to_dict`; ParameterError for unknown fields and wrong types."""
        try:
            values = dict(fields)
            if "prompts" in values:
                values["prompts"] = tuple(WeightedPrompt(**p) for p in values["prompts"])
            return cls(**values)
        except TypeError as error:
            raise ParameterError(f"the scene makes no sense: {error}") from error


@dataclass(frozen=True)
class Cue:
    """A scene and the first sample at which it may be heard."""

    scene: Scene
    at: int = 0


@dataclass(frozen=True)
class SceneSchedule:
    """Scenes in the order of their samples; the first begins at 0."""

    cues: tuple[Cue, ...] = (Cue(Scene()),)

    def __post_init__(self) -> None:
        places = [cue.at for cue in self.cues]
        if not places or places[0] != 0 or places != sorted(places):
            raise ParameterError(f"cues begin at sample 0 and never fall, got {places[:10]}")

    def scene_at(self, sample: int) -> Scene:
        """The scene in force at a sample."""
        return next(cue.scene for cue in reversed(self.cues) if cue.at <= sample)

    def with_scene(self, scene: Scene, at: int) -> SceneSchedule:
        """The same up to `at`, then `scene`; cues from `at` on are gone."""
        before = tuple(cue for cue in self.cues if cue.at < at)
        return SceneSchedule((*before, Cue(scene, at if before else 0)))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"cues": [{"at": cue.at, "scene": cue.scene.to_dict()} for cue in self.cues]}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SceneSchedule:
        """Inverse of `to_dict`.

        Raises
        ------
        ParameterError
            it is no schedule
        """
        try:
            cues = [Cue(Scene.from_dict(cue["scene"]), int(cue["at"])) for cue in fields["cues"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise ParameterError(
                f'a schedule is {{"cues": [{{"at": 0, "scene": {{...}}}}]}}: {error!r} is wrong'
            ) from error
        return cls(tuple(cues))
