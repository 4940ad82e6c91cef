"""A song rendered by a worker, with a cache that later renders and other workers share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sonoriff.models.protocol import Model
from sonoriff.pipeline.settings import OnProgress, Sampling
from sonoriff.pipeline.sound_file import attributes_of_settings, sound_bytes
from sonoriff.server.workers.ipc import Message
from sonoriff.songs.cache import prune
from sonoriff.songs.document import song_from_toml
from sonoriff.songs.edits import first_sections
from sonoriff.songs.mastering import mastered
from sonoriff.songs.render import render_song
from sonoriff.sonogram import decode
from sonoriff.sonogram.picture import png_bytes

_CACHE = "songs"


def render(
    model: Model, settings: dict[str, Any], folder: str | None, on_progress: OnProgress
) -> Message:
    """The picture of a song, which holds its plan, and its sound as FLAC.

    Parameters
    ----------
    settings : "plan" as TOML, "sections" to render only the first of them, and of `Sampling`
    folder : the cache lies in it; None does without
    """
    song = song_from_toml(settings["plan"])
    if settings.get("sections"):
        song = first_sections(song, settings["sections"])
    sampling = Sampling(num_inference_steps=settings.get("num_inference_steps"))
    cache = Path(folder) / _CACHE if folder is not None else None
    clip = render_song(model, song, sampling, cache=cache, on_progress=on_progress)
    if cache is not None:
        prune(cache)
    sound = mastered(decode(clip.sonogram), clip.sample_rate, settings.get("loudness", -14.0))
    facts = {
        "duration_s": sound.shape[1] / clip.sample_rate,
        "attributes": attributes_of_settings(clip.settings),
    }
    flac = sound_bytes(".flac", sound, clip.sonogram, bits="24")
    return facts, [png_bytes(clip.sonogram), flac]
