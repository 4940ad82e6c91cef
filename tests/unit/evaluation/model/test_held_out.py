"""The choice of clips."""

from typing import Any

import pytest

from sonoriff.errors import CorpusError, ParameterError
from sonoriff.evaluation.model.held_out import held_out_clips


def entries(n_pieces: int = 40, windows: int = 2) -> list[dict[str, Any]]:
    """Pieces in turn of train, validation and test."""
    found = []
    for piece in range(n_pieces):
        split = ("train", "validation", "test")[piece % 3]
        for window in range(windows):
            found.append(
                {
                    "file_name": f"audio/00000/{piece:04d}{window}.flac",
                    "captions": [f"techno {piece} {window}", "techno, 130 bpm"],
                    "facts": {"genre": "techno", "instruments": []},
                    "split": split,
                    "source": f"seed/{piece // 2}",
                    "piece": f"piece-{piece}",
                }
            )
    return found


def test_no_piece_is_on_both_sides_and_nothing_is_from_training() -> None:
    held_out = held_out_clips(entries(), n_prompts=1000)
    tested, reference = (
        {e["piece"] for e in part} for part in (held_out.tested, held_out.reference)
    )
    assert not tested & reference
    assert {e["split"] for e in held_out.tested} == {"test"}
    assert {e["split"] for e in held_out.reference} == {"validation", "test"}


def test_every_clip_has_its_first_prompt_before_any_has_its_second() -> None:
    held_out = held_out_clips(entries(), n_prompts=1000)
    n = len(held_out.tested)
    assert [p.clip for p in held_out.prompts] == 2 * list(range(n))
    assert {p.caption for p in held_out.prompts if p.clip == 0} == set(
        held_out.tested[0]["captions"]
    )


def test_what_training_clips_say_too_is_not_new() -> None:
    for prompt in held_out_clips(entries(), n_prompts=1000).prompts:
        assert prompt.new == (prompt.caption != "techno, 130 bpm")


def test_fewer_prompts_are_the_start_of_more() -> None:
    few, more = (held_out_clips(entries(), n_prompts=n) for n in (10, 12))
    assert few.tested == more.tested[:10]
    assert few.reference == more.reference
    assert len(few.prompts) == 10


def test_a_look_at_few_clips_compares_with_few() -> None:
    few, more = (held_out_clips(entries(600), n_prompts=n) for n in (10, 50))
    assert (len(few.reference), len(more.reference)) == (100, 150)
    assert few.reference == more.reference[:100]


def test_the_seed_decides() -> None:
    one, again, other = (held_out_clips(entries(), n_prompts=12, seed=s) for s in (0, 0, 1))
    assert one == again
    assert one.tested != other.tested


def test_prompts_know_what_they_ask() -> None:
    prompts = held_out_clips(entries(), n_prompts=1000).prompts
    asked = {p.caption: p.asked for p in prompts}
    assert asked["techno, 130 bpm"].bpm == 130.0
    assert {a.genre for a in asked.values()} == {"techno"}


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ParameterError, match="split of validation, test"):
        held_out_clips(entries(), split="train", n_prompts=10)
    with pytest.raises(ParameterError, match="at least one prompt"):
        held_out_clips(entries(), n_prompts=0)
    with pytest.raises(CorpusError, match="needed are 10 of each"):
        held_out_clips(entries(9), n_prompts=10)
