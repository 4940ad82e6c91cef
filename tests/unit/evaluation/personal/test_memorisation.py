"""Copies are found, and music of the same kind is not taken for one."""

from __future__ import annotations

import numpy as np

from sonoriff.evaluation.personal.memorisation import Memorisation, compared


def pictures(count: int, seed: int) -> list[np.ndarray]:
    """Rows and columns of one taste, every picture with events of its own."""
    rng = np.random.default_rng(seed)
    timbre = rng.normal(size=(256, 1))
    return [timbre + np.repeat(rng.normal(size=(64, 128)), 4, 0).repeat(4, 1) for _ in range(count)]


def judged(outputs: list[np.ndarray]) -> Memorisation:
    clips = {f"clip {i}": picture for i, picture in enumerate(pictures(12, 0))}
    sources = {name: f"file {i // 2}" for i, name in enumerate(clips)}
    return compared({f"out {i}": p for i, p in enumerate(outputs)}, clips, sources)


def test_a_shifted_and_noisy_copy_is_found() -> None:
    rng = np.random.default_rng(2)
    copy = np.roll(pictures(12, 0)[7], 80, axis=1) * 0.5 + 3.0
    found = judged([copy + 0.1 * rng.normal(size=copy.shape), *pictures(3, 1)])
    assert [(each.output, each.clip) for each in found.copies] == [("out 0", "clip 7")]
    assert "nearly copies" in found.in_words()
    assert "by heart" in found.in_words()


def test_other_music_of_the_same_timbre_is_no_copy() -> None:
    found = judged(pictures(4, 1))
    assert found.copies == ()
    assert "No sign of copying" in found.in_words()
    assert found.usual < 0.9


def test_one_file_alone_has_nothing_usual() -> None:
    clips = {"a": pictures(1, 0)[0]}
    found = compared({"out": clips["a"][:, :441]}, clips, {"a": "file"})
    assert found.usual == 0.0
    assert len(found.copies) == 1


def test_silence_is_like_nothing() -> None:
    assert judged([np.zeros((256, 512))]).nearest[0].similarity == 0.0
