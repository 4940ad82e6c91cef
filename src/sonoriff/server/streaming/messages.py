"""Messages that a client may send on the stream's WebSocket."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, TypeAdapter, ValidationError

from sonoriff.analysis.energy import STEPS
from sonoriff.errors import ParameterError
from sonoriff.music import STREAM_MAX_BPM, STREAM_MIN_BPM
from sonoriff.stream.scene import MAX_PROMPT_CHARS, MAX_SEED, Scene

MAX_SAMPLE = 2**53 - 1
_Id = (
    Annotated[StrictInt, Field(ge=-MAX_SAMPLE, le=MAX_SAMPLE)]
    | Annotated[str, Field(max_length=100)]
)
_Sample = Annotated[int, Field(ge=0, le=MAX_SAMPLE)]
# PostgreSQL cannot store NUL.
Text = Annotated[str, Field(max_length=MAX_PROMPT_CHARS, pattern=r"^[^\x00]*$")]


class Strict(BaseModel):
    """Base model: no unknown fields, no coercion from strings, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class PromptBody(Strict):
    """A prompt of a blend."""

    text: Text
    weight: float = Field(default=1.0, gt=0, le=100)


class ScenePatch(Strict):
    """Fields of a scene to change; see the table in docs/protocol.md."""

    mode: Literal["flow", "riff"] = "flow"
    prompts: list[PromptBody] = Field(default=[PromptBody(text="")], min_length=1, max_length=4)
    negative_prompt: Text = ""
    bpm: float | None = Field(default=None, ge=STREAM_MIN_BPM, le=STREAM_MAX_BPM)
    key: str | None = Field(default=None, max_length=20)
    energy: int | None = Field(default=None, ge=1, le=STEPS)
    chords: str | None = Field(default=None, max_length=MAX_PROMPT_CHARS)
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    alpha: float = Field(default=0.0, ge=0, lt=1)
    walk: float = Field(default=0.25, ge=0, le=1)
    strength: float = Field(default=0.75, gt=0, le=1)
    # Scene checks the allowed numbers: Literal would accept true as 1.
    bars: int | None = None
    morph_bars: float = Field(default=4.0, ge=0, le=64)
    guidance_scale: float | None = Field(default=None, ge=1, le=20)
    num_inference_steps: int = Field(default=8, ge=1)

    def over(self, scene: Scene, max_steps: int) -> Scene:
        """The scene with these fields replaced; raises ParameterError if it is invalid."""
        changed = Scene.from_dict({**scene.to_dict(), **self.model_dump(exclude_unset=True)})
        if changed.num_inference_steps > max_steps:
            raise ParameterError(
                f"num_inference_steps must be at most {max_steps} here, got "
                f"{changed.num_inference_steps}"
            )
        return changed


class Resume(Strict):
    """The stream to resume, and the sample to resume at."""

    session: str = Field(max_length=100)
    next_sample: _Sample


class Hello(Strict):
    """Opens or resumes a stream."""

    type: Literal["hello"]
    version: int
    scene: ScenePatch = ScenePatch()
    key: str | None = Field(default=None, max_length=500)
    resume: Resume | None = None
    id: _Id | None = None


class SceneChange(Strict):
    """Changes the scene."""

    type: Literal["scene"]
    scene: ScenePatch
    at: _Sample | None = None
    id: _Id | None = None


class Want(Strict):
    """Requests audio, and reports the playback position."""

    type: Literal["want"]
    until: _Sample
    heard: _Sample | None = None
    underruns: Annotated[int, Field(ge=0, le=MAX_SAMPLE)] | None = None
    id: _Id | None = None


class Ping(Strict):
    """Answered with `pong`."""

    type: Literal["ping"]
    t: float
    id: _Id | None = None


class Bye(Strict):
    """Ends the stream; it cannot be resumed."""

    type: Literal["bye"]
    id: _Id | None = None


ClientMessage = Hello | SceneChange | Want | Ping | Bye
_ADAPTER: TypeAdapter[ClientMessage] = TypeAdapter(
    Annotated[ClientMessage, Field(discriminator="type")]
)


def read_message(values: Any) -> ClientMessage:
    """Parse a decoded JSON message; raises ParameterError if it is invalid."""
    try:
        return _ADAPTER.validate_python(values)
    except ValidationError as error:
        raise ParameterError(first_mistake(error.errors())) from error


def first_mistake(errors: Any) -> str:
    """One line for pydantic's list of errors, without the values, which may be long."""
    error = errors[0]
    skipped = ("body", "hello", "scene", "want", "ping", "bye")
    where = [str(part)[:60] for part in error["loc"]]
    while where and where[0] in skipped:
        where = where[1:]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{'.'.join(where) or 'message'}: {str(error['msg'])[:300]}{more}"
