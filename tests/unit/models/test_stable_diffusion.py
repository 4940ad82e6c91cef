"""Stable Diffusion behind the protocol: against diffusers' own pipeline, and with every verb."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import tiny_stable_diffusion
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import Model, MusicAttributes
from sonoriff.models.registry import load_model
from sonoriff.models.stable_diffusion.loading import schedule_from_config
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.extend import ExtendSettings, extend
from sonoriff.pipeline.generate import GenerateSettings, generate, generate_many
from sonoriff.pipeline.guides import everywhere, guide_from_settings
from sonoriff.pipeline.inpaint import InpaintSettings, inpaint
from sonoriff.pipeline.loop import LoopSettings, loop
from sonoriff.pipeline.morph import MorphPoint, MorphSettings, morph
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import inverted, paint
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.pipeline.settings import Sampling
from sonoriff.sonogram import RIFFUSION_V1, Sonogram

QUICK = {"prompt": "organ", "num_inference_steps": 2, "seed": 1}


@pytest.fixture(scope="module")
def model(stable_diffusion_folder: Path) -> StableDiffusionModel:
    loaded = load_model(stable_diffusion_folder, dtype=torch.float32)
    assert isinstance(loaded, StableDiffusionModel)
    return loaded


@pytest.fixture(scope="module")
def source() -> Sonogram:
    values = np.random.default_rng(0).uniform(0, 1e6, (1, 512, 128)).astype(np.float32)
    return Sonogram(values, RIFFUSION_V1)


def states(model: StableDiffusionModel, prompt: str) -> torch.Tensor:
    (term,) = model.encode_prompt(parse_prompt(prompt), MusicAttributes())
    row: torch.Tensor = term.embedding
    return row


def test_it_is_a_model(model: StableDiffusionModel) -> None:
    assert isinstance(model, Model)
    assert model.name == "tiny-riffusion"
    assert model.latent_shape(100) == (4, 64, 13)
    assert model.window_frames == 8 * tiny_stable_diffusion.WINDOW_CELLS


def test_the_same_latents_as_diffusers_own_pipeline(
    model: StableDiffusionModel, stable_diffusion_folder: Path
) -> None:
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(
        stable_diffusion_folder, safety_checker=None, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = DDIMScheduler.from_config(
        pipeline.scheduler.config, timestep_spacing="trailing", set_alpha_to_one=True
    )
    noise = noise_grid(model, 16, 5)
    theirs = pipeline(
        "jazz, a piano",
        negative_prompt="drums",
        height=512,
        width=128,
        num_inference_steps=4,
        guidance_scale=5.0,
        latents=torch.from_numpy(noise).flip(2),
        output_type="latent",
    ).images
    settings = GenerateSettings(
        prompt="jazz, a piano",
        negative_prompt="drums",
        num_inference_steps=4,
        guidance_scale=5.0,
        sampler="ddim",
    ).resolved(model)
    ours = paint(model, Canvas(noise, everywhere(guide_from_settings(model, settings))), settings)
    np.testing.assert_allclose(ours, theirs.flip(2).numpy(), atol=1e-4, rtol=1e-4)


def test_pictures_are_inverted_and_turned_over(model: StableDiffusionModel) -> None:
    picture = torch.rand(1, 1, 512, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    upright = -picture.flip(2).expand(-1, 3, -1, -1)
    with torch.inference_mode():
        latents = model.vae.encode(upright).latent_dist.mode() * model.vae.config.scaling_factor
        image = model.vae.decode(latents / model.vae.config.scaling_factor).sample
    np.testing.assert_allclose(
        model.encode(picture.numpy()), latents.flip(2).numpy(), atol=1e-5, rtol=1e-5
    )
    expected = -image.mean(1, keepdim=True).flip(2).clamp(-1, 1)
    found = model.decode(latents.flip(2).numpy())
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5, rtol=1e-5)


def test_words_weigh_what_is_said(model: StableDiffusionModel) -> None:
    plain = states(model, "jazz piano")
    assert torch.equal(states(model, "jazz (piano:1)"), plain)
    assert torch.equal(states(model, "jazz (piano:0)"), states(model, "jazz"))
    more, most = ((states(model, f"jazz (piano:{w})") - plain).abs().mean() for w in ("1.2", "1.5"))
    less, least = (
        (states(model, f"jazz (piano:{w})") - plain).abs().mean() for w in ("0.8", "0.5")
    )
    assert 0 < more < most
    assert 0 < less < least


def test_words_that_weigh_less_than_one_are_in_that_share_of_a_mixture(
    model: StableDiffusionModel,
) -> None:
    one = states(model, "jazz (piano:0.3)")
    assert torch.equal(one, 0.3 * states(model, "jazz piano") + 0.7 * states(model, "jazz"))
    two = states(model, "(a:0.5) (b:0.2) (c:1.4)")
    expected = 0.2 * states(model, "a b (c:1.4)") + 0.3 * states(model, "a (c:1.4)")
    torch.testing.assert_close(two, expected + 0.5 * states(model, "(c:1.4)"))
    with_zero = states(model, "a (loud:0) ballad (drums:0.5)")
    assert torch.equal(with_zero, states(model, "a ballad (drums:0.5)"))


@pytest.mark.parametrize("count", [0, 1, 2, 6])
def test_every_weight_costs_one_text_more(
    model: StableDiffusionModel, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    calls = []
    encode = model.text_encoder.forward
    monkeypatch.setattr(
        model.text_encoder, "forward", lambda *a, **k: calls.append(1) or encode(*a, **k)
    )
    model._phrases(parse_prompt(" ".join(f"(w{i}:0.{i + 1})" for i in range(count))).phrases[0])
    assert len(calls) == (1 if count == 0 else count + 2), "the whole, those without, empty text"


def test_a_blend_is_the_mean_of_its_states(model: StableDiffusionModel) -> None:
    blend = states(model, "jazz:3 + funk:1")
    expected = 0.75 * states(model, "jazz") + 0.25 * states(model, "funk")
    torch.testing.assert_close(blend, expected)


def test_a_long_prompt_is_read_to_its_end(model: StableDiffusionModel) -> None:
    long = "abc " * 20 + ", " + "def " * 20
    row = states(model, long + "x")
    assert row.shape == (1, 2 * 77, tiny_stable_diffusion.TEXT_WIDTH)
    assert not torch.equal(row, states(model, long + "y"))
    stacked = model.collate([row, states(model, "jazz")], [None, None], 64).states
    assert stacked.shape[:2] == (2, 154)
    torch.testing.assert_close(stacked[1:, 77:], states(model, ""))


VERBS: dict[str, Callable[[Model, Sonogram], Clip]] = {
    "generate": lambda m, _: generate(m, GenerateSettings(**QUICK, duration_s=2.0)),
    "remix": lambda m, s: remix(m, s, RemixSettings(**QUICK, strength=0.5)),
    "inpaint": lambda m, s: inpaint(m, s, InpaintSettings(**QUICK, times=((0.4, 0.8),))),
    "extend": lambda m, s: extend(m, s, ExtendSettings(**QUICK, duration_s=2.0)),
    "loop": lambda m, _: loop(m, LoopSettings(**QUICK, bars=1, bpm=120.0)),
    "morph": lambda m, _: (
        morph(
            m, MorphSettings(**QUICK, points=(MorphPoint(), MorphPoint(prompt="jazz")), clips=3)
        ).joined
    ),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.filterwarnings("ignore:.*hears tempo")
def test_every_verb_works(model: StableDiffusionModel, source: Sonogram, verb: str) -> None:
    clip = VERBS[verb](model, source)
    assert clip.settings["verb"] == verb
    assert clip.sonogram.params == RIFFUSION_V1
    assert np.isfinite(clip.sonogram.values).all()
    seconds = {"remix": 1.28, "inpaint": 1.28, "morph": 3.84}.get(verb, 2.0)
    assert clip.sonogram.duration_s == pytest.approx(seconds, abs=0.006)
    if verb == "inpaint":
        outside = [*range(40), *range(80, 128)]
        kept = clip.sonogram.values[..., outside]
        np.testing.assert_array_equal(kept, source.values[..., outside])


def test_inverted_latents_come_back(model: StableDiffusionModel) -> None:
    sampling = Sampling(prompt="organ", num_inference_steps=8, sampler="ddim", guidance_scale=1.0)
    sampling = sampling.resolved(model)
    guide = guide_from_settings(model, sampling)
    source = np.random.default_rng(0).standard_normal((1, 4, 64, 16), np.float32)
    noise = inverted(model, source, guide, 0.3, sampling)
    strength_map = np.full((1, 1, 64, 16), 0.3, np.float32)
    made = paint(model, Canvas(noise, everywhere(guide), source, strength_map), sampling)
    assert float(np.abs(made - source).mean()) < 0.01
    drawn = paint(
        model, Canvas(noise_grid(model, 16, 1), everywhere(guide), source, strength_map), sampling
    )
    assert float(np.abs(drawn - source).mean()) > 0.1


def test_no_way_leads_back_through_reused_layers(
    stable_diffusion_folder: Path, source: Sonogram
) -> None:
    often = load_model(stable_diffusion_folder, dtype=torch.float32, reuse=2)
    settings = MorphSettings(points=(MorphPoint(), MorphPoint()), clips=3, inverted=True)
    with pytest.raises(ParameterError, match="invert with reuse"):
        morph(often, settings, [source])


def test_all_steps_count_at_any_strength(model: StableDiffusionModel, source: Sonogram) -> None:
    """The first time is rounded to a step of training, up at one of these and down at the other."""
    one, other = (
        remix(model, source, RemixSettings(**QUICK, strength=s, sampler="lcm")).sonogram.values
        for s in (0.6644, 0.6646)
    )
    assert np.abs(one - other).mean() < 0.02 * np.abs(one - source.values).mean()


def test_a_way_from_a_soft_sound_to_a_loud_one_grows_evenly(
    model: StableDiffusionModel, source: Sonogram
) -> None:
    soft = Sonogram(source.values * np.float32(1e-3), source.params)
    settings = MorphSettings(points=(MorphPoint(strength=0.3),) * 2, clips=7, **QUICK)
    way = morph(model, settings, [soft, source])
    levels = [np.log10(clip.sonogram.values.mean()) for clip in way.clips]
    assert np.diff(levels).max() < 1.0  # of three decades


@pytest.mark.parametrize("sampler", ["ddim", "dpm++", "lcm"])
def test_every_sampler_works(model: StableDiffusionModel, sampler: str) -> None:
    settings = GenerateSettings(**QUICK, sampler=sampler, duration_s=0.16)
    first, again = (generate(model, settings).sonogram.values for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("sampler", ["ddim", "lcm"])
def test_seeds_in_a_batch_give_the_clips_that_they_give_alone(
    model: StableDiffusionModel, sampler: str
) -> None:
    settings = GenerateSettings(**{**QUICK, "seed": 4}, sampler=sampler, duration_s=0.16)
    _, second = generate_many(model, settings, 2, batch_size=2)
    alone = generate(model, replace(settings, seed=5))
    loudest = alone.sonogram.values.max()
    np.testing.assert_allclose(second.sonogram.values, alone.sonogram.values, atol=1e-3 * loudest)


def test_an_inpainting_model_is_told_what_is_known(model: StableDiffusionModel) -> None:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(**{**model.unet.config, "in_channels": 9})
    on_progress = replace(model, unet=unet.eval().requires_grad_(False))
    assert on_progress.supports_inpainting
    x, known = torch.randn(2, 1, 4, 64, 8)
    mask = torch.zeros(1, 1, 64, 8)
    mask[..., :4] = 1
    with torch.inference_mode():
        grey = torch.from_numpy(on_progress.encode(np.zeros((1, 1, 512, 64), np.float32)))
        grey = grey[..., 4:5]
        seen = torch.where(mask > 0, known, grey)
        text = states(on_progress, "jazz")
        inputs = torch.cat([x, 1 - mask, seen], 1).flip(2)
        expected = unet(inputs, torch.tensor(499.0), text).sample.flip(2)
    batch = on_progress.collate([text], [None], 64)
    found = on_progress.predict(x.numpy(), 0.5, batch, known.numpy(), mask.numpy())
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5, rtol=1e-5)


def test_a_schedule_is_read_as_it_was_saved() -> None:
    config = {
        "_class_name": "PNDMScheduler",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
    }
    schedule = schedule_from_config(config)
    assert schedule.prediction == "velocity"
    assert len(schedule.alphas_cumprod) == 1000
    assert schedule.alpha_sigma(1.0)[0] < 0.001
    with pytest.raises(CheckpointError, match="predicts"):
        schedule_from_config({"prediction_type": "magic"})


def test_bad_folders_are_refused_with_what_to_do(
    stable_diffusion_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(stable_diffusion_folder, folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cannot load"):
        load_model(folder)
    weights.unlink()
    with pytest.raises(CheckpointError, match="no safetensors of its unet"):
        load_model(folder)
    weights.with_suffix(".bin").write_bytes(b"")
    with pytest.raises(CheckpointError, match="sonoriff models convert"):
        load_model(folder)


def test_a_checkpoint_with_weights_missing_is_refused(
    stable_diffusion_folder: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "model"
    shutil.copytree(stable_diffusion_folder, folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    del tensors["conv_out.weight"]
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="conv_out"):
        load_model(folder)
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps([1, 2]))
    save_file({**tensors, "conv_out.weight": torch.zeros(4, 8, 3, 3)}, weights)
    with pytest.raises(CheckpointError):
        load_model(folder)
