"""Stable Diffusion's own classes, tiny, are taught a folder of music."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from diffusers import DDIMScheduler, DDPMScheduler, StableDiffusionPipeline
from safetensors.torch import load_file

import own_music
import tiny_stable_diffusion
from sonoriff.cli.main import main
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.lora import Lora, merge_lora
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.registry import load_model
from sonoriff.models.stable_diffusion.loading import load_stable_diffusion
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.pipeline.latent_codec import picture_from_sonogram
from sonoriff.sonogram import encode
from sonoriff.training.adapters import LoraConfig
from sonoriff.training.config import LoopConfig
from sonoriff.training.data.posteriors import posterior_of_clip
from sonoriff.training.loop import train
from sonoriff.training.personal.music import OwnMusic, gather
from sonoriff.training.recipes.stable_diffusion import (
    DiffusionConfig,
    DiffusionNetworks,
    StableDiffusionRecipe,
    stable_diffusion_recipe,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("own")
    own_music.make(place / "mine")
    return place


@pytest.fixture(scope="module")
def music(place: Path) -> OwnMusic:
    return gather(place / "mine", place / "work")


def base(folder: Path) -> StableDiffusionModel:
    return load_stable_diffusion(folder, dtype=torch.float32)


def recipe(
    folder: Path, music: OwnMusic, place: Path, *, lora: bool = False, **config: object
) -> StableDiffusionRecipe:
    made = stable_diffusion_recipe(
        music,
        base(folder),
        place / "work",
        DiffusionConfig(**config),  # type: ignore[arg-type]
        adapters=LoraConfig(rank=2) if lora else None,
    )
    made.sheet_prompts = made.sheet_prompts[:1]
    return made


def loop(steps: int, **more: object) -> LoopConfig:
    fields = {"steps": steps, "batch_size": 2, "learning_rate": 1e-3, "warmup_steps": 1}
    return LoopConfig(**(fields | {"precision": "no", "validate_steps": 100} | more))  # type: ignore[arg-type]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "checkpoint" / "model.safetensors")


def losses(run: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_error_of_a_step_is_that_of_diffusers_own_schedule(
    prediction: str, tmp_path: Path, music: OwnMusic, place: Path
) -> None:
    tiny_stable_diffusion.save(tmp_path, prediction_type=prediction)
    made = recipe(tmp_path, music, place, min_snr=0.0)
    networks = made.build()
    torch.manual_seed(0)
    latents, noise = torch.randn(2, 2, 4, 64, 16).unbind(0)
    steps, captions = torch.tensor([3, 800]), ["plucked chords 0", ""]
    with torch.no_grad():
        mine = made._errors(networks, latents, noise, steps, captions)
        scheduler = DDPMScheduler.from_pretrained(tmp_path / "scheduler")
        scheduler.alphas_cumprod = scheduler.alphas_cumprod.float()
        noisy = scheduler.add_noise(latents, noise, steps)
        states = made.base.text_encoder(
            made.base.tokenizer(
                captions, padding="max_length", max_length=77, return_tensors="pt"
            ).input_ids
        )[0]
        predicted = made.base.unet(noisy, steps, encoder_hidden_states=states).sample
        velocity = prediction == "v_prediction"
        target = scheduler.get_velocity(latents, noise, steps) if velocity else noise
        theirs = (predicted - target).square().mean(dim=(1, 2, 3))
    torch.testing.assert_close(mine, theirs, rtol=2e-3, atol=1e-4)


def test_min_snr_weights_are_those_of_the_paper(
    stable_diffusion_folder: Path, music: OwnMusic, place: Path
) -> None:
    steps = torch.tensor([1, 500, 999])
    for prediction, share in (("noise", 0.0), ("velocity", 1.0)):
        made = recipe(stable_diffusion_folder, music, place, prediction=prediction, min_snr=5.0)
        ratio = made.power[steps] / (1 - made.power[steps])
        expected = torch.minimum(ratio, torch.tensor(5.0)) / (ratio + share)
        torch.testing.assert_close(made._weights(steps), expected)


def test_pictures_stand_as_the_pipeline_sees_them(
    stable_diffusion_folder: Path, music: OwnMusic
) -> None:
    """Posterior means, turned over as the model does it, are the model's own latents."""
    model = base(stable_diffusion_folder)
    path = music.corpus / music.clips[0].file_name
    samples, rate = soundfile.read(path, dtype="float32")
    picture, _ = picture_from_sonogram(encode(samples[None], rate, model.params))
    latents = model.encode(picture[..., : model.window_frames])
    mean = torch.from_numpy(posterior_of_clip(path, model)[:4]).float()
    scaled = mean.flip(1)[None] * model.vae.config.scaling_factor
    np.testing.assert_allclose(scaled.numpy(), latents, rtol=1e-2, atol=1e-2)


def test_loss_falls_and_a_resumed_run_ends_at_the_same_weights(
    stable_diffusion_folder: Path, music: OwnMusic, place: Path, tmp_path: Path
) -> None:
    options = {
        "noise_offset": 0.05,
        "text_rate": 0.1,
        "gradient_checkpointing": True,
        "prior_prompt": "music",
        "prior_clips": 2,
    }

    def run(name: str, steps: int) -> None:
        made = recipe(stable_diffusion_folder, music, place, **options)
        made.sample = lambda *_: None  # type: ignore[method-assign]
        train(made, loop(steps, rate_scales=(("text_encoder.", 0.1),)), tmp_path / name)

    run("whole", 24)
    run("halves", 12)
    run("halves", 24)
    whole, halves = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert all(torch.equal(tensor, halves[name]) for name, tensor in whole.items())
    assert any(name.startswith("text_encoder.") for name in whole)
    assert losses(tmp_path / "whole") == losses(tmp_path / "halves")
    curve = losses(tmp_path / "whole")
    assert np.mean(curve[-6:]) < np.mean(curve[:6])


