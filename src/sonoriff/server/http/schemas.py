"""Request and response bodies of the riffs API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, field_validator
from pydantic.config import JsonDict

from sonoriff.analysis.chords import parse_progression
from sonoriff.analysis.energy import STEPS
from sonoriff.errors import ParameterError
from sonoriff.music import STREAM_MAX_BPM, STREAM_MIN_BPM, USUAL_BPM, bar_seconds, parse_key
from sonoriff.server.config import Limits
from sonoriff.server.streaming.messages import MAX_SAMPLE, Strict, Text, first_mistake
from sonoriff.stream.scene import MAX_SEED

_NULL: JsonDict = {"type": "null"}
# Default limits, for the OpenAPI document; a server with other limits says so in its errors.
_USUAL = Limits()
_STEPS: JsonDict = {
    "anyOf": [{"type": "integer", "minimum": 1, "maximum": _USUAL.max_steps}, _NULL]
}
_LENGTH: JsonDict = {"type": "number", "exclusiveMinimum": 0, "maximum": _USUAL.max_duration_s}
_KEY: JsonDict = {
    "anyOf": [{"type": "string", "pattern": "^[A-G](#|b)?( (major|minor))?$"}, _NULL],
    "description": "also as people write it: Bb minor, f-sharp major",
}
_CHORD = "[A-G](#|b)?(m|7|maj7|m7)?(:[1-9])?"
_CHORDS: JsonDict = {
    "anyOf": [{"type": "string", "pattern": f"^{_CHORD}( {_CHORD}){{0,15}}$"}, _NULL],
    "description": "a bar each, Am:2 two bars; also the other chords that people write",
}


def as_integer(value: Any) -> Any:
    """``2.0`` is an integer in JSON, and in JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Behind the bounds, which would otherwise be missing in the OpenAPI document.
_INTEGRAL = BeforeValidator(as_integer)


class RiffBody(Strict):
    """Fields common to all riffs."""

    prompt: Text
    negative_prompt: Text = ""
    seed: Annotated[int, Field(ge=0, le=MAX_SEED), _INTEGRAL] = 0
    bpm: float | None = Field(default=None, ge=STREAM_MIN_BPM, le=STREAM_MAX_BPM)
    key: str | None = Field(default=None, max_length=20, json_schema_extra=_KEY)
    energy: Annotated[int, Field(ge=1, le=STEPS), _INTEGRAL] | None = None
    chords: str | None = Field(default=None, max_length=1000, json_schema_extra=_CHORDS)
    kind: Literal["recorded", "synthesised", "rendered"] | None = None
    guidance_scale: float | None = Field(default=None, ge=0, le=20)
    num_inference_steps: Annotated[int, Field(ge=1), _INTEGRAL] | None = Field(
        default=None, json_schema_extra=_STEPS
    )

    @field_validator("key")
    @classmethod
    def _is_key(cls, key: str | None) -> str | None:
        if key is not None:
            parse_key(key)
        return key

    @field_validator("chords")
    @classmethod
    def _are_chords(cls, chords: str | None) -> str | None:
        if chords is not None:
            parse_progression(chords)
        return chords

    def length_s(self) -> float | None:
        """Requested length in seconds, if known in advance."""
        return None

    def check(self, limits: Limits) -> None:
        """Raise ParameterError if the request exceeds this server's limits."""
        steps = self.num_inference_steps
        if steps is not None and steps > limits.max_steps:
            raise ParameterError(
                f"num_inference_steps must be at most {limits.max_steps} here, got {steps}"
            )
        length = self.length_s()
        if length is not None and length > limits.max_duration_s:
            raise ParameterError(
                f"at most {limits.max_duration_s:g} s are made here, this would be {length:.1f} s"
            )

    def settings(self) -> dict[str, Any]:
        """Settings for the pipeline and for the record."""
        return self.model_dump()


class GenerateBody(RiffBody):
    """Text to music."""

    duration_s: float | None = Field(
        default=None, gt=0, json_schema_extra={"anyOf": [_LENGTH, _NULL]}
    )

    def length_s(self) -> float | None:
        """The requested length."""
        return self.duration_s


