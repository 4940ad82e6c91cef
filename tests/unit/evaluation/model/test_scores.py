"""Figures, recomputed by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sonoriff.evaluation.judges.classifier import Labels
from sonoriff.evaluation.judges.musicnn import TAGS
from sonoriff.evaluation.model.held_out import HeldOutPrompt
from sonoriff.evaluation.model.requested import Asked
from sonoriff.evaluation.model.scores import (
    Answers,
    agreement_figures,
    diversity,
    genre_groups,
    music_figures,
    nearness_figures,
    sound_figures,
    speed_figures,
    tag_figures,
)

LABELS = Labels(genres=("a", "b", "c"), instruments=("x", "y"), thresholds=(0.0, 1.0))


def answers(asked: list[Asked], captions: list[str] | None = None, **measures: Any) -> Answers:
    captions = captions or [""] * len(asked)
    prompts = [HeldOutPrompt(c, i, a) for i, (c, a) in enumerate(zip(captions, asked, strict=True))]
    arrays = {name: np.array(value, np.float32) for name, value in measures.items()}
    return Answers(arrays, prompts, np.arange(len(asked)))


def test_agreement_counts_what_was_asked_and_nothing_else() -> None:
    found = agreement_figures(
        answers(
            [
                Asked(genre="a", instruments=("x", "y")),
                Asked(genre="b"),
                Asked(genre="unknown"),
                Asked(instruments=("y", "unknown")),
            ],
            genre=[[3, 2, 1], [3, 2, 1], [0, 0, 0], [0, 0, 0]],
            instruments=[[0.5, 0.5], [9, 9], [9, 9], [0, 2]],
        ),
        LABELS,
    )
    assert found["genre_top1"] == 50.0
    assert found["genre_top5"] == 100.0
    assert found["instrument_recall"] == pytest.approx(200 / 3)  # x and the second y
    assert found["agreement"] == 60.0  # three of five
    assert (found["asked_genres"], found["asked_instruments"], found["classes"]) == (2, 3, 4)


def test_agreement_for_new_captions_is_told_apart() -> None:
    given = answers(
        [Asked(genre="a"), Asked(genre="b")], genre=[[3, 2, 1]] * 2, instruments=[[], []]
    )
    known, new = given.prompts[0], given.prompts[1]
    found = agreement_figures(replace(given, prompts=[replace(known, new=False), new]), LABELS)
    assert (found["agreement"], found["agreement_new"]) == (50.0, 0.0)


def test_nothing_asked_is_not_a_figure() -> None:
    found = agreement_figures(answers([Asked()], genre=[[0, 0, 0]], instruments=[[0, 0]]), LABELS)
    assert np.isnan(found["agreement"])
    assert np.isnan(music_figures(answers([Asked()], bpm=[100]))["tempo"])


def test_tempo_and_key() -> None:
    chroma = np.eye(12)[[0, 0]] + 0.1
    chroma[:, [4, 7]] += 0.6  # a triad of C major
    found = music_figures(
        answers(
            [
                Asked(bpm=120.0, key=(0, False)),
                Asked(bpm=120.0, key=(9, True)),
                Asked(bpm=120.0),
                Asked(),
            ],
            bpm=[121, 60, 100, 77],
            chroma=np.concatenate([chroma, chroma]),
        )
    )
    assert found["tempo"] == pytest.approx(200 / 3)
    assert found["tempo_exact"] == pytest.approx(100 / 3)
    assert (found["key_exact"], found["key_score"]) == (50.0, pytest.approx(65.0))
    assert (found["asked_tempos"], found["asked_keys"]) == (3, 2)


def test_tags_are_compared_with_real_clips_that_do_not_have_them() -> None:
    piano = TAGS["MTT"].index("piano")
    scores = np.zeros((2, 50), np.float32)
    scores[0, piano], scores[1, piano] = 0.6, 0.2
    others = np.zeros((4, 50), np.float32)
    others[:, piano] = (0.1, 0.3, 0.5, 0.9)
    about = [{"facts": {"genre": "rock", "instruments": []}, "captions": []} for _ in range(3)]
    about.append({"facts": {"genre": "jazz", "instruments": ["piano"]}, "captions": []})
    reference = {"tags_MTT": others, "tags_MSD": others}
    asked = answers([Asked(), Asked()], ["soft piano", "piano"], tags_MTT=scores, tags_MSD=scores)
    found = tag_figures(asked, reference, about)
    # The clip with 0.9 has a piano. The first beats 3 of 3, the second 1 of 3.
    assert found["tags_MTT"] == pytest.approx(100 * (1 + 1 / 3) / 2)
    assert np.isnan(found["tags_MSD"])  # it has no such tag


def test_copies_are_counted_against_real_clips() -> None:
    real = np.linspace(0.5, 0.9, 101)
    found = nearness_figures(np.array([0.6, 0.7, 0.95, 1.0]), real)
    assert found["copies"] == 50.0
    assert found["nearest_training"] == pytest.approx(0.825)
    assert nearness_figures(real, real)["copies"] == pytest.approx(1.0, abs=0.1)


def test_alike_seeds_have_less_diversity() -> None:
    generator = np.random.default_rng(0)
    reference = {f"features_{n}": generator.normal(size=(60, 20)) for n in ("MTT", "MSD")}
    centres = generator.normal(size=(4, 20)).repeat(4, axis=0)
    groups = list(np.arange(16).reshape(4, 4))
    spread = [
        diversity(
            {
                f"features_{n}": centres + s * generator.normal(size=(16, 20))
                for n in ("MTT", "MSD")
            },
            groups,
            reference,
        )
        for s in (0.0, 0.3, 1.0)
    ]
    assert spread[0] == pytest.approx(0.0, abs=1e-4)
    assert spread[0] < spread[1] < spread[2]
    assert spread[2] == pytest.approx(100.0, rel=0.1)


def test_groups_are_of_one_genre_and_several_pieces() -> None:
    lines = [
        {"facts": {"genre": genre}, "piece": piece, "file_name": str(i)}
        for i, (genre, piece) in enumerate(
            [("a", "1"), ("a", "1"), ("b", "2"), ("a", "3"), (None, "4"), ("a", "5")]
        )
    ]
    assert [g.tolist() for g in genre_groups(lines)] == [[0, 3, 5]]


def test_sound_and_speed_are_means_and_medians() -> None:
    measures = {
        name: np.array([1.0, 2.0, 6.0], np.float32)
        for name in ("clarity", "onsets", "lines", "lufs", "seconds")
    }
    measures["duration"] = np.array([4.0, 4.0, 4.0], np.float32)
    assert sound_figures(measures)["pulse_clarity"] == 3.0
    assert sound_figures(measures)["loudness_lufs"] == 2.0
    assert speed_figures(measures) == {"seconds_per_clip": 2.0, "times_real_time": 2.0}
