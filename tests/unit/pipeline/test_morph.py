"""Morph, on a tiny model with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from painted import noise, values
from sonoriff.errors import ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.morph import MorphPoint, MorphSettings, morph
from sonoriff.pipeline.remake import remake
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.pipeline.riffusion import InferenceInput, PromptInput, riffuse
from sonoriff.pipeline.source_analysis import listen
from sonoriff.sonogram import HIFI, Sonogram
from sonoriff.sonogram.codec import encode
from sounds import MINOR_CADENCE, cadence, drums

WAY = MorphSettings(
    points=(MorphPoint(prompt="jazz", strength=0.4), MorphPoint(prompt="funk", seed=9)),
    clips=4,
    seed=3,
    num_inference_steps=2,
)


@pytest.fixture(scope="module")
def source() -> Sonogram:
    return noise(1.0)


def test_the_ends_of_a_morph_are_the_clips_that_generate_makes(small_model: SmallModel) -> None:
    way = morph(small_model, WAY)
    assert len(way.clips) == 4
    assert way.joined.sonogram.n_frames == 4 * small_model.window_frames
    for end, prompt, seed in ((0, "jazz", 3), (-1, "funk", 9)):
        alone = generate(
            small_model, GenerateSettings(prompt=prompt, seed=seed, num_inference_steps=2)
        )
        np.testing.assert_array_equal(values(way.clips[end]), values(alone))
    joined = np.concatenate([values(clip) for clip in way.clips], axis=2)
    np.testing.assert_array_equal(joined, values(way.joined))


def test_with_a_source_the_ends_are_the_remixes(small_model: SmallModel, source: Sonogram) -> None:
    cut = Sonogram(source.values[..., : source.n_frames // 8 * 8], source.params)
    way = morph(small_model, WAY, [cut])
    settings = RemixSettings(prompt="jazz", seed=3, strength=0.4, num_inference_steps=2)
    np.testing.assert_array_equal(values(way.clips[0]), values(remix(small_model, cut, settings)))


def test_ends_hear_the_beat_and_the_key_as_remixes_do(small_model: SmallModel) -> None:
    sound = np.concatenate([cadence(2, MINOR_CADENCE)] * 2) + drums(120.0, 8.0)
    music = encode(sound.astype(np.float32)[None], HIFI.sample_rate)
    music = Sonogram(music.values[..., : music.n_frames // 8 * 8], music.params)
    heard = listen(small_model, music, 4.0)
    assert heard.key == ("D", "minor")
    assert heard.pulse is not None
    way = morph(small_model, replace(WAY, clips=3), [music])
    settings = RemixSettings(prompt="jazz", seed=3, strength=0.4, num_inference_steps=2)
    expected = values(remix(small_model, music, settings))
    np.testing.assert_array_equal(values(way.clips[0]), expected)
    guidance = small_model.defaults.guidance_scale
    inputs = InferenceInput(
        start=PromptInput(prompt="jazz", seed=3, denoising=0.4, guidance=guidance),
        end=PromptInput(prompt="funk", seed=4, denoising=0.4, guidance=guidance),
        alpha=0.0,
        num_inference_steps=2,
    )
    np.testing.assert_array_equal(values(riffuse(small_model, inputs, music)), expected)


def test_a_way_between_two_sounds_begins_and_ends_with_them(
    small_model: SmallModel, source: Sonogram
) -> None:
    other = noise(1.2, seed=1)
    still = tuple(replace(point, strength=0.0) for point in WAY.points)
    way = morph(small_model, replace(WAY, points=still), [source, other])
    width = way.clips[0].sonogram.n_frames
    np.testing.assert_array_equal(values(way.clips[0]), source.values[..., :width])
    np.testing.assert_array_equal(values(way.clips[-1]), other.values[..., :width])


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_an_inverted_way_begins_and_ends_with_its_sounds(
    small_model: SmallModel, source: Sonogram, strength: float
) -> None:
    other = noise(1.0, seed=1)
    points = tuple(replace(point, strength=strength) for point in WAY.points)
    drawn = replace(WAY, points=points, num_inference_steps=8)
    seen: list[tuple[int, int]] = []
    way = morph(
        small_model,
        replace(drawn, inverted=True),
        [source, other],
        on_progress=lambda i, n: seen.append((i, n)),
    )
    assert {n for _, n in seen} == {40}
    free = morph(small_model, drawn, [source, other])
    settings = RemixSettings(num_inference_steps=1, strength=1e-6)
    for end, sound in ((0, source), (-1, other)):
        n_frames = way.clips[end].sonogram.n_frames
        cut = Sonogram(sound.values[..., :n_frames], sound.params)
        coded = values(remix(small_model, cut, settings))
        apart = np.abs(values(way.clips[end]) - coded).mean()
        assert apart < 0.3, "dB, what the codec gives of the source"
        assert apart < 0.1 * np.abs(values(free.clips[end]) - coded).mean()
    middle = values(way.clips[1])
    assert np.abs(middle - values(way.clips[0])).mean() > 0.1


def test_without_a_sound_there_is_nothing_to_invert(small_model: SmallModel) -> None:
    with pytest.raises(ParameterError, match="give a source"):
        morph(small_model, replace(WAY, inverted=True))


def test_a_morph_is_made_again_from_any_of_its_pictures(
    small_model: SmallModel, source: Sonogram, tmp_path: Path
) -> None:
    short = replace(WAY, clips=3, num_inference_steps=1)
    way = morph(small_model, short)
    way.clips[1].save(tmp_path / "clip.png")
    again = remake(small_model, Clip.load(tmp_path / "clip.png"))
    np.testing.assert_array_equal(values(again), values(way.clips[1]))
    held = morph(small_model, short, [source])
    held.joined.save(tmp_path / "held.png")
    loaded = Clip.load(tmp_path / "held.png")
    with pytest.raises(ParameterError, match="as the source"):
        remake(small_model, loaded)
    np.testing.assert_array_equal(values(remake(small_model, loaded, source)), values(held.joined))
    two = morph(small_model, short, [source, noise(1.0, seed=1)]).joined
    with pytest.raises(ParameterError, match="another sound, another sound"):
        remake(small_model, two, source)
    np.testing.assert_array_equal(
        values(remake(small_model, two, [source, noise(1.0, seed=1)])), values(two)
    )
    with pytest.raises(ParameterError, match="prompt of its own"):
        remake(small_model, way.joined, prompt="guitar")


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"points": WAY.points[:1]}, "two points"),
        ({"clips": 2}, "clips must be"),
        ({"clips": 101}, "clips must be"),
    ],
)
def test_a_way_that_makes_no_sense_is_refused(wrong: dict[str, object], what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        replace(WAY, **wrong)


def test_sources_must_fit_the_points(small_model: SmallModel, source: Sonogram) -> None:
    with pytest.raises(ParameterError, match="one for each"):
        morph(small_model, WAY, [source] * 3)


def test_a_way_out_of_a_held_sound_and_back_strikes_at_neither_join(
    small_model: SmallModel,
) -> None:
    """Random weights paint anything in between, which would be a stroke."""
    held = noise(1.0)
    held = Sonogram(np.repeat(held.values[..., 40:41], 80, axis=2), held.params)
    points = (MorphPoint(strength=0.0), MorphPoint(strength=1.0), MorphPoint(strength=0.0))
    settings = MorphSettings(prompt="jazz", points=points, clips=5, num_inference_steps=2)
    made = values(morph(small_model, settings, [held]).joined)
    rises = np.maximum(np.diff(made, axis=2), 0.0).mean(axis=(0, 1))
    assert rises[79] < 0.2
    assert rises[-80] < 0.2
    assert rises[100:-100].max() > 1.0