class LoopBody(RiffBody):
    """A seamless loop of whole bars."""

    bars: Annotated[int, Field(ge=1, le=64), _INTEGRAL] = 4

    def length_s(self) -> float:
        """Length at the requested tempo; a tempo in the prompt hardly matters for the limit."""
        return self.bars * bar_seconds(self.bpm or USUAL_BPM)


class MorphPointBody(Strict):
    """A point of the morph; omitted fields are taken from the enclosing body."""

    prompt: Text | None = None
    negative_prompt: Text | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED), _INTEGRAL] | None = None


class MorphBody(RiffBody):
    """A morph from one prompt or seed to another."""

    prompt: Text = ""
    points: list[MorphPointBody] = Field(min_length=2, max_length=16)
    clips: Annotated[int, Field(ge=3, le=20), _INTEGRAL] = 6

    def check(self, limits: Limits) -> None:
        """Also check that there is a clip for each point."""
        super().check(limits)
        if self.clips < len(self.points):
            raise ParameterError(f"{len(self.points)} points need as many clips, got {self.clips}")

    def length_s(self) -> float:
        """Length of all clips, at six seconds each."""
        return 6.0 * self.clips


class RemixBody(RiffBody):
    """A variation on a sound or picture."""

    strength: float = Field(default=0.6, gt=0, le=1)


class InpaintBody(RiffBody):
    """A repainted part."""

    time_s: tuple[float, float] | None = None
    band_hz: tuple[float, float] | None = None
    strength: float = Field(default=1.0, gt=0, le=1)

    @field_validator("time_s", "band_hz", mode="before")
    @classmethod
    def _as_pair(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("time_s", "band_hz")
    @classmethod
    def _rises(cls, pair: tuple[float, float] | None) -> tuple[float, float] | None:
        if pair is not None and not 0 <= pair[0] < pair[1] <= 1e6:
            raise ParameterError("a span is [low, high] with 0 <= low < high")
        return pair

    def settings(self) -> dict[str, Any]:
        """Spans and bands in the pipeline's form."""
        values = self.model_dump(exclude={"time_s", "band_hz"})
        values["times"] = [self.time_s] if self.time_s else []
        values["bands"] = [self.band_hz] if self.band_hz else []
        return values


class ExtendBody(RiffBody):
    """A continuation after a sound, or a lead-in before it."""

    duration_s: float = Field(gt=0, json_schema_extra=_LENGTH)
    side: Literal["end", "start"] = "end"

    def length_s(self) -> float:
        """Length of the whole result."""
        return self.duration_s


class TitleBody(Strict):
    """A title for a riff."""

    title: str = Field(max_length=200)


class PartBody(Strict):
    """A range of samples of a stream."""

    first_sample: Annotated[int, Field(ge=0, le=MAX_SAMPLE), _INTEGRAL]
    end_sample: Annotated[int, Field(ge=1, le=MAX_SAMPLE), _INTEGRAL]


def read_settings(kind: type[RiffBody], text: str) -> RiffBody:
    """Parse the settings of a form; raises ParameterError if they are invalid."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise ParameterError(f"settings: {first_mistake(error.errors())}") from error


class Record(BaseModel):
    """Record of a riff."""

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float
    verb: str
    prompt: str
    settings: dict[str, Any]
    created: str
    duration_s: float | None
    error: str | None
    files: dict[str, str]


class Page(BaseModel):
    """One page of the history."""

    riffs: list[Record]
    next: str | None


class Info(BaseModel):
    """Response of `GET /api/v1/info`."""

    version: str
    protocol: int
    model: str | None
    ready: bool
    loading: float = Field(description="how far the model is loaded, 0 to 1")
    needs_key: bool
    limits: dict[str, float]
    sonogram: dict[str, Any] | None


class ErrorFacts(BaseModel):
    """Code and message of an error."""

    code: str
    message: str


class ErrorBody(BaseModel):
    """Body of every error response."""

    error: ErrorFacts
