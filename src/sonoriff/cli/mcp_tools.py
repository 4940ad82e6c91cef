"""The tools of `sonoriff mcp`; imports the official SDK."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

import anyio.from_thread
import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

from sonoriff.cli import painting
from sonoriff.errors import ParameterError, SonoriffError
from sonoriff.server.config import Limits
from sonoriff.version import __version__

if TYPE_CHECKING:
    from sonoriff.models.protocol import Model
    from sonoriff.pipeline.clip import Clip
    from sonoriff.pipeline.settings import OnProgress

_INSTRUCTIONS = (
    "Makes music from text. Tools answer with links to files; the link of a sound or a picture is "
    "a source for remix, inpaint, extend and analyse."
)
_LIMITS = Limits()


@dataclass
class MusicTools:
    """Verbs that write files and say where they are, within the limits of the server.

    Attributes
    ----------
    folder : where results go
    sources : other folders whose files may be read
    chosen : the model, which is loaded when it is first needed
    """

    folder: Path
    sources: list[Path]
    chosen: painting.ModelOptions
    _model: Model | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make(
        self,
        verb: str,
        settings: dict[str, Any],
        source: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> dict[str, Any]:
        """Run a verb; one at a time.

        Raises
        ------
        ParameterError
            settings out of range, or a source that may not be read
        """
        from sonoriff.pipeline.morph import Morph
        from sonoriff.pipeline.verbs import VERBS

        given = [] if source is None else [self.source_path(source)]
        chosen = VERBS[verb].settings_class(**settings)
        length = getattr(chosen, "duration_s", None)
        if isinstance(length, int | float) and length > _LIMITS.max_duration_s:
            raise ParameterError(
                f"at most {_LIMITS.max_duration_s:g} s are made here, got {length:g} s"
            )
        with self._lock:
            made = VERBS[verb].run(self._loaded(), chosen, given, on_progress=on_progress)
            assert not isinstance(made, Morph)
            return self._saved(made, made.waveform)

    def song(
        self, wish: str, length_s: float, on_progress: OnProgress | None = None
    ) -> dict[str, Any]:
        """Plan and render a song; its plan lies beside it."""
        from sonoriff.songs.mastering import mastered
        from sonoriff.songs.render import render_song
        from sonoriff.songs.wish import plan_song

        if length_s > _LIMITS.max_song_s:
            raise ParameterError(
                f"a song lasts at most {_LIMITS.max_song_s:g} s here, got {length_s:g} s"
            )
        plan = plan_song(wish, length_s=length_s)
        with self._lock:
            clip = render_song(self._loaded(), plan, on_progress=on_progress)
            made = self._saved(clip, mastered(clip.waveform, clip.sample_rate, -14.0))
        target = self._path(made["sound"]).with_suffix(".toml")
        plan.save(target)
        return {**made, "plan": target.as_uri()}

    def analyse(self, source: str) -> dict[str, Any]:
        """What is heard in a sound."""
        from sonoriff.audio import read_audio
        from sonoriff.pipeline.analyse import MAX_SECONDS, analyse

        path = self.source_path(source)
        return analyse(*read_audio(path, max_seconds=MAX_SECONDS, max_channels=2)).to_dict()

    def source_path(self, source: str) -> Path:
        """The file of a path or link, if it lies in one of the folders.

        Raises
        ------
        ParameterError
            it lies elsewhere, or is none
        """
        path = self._path(source)
        allowed = (self.folder, *self.sources)
        if not path.is_file() or not any(path.is_relative_to(place) for place in allowed):
            names = ", ".join(str(place) for place in allowed)
            raise ParameterError(f"a source is a file in {names}: {source!r} is none")
        return path

    def _path(self, source: str) -> Path:
        parts = urlsplit(source)
        text = unquote(parts.path) if parts.scheme == "file" else source
        if "\0" in text:
            raise ParameterError("a path has no zero bytes")
        return (self.folder / text).resolve()

    def _loaded(self) -> Model:
        if self._model is None:
            self._model = self.chosen.load()
        return self._model

    def _saved(self, clip: Clip, waveform: Any) -> dict[str, Any]:
        from sonoriff.pipeline.sound_file import attributes_of_settings, save_sound

        target = self.folder / f"{clip.settings['verb']}-{secrets.token_hex(4)}.wav"
        save_sound(target, waveform, clip.sonogram)
        clip.save(target.with_suffix(".png"))
        return {
            "sound": target.as_uri(),
            "picture": target.with_suffix(".png").as_uri(),
            "duration_s": round(waveform.shape[1] / clip.sample_rate, 3),
            **attributes_of_settings(clip.settings),
        }


def tool_server(tools: MusicTools) -> Any:
    """The tools as an `MCPServer` of the official SDK."""
    server = MCPServer("sonoriff", instructions=_INSTRUCTIONS, version=__version__)
    # New files are written, none is replaced; no network is used.
    makes = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
    reads = ToolAnnotations(read_only_hint=True, open_world_hint=False)

    async def in_thread(work: Any, *given: Any) -> dict[str, Any]:
        """Result of work in a thread; what is wrong with the wish is told in its own words."""
        try:
            made: dict[str, Any] = await anyio.to_thread.run_sync(work, *given)
        except SonoriffError as error:
            raise ToolError(str(error)) from error
        return made

    async def run(context: Context, work: Any, *given: Any) -> dict[str, Any]:
        """Run work in a thread and tell its progress."""

        def on_progress(step: int, steps: int) -> None:
            anyio.from_thread.run(context.report_progress, float(step), float(steps))

        return await in_thread(work, *given, on_progress)

    @server.tool(annotations=makes)
    async def generate(
        context: Context,
        prompt: str,
        negative_prompt: str = "",
        seed: int = 0,
        duration_s: float = 6.0,
        loop_bars: int | None = None,
        bpm: float | None = None,
        key: str | None = None,
        energy: int | None = None,
        chords: str | None = None,
    ) -> dict[str, Any]:
        """Make music from words; loop_bars makes a seamless loop of so many bars instead."""
        shared = {
            **{"prompt": prompt, "negative_prompt": negative_prompt, "seed": seed},
            **{"bpm": bpm, "key": key, "energy": energy, "chords": chords},
        }
        if loop_bars is not None:
            return await run(context, tools.make, "loop", {**shared, "bars": loop_bars}, None)
        settings = {**shared, "duration_s": duration_s}
        return await run(context, tools.make, "generate", settings, None)

    @server.tool(annotations=makes)
    async def remix(
        context: Context, source: str, prompt: str, strength: float = 0.6, seed: int = 0
    ) -> dict[str, Any]:
        """Play a sound another way; strength 0 keeps it, 1 ignores it."""
        settings = {"prompt": prompt, "strength": strength, "seed": seed}
        return await run(context, tools.make, "remix", settings, source)

    @server.tool(annotations=makes)
    async def inpaint(
        context: Context,
        source: str,
        prompt: str,
        from_s: float | None = None,
        to_s: float | None = None,
        low_hz: float | None = None,
        high_hz: float | None = None,
        seed: int = 0,
    ) -> dict[str, Any]:
        """Make a part anew: a span of seconds, a band of frequencies, or where both meet."""
        settings: dict[str, Any] = {"prompt": prompt, "seed": seed}
        if from_s is not None and to_s is not None:
            settings["times"] = ((from_s, to_s),)
        if low_hz is not None and high_hz is not None:
            settings["bands"] = ((low_hz, high_hz),)
        return await run(context, tools.make, "inpaint", settings, source)

    @server.tool(annotations=makes)
    async def extend(
        context: Context,
        source: str,
        duration_s: float,
        prompt: str = "",
        side: Literal["end", "start"] = "end",
        seed: int = 0,
    ) -> dict[str, Any]:
        """Make a sound longer, to duration_s in all, at its end or at its start."""
        settings = {"prompt": prompt, "duration_s": duration_s, "side": side, "seed": seed}
        return await run(context, tools.make, "extend", settings, source)

    @server.tool(annotations=makes)
    async def song(context: Context, wish: str, length_s: float = 60.0) -> dict[str, Any]:
        """Plan and render a song with a form, up to five minutes."""
        return await run(context, tools.song, wish, length_s)

    @server.tool(annotations=reads)
    async def analyse(source: str) -> dict[str, Any]:
        """Tempo, beats, bars, key, chords, energy and loudness of a sound."""
        return await in_thread(tools.analyse, source)

    return server
