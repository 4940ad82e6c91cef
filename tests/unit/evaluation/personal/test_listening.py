"""Captions of what is heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from sonoriff.corpus.manifest import ClipLabels, CorpusClip
from sonoriff.corpus.sidecars import Description
from sonoriff.evaluation.judges import musicnn
from sonoriff.evaluation.personal import listening
from sonoriff.evaluation.personal.listening import listened

RATE = 44_100


@pytest.fixture(scope="module")
def cadence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """C major: its three chords, with overtones."""
    time = np.arange(RATE) / RATE
    chords = ((262, 330, 392), (349, 440, 523), (392, 494, 587), (262, 330, 392))
    parts = [
        sum(np.sin(2 * np.pi * f * k * time) / k for f in chord for k in (1, 2, 3)) * 0.05
        for chord in chords
    ]
    path = tmp_path_factory.mktemp("sound") / "clip.flac"
    soundfile.write(path, np.concatenate(parts), RATE)
    return path


def clip(bpm: float | None = None) -> CorpusClip:
    return CorpusClip("clip.flac", ("x",), ClipLabels(bpm=bpm), "train", "import/x.wav", "CC0-1.0")


def test_tempo_and_key_are_added_to_what_the_folder_says(cadence: Path) -> None:
    heard = listened(cadence, Description(("my guitar",), origin="text"), clip(bpm=119.6))
    assert (heard.facts.key, heard.facts.mode) == ("C", "major")
    assert heard.captions[0].startswith("my guitar")
    assert heard.captions[1].endswith("120 bpm, in C major")


@pytest.mark.skipif(not listening.can_hear_tags(), reason="musicnn is not installed")
def test_a_file_name_gives_way_to_tags(cadence: Path) -> None:
    heard = listened(cadence, Description(("take 7",), origin="name"), clip())
    assert "take 7" not in heard.captions[0]
    assert heard.captions[0]


def test_tags_are_heard_to_the_end_of_the_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = np.zeros(5 * RATE, np.float32)
    sound[-RATE:] = np.random.default_rng(0).normal(0, 0.1, RATE)
    soundfile.write(tmp_path / "clip.flac", sound, RATE)
    heard: list[torch.Tensor] = []

    def network(patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        heard.append(patches)
        return torch.zeros(len(patches), 50), torch.zeros(len(patches), 200)

    monkeypatch.setattr(listening, "can_hear_tags", lambda: True)
    monkeypatch.setattr(musicnn, "load_musicnn", lambda _name: network)
    listened(tmp_path / "clip.flac", Description((), origin="text"), clip())
    assert heard[0][-1][-60:].any(dim=1).all()
