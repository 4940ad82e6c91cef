"""Seeds, bars and morphs by hand."""

import pytest

from sonoriff.stream.position import Bars, Morph, StreamPosition, Walk, key_of, tempo_of, words_of
from sonoriff.stream.scene import Scene, WeightedPrompt

A, B = (WeightedPrompt("a"),), (WeightedPrompt("b", 3.0), WeightedPrompt("a", 1.0))


def test_a_walk_of_quarters_reaches_the_next_seed() -> None:
    walk = Walk(7)
    places = []
    for _ in range(5):
        places.append((walk.seed, walk.alpha))
        walk = walk.moved(0.25)
    assert places == [(7, 0.0), (7, 0.25), (7, 0.5), (7, 0.75), (8, 0.0)]


def test_ten_tenths_are_one() -> None:
    walk = Walk(0)
    for _ in range(10):
        walk = walk.moved(0.1)
    assert walk.seed == 1
    assert walk.alpha == pytest.approx(0.0, abs=1e-9)
    assert walk.alpha >= 0


def test_bars_are_counted_from_their_origin() -> None:
    bars = Bars(120.0, 1000, 44100)
    assert bars.bar_samples == 88200
    assert bars.bar_at(1000 + 44100) == 0.5
    assert bars.next_bar(1001) == 89200
    assert bars.next_bar(89200) == 89200


def test_a_morph_goes_from_one_blend_to_the_other() -> None:
    morph = Morph(A, B, start=100, length=200)
    assert morph.blend_at(0) == (WeightedPrompt("a", 1.0),)
    assert {p.text: p.weight for p in morph.blend_at(200)} == {"a": 0.625, "b": 0.375}
    assert {p.text: p.weight for p in morph.blend_at(999)} == {"b": 0.75, "a": 0.25}
    assert Morph(A, B).blend_at(0) == morph.blend_at(300)


def test_a_change_in_mid_morph_begins_with_what_is_heard() -> None:
    rate = 1000
    course = StreamPosition.begun(Scene(prompts=A), rate)
    course = course.entered(Scene(prompts=(WeightedPrompt("b"),)), 0, rate)
    course = course.entered(Scene(prompts=(WeightedPrompt("c"),)), 4000, rate)
    assert {p.text: p.weight for p in course.morph.blend_at(4000)} == {"a": 0.5, "b": 0.5}
    assert [p.text for p in course.morph.blend_at(12000)] == ["c"]


def test_only_what_changes_starts_anew() -> None:
    rate = 44100
    course = StreamPosition.begun(Scene(bpm=100.0, seed=5), rate).moved(2.5)
    same = course.entered(Scene(bpm=100.0, seed=5, guidance_scale=2.0), 500, rate)
    assert (same.walk, same.bars) == (Walk(7, 0.5), Bars(100.0, 0, rate))
    other = course.entered(Scene(bpm=101.0, seed=6), 500, rate)
    assert (other.walk, other.bars) == (Walk(6), Bars(101.0, 500, rate))


def test_tempo_comes_from_the_scene_the_prompt_or_is_120_for_a_riff() -> None:
    named = (WeightedPrompt("techno, 132 bpm"), WeightedPrompt("jazz", 0.5))
    assert tempo_of(Scene(prompts=named, bpm=99.0)) == 99.0
    assert tempo_of(Scene(prompts=named)) == 132.0
    assert tempo_of(Scene()) is None
    assert tempo_of(Scene(mode="riff")) == 120.0
    assert tempo_of(Scene(chords="Am F")) == 120.0


@pytest.mark.parametrize(
    ("text", "bpm", "key"),
    [
        ("techno, (132:1.2) bpm", 132.0, None),
        ("organ in (D minor:1.3)", None, ("D", "minor")),
        ("(in D:2) [minor], (90) [bpm]", 90.0, ("D", "minor")),
        ("(90 bpm, in D minor:0), jazz", None, None),
        (r"jazz \(x:99\) in D minor", None, ("D", "minor")),
    ],
)
def test_tempo_and_key_are_read_through_weights(
    text: str, bpm: float | None, key: tuple[str, str] | None
) -> None:
    scene = Scene(prompts=(WeightedPrompt(text),))
    assert tempo_of(scene) == bpm
    assert key_of(scene, words_of(text)) == key


def test_a_scene_without_a_tempo_takes_the_likely_one() -> None:
    named = (WeightedPrompt("techno, 132 bpm"),)
    assert tempo_of(Scene(prompts=named), 90.0) == 132.0
    assert tempo_of(Scene(prompts=named, bpm=99.0), 90.0) == 99.0
    assert tempo_of(Scene(), 90.0) == 90.0
    assert tempo_of(Scene(mode="riff"), 90.0) == 90.0
    assert tempo_of(Scene(), 500.0) is None, "beyond what a scene may have"
    course = StreamPosition.begun(Scene(), 44_100, 90.0)
    assert course.bars == Bars(90.0, 0, 44_100)
