"""The classifier that judges genres and instruments."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sonoriff.errors import CheckpointError, CorpusError
from sonoriff.evaluation.judges.classifier import (
    Classifier,
    Labels,
    load_classifier,
    save_classifier,
)
from sonoriff.evaluation.judges.classifier_training import (
    ClassifierConfig,
    classifier_for_corpus,
    corpus_digest,
    labels_of_entries,
    scores_of_pictures,
    train_classifier,
)
from sonoriff.training.data.pictures import PictureSet

TINY = ClassifierConfig(steps=4, batch_size=4, crop_frames=32, fewest_clips=4, fewest_held_out=4)
LEARNING = replace(TINY, steps=40, batch_size=8)


def pictures(n: int = 48) -> PictureSet:
    """Low lines are ambient organs, upright strokes are techno drums; two splits."""
    generator = np.random.default_rng(0)
    shard = generator.integers(0, 30, (n, 256, 64), dtype=np.uint8)
    entries: list[dict[str, Any]] = []
    for i in range(n):
        if i % 2:
            shard[i, :, i % 8 :: 12] += 150
        else:
            shard[i, 20 + i % 8 : 90 : 12] += 150
        facts = (
            {"genre": "techno", "instruments": ["drums"]}
            if i % 2
            else {"genre": "ambient", "instruments": ["organ"]}
        )
        split = "validation" if i % 6 > 3 else "train"
        entries.append({"file_name": f"{i}.flac", "facts": facts, "split": split})
    return PictureSet([shard], entries)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Classifier, dict[str, Any]]:
    return train_classifier(pictures(), LEARNING, tmp_path_factory.mktemp("run"))


def test_it_learns_what_is_plain_to_see(trained: tuple[Classifier, dict[str, Any]]) -> None:
    shown = pictures()
    classifier, facts = trained
    assert classifier.labels.genres == ("ambient", "techno")
    assert facts["validation_genre_top1"] == 1.0
    assert facts["validation_instrument_recall"] == 1.0
    genre, instruments = scores_of_pictures(classifier, shown, shown.subset("validation"))
    assert (genre.shape, instruments.shape) == ((16, 2), (16, 2))


def test_a_threshold_lets_one_in_twenty_pass(trained: tuple[Classifier, dict[str, Any]]) -> None:
    shown = pictures()
    classifier, _ = trained
    indices = shown.subset("validation")
    _, scores = scores_of_pictures(classifier, shown, indices)
    without = np.array(["organ" not in shown.entries[i]["facts"]["instruments"] for i in indices])
    organ = classifier.labels.instruments.index("organ")
    passed = scores[torch.from_numpy(without), organ] > classifier.labels.thresholds[organ]
    assert float(passed.float().mean()) <= 1 / 8


def test_the_same_seed_trains_the_same_classifier(tmp_path: Path) -> None:
    runs = [tmp_path / "one", tmp_path / "two"]
    one, two = (train_classifier(pictures(), TINY, run)[0].state_dict() for run in runs)
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, two[name], rtol=0, atol=0)


def test_it_is_trained_once_for_a_corpus(tmp_path: Path) -> None:
    steps: list[int] = []

    def on_step(step: int, _total: int, _loss: float) -> None:
        steps.append(step)

    shown = pictures()
    first, facts = classifier_for_corpus(shown, tmp_path, TINY, on_step=on_step)
    again, same_facts = classifier_for_corpus(shown, tmp_path, TINY, on_step=on_step)
    assert steps == list(range(1, TINY.steps + 1))
    assert (facts, first.labels) == (same_facts, again.labels)
    x = torch.zeros(1, 1, 256, 64)
    torch.testing.assert_close(first.scores(x), again.scores(x))


def test_one_that_is_stopped_goes_on(tmp_path: Path) -> None:
    def stop_at_two(step: int, _total: int, _loss: float) -> None:
        if step == 2:
            signal.raise_signal(signal.SIGINT)

    shown = pictures()
    with pytest.raises(KeyboardInterrupt):
        classifier_for_corpus(shown, tmp_path / "stopped", TINY, on_step=stop_at_two)
    steps: list[int] = []
    classifier, _ = classifier_for_corpus(
        shown, tmp_path / "stopped", TINY, on_step=lambda step, _total, _loss: steps.append(step)
    )
    assert steps == [3, 4]
    whole, _ = classifier_for_corpus(shown, tmp_path / "whole", TINY)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(tensor, classifier.state_dict()[name])


def test_another_corpus_or_setting_is_another_classifier() -> None:
    shown, changed = pictures(), pictures()
    changed.entries[3]["facts"] = {"genre": "house", "instruments": []}
    other = replace(TINY, steps=5)
    digests = {
        corpus_digest(shown, TINY),
        corpus_digest(changed, TINY),
        corpus_digest(shown, other),
    }
    assert len(digests) == 3


def test_rare_names_are_left_out() -> None:
    lines = pictures().entries
    lines[0]["facts"] = {"genre": "polka", "instruments": ["tuba"]}
    assert labels_of_entries(lines, 4) == Labels(
        genres=("ambient", "techno"), instruments=("drums", "organ")
    )
    with pytest.raises(CorpusError, match="two genres and two instruments"):
        labels_of_entries(lines, 25)


def test_clips_of_any_length_have_scores() -> None:
    classifier = Classifier(Labels(genres=("a", "b"), instruments=("c", "d", "e"))).eval()
    for columns in (32, 300, 512):
        genre, instruments = classifier.scores(torch.zeros(2, 1, 256, columns))
        assert (genre.shape, instruments.shape) == ((2, 2), (2, 3))


def test_a_damaged_or_missing_classifier_is_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no usable classifier"):
        load_classifier(tmp_path)
    labels = Labels(genres=("a", "b"), instruments=("c", "d"), thresholds=(0.0, 1.0))
    save_classifier(tmp_path, Classifier(labels), {"note": 1})
    assert load_classifier(tmp_path)[1] == {"note": 1}
    (tmp_path / "classifier.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="no usable classifier"):
        load_classifier(tmp_path)
    config = tmp_path / "classifier.json"
    config.write_text(config.read_text().replace('"version": 1', '"version": 99'))
    with pytest.raises(CheckpointError, match="version 99"):
        load_classifier(tmp_path)
