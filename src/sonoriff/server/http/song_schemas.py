"""Request and response bodies of the songs API."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from sonoriff.errors import ParameterError
from sonoriff.music import STREAM_MAX_BPM, STREAM_MIN_BPM
from sonoriff.server.config import Limits
from sonoriff.server.streaming.messages import Strict, Text
from sonoriff.songs.document import song_from_dict, song_from_toml
from sonoriff.songs.plan import Song
from sonoriff.songs.wish import plan_song
from sonoriff.stream.scene import MAX_SEED

_Choice = Annotated[str | None, Field(max_length=40, description="Of `GET /api/v1/menu`.")]


class WishBody(Strict):
    """A song in words; what is left out suits the wish."""

    wish: Text
    length_s: float = Field(default=120.0, ge=10, le=600)
    form: _Choice = None
    mood: _Choice = None
    theme: _Choice = None
    instruments: list[Annotated[str, Field(max_length=40)]] = Field(default=[], max_length=8)
    tempo: _Choice = None
    energy: str = Field(default="form", max_length=40)
    bpm: float | None = Field(default=None, ge=STREAM_MIN_BPM, le=STREAM_MAX_BPM)
    key: str | None = Field(default=None, max_length=20)
    seed: int = Field(default=0, ge=0, le=MAX_SEED)

    def song_of(self) -> Song:
        """The plan of the wish."""
        return plan_song(**self.model_dump())


class SongBody(Strict):
    """A plan: as TOML, or with the same keys as JSON."""

    plan: Annotated[str, Field(max_length=60_000)] | None = None
    song: dict[str, Any] | None = Field(
        default=None, description="Keys of a plan; docs/song.md has them."
    )

    def song_of(self) -> Song:
        """The song of either form."""
        if (self.plan is None) == (self.song is None):
            raise ParameterError("give a wish, or a plan as TOML, or a song as JSON")
        if self.plan is not None:
            return song_from_toml(self.plan)
        assert self.song is not None
        return song_from_dict(self.song)


class RerollBody(Strict):
    """Another seed for a section; None takes one that it had not."""

    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)


class RenderBody(Strict):
    """How a song is rendered."""

    num_inference_steps: int | None = Field(default=None, ge=1)
    sections: int | None = Field(
        default=None, ge=1, le=200, description="Only the first so many, to hear them sooner."
    )
    loudness: float = Field(default=-14.0, ge=-70, le=0, description="LUFS")

    def check(self, limits: Limits) -> None:
        """ParameterError beyond the limits of this server."""
        steps = self.num_inference_steps
        if steps is not None and steps > limits.max_steps:
            raise ParameterError(f"steps are at most {limits.max_steps} here, got {steps}")

    def settings(self) -> dict[str, Any]:
        """What the worker is told; None is left out."""
        return self.model_dump(exclude_none=True)


class SongAnswer(BaseModel):
    """A song."""

    id: str
    plan: str = Field(description="as TOML")
    song: dict[str, Any] = Field(description="the same as JSON")
    bars: int
    duration_s: float
    created: str
    riff: str | None = Field(description="id of the riff that was rendered last")


class SongList(BaseModel):
    """The last songs."""

    songs: list[SongAnswer]


class MenuTempo(BaseModel):
    """A tempo word."""

    name: str
    bpm: tuple[int, int]


class MenuGenre(MenuTempo):
    """A genre, with its usual tempo and form."""

    form: str


class MenuForm(BaseModel):
    """A form and its sections."""

    name: str
    sections: list[str]


class Menu(BaseModel):
    """Response of `GET /api/v1/menu`."""

    genres: list[MenuGenre]
    moods: list[str]
    themes: list[str]
    instruments: list[str]
    tempi: list[MenuTempo]
    forms: list[MenuForm]
    energies: list[str]
    transitions: list[str]
