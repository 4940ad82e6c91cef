"""The verbs, on a tiny model with random weights: what must hold whatever the model has learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sonoriff.audio import write_audio
from sonoriff.errors import Cancelled, FormatError, ParameterError
from sonoriff.models.protocol import Model
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.extend import ExtendSettings, Side, extend
from sonoriff.pipeline.generate import (
    GenerateSettings,
    frames_from_duration,
    generate,
    generate_many,
)
from sonoriff.pipeline.guides import everywhere, guide_from_settings
from sonoriff.pipeline.inpaint import InpaintSettings, inpaint
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.remake import remake
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.pipeline.settings import MAX_DURATION_S
from sonoriff.sonogram import HIFI, Sonogram
from sonoriff.sonogram.codec import encode
from sounds import drums

QUICK = GenerateSettings(prompt="jazz", seed=3, num_inference_steps=3, duration_s=1.5)
SHORT = replace(QUICK, duration_s=0.3)


def values(clip: Clip) -> np.ndarray:
    return clip.sonogram.values


def sweep(seconds: float, channels: int = 1) -> Sonogram:
    """A rising tone, other in each channel."""
    t = np.arange(round(seconds * HIFI.sample_rate)) / HIFI.sample_rate
    tones = [
        0.2 * np.sin(2 * np.pi * (200 + 100 * c + 300 * t / seconds) * t) for c in range(channels)
    ]
    return encode(np.stack(tones).astype(np.float32), HIFI.sample_rate)


@pytest.fixture(scope="module")
def source() -> Sonogram:
    return sweep(3.0)


def test_the_small_model_is_a_model(small_model: SmallModel) -> None:
    assert isinstance(small_model, Model)


def test_the_same_settings_give_the_same_clip(small_model: SmallModel) -> None:
    first, second, other = (
        values(generate(small_model, s)) for s in (QUICK, QUICK, replace(QUICK, seed=4))
    )
    assert np.array_equal(first, second)
    assert np.abs(first - other).mean() > 1


def test_seeds_in_a_batch_give_the_clips_that_they_give_alone(small_model: SmallModel) -> None:
    together = list(generate_many(small_model, QUICK, 3, batch_size=2))
    assert [c.settings["seed"] for c in together] == [3, 4, 5]
    for clip in together:
        alone = generate(small_model, replace(QUICK, seed=clip.settings["seed"]))
        np.testing.assert_allclose(values(clip), values(alone), atol=0.01)


def test_a_long_clip_has_the_length_that_was_asked(small_model: SmallModel) -> None:
    clip = generate(small_model, replace(QUICK, duration_s=14.0, num_inference_steps=1))
    assert clip.sonogram.duration_s == pytest.approx(14.0, abs=0.006)


@pytest.mark.parametrize("field", ["prompt", "negative_prompt", "bpm", "key", "guidance_scale"])
def test_every_wish_is_heard(small_model: SmallModel, field: str) -> None:
    wish = {"prompt": "(techno:1.4)", "negative_prompt": "drums", "bpm": 90.0, "key": "D minor"}
    changed = replace(QUICK, **{field: wish.get(field, 9.0)})
    assert not np.array_equal(
        values(generate(small_model, QUICK)), values(generate(small_model, changed))
    )


def test_without_a_prompt_guidance_changes_nothing(small_model: SmallModel) -> None:
    empty = replace(QUICK, prompt="")
    guided = generate(small_model, replace(empty, guidance_scale=9.0))
    np.testing.assert_array_equal(values(generate(small_model, empty)), values(guided))


def test_guidance_pushes_away_from_the_negative_prompt_in_part_at_the_same_tempo(
    small_model: SmallModel,
) -> None:
    settings = replace(QUICK, prompt="techno, 128 bpm", negative_prompt="flute").resolved(
        small_model
    )
    negative = guide_from_settings(small_model, settings).negative
    assert [(term.weight, float(term.embedding.bpm)) for term in negative] == [
        (0.6, 0.0),
        (0.4, 128.0),
    ]
    assert torch.equal(negative[0].embedding.text, negative[1].embedding.text)


def test_guidance_acts_where_the_model_says(small_model: SmallModel) -> None:
    low, high = small_model.defaults.guidance_interval
    six = replace(QUICK, num_inference_steps=6)
    own, same, whole = (
        values(generate(small_model, replace(six, guidance_interval=interval)))
        for interval in (None, (low, high), (0.0, 1.0))
    )
    assert np.array_equal(own, same)
    assert not np.array_equal(own, whole)


def test_a_blend_lies_between_its_parts_and_ends_at_them(small_model: SmallModel) -> None:
    def made(prompt: str) -> np.ndarray:
        return values(generate(small_model, replace(QUICK, prompt=prompt)))

    assert np.array_equal(made("techno:1 + jazz:0"), made("techno"))
    near, far = (np.abs(made(p) - made("techno")).mean() for p in ("techno:9 + jazz:1", "jazz"))
    assert 0 < near < far


@pytest.fixture(scope="module")
def truth(small_model: SmallModel) -> np.ndarray:
    return values(generate(small_model, replace(SHORT, sampler="heun", num_inference_steps=40)))


@pytest.mark.parametrize("sampler", ["euler", "heun", "ab2", "ddim", "dpm++"])
def test_every_sampler_goes_to_the_same_picture(
    small_model: SmallModel, truth: np.ndarray, sampler: str
) -> None:
    rough, fine = (
        values(generate(small_model, replace(SHORT, sampler=sampler, num_inference_steps=n)))
        for n in (5, 20)
    )
    assert np.abs(fine - truth).mean() < 0.5 * np.abs(rough - truth).mean()


def test_a_sampler_of_another_kind_of_model_is_refused(small_model: SmallModel) -> None:
    with pytest.raises(ParameterError, match="works with the samplers"):
        generate(small_model, replace(QUICK, sampler="lcm"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_inference_steps": 0},
        {"guidance_scale": -1.0},
        {"seed": -1},
        {"sampler": "magic"},
        {"duration_s": 0.0},
        {"duration_s": 9999.0},
        {"guidance_interval": (0.9, 0.1)},
        {"shift": 0.0},
        {"seed": 1.5},
        {"prompt": 5},
        {"bpm": "120"},
        {"num_inference_steps": True},
        {"guidance_interval": (0.1,)},
    ],
)
def test_settings_out_of_range_or_of_another_type_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        replace(QUICK, **wrong)
    with pytest.raises(ParameterError):
        GenerateSettings.from_dict({**QUICK.to_dict(), **wrong})


@pytest.mark.parametrize(("start", "steps", "taken"), [(0.6, 50, 30), (0.6, 45, 27), (0.8, 85, 68)])
def test_a_share_of_the_steps_is_taken(
    small_model: SmallModel, start: float, steps: int, taken: int
) -> None:
    noise = noise_grid(small_model, 8, 0)
    strength_map = torch.full((1, 1, *noise.shape[2:]), start)
    sampling = replace(QUICK, num_inference_steps=steps, guidance_scale=1.0).resolved(small_model)
    canvas = Canvas(
        noise, everywhere(guide_from_settings(small_model, sampling)), noise, strength_map
    )
    told: list[tuple[int, int]] = []
    paint(small_model, canvas, sampling, on_progress=lambda *step: told.append(step))
    assert told[-1] == (taken, taken)


def test_progress_is_told_and_stops_the_work(small_model: SmallModel) -> None:
    seen: list[tuple[int, int]] = []
    list(generate_many(small_model, QUICK, 2, on_progress=lambda i, n: seen.append((i, n))))
    assert seen == [(i, 6) for i in range(1, 7)]

    def stop(step: int, _steps: int) -> None:
        if step == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        generate(small_model, QUICK, on_progress=stop)


# Remix.


def test_remix_at_zero_is_the_source_and_at_one_ignores_it(
    small_model: SmallModel, source: Sonogram
) -> None:
    settings = RemixSettings(prompt="jazz", seed=3, num_inference_steps=4)
    kept = remix(small_model, source, replace(settings, strength=0.0))
    np.testing.assert_array_equal(values(kept), source.values)
    made = remix(small_model, source, replace(settings, strength=1.0))
    duration = source.duration_s
    free = GenerateSettings(prompt="jazz", seed=3, num_inference_steps=4, duration_s=duration)
    # The latents lie otherwise in memory, which rounds otherwise.
    np.testing.assert_allclose(values(made), values(generate(small_model, free)), atol=1e-3)


def test_distance_from_the_source_grows_with_strength(
    small_model: SmallModel, source: Sonogram
) -> None:
    def made(strength: float) -> np.ndarray:
        settings = RemixSettings(prompt="jazz", num_inference_steps=8, strength=strength)
        return values(remix(small_model, source, settings))

    coded = made(1e-6)
    distances = [np.abs(made(s) - coded).mean() for s in (0.1, 0.4, 0.7, 1.0)]
    assert distances == sorted(distances)
    assert distances[-1] > 2 * distances[0]


def test_remix_takes_stereo_of_any_length_from_a_file(
    small_model: SmallModel, tmp_path: Path
) -> None:
    waveform = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 33_000)).astype(np.float32)
    write_audio(tmp_path / "in.wav", waveform, 22_050)
    clip = remix(small_model, tmp_path / "in.wav", RemixSettings(num_inference_steps=2))
    assert clip.sonogram.n_channels == 2
    assert clip.sonogram.duration_s == pytest.approx(33_000 / 22_050, abs=0.012)
    assert clip.settings["source"] == "in.wav"


@pytest.mark.parametrize("strength", [-0.1, 1.5, float("nan")])
def test_a_strength_out_of_range_is_refused(strength: float) -> None:
    with pytest.raises(ParameterError, match="strength"):
        RemixSettings(strength=strength)


def test_a_missing_source_or_one_with_nan_is_refused(
    small_model: SmallModel, tmp_path: Path
) -> None:
    settings = RemixSettings(num_inference_steps=1)
    with pytest.raises(ParameterError, match="no file"):
        remix(small_model, tmp_path / "none.wav", settings)
    (tmp_path / "notes.txt").write_text("no music")
    with pytest.raises(FormatError):
        remix(small_model, tmp_path / "notes.txt", settings)
    broken = np.full((1, 256, 64), np.nan, np.float32)
    with pytest.raises(ParameterError, match="finite"):
        remix(small_model, Sonogram(broken, HIFI), settings)


# Inpaint.


def test_inpaint_changes_the_span_and_nothing_else(
    small_model: SmallModel, source: Sonogram
) -> None:
    settings = InpaintSettings(
        prompt="jazz", times=((1.0, 2.0),), num_inference_steps=3, edge_s=0.0
    )
    made = values(inpaint(small_model, source, settings))
    middles = (np.arange(source.n_frames) + 0.5) / HIFI.frames_per_second
    inside = (middles >= 1) & (middles < 2)
    np.testing.assert_array_equal(made[..., ~inside], source.values[..., ~inside])
    assert (made[..., inside] != source.values[..., inside]).mean() > 0.9


def test_inpaint_a_band_in_a_span_with_a_mask(
    small_model: SmallModel, source: Sonogram, tmp_path: Path
) -> None:
    pixels = np.zeros((256, source.n_frames), np.uint8)
    pixels[:, :150] = 255
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    settings = InpaintSettings(
        bands=((200.0, 4000.0),),
        times=((0.5, 9.0),),
        mask=str(tmp_path / "mask.png"),
        num_inference_steps=2,
    )
    changed = values(inpaint(small_model, source, settings))[0] != source.values[0]
    rows, columns = np.nonzero(changed)
    edges = np.interp([200, 4000], *_row_of_hertz())
    assert edges[0] - 1 <= rows.min() < edges[0] + 8
    assert edges[1] - 8 < rows.max() <= edges[1] + 1
    assert 43 <= columns.min() < 50
    assert 140 < columns.max() < 150


def _row_of_hertz() -> tuple[np.ndarray, np.ndarray]:
    from sonoriff.sonogram.filter_bank import row_frequencies

    return row_frequencies(HIFI), np.arange(256)


def test_a_soft_edge_lies_inside(source: Sonogram) -> None:
    from sonoriff.pipeline.inpaint import area_from_settings

    settings = InpaintSettings(times=((1.0, 2.0),), edge_s=0.2)
    line = area_from_settings(settings, source.n_frames, HIFI)[100]
    hard = area_from_settings(replace(settings, edge_s=0.0, edge_rows=0.0), source.n_frames, HIFI)
    assert np.array_equal(line > 0, hard[100] > 0)
    ramp = line[86:104]
    assert np.all(np.diff(ramp) >= 0)
    assert 0 < ramp[2] < 0.3
    assert line.max() == 1


def test_a_long_source_is_worked_on_around_the_hole_only(small_model: SmallModel) -> None:
    long = sweep(40.0)
    seen: list[int] = []
    real = small_model.predict
    spy = replace(small_model)
    spy.predict = lambda x, *rest: seen.append(len(x)) or real(x, *rest)  # type: ignore[method-assign]
    settings = InpaintSettings(times=((20.0, 21.0),), num_inference_steps=1, guidance_scale=1.0)
    made = values(inpaint(spy, long, settings))
    assert seen == [2], "two windows instead of nine"
    changed = np.nonzero((made != long.values).any(axis=(0, 1)))[0] / HIFI.frames_per_second
    assert 19.98 < changed.min() < changed.max() < 21.02


def test_at_an_end_as_much_is_seen_as_in_the_middle(small_model: SmallModel) -> None:
    long = sweep(30.0)
    widths: list[int] = []
    real = small_model.predict
    spy = replace(small_model)
    spy.predict = lambda x, *rest: widths.append(x.shape[-1]) or real(x, *rest)  # type: ignore[method-assign]
    for start in (0.0, 15.0, 29.4):
        settings = InpaintSettings(
            times=((start, start + 0.5),), num_inference_steps=1, guidance_scale=1.0
        )
        inpaint(spy, long, settings)
    window = small_model.latent_shape(small_model.window_frames)[2]
    assert widths == [window] * 3


def test_inpaint_hears_the_beats_of_all_of_the_source(small_model: SmallModel) -> None:
    music = encode(drums(120.0, 16.0).astype(np.float32)[None], HIFI.sample_rate)
    settings = InpaintSettings(times=((0.0, 0.5),), prompt="drums", num_inference_steps=1)
    heard = inpaint(small_model, music, settings)
    told = inpaint(small_model, music, replace(settings, bpm=120.0))
    deaf = inpaint(small_model, music, replace(settings, bpm=90.0))
    near, far = (np.abs(values(heard) - values(other)).mean() for other in (told, deaf))
    assert near < 0.2 * far


def test_inpaint_at_zero_is_the_source(small_model: SmallModel, source: Sonogram) -> None:
    settings = InpaintSettings(times=((0.0, 1.0),), strength=0.0, num_inference_steps=2)
    np.testing.assert_array_equal(values(inpaint(small_model, source, settings)), source.values)


def test_the_longest_clip_can_be_worked_on(small_model: SmallModel) -> None:
    n_frames = frames_from_duration(small_model, MAX_DURATION_S)
    longest = Sonogram(np.full((1, 256, n_frames), -80.0, np.float32), HIFI)
    still = RemixSettings(strength=0.0)
    assert remix(small_model, longest, still).sonogram.n_frames == n_frames
    more = Sonogram(np.full((1, 256, n_frames + 1), -80.0, np.float32), HIFI)
    with pytest.raises(ParameterError, match="cut it first"):
        remix(small_model, more, still)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({}, "say what"),
        ({"times": ((1.0, 2.0, 3.0),)}, "times must be of type"),
        ({"times": ((2.0, 1.0),)}, "span of time"),
        ({"times": ((5.0, 6.0),)}, "ends at"),
        ({"bands": ((4000.0, 200.0),)}, "LOW:HIGH"),
        ({"bands": ((200.0, 30_000.0),)}, "half the sample rate"),
        ({"bands": ((17_000.0, 18_000.0),)}, "no row"),
        ({"mask": "/nowhere.png"}, "no file"),
        ({"times": ((0.0, 1.0),), "edge_s": -1.0}, "edges"),
    ],
)
def test_an_area_that_makes_no_sense_is_refused(
    small_model: SmallModel, source: Sonogram, wrong: dict[str, object], what: str
) -> None:
    with pytest.raises(ParameterError, match=what):
        inpaint(small_model, source, InpaintSettings(**wrong))  # type: ignore[arg-type]


def test_a_mask_of_another_size_is_refused(
    small_model: SmallModel, source: Sonogram, tmp_path: Path
) -> None:
    Image.new("L", (512, 512)).save(tmp_path / "mask.png")
    settings = InpaintSettings(mask=str(tmp_path / "mask.png"))
    with pytest.raises(ParameterError, match="512 x 512"):
        inpaint(small_model, source, settings)
    (tmp_path / "mask.png").write_text("no picture")
    with pytest.raises(FormatError):
        inpaint(small_model, source, settings)


# Extend.


@pytest.mark.parametrize("side", ["end", "start"])
@pytest.mark.parametrize("seconds", [0.7, 3.0])
def test_extend_keeps_the_source_and_reaches_the_length(
    small_model: SmallModel, side: str, seconds: float
) -> None:
    start = sweep(seconds)
    settings = ExtendSettings(duration_s=8.0, side=side, num_inference_steps=2)  # type: ignore[arg-type]
    made = extend(small_model, start, settings)
    assert made.sonogram.duration_s == pytest.approx(8.0, abs=0.006)
    kept = (
        values(made)[..., : start.n_frames]
        if side == "end"
        else values(made)[..., -start.n_frames :]
    )
    # The last two columns of `hifi` see the sound break off at its end.
    cut = 2 if side == "end" else 0
    np.testing.assert_array_equal(
        kept[..., : start.n_frames - cut], start.values[..., : start.n_frames - cut]
    )


def test_a_sound_that_is_extended_no_longer_breaks_off(small_model: SmallModel) -> None:
    def rises(columns: np.ndarray) -> np.ndarray:
        return np.maximum(np.diff(columns, axis=2), 0.0).mean(axis=(0, 1))

    held = sweep(2.0)
    usual = rises(held.values)[50:-2].max()
    assert rises(held.values)[-2:].max() > 5 * usual  # the end is a click through all rows
    settings = ExtendSettings(duration_s=3.0, num_inference_steps=2)
    inside = values(extend(small_model, held, settings))[..., : held.n_frames]
    assert rises(inside)[-2:].max() < usual


@pytest.mark.parametrize("side", ["end", "start"])
def test_a_held_sound_goes_on_without_a_stroke(small_model: SmallModel, side: Side) -> None:
    """Random weights paint anything, which would be one."""

    def rises(columns: np.ndarray) -> np.ndarray:
        return np.maximum(np.diff(columns, axis=2), 0.0).mean(axis=(0, 1))

    held = sweep(2.0)
    held = Sonogram(np.repeat(held.values[..., 60:61], held.n_frames, axis=2), held.params)
    settings = ExtendSettings(duration_s=4.0, side=side, num_inference_steps=2)
    made = rises(values(extend(small_model, held, settings)))
    join = held.n_frames - 1 if side == "end" else len(made) - held.n_frames
    assert made[join] < 0.2
    assert made.max() > 1.0


def test_extend_heeds_what_is_there(small_model: SmallModel, source: Sonogram) -> None:
    settings = ExtendSettings(duration_s=4.0, num_inference_steps=2)
    other = Sonogram(source.values[:, ::-1].copy(), source.params)
    new, different = (
        values(extend(small_model, s, settings))[..., source.n_frames :] for s in (source, other)
    )
    assert not np.array_equal(new, different)


@pytest.mark.parametrize("side", ["end", "start"])
def test_extend_shows_the_source_with_what_lies_beside_it(
    small_model: SmallModel, side: Side
) -> None:
    from sonoriff.pipeline.latent_codec import latents_from_picture, picture_from_sonogram

    long = sweep(6.0)
    seen: list[torch.Tensor] = []
    real = small_model.predict
    spy = replace(small_model)

    def watched(x: torch.Tensor, time: float, batch: object, *shown: torch.Tensor) -> torch.Tensor:
        seen.append(shown[0])
        return real(x, time, batch, *shown)  # type: ignore[arg-type]

    spy.predict = watched  # type: ignore[method-assign,assignment]
    settings = ExtendSettings(duration_s=7.0, side=side, num_inference_steps=1, guidance_scale=1.0)
    extend(spy, long, settings)
    picture, _ = picture_from_sonogram(long)
    cut = long.n_frames % small_model.cell[1] if side == "end" else 0
    whole = latents_from_picture(small_model, picture[..., cut:])
    n_known = small_model.latent_shape(small_model.window_frames)[2] // 2
    # The last columns see the sound break off and are mended.
    shown, wanted = (
        (seen[0][..., : n_known - 4], whole[..., -n_known:-4])
        if side == "end"
        else (seen[0][..., -n_known:], whole[..., :n_known])
    )
    torch.testing.assert_close(shown, wanted)


def test_extend_refuses_a_shorter_length_and_too_short_a_source(
    small_model: SmallModel, source: Sonogram
) -> None:
    with pytest.raises(ParameterError, match="longer"):
        extend(small_model, source, ExtendSettings(duration_s=2.0))
    short = Sonogram(source.values[..., :7].copy(), source.params)
    with pytest.raises(ParameterError, match="columns"):
        extend(small_model, short, ExtendSettings(duration_s=2.0))
    with pytest.raises(ParameterError, match="side"):
        ExtendSettings(duration_s=2.0, side="left")  # type: ignore[arg-type]


# Again.


def test_a_saved_riff_is_made_again_from_its_picture(
    small_model: SmallModel, source: Sonogram, tmp_path: Path
) -> None:
    first = generate(small_model, replace(QUICK, bpm=100.0, prompt="(jazz:1.2) + funk"))
    first.save(tmp_path / "riff.png")
    loaded = Clip.load(tmp_path / "riff.png")
    np.testing.assert_array_equal(values(remake(small_model, loaded)), values(first))
    other = remake(small_model, loaded, seed=9)
    assert other.settings["seed"] == 9
    remixed = remix(small_model, source, RemixSettings(num_inference_steps=2, strength=0.5))
    remixed.save(tmp_path / "remix.png")
    again = Clip.load(tmp_path / "remix.png")
    with pytest.raises(ParameterError, match="give that as the source"):
        remake(small_model, again)
    np.testing.assert_array_equal(values(remake(small_model, again, source)), values(remixed))
    for made in (loaded, again):
        with pytest.raises(ParameterError, match="no setting 'sead'"):
            remake(small_model, made, source, sead=9)


def test_a_picture_without_settings_is_refused(small_model: SmallModel, source: Sonogram) -> None:
    with pytest.raises(ParameterError, match="no settings"):
        remake(small_model, Clip(source))


def test_latents_of_a_long_picture_are_those_of_the_whole(small_model: SmallModel) -> None:
    from sonoriff.pipeline.latent_codec import latents_from_picture, picture_from_latents

    picture = torch.rand(1, 1, 256, 150 * 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = latents_from_picture(small_model, picture)
    whole = small_model.encode(picture)
    torch.testing.assert_close(latents[..., 12:-12], whole[..., 12:-12])
    torch.testing.assert_close(
        picture_from_latents(small_model, latents), small_model.decode(latents)
    )
