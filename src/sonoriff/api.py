"""The front door: a model with the verbs as methods, and clips that know it.

Everything here is also `sonoriff.load`, `sonoriff.Clip` and so on.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.models.registry import load_model
from sonoriff.pipeline import clip as pipeline_clip
from sonoriff.pipeline.settings import OnProgress
from sonoriff.pipeline.source import Source
from sonoriff.pipeline.verbs import VERBS
from sonoriff.sonogram.codec import encode
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt
from sonoriff.threads import prepare

if TYPE_CHECKING:
    from sonoriff.models.lora import Lora
    from sonoriff.models.protocol import Model
    from sonoriff.songs.plan import Song

FloatArray = npt.NDArray[np.float32]
Method = TypeVar("Method", bound=Callable[..., Any])


def load(
    name: str | os.PathLike[str] | None = None,
    *,
    device: str = "auto",
    lora: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    dtype: Any = None,
) -> Sonoriff:
    """A model, ready to make music.

    Parameters
    ----------
    name : None for the bundled model; a folder, a .safetensors file of Stable Diffusion, a name
        that `sonoriff models` lists, or OWNER/NAME of the Hugging Face hub
    device : "auto" takes "cuda", "mps" or "cpu", whichever is there first
    lora : one or several, each a path or "PATH:SCALE"
    dtype : "float32", "int8", "bfloat16", "float16" or a torch.dtype; None for the device's fastest

    Raises
    ------
    ParameterError
        an argument of a wrong kind
    CheckpointError
        no such model, no such device, or its files are damaged, pickled or of another version

    Examples
    --------
    >>> model = sonoriff.load()
    >>> model.generate("calm piano, 90 bpm", seed=7).save("piano.wav")
    """
    from sonoriff.models.lora import parse_lora

    prepare()
    if name is not None and not isinstance(name, str | os.PathLike):
        raise ParameterError(f"a model is named by text or a path, got {name!r}")
    named = [lora] if isinstance(lora, str | os.PathLike) else list(lora)
    loras: list[Lora] = [parse_lora(os.fspath(each)) for each in named]
    path = os.fspath(name) if name is not None else None
    return Sonoriff(load_model(path, device=device, dtype=dtype, loras=loras))


def _takes(settings_class: type[Any], first: str, *behind: str) -> Callable[[Method], Method]:
    """Give a method the fields of a settings class as keyword arguments, after `first`.

    Parameters
    ----------
    behind : further keyword arguments, of the method itself
    """

    def with_signature(method: Method) -> Method:
        @functools.wraps(method)
        def checked(self: Sonoriff, *args: Any, **settings: Any) -> Any:
            known = [*(f.name for f in fields(settings_class)), *behind]
            for name in settings:
                if name not in known and name != first:
                    raise ParameterError(
                        f"{method.__name__} takes no {name!r}; it takes {', '.join(known)}"
                    )
            return method(self, *args, **settings)

        own = inspect.signature(method).parameters
        kinds = inspect.Parameter
        shown = [own["self"], own[first]]
        shown += [
            kinds(f.name, kinds.KEYWORD_ONLY, default=f.default, annotation=f.type)
            for f in fields(settings_class)
            if f.name not in (first, "prompts")
        ]
        shown += [own[name] for name in behind]
        # inspect and pydoc show this instead of **settings.
        checked.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return with_signature


@dataclass(frozen=True, eq=False)
class Clip(pipeline_clip.Clip):
    """A piece of music: its picture, its sound, and the settings that make it again.

    Attributes
    ----------
    sonogram : the picture; its metadata are the settings
    maker : the model that `remix` and the other verbs use; None for a clip that was loaded
    """

    maker: Sonoriff | None = None

    def remix(self, prompt: str, **settings: Any) -> Clip:
        """This music played another way: `Sonoriff.remix`."""
        return self._made_by().remix(self, prompt=prompt, **settings)

    def inpaint(self, prompt: str = "", **settings: Any) -> Clip:
        """A part of this music painted anew: `Sonoriff.inpaint`."""
        return self._made_by().inpaint(self, prompt=prompt, **settings)

    def extend(self, duration_s: float, **settings: Any) -> Clip:
        """This music and what comes after it, or before: `Sonoriff.extend`."""
        return self._made_by().extend(self, duration_s=duration_s, **settings)

    def _made_by(self) -> Sonoriff:
        if self.maker is None:
            raise ParameterError(
                "this clip knows no model: sonoriff.load() one and give it the clip, as in "
                "model.remix(clip, prompt=...)"
            )
        return self.maker

    def _repr_html_(self) -> str:
        """In a notebook: the picture with axes, and a player."""
        from sonoriff.sonogram.notebook import html_from_sonogram

        return html_from_sonogram(self.sonogram)


class Sonoriff:
    """A model with the verbs as methods; `sonoriff.load` makes one.

    Every method takes keyword arguments only after its first, those of the settings class that its
    docstring names, and raises `sonoriff.errors.ParameterError` for what does not fit.
    `on_progress` is told ``(step, steps)`` and may raise `sonoriff.errors.Cancelled`.

    Attributes
    ----------
    model : what the verbs of `sonoriff.pipeline` take
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    @property
    def name(self) -> str:
        """As `sonoriff models` lists it."""
        return self.model.name

    @property
    def sample_rate(self) -> int:
        """Hz, of all that it makes."""
        return self.model.params.sample_rate

    @_takes(VERBS["generate"].settings_class, "prompt", "count", "on_progress")
    def generate(
        self,
        prompt: str | Sequence[str] = "",
        *,
        count: int | None = None,
        on_progress: OnProgress | None = None,
        **settings: Any,
    ) -> Clip | list[Clip]:
        """Text to music.

        Parameters
        ----------
        prompt : what to hear; several give a list, a clip or `count` clips for each
        count : gives a list, of the seeds S, S + 1, ...; None gives one clip
        settings : of `sonoriff.pipeline.generate.GenerateSettings`
        """
        from sonoriff.pipeline.generate import GenerateSettings, generate_many

        several = not isinstance(prompt, str) and isinstance(prompt, Sequence)
        prompts: list[Any] = list(prompt) if several else [prompt]
        wishes = [GenerateSettings(prompt=each, **settings) for each in prompts]
        batch = 1 if self.model.device == "cpu" else 8
        clips = [
            self._clip(clip)
            for wish in wishes
            for clip in generate_many(
                self.model,
                wish,
                1 if count is None else count,
                batch_size=batch,
                on_progress=on_progress,
            )
        ]
        return clips if several or count is not None else clips[0]

    @_takes(VERBS["loop"].settings_class, "prompt", "on_progress")
    def loop(
        self, prompt: str = "", *, on_progress: OnProgress | None = None, **settings: Any
    ) -> Clip:
        """Whole bars whose end meets their start.

        Parameters
        ----------
        settings : of `sonoriff.pipeline.loop.LoopSettings`
        """
        return self._run("loop", [], on_progress, {"prompt": prompt, **settings})

    @_takes(VERBS["remix"].settings_class, "source", "on_progress")
    def remix(self, source: Any, *, on_progress: OnProgress | None = None, **settings: Any) -> Clip:
        """A sound played another way.

        Parameters
        ----------
        source : a clip, a sonogram, a path of a sound or of a picture, or ``(waveform,
            sample_rate)`` with a float32 waveform (C, T)
        settings : of `sonoriff.pipeline.remix.RemixSettings`
        """
        return self._run("remix", [source], on_progress, settings)

    @_takes(VERBS["inpaint"].settings_class, "source", "on_progress")
    def inpaint(
        self, source: Any, *, on_progress: OnProgress | None = None, **settings: Any
    ) -> Clip:
        """A part of a sound painted anew: spans of time, bands, or a mask.

        Parameters
        ----------
        source : as of `remix`
        settings : of `sonoriff.pipeline.inpaint.InpaintSettings`
        """
        return self._run("inpaint", [source], on_progress, settings)

    @_takes(VERBS["extend"].settings_class, "source", "on_progress")
    def extend(
        self, source: Any, *, on_progress: OnProgress | None = None, **settings: Any
    ) -> Clip:
        """A sound that goes on, at either end.

        Parameters
        ----------
        source : as of `remix`
        settings : of `sonoriff.pipeline.extend.ExtendSettings`
        """
        return self._run("extend", [source], on_progress, settings)

    @_takes(VERBS["morph"].settings_class, "points", "sources", "on_progress")
    def morph(
        self,
        points: Sequence[Any],
        *,
        sources: Sequence[Any] = (),
        on_progress: OnProgress | None = None,
        **settings: Any,
    ) -> Clip:
        """A way from one piece to another.

        Parameters
        ----------
        points : two or more prompts, or `sonoriff.pipeline.morph.MorphPoint`
        sources : none, one for all points, or one for each; as of `remix`
        settings : of `sonoriff.pipeline.morph.MorphSettings`
        """
        from sonoriff.pipeline.morph import MorphPoint, MorphSettings, morph

        if isinstance(points, str) or not isinstance(points, Sequence):
            raise ParameterError(f"points are two prompts or more in a list, got {points!r}")
        ready = tuple(MorphPoint(prompt=p) if isinstance(p, str) else p for p in points)
        chosen = MorphSettings(points=ready, **settings)
        given = [self._source(source) for source in sources]
        return self._clip(morph(self.model, chosen, given, on_progress=on_progress).joined)

    def song(
        self,
        plan: Song | str | os.PathLike[str],
        *,
        length_s: float | None = None,
        cache: str | os.PathLike[str] | None = None,
        on_progress: OnProgress | None = None,
        **settings: Any,
    ) -> Clip:
        """A song of minutes, rendered from its plan.

        Parameters
        ----------
        plan : a `Song`, the path of a .toml file, or a wish in words: "lo-fi hip hop"
        length_s : of the song of a wish; None is two minutes
        cache : folder in which sections and joins are kept, so that an edit paints only what it
            changed
        settings : steps, guidance, sampler and kind, of `sonoriff.pipeline.settings.Sampling`

        Raises
        ------
        FormatError
            the file is no plan; the message says the line
        """
        from pathlib import Path

        from sonoriff.pipeline.settings import Sampling
        from sonoriff.songs.document import load_song
        from sonoriff.songs.plan import Song
        from sonoriff.songs.render import render_song
        from sonoriff.songs.wish import USUAL_S, plan_song

        if not isinstance(plan, Song | str | os.PathLike):
            raise ParameterError(f"a song is a plan or the path of one, got {plan!r}")
        wish = isinstance(plan, str) and not plan.lower().endswith(".toml")
        if length_s is not None and not wish:
            raise ParameterError("length_s belongs to a wish; a plan has its own length")
        if isinstance(plan, str) and wish:
            chosen = plan_song(plan, length_s=USUAL_S if length_s is None else length_s)
        else:
            chosen = plan if isinstance(plan, Song) else load_song(plan)
        folder = None if cache is None else Path(cache)
        try:
            sampling = Sampling(**settings)
        except TypeError as error:
            raise ParameterError(f"song: {error}") from error
        made = render_song(self.model, chosen, sampling, cache=folder, on_progress=on_progress)
        return self._clip(made)

    @_takes(Scene, "prompt")
    def stream(self, prompt: str | Sequence[Any] = "", **settings: Any) -> Iterator[FloatArray]:
        """Endless music: chunks of samples, float32 (C, t), at `sample_rate` Hz.

        Parameters
        ----------
        prompt : what to hear; several are blended, each as text or ``(text, weight)``
        settings : of `sonoriff.stream.scene.Scene`
        """
        from sonoriff.stream.export import stream_samples

        several = [prompt] if isinstance(prompt, str) else prompt
        if not isinstance(several, Sequence):
            raise ParameterError(f"a prompt is text, got {prompt!r}")
        prompts = tuple(
            WeightedPrompt(p) if isinstance(p, str) else WeightedPrompt(*p) for p in several
        )
        # Here, not at the first chunk: what is wrong is said at once.
        schedule = SceneSchedule((Cue(Scene(prompts=prompts, **settings)),))
        return stream_samples(self.model, schedule)

    def __repr__(self) -> str:
        return f"Sonoriff({self.name!r}, device={str(self.model.device)!r})"

    def _run(
        self,
        name: str,
        sources: Sequence[Any],
        on_progress: OnProgress | None,
        settings: dict[str, Any],
    ) -> Clip:
        verb = VERBS[name]
        try:
            chosen = verb.settings_class(**settings)
        except TypeError as error:
            raise ParameterError(f"{name}: {error}") from error
        given = [self._source(source) for source in sources]
        made = verb.run(self.model, chosen, given, on_progress=on_progress)
        assert isinstance(made, pipeline_clip.Clip)
        return self._clip(made)

    def _clip(self, made: pipeline_clip.Clip) -> Clip:
        return Clip(made.sonogram, self)

    def _source(self, source: Any) -> Source:
        if isinstance(source, pipeline_clip.Clip | Sonogram | str | os.PathLike):
            return source
        if isinstance(source, tuple) and len(source) == 2:
            return encode(source[0], source[1], self.model.params)
        raise ParameterError(
            "a source is a clip, a sonogram, a path, or (waveform, sample_rate), got "
            f"{type(source).__name__}"
        )