def test_a_model_by_the_command_paints_the_same_in_diffusers_own_pipeline(
    stable_diffusion_folder: Path, place: Path
) -> None:
    output = place / "model"
    assert teach("finetune", place, stable_diffusion_folder, output) == 0
    ours = load_model(output, dtype=torch.float32)
    assert isinstance(ours, StableDiffusionModel)
    pipeline = StableDiffusionPipeline.from_pretrained(output, use_safetensors=True)
    assert isinstance(pipeline.scheduler, DDIMScheduler)
    before, after = base(stable_diffusion_folder), pipeline.unet.state_dict()
    assert any(not torch.equal(t, after[n]) for n, t in before.unet.state_dict().items())

    torch.manual_seed(0)
    x = torch.randn(1, 4, 64, 16)
    states, _ = pipeline.encode_prompt("plucked chords", "cpu", 1, False)
    theirs = pipeline.unet(x, 499, encoder_hidden_states=states).sample
    row = ours.encode_prompt(parse_prompt("plucked chords"), MusicAttributes())[0].embedding
    turned = x.flip(2).numpy()
    mine = ours.predict(turned, 0.5, ours.collate([row], [None], 64))[:, :, ::-1]
    np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=1e-4, atol=1e-5)
    decoded = pipeline.vae.decode(x / pipeline.vae.config.scaling_factor).sample
    picture = -decoded.mean(dim=1, keepdim=True).flip(2).clamp(-1, 1)
    np.testing.assert_allclose(ours.decode(turned), picture.detach().numpy(), rtol=1e-4, atol=1e-4)


def test_a_lora_by_the_command_loads_in_diffusers_and_here(
    stable_diffusion_folder: Path, place: Path
) -> None:
    output = place / "style"
    more = ["--rank", "2", "--text-rate", "0.5", "--learning-rate", "0.01"]
    assert teach("lora", place, stable_diffusion_folder, output, *more) == 0
    pipeline = StableDiffusionPipeline.from_pretrained(stable_diffusion_folder)
    pipeline.load_lora_weights(output)
    ours = base(stable_diffusion_folder)
    plain = base(stable_diffusion_folder)
    assert merge_lora(ours.layers(), Lora(output)) > 0
    torch.manual_seed(0)
    x, states = torch.randn(1, 4, 64, 16), torch.randn(1, 77, 16)
    with torch.no_grad():
        theirs, mine, before = (
            unet(x, 500, encoder_hidden_states=states).sample
            for unet in (pipeline.unet, ours.unet, plain.unet)
        )
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(mine, before, atol=1e-5)
        tokens = torch.arange(20)[None]
        torch.testing.assert_close(
            ours.text_encoder(tokens)[0], pipeline.text_encoder(tokens)[0], rtol=1e-4, atol=1e-5
        )
    assert "base_model: " in (output / "README.md").read_text()


def teach(kind: str, place: Path, folder: Path, output: Path, *more: str) -> int:
    """`sonoriff train KIND`, the exit code."""
    arguments = [str(place / "mine"), "-o", str(output), "--base", str(folder)]
    quick = ["--steps", "2", "--batch-size", "2", "--samples", "1", "--sample-steps", "2"]
    work = ["--work", str(place / "work"), "--precision", "no"]
    return main(["train", kind, *arguments, *quick, *work, *more])


def test_captions_are_dropped_for_guidance(
    stable_diffusion_folder: Path, music: OwnMusic, place: Path
) -> None:
    made = recipe(stable_diffusion_folder, music, place, caption_dropout=0.5)
    indices = np.zeros(200, np.int64)
    texts = made._captions(indices, torch.Generator().manual_seed(0))
    assert 60 < texts.count("") < 140


def test_bases_and_settings_of_the_wrong_kind_are_refused(
    stable_diffusion_folder: Path, music: OwnMusic, place: Path
) -> None:
    inpainting = base(stable_diffusion_folder)
    inpainting.unet.register_to_config(in_channels=9)
    with pytest.raises(CheckpointError, match="inpainting"):
        stable_diffusion_recipe(music, inpainting, place / "work", DiffusionConfig(), adapters=None)
    with pytest.raises(ParameterError, match="predicts what its base does"):
        recipe(stable_diffusion_folder, music, place, lora=True, prediction="velocity")
    with pytest.raises(ParameterError, match="noise, velocity or base"):
        DiffusionConfig(prediction="sample")


def test_only_adapters_are_trained_and_stored(
    stable_diffusion_folder: Path, music: OwnMusic, place: Path, tmp_path: Path
) -> None:
    made = recipe(stable_diffusion_folder, music, place, lora=True)
    networks = made.build()
    assert isinstance(networks, DiffusionNetworks)
    train(recipe(stable_diffusion_folder, music, place, lora=True), loop(1), tmp_path)
    assert all(".lora_" in name for name in weights(tmp_path))
