"""Save an excerpt of a stream as a riff."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from sonoriff.pipeline.sound_file import attributes_of_settings, sound_bytes
from sonoriff.server.store import RiffRecord, Store, StoreError
from sonoriff.server.workers.replies import ModelInfo
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.picture import png_bytes
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.version import __version__


def riff_of_part(
    store: Store,
    model: ModelInfo,
    settings: dict[str, Any],
    columns: bytes,
    sides: bytes,
    sound: bytes,
    owner: str,
) -> RiffRecord:
    """Store an excerpt of a stream as a finished riff.

    Parameters
    ----------
    model : the model that made the stream
    columns, sound : payload bytes as in the stream's frames
    sides : left and right of the columns, in the same form; empty for one channel
    owner : owner of the riff; "" if riffs are not private
    """
    params, channels = SonogramParams.from_dict(model.params), model.channels
    levels = np.frombuffer(columns, np.uint8).reshape(-1, 1, params.n_mels)
    if sides:
        both = np.frombuffer(sides, np.uint8).reshape(-1, 2, params.n_mels)
        levels = np.concatenate([both, levels], axis=1)
    step = (params.db_max - params.db_min) / 255.0
    values = levels.transpose(1, 2, 0).astype(np.float32) * np.float32(step) + params.db_min
    samples = np.frombuffer(sound, "<i2").reshape(-1, channels).T.astype(np.float32) / 32768.0
    prompt = ", ".join(prompt["text"] for prompt in settings["prompts"])
    about = {
        "model": model.model,
        "weights": model.weights,
        "version": __version__,
        "prompt": prompt,
    }
    sonogram = Sonogram(
        np.ascontiguousarray(values, np.float32), params, {**settings, **about, "verb": "stream"}
    )
    riff = store.add("stream", prompt, {**settings, "prompt": prompt}, owner)
    try:
        flac = sound_bytes(".flac", np.ascontiguousarray(samples), sonogram)
        store.finish(
            riff.id,
            png_bytes(sonogram),
            flac,
            samples.shape[1] / params.sample_rate,
            attributes_of_settings(sonogram.metadata),
        )
    except BaseException:
        with suppress(StoreError):
            store.delete(riff.id)  # no worker will make it, so it would stay queued for ever
        raise
    found = store.find(riff.id)
    assert found is not None
    return found
