"""Morph, loop and Riffusion's own call, on a tiny model with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from sonoriff.errors import ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.circular import circle_resampled
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.latent_codec import painted_sonogram, picture_from_latents
from sonoriff.pipeline.loop import LoopSettings, loop, plainest_bar
from sonoriff.pipeline.morph import MorphPoint, MorphSettings, morph
from sonoriff.pipeline.paint import paint
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


def values(clip: Clip) -> np.ndarray:
    return clip.sonogram.values


def noise(seconds: float, seed: int = 0) -> Sonogram:
    n_samples = round(seconds * HIFI.sample_rate)
    waveform = np.random.default_rng(seed).uniform(-0.1, 0.1, (1, n_samples))
    return encode(waveform.astype(np.float32), HIFI.sample_rate)


@pytest.fixture(scope="module")
def source() -> Sonogram:
    return noise(1.0)


# Morph.


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


# Loop.


def test_a_loop_lasts_exactly_its_bars(small_model: SmallModel) -> None:
    settings = LoopSettings(prompt="funk, 137 bpm", bars=2, num_inference_steps=1)
    made = loop(small_model, settings)
    n_samples = round(2 * 4 * 60 / 137 * HIFI.sample_rate)
    assert made.settings["loop_samples"] == n_samples
    assert made.waveform.shape == (1, n_samples)
    assert made.sonogram.n_frames == round(n_samples / HIFI.hop_length)


def test_a_loop_is_painted_with_its_bar_inside_a_cell_and_turned_to_it(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[tuple[Canvas, Tensor]] = []

    def remembered(model: SmallModel, canvas: Canvas, *rest: Any, **more: Any) -> Tensor:
        painted.append((canvas, paint(model, canvas, *rest, **more)))
        return painted[-1][1]

    monkeypatch.setattr("sonoriff.pipeline.loop.paint", remembered)
    # A bar of 32 cells, so that nothing is stretched.
    bpm = 60.0 * 4 * HIFI.frames_per_second / (32 * small_model.cell[1])
    made = loop(small_model, LoopSettings(prompt="", bpm=bpm, bars=1, num_inference_steps=1))
    ((canvas, latents),) = painted
    early = small_model.cell[1] // 2
    assert canvas.since_beat_s == pytest.approx(-early / HIFI.frames_per_second)
    picture = picture_from_latents(small_model, latents, circular=True)
    turned = painted_sonogram(small_model, picture.roll(-early, dims=-1), {})
    np.testing.assert_array_equal(values(made), turned.values)


@pytest.mark.parametrize(
    ("firsts", "bar"), [((1.0, 0.5, 0.2, 0.1), 1), ((0.5, 1.0, 0.2, 0.1), 0), ((0.9,), 0)]
)
def test_a_loop_begins_with_the_bar_that_is_struck_like_other_beats(
    firsts: tuple[float, ...], bar: int
) -> None:
    picture = torch.full((1, 1, 256, 4 * 80 * len(firsts)), -1.0)
    for beat in range(4 * len(firsts)):
        stroke = firsts[beat // 4] if beat % 4 == 0 else 0.5
        picture[..., beat * 80 + 1 : beat * 80 + 20] += stroke
    assert plainest_bar(picture, len(firsts), 4) == 320 * bar


def test_a_loop_whose_first_stroke_stands_out_begins_with_another_bar(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sonoriff.pipeline.loop.plainest_bar", lambda *_: 0)
    settings = LoopSettings(prompt="funk, 120 bpm", bars=2, num_inference_steps=1)
    plain = values(loop(small_model, settings))
    monkeypatch.setattr("sonoriff.pipeline.loop.plainest_bar", lambda *_: 172)
    np.testing.assert_array_equal(values(loop(small_model, settings)), np.roll(plain, -172, axis=2))


def test_the_join_of_a_loop_is_like_any_other_place() -> None:
    from sonoriff.pipeline.circular import decode_loop

    n_frames = 128
    rng = np.random.default_rng(0)
    levels = (
        -40 + 6 * np.sin(2 * np.pi * np.arange(n_frames) / n_frames) + rng.normal(0, 1, (256, 1))
    )
    sonogram = Sonogram(levels[None].astype(np.float32), HIFI)
    waveform = decode_loop(sonogram, n_frames * HIFI.hop_length)[0]
    steps = np.abs(np.diff(np.concatenate([waveform, waveform[:1]])))
    assert steps[-1] < 6 * steps.std()
    turned = np.roll(waveform, len(waveform) // 2)
    again = encode(turned[None], HIFI.sample_rate).values[0]
    middle = slice(n_frames // 2 - 3, n_frames // 2 + 3)
    expected = np.roll(levels, n_frames // 2, axis=1)
    inner = slice(20, 200)
    at_join = np.abs(again[inner, middle] - expected[inner, middle]).mean()
    elsewhere = np.abs(again[inner, 20:44] - expected[inner, 20:44]).mean()
    assert at_join < 1.5 * elsewhere + 0.5


@pytest.mark.parametrize("wrong", [{"bars": 0}, {"beats_per_bar": 17}])
def test_bars_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ParameterError, match="bars"):
        LoopSettings(prompt="", **wrong)


def test_a_loop_that_is_too_long_is_refused(small_model: SmallModel) -> None:
    with pytest.raises(ParameterError, match="number of bars"):
        loop(small_model, LoopSettings(prompt="", bars=256, bpm=20.0))
    with pytest.raises(ParameterError, match="bpm"):
        loop(small_model, LoopSettings(prompt="", bpm=1000.0))
    with pytest.raises(ParameterError, match="bpm"):
        loop(small_model, LoopSettings(prompt="", bpm=0.0))


@pytest.mark.parametrize("length", [7, 8, 9])
@pytest.mark.parametrize("n", [13, 14])
def test_a_circle_keeps_every_frequency_that_it_holds(length: int, n: int) -> None:
    for waves in range((length + 1) // 2):
        turn = torch.cos(2 * torch.pi * waves * torch.arange(length) / length + 0.3)
        wanted = torch.cos(2 * torch.pi * waves * torch.arange(n) / n + 0.3)
        torch.testing.assert_close(circle_resampled(turn, n), wanted, atol=1e-5, rtol=0)


# Riffusion's own call.


def request(**changes: object) -> InferenceInput:
    end = {"prompt": "jazz", "seed": 1, "denoising": 0.5, "guidance": 3.0}
    body = {"alpha": 0.0, "num_inference_steps": 4, "start": end}
    body |= {"end": {**end, "prompt": "funk", "seed": 2}, "unknown": 1, **changes}
    return InferenceInput.from_dict(body)


def test_riffuse_at_its_ends_is_a_remix(small_model: SmallModel, source: Sonogram) -> None:
    for alpha, prompt, seed in ((0.0, "jazz", 1), (1.0, "funk", 2)):
        made = riffuse(small_model, request(alpha=alpha), source)
        settings = RemixSettings(
            prompt=prompt, seed=seed, strength=0.5, num_inference_steps=4, guidance_scale=3.0
        )
        expected = values(remix(small_model, source, settings))
        np.testing.assert_allclose(values(made), expected, atol=1e-3)


def test_black_of_a_mask_is_kept(small_model: SmallModel, source: Sonogram) -> None:
    mask = Image.new("L", (512, 512), 0)
    mask.paste(255, (256, 0, 512, 512))
    plain, masked = (
        values(riffuse(small_model, request(alpha=0.5), source, m)) for m in (None, mask)
    )
    third = source.n_frames // 3
    assert (
        np.abs(plain[..., -third:] - masked[..., -third:]).mean()
        < np.abs(plain[..., :third] - masked[..., :third]).mean()
    )
    np.testing.assert_array_equal(masked[..., :third], source.values[..., :third])


def test_a_riff_between_two_prompts_is_made_again(
    small_model: SmallModel, source: Sonogram
) -> None:
    first = riffuse(small_model, request(alpha=0.3), source)
    np.testing.assert_array_equal(values(remake(small_model, first, source)), values(first))
    with pytest.raises(ParameterError, match="give that as the source"):
        remake(small_model, first)
    masked = riffuse(small_model, request(), source, Image.new("L", (64, 64), 200))
    with pytest.raises(ParameterError, match="mask"):
        remake(small_model, masked, source)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"start": None}, "start"),
        ({"start": {"seed": 1}}, "prompt"),
        ({"alpha": "half"}, "alpha must be of type"),
        ({"alpha": 2.0}, "alpha must be in"),
        ({"alpha": float("nan")}, "alpha"),
        ({"num_inference_steps": True}, "num_inference_steps"),
        ({"start": {"prompt": "a", "seed": 1, "denoising": 3}}, "denoising"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(changes: dict[str, object], what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        request(**changes)


def test_onsets_of_a_loop_stay_as_sharp_at_another_length() -> None:
    def strokes(places: Tensor) -> Tensor:
        return torch.exp(-((places % 81 - 40.0) ** 2) / 8.0)

    shorter = circle_resampled(strokes(torch.arange(648.0))[None], 646)[0]
    truth = strokes(torch.arange(646) * (648 / 646))
    # Straight lines between columns would be 0.03 off.
    torch.testing.assert_close(shorter, truth, atol=1e-4, rtol=0)
