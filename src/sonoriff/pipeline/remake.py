"""Recreate a clip from the settings stored in its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, cast

from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.morph import MorphSettings, morph
from sonoriff.pipeline.riffusion import InferenceInput, riffuse
from sonoriff.pipeline.settings import OnProgress
from sonoriff.pipeline.source import Source
from sonoriff.pipeline.verbs import VERBS, Verb


def _riffuse(
    model: Model, source: Source, inputs: InferenceInput, *, on_progress: OnProgress | None
) -> Clip:
    return riffuse(model, inputs, source, on_progress=on_progress)


# Only Riffusion's endpoint uses this one; it is not a public verb.
_RIFFUSE = Verb("riffuse", InferenceInput, _riffuse, "one")


def remake(
    model: Model,
    clip: Clip,
    source: Source | Sequence[Source] | None = None,
    *,
    on_progress: OnProgress | None = None,
    **changes: Any,
) -> Clip:
    """Recreate a clip; the same model on the same machine gives the same clip.

    Parameters
    ----------
    clip : as loaded from its picture
    source : what a remix, an inpainting, an extension or a way was made from; several of a way as a
        list
    changes : settings that replace the stored ones, for example ``seed=8``

    Raises
    ------
    ParameterError
        the picture carries no settings, a source is needed and was not given, there is no such
        setting, or it would change nothing
    """
    verb, sources = clip.settings.get("verb"), _as_sources(source)
    if verb == "morph":
        return _morphed(model, clip, sources, on_progress, changes)
    known = _RIFFUSE if verb == _RIFFUSE.name else VERBS.get(str(verb))
    if verb == "song":
        raise ParameterError("this picture is of a song: sonoriff song render makes it again")
    if known is None:
        raise ParameterError("this picture carries no settings to make it again from")
    if known.sources == "none":
        sources = ()
    elif not sources:
        name = clip.settings.get("source") or "another sound"
        raise ParameterError(f"this clip was made from {name}: give that as the source")
    if clip.settings.get("masked") and "mask" not in changes:
        raise ParameterError("this clip was made with a painted mask: give that again")
    settings = _changed(known.settings_class, clip, changes)
    return cast(Clip, known.run(model, settings, sources[:1], on_progress=on_progress))


def _as_sources(source: Source | Sequence[Source] | None) -> tuple[Source, ...]:
    if source is None:
        return ()
    return tuple(source) if isinstance(source, list | tuple) else (cast(Source, source),)


def _changed(settings_class: Any, clip: Clip, changes: dict[str, Any]) -> Any:
    """The stored settings with changes."""
    names = [field.name for field in fields(settings_class)]
    for name in changes:
        if name not in names:
            raise ParameterError(f"there is no setting {name!r}; there are {', '.join(names)}")
    return settings_class.from_dict({**clip.settings, **changes})


def _morphed(
    model: Model,
    clip: Clip,
    sources: Sequence[Source],
    on_progress: OnProgress | None,
    changes: dict[str, Any],
) -> Clip:
    """The whole of a way, or the one of its clips that the picture is."""
    names = clip.settings.get("sources") or []
    if len(names) != len(sources):
        made_from = ", ".join(str(name) or "another sound" for name in names) or "no sound"
        raise ParameterError(f"this way was made from {made_from}: give just that as the source")
    settings = _changed(MorphSettings, clip, changes)
    for name in changes:
        if name != "points" and all(name in point.own for point in settings.points):
            raise ParameterError(f"every point of this way has a {name} of its own")
    way = morph(model, settings, sources, on_progress=on_progress)
    number = clip.settings.get("clip")
    return way.joined if number is None else way.clips[number]
