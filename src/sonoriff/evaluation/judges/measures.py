"""Everything that is measured on one clip of sound, real or made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from sonoriff.analysis.key import chroma_of_waveform
from sonoriff.audio import loudness_lufs
from sonoriff.evaluation.judges import musicnn
from sonoriff.evaluation.judges.classifier import Classifier
from sonoriff.evaluation.judges.harmony import line_sharpness
from sonoriff.evaluation.judges.rhythm import onset_sharpness, tempo_of_picture
from sonoriff.sonogram import HIFI, encode
from sonoriff.training.data.pictures import picture_from_mel

MEASURES_VERSION = 1
NETWORKS: tuple[musicnn.Network, ...] = ("MTT", "MSD")
_THUMBNAIL = (32, 64)
_QUIETEST_LUFS = -70.0


@dataclass(frozen=True)
class Judges:
    """The networks that listen; without a classifier nothing is said of genres and instruments."""

    classifier: Classifier | None
    taggers: dict[musicnn.Network, musicnn.Musicnn]


def load_judges(classifier: Classifier | None = None) -> Judges:
    """The classifier and both of musicnn's networks; CheckpointError where these are missing."""
    return Judges(classifier, {name: musicnn.load_musicnn(name) for name in NETWORKS})


def measure_clip(
    waveform: npt.NDArray[np.float32], sample_rate: int, judges: Judges
) -> dict[str, npt.NDArray[np.float32]]:
    """Measures of a clip.

    Parameters
    ----------
    waveform : float32 (T,), [-1, 1], more than three seconds
    sample_rate : Hz

    Returns
    -------
    by name: ``features_MTT`` and ``features_MSD`` (200,), ``tags_MTT`` and ``tags_MSD`` (50,),
    ``genre`` and ``instruments`` (logits, with a classifier), ``chroma`` (12,), ``thumbnail``
    (2048,), and single numbers ``bpm``, ``clarity``, ``onsets``, ``lines`` (dB), ``lufs``
    """
    picture_db = encode(waveform[None], sample_rate).values[0]
    tempo = tempo_of_picture(picture_db, HIFI.frames_per_second)
    found: dict[str, npt.NDArray[np.floating] | float] = {
        "bpm": tempo.bpm,
        "clarity": tempo.clarity,
        "onsets": onset_sharpness(picture_db),
        "lines": line_sharpness(picture_db),
        "chroma": chroma_of_waveform(waveform, sample_rate),
        "lufs": max(_QUIETEST_LUFS, loudness_lufs(waveform[None], sample_rate)),
        "thumbnail": thumbnail(picture_db),
    }
    if judges.classifier is not None:
        genre, instruments = judges.classifier.scores(
            picture_from_mel(torch.from_numpy(picture_db))[None, None]
        )
        found |= {"genre": genre[0].numpy(), "instruments": instruments[0].numpy()}
    for name, tags_and_features in _heard(waveform, sample_rate, judges).items():
        found[f"tags_{name}"], found[f"features_{name}"] = tags_and_features
    return {name: np.asarray(value, np.float32) for name, value in found.items()}


def _heard(
    waveform: npt.NDArray[np.float32], sample_rate: int, judges: Judges
) -> dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Tags and features of musicnn, each the mean over patches of three seconds."""
    patches = musicnn.patches_of_waveform(waveform, sample_rate)
    heard = {}
    for name, tagger in judges.taggers.items():
        tags, features = tagger(patches)
        heard[str(name)] = (tags.mean(dim=0).numpy(), features.mean(dim=0).numpy())
    return heard


def thumbnail(picture: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """A picture (M, N) in 32 x 64 block means, flat: to find its like among many."""
    rows, columns = _THUMBNAIL
    trimmed = picture[:, : picture.shape[1] // columns * columns]
    blocks = trimmed.reshape(rows, picture.shape[0] // rows, columns, -1)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32).reshape(-1))
