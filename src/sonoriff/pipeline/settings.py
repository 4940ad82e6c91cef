"""Settings that every verb shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from numbers import Integral, Real
from typing import Any, TypeVar

from sonoriff.analysis.chords import parse_progression
from sonoriff.analysis.energy import STEPS
from sonoriff.diffusion.samplers import SAMPLERS
from sonoriff.diffusion.schedule_samplers import SCHEDULE_SAMPLERS
from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.music import KINDS

SettingsType = TypeVar("SettingsType", bound="Sampling")
OnProgress = Callable[[int, int], None]
MAX_DURATION_S = 600.0
# Settings for which every model has its own default.
_MODELS_OWN = ("num_inference_steps", "guidance_scale", "sampler", "guidance_interval", "shift")


def sampler_names(model: Model) -> tuple[str, ...]:
    """Samplers that fit a model."""
    if model.schedule.prediction == "flow":
        return (*SAMPLERS, "ddim", "dpm++")
    return tuple(SCHEDULE_SAMPLERS)


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Everything that determines how a prompt becomes a picture, besides the model.

    Attributes
    ----------
    prompt, negative_prompt : what to hear and what not; empty is unconditional. Weights and
        blends as in `sonoriff.models.prompts`
    seed : of the noise
    num_inference_steps, guidance_scale, sampler : None takes the model's own; guidance 1 is off
    guidance_interval : times (low, high) between which guidance acts, 0 is data and 1 noise; None
        takes the model's own
    shift : above 1 spends more of the steps near the noise; None takes the model's own
    bpm : tempo; None takes the prompt's "120 bpm", if any
    key : "D minor"; None takes the prompt's "in D minor", if any
    energy : how much happens, 1 (calm) to 5 (full); None leaves it to the prompt
    chords : "Am F C G", a bar each, "Am:2 F" two bars of the first, again and again; None leaves
        them to the model
    kind : "recorded", "synthesised" or "rendered": the sound of it; None is "recorded"
    """

    prompt: str = ""
    negative_prompt: str = ""
    seed: int = 0
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    sampler: str | None = None
    guidance_interval: tuple[float, float] | None = None
    shift: float | None = None
    bpm: float | None = None
    key: str | None = None
    energy: int | None = None
    chords: str | None = None
    kind: str | None = None

    def __post_init__(self) -> None:
        check_types(self)
        steps, guidance, known = self.num_inference_steps, self.guidance_scale, _all_samplers()
        if steps is not None and not 1 <= steps <= 1000:
            raise ParameterError(f"steps must be in [1, 1000], got {steps}")
        if guidance is not None and not 0 <= guidance <= 50:
            raise ParameterError(f"guidance must be in [0, 50], got {guidance}")
        if not 0 <= self.seed < 2**63:
            raise ParameterError(f"seed must be in [0, 2^63), got {self.seed}")
        if self.sampler is not None and self.sampler not in known:
            raise ParameterError(f"sampler must be one of {', '.join(known)}: {self.sampler!r}")
        low, high = self.guidance_interval or (0.0, 1.0)
        if not 0 <= low <= high <= 1:
            raise ParameterError(f"need 0 <= low <= high <= 1 for guidance, got {low} and {high}")
        if self.shift is not None and not 0.01 <= self.shift <= 100:
            raise ParameterError(f"shift must be in [0.01, 100], got {self.shift}")
        if self.energy is not None and not 1 <= self.energy <= STEPS:
            raise ParameterError(f"energy must be in [1, {STEPS}], got {self.energy}")
        if self.chords is not None:
            parse_progression(self.chords)
        if self.kind is not None and self.kind not in KINDS:
            raise ParameterError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")

    def resolved(self: SettingsType, model: Model) -> SettingsType:
        """The same with the model's defaults filled in; ParameterError for a foreign sampler."""
        chosen = replace(
            self,
            **{
                name: getattr(model.defaults, name)
                for name in _MODELS_OWN
                if getattr(self, name) is None
            },
        )
        if chosen.sampler not in sampler_names(model):
            raise ParameterError(
                f"{model.name} works with the samplers {', '.join(sampler_names(model))}, "
                f"not {chosen.sampler!r}"
            )
        return chosen

    def to_dict(self) -> dict[str, Any]:
        """Every field, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls: type[SettingsType], values: Mapping[str, Any]) -> SettingsType:
        """Inverse of `to_dict`, also after a trip through JSON; other keys are passed over.

        Raises
        ------
        ParameterError
            a value of a wrong type or range
        """
        names = {field.name for field in fields(cls)}
        try:
            return cls(**{k: _frozen(v) for k, v in values.items() if k in names})
        except TypeError as error:
            raise ParameterError(f"the stored settings make no sense: {error}") from error


def check_types(settings: Any) -> None:
    """ParameterError if a dataclass field does not have its declared type."""
    for field in fields(settings):
        value, kind = getattr(settings, field.name), str(field.type)
        if value is None and kind.endswith(" | None"):
            continue
        fits = _FITS.get(kind.removesuffix(" | None"))
        if fits is not None and not fits(value):
            raise ParameterError(f"{field.name} must be of type {kind}, got {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(_is_number, value))


_FITS: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, Integral) and not isinstance(value, bool),
    "float": _is_number,
    "tuple[float, float]": _is_pair,
    "tuple[tuple[float, float], ...]": lambda value: (
        isinstance(value, tuple) and all(map(_is_pair, value))
    ),
}


def check_strength(strength: float) -> None:
    """ParameterError where it is not in [0, 1]."""
    if not 0 <= strength <= 1:
        raise ParameterError(
            f"strength must be in [0, 1], 0 keeps the source and 1 ignores it; got {strength}"
        )


def check_duration(duration_s: float | None) -> None:
    """ParameterError if the length is out of range."""
    if duration_s is not None and not 0 < duration_s <= MAX_DURATION_S:
        raise ParameterError(
            f"duration must be above 0 and at most {MAX_DURATION_S:.0f} s, got {duration_s}"
        )


def stage(on_progress: OnProgress | None, done: int, total: int) -> OnProgress | None:
    """Progress callback for one stage: `done` steps came before, `total` is the overall count."""
    if on_progress is None:
        return None
    return lambda step, _steps: on_progress(done + step, total)


def _all_samplers() -> tuple[str, ...]:
    return (*SAMPLERS, *SCHEDULE_SAMPLERS)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value
