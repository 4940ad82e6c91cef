"""Captions of what is heard: tags, tempo and key of a clip that somebody wants to train on."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np

from sonoriff.analysis.key import chroma_of_waveform, key_of_chroma
from sonoriff.audio import read_audio
from sonoriff.corpus.manifest import CorpusClip
from sonoriff.corpus.sidecars import Description
from sonoriff.evaluation.judges import musicnn
from sonoriff.music import KEYS

_MOST_TAGS = 4
_SURE_TAG = 0.2
_SURE_KEY = 0.75
# Tags that say nothing of the sound, or its opposite.
_USELESS = {
    *("beautiful", "sexy", "catchy", "party", "00s", "weird", "no vocals", "no vocal", "no voice"),
    *("woman", "man", "voice", "vocal", "singing", "female", "male", "solo", "beat"),
}


def can_hear_tags() -> bool:
    """Whether the network that gives tags is installed."""
    return importlib.util.find_spec("musicnn") is not None


def listened(path: Path, known: Description, clip: CorpusClip) -> CorpusClip:
    """The clip with its key and with captions of what is heard.

    Parameters
    ----------
    path : the clip's sound
    known : what the folder says of its file; its words come first, unless they are only the name
    """
    (waveform,), sample_rate = read_audio(path, max_channels=1)
    facts = clip.facts
    key = key_of_chroma(chroma_of_waveform(waveform, sample_rate))
    if facts.key is None and key.correlation >= _SURE_KEY:
        facts = replace(facts, key=KEYS[key.tonic], mode=key.mode)
    tags = _tags(waveform, sample_rate) if can_hear_tags() else []
    words = ", ".join(tags)
    more = [f"{round(facts.bpm)} bpm"] if facts.bpm else []
    more += [f"in {facts.key} {facts.mode}"] if facts.key and facts.mode else []
    first = [] if known.origin == "name" and words else list(known.captions[:1])
    plain = ", ".join([*first, *([words] if words else [])])
    captions = [plain, ", ".join([plain, *more]), *first]
    return replace(clip, captions=tuple(dict.fromkeys(c for c in captions if c)), facts=facts)


def _tags(waveform: np.ndarray[tuple[int], np.dtype[np.float32]], sample_rate: int) -> list[str]:
    """The surest tags of both tag sets, the surest first."""
    patches = musicnn.patches_of_waveform(waveform, sample_rate)
    scores: dict[str, float] = {}
    networks: tuple[musicnn.Network, ...] = ("MTT", "MSD")
    for network in networks:
        means = musicnn.load_musicnn(network)(patches)[0].mean(dim=0)
        for tag, score in zip(musicnn.TAGS[network], means.tolist(), strict=True):
            scores[tag] = max(score, scores.get(tag, 0.0))
    ranked = sorted(scores, key=lambda tag: -scores[tag])
    useful = [tag for tag in ranked if tag not in _USELESS]
    sure = [tag for tag in useful if scores[tag] >= _SURE_TAG][:_MOST_TAGS]
    return sure or useful[:1]
