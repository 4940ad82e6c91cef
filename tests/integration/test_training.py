"""From a folder of clips to a model that paints: every stage, for real, in small."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from sonoriff.errors import CheckpointError, CorpusError
from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.training.config import LoopConfig
from sonoriff.training.data.latents import load_latents, prepare_latents
from sonoriff.training.data.pictures import CLIP_SAMPLES, load_pictures, prepare_pictures
from sonoriff.training.export import export_model, load_autoencoder
from sonoriff.training.loop import train
from sonoriff.training.recipes.autoencoder import AutoencoderRecipe
from sonoriff.training.recipes.denoiser import DenoiserRecipe

CODER = AutoencoderConfig(
    latent_channels=4,
    widths=(8, 8, 8),
    encoder_blocks=(1, 0, 0),
    decoder_blocks=(1, 0, 0),
    strides=((4, 2), (2, 1)),
)
SHAPE = DenoiserConfig(latent_channels=4, grid_width=8, width=64, depth=2, heads=1)


def loop(steps: int, **more: object) -> LoopConfig:
    fields: dict[str, object] = {
        "steps": steps,
        "batch_size": 2,
        "learning_rate": 1e-3,
        "warmup_steps": 1,
        "validate_steps": 2,
        "precision": "no",
    }
    return LoopConfig(**(fields | more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six chords of sines, one of them held out."""
    folder = tmp_path_factory.mktemp("corpus")
    audio = folder / "audio" / "00000"
    audio.mkdir(parents=True)
    time = np.arange(CLIP_SAMPLES) / 44100
    lines = []
    for i in range(6):
        name = f"audio/00000/{i:08d}.flac"
        sound = sum(np.sin(2 * np.pi * f * 1.1**i * time) for f in (220, 330, 440)) * 0.1
        soundfile.write(folder / name, sound, 44100)
        lines.append(
            {
                "file_name": name,
                "captions": [f"chord number {i}", "sines"],
                "text": f"chord number {i}",
                "facts": {"bpm": 100.0 + i, "key": "A", "mode": "minor"},
                "split": "validation" if i == 5 else "train",
            }
        )
    (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture(scope="module")
def runs(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, a trained autoencoder, latents and a trained denoiser."""
    work = tmp_path_factory.mktemp("work")
    assert prepare_pictures(corpus, work / "pictures") == 6
    pictures = load_pictures([work / "pictures"])
    train(AutoencoderRecipe(pictures, CODER), loop(4), work / "coder")
    coder = load_autoencoder(work / "coder")
    prepare_latents(work / "pictures", work / "latents", coder)
    latents = load_latents([work / "latents"])
    train(DenoiserRecipe(latents, coder, SHAPE), loop(4), work / "denoiser")
    return work


def figures(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_picture_does_not_show_that_its_clip_was_cut(runs: Path) -> None:
    pictures = load_pictures([runs / "pictures"])
    for index in range(len(pictures)):
        picture = pictures.picture(index).astype(int)
        steady = picture[:, 100, None]
        ends = np.concatenate([picture[:, :2], picture[:, -2:]], axis=1)
        assert np.abs(ends - steady).mean(axis=0).max() < 1, "as the steady sound between them"


def test_autoencoder_loss_falls(runs: Path, tmp_path: Path) -> None:
    pictures = load_pictures([runs / "pictures"])
    train(AutoencoderRecipe(pictures, CODER), loop(40, batch_size=4), tmp_path)
    losses = [f["loss"] for f in figures(tmp_path)]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_latents_have_unit_scale_and_keep_their_order(runs: Path) -> None:
    latents = load_latents([runs / "latents"])
    values = np.stack([latents.latent(i) for i in latents.subset("train")]).astype(np.float32)
    assert values[:, :-2].std() == pytest.approx(1.0, abs=0.1)
    # These clips are mono: the middle, and no width.
    assert np.all(values[:, -2:] == np.array([0.0, -2.0])[:, None, None])
    values = values[:, :-2]
    spreads = values.std(axis=(0, 2, 3))
    assert spreads[0] == spreads.max()
    np.testing.assert_allclose(values.mean(axis=(0, 2, 3)), 0.0, atol=0.3)


def test_denoiser_loss_falls(runs: Path, tmp_path: Path) -> None:
    latents = load_latents([runs / "latents"])
    coder = load_autoencoder(runs / "coder")
    config = loop(60, batch_size=8, learning_rate=3e-3, validate_steps=60)
    train(DenoiserRecipe(latents, coder, SHAPE), config, tmp_path)
    losses = [f["loss"] for f in figures(tmp_path)]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:5])
    assert list((tmp_path / "samples").glob("*.png"))


def test_resumed_runs_end_at_the_same_weights(runs: Path, tmp_path: Path) -> None:
    latents = load_latents([runs / "latents"])
    recipe = DenoiserRecipe(latents, load_autoencoder(runs / "coder"), SHAPE)
    train(recipe, loop(4), tmp_path / "whole")
    train(recipe, loop(2), tmp_path / "halves")
    train(recipe, loop(4), tmp_path / "halves")
    for name in ("model", "ema"):
        whole, halves = (
            load_file(tmp_path / run / "checkpoint" / f"{name}.safetensors")
            for run in ("whole", "halves")
        )
        assert all(torch.equal(tensor, halves[key]) for key, tensor in whole.items())


def test_another_shape_does_not_resume(runs: Path) -> None:
    latents = load_latents([runs / "latents"])
    other = DenoiserConfig(latent_channels=4, grid_width=8, width=128, depth=2, heads=1)
    with pytest.raises(CheckpointError, match="trained with other model"):
        train(
            DenoiserRecipe(latents, load_autoencoder(runs / "coder"), other),
            loop(9),
            runs / "denoiser",
        )


def test_a_damaged_checkpoint_is_named(runs: Path, tmp_path: Path) -> None:
    latents = load_latents([runs / "latents"])
    recipe = DenoiserRecipe(latents, load_autoencoder(runs / "coder"), SHAPE)
    train(recipe, loop(2), tmp_path)
    (tmp_path / "checkpoint" / "model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(CheckpointError, match="cannot resume"):
        train(recipe, loop(4), tmp_path)


def test_exported_model_paints_the_same_riff_twice(runs: Path, tmp_path: Path) -> None:
    export_model(runs / "denoiser", runs / "coder", tmp_path / "model", name="test")
    model = SmallModel.from_pretrained(tmp_path / "model", precision="float32")
    settings = GenerateSettings(prompt="sines", seed=3, num_inference_steps=2)
    first, second = (generate(model, settings).sonogram for _ in range(2))
    assert first.values.shape == (1, 256, 512)
    assert np.array_equal(first.values, second.values)
    other = generate(model, GenerateSettings(prompt="sines", seed=4, num_inference_steps=2))
    assert not np.array_equal(first.values, other.sonogram.values)
    assert first.metadata["prompt"] == "sines"
    assert first.metadata["seed"] == 3


def test_long_riffs_have_the_length_that_was_asked(runs: Path, tmp_path: Path) -> None:
    export_model(runs / "denoiser", runs / "coder", tmp_path / "model", name="test")
    model = SmallModel.from_pretrained(tmp_path / "model", precision="float32")
    for seconds in (2.0, 13.0):
        settings = GenerateSettings(prompt="", duration_s=seconds, num_inference_steps=1)
        assert generate(model, settings).sonogram.duration_s == pytest.approx(seconds, abs=0.006)


def test_a_corpus_grows(corpus: Path, tmp_path: Path) -> None:
    lines = (corpus / "metadata.jsonl").read_text().splitlines(keepends=True)
    grown = tmp_path / "grown"
    (grown / "audio").mkdir(parents=True)
    (grown / "audio" / "00000").symlink_to(corpus / "audio" / "00000")
    for count in (3, 6):
        (grown / "metadata.jsonl").write_text("".join(lines[:count]))
        assert prepare_pictures(grown, tmp_path / "pictures") == count
        assert len(load_pictures([tmp_path / "pictures"])) == count


def test_missing_corpora_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"metadata\.jsonl"):
        prepare_pictures(tmp_path, tmp_path / "pictures")
    with pytest.raises(CorpusError, match="no prepared pictures"):
        load_pictures([tmp_path])
    with pytest.raises(CorpusError, match="no training latents"):
        load_latents([tmp_path])
