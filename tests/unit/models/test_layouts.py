"""Every layout in which Stable Diffusion v1.5 is passed around: loaded, or refused by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import original_layout
import tiny_stable_diffusion
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.registry import load_model
from sonoriff.models.small.model import SmallModel
from sonoriff.models.stable_diffusion.model import StableDiffusionModel

PARTS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}
PARTS["text_encoder"] = "model"


def loaded(place: Path | str, **options: Any) -> StableDiffusionModel:
    model = load_model(place, dtype=torch.float32, **options)
    assert isinstance(model, StableDiffusionModel)
    return model


def row_of(model: StableDiffusionModel, prompt: str) -> torch.Tensor:
    row: torch.Tensor = model.encode_prompt(parse_prompt(prompt), MusicAttributes())[0].embedding
    return row


@pytest.fixture
def folder(stable_diffusion_folder: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    shutil.copytree(stable_diffusion_folder, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A request to the hub is an error at once; its cache is empty."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)


@pytest.fixture
def single(folder: Path) -> Path:
    """A single file in a folder with a configuration and without other weights."""
    original_layout.save(folder, folder / "whole.safetensors")
    for part in PARTS:
        for weights in (folder / part).glob("*.safetensors"):
            weights.unlink()
    return folder / "whole.safetensors"


def rewritten(
    file: Path, more: dict[str, torch.Tensor] | None = None, metadata: dict[str, str] | None = None
) -> None:
    tensors = load_file(file)
    save_file({**tensors, **(more or {})}, file, metadata=metadata)


def configured(folder: Path, part: str, **changes: Any) -> None:
    file = folder / part
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def without(file: Path, key: str) -> None:
    content = json.loads(file.read_text())
    del content[key]
    file.write_text(json.dumps(content))


PREDICTIONS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "nothing": (
        lambda f: without(f.parent / "scheduler/scheduler_config.json", "prediction_type"),
        "noise",
        "taken for granted",
    ),
    "key": (lambda f: rewritten(f, {"v_pred": torch.zeros(0)}), "velocity", "the key v_pred"),
    "modelspec": (
        lambda f: rewritten(f, metadata={"modelspec.prediction_type": "v"}),
        "velocity",
        "modelspec",
    ),
    "modelspec of noise": (
        lambda f: rewritten(f, metadata={"modelspec.prediction_type": "epsilon"}),
        "noise",
        "modelspec",
    ),
    "kohya": (
        lambda f: rewritten(f, metadata={"ss_v_parameterization": "True"}),
        "velocity",
        "ss_v_parameterization",
    ),
    "yaml": (
        lambda f: f.with_suffix(".yaml").write_text(
            'model:\n  params:\n    parameterization: "v"\n'
        ),
        "velocity",
        "whole.yaml",
    ),
    "configuration": (
        lambda f: configured(f.parent, "scheduler/scheduler_config.json", prediction_type="sample"),
        "sample",
        "scheduler_config.json",
    ),
}


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_a_single_file_predicts_what_it_says(single: Path, kind: str) -> None:
    change, expected, source = PREDICTIONS[kind]
    change(single)
    model = loaded(single)
    assert model.schedule.prediction == expected
    assert source in model.origins["prediction"]


def test_a_key_for_noise_that_ends_without_data(single: Path) -> None:
    before = loaded(single).schedule.alphas_cumprod[-1]
    rewritten(single, {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)})
    assert before > 1e-3
    assert loaded(single).schedule.alphas_cumprod[-1] < 1e-6


def test_velocity_read_from_a_key_makes_the_clip_of_the_folder_that_says_so(
    single: Path, tmp_path: Path
) -> None:
    from sonoriff.pipeline.generate import GenerateSettings, generate

    rewritten(single, {"v_pred": torch.zeros(0)})
    tiny_stable_diffusion.save(tmp_path / "velocity", prediction_type="v_prediction")
    settings = GenerateSettings(prompt="organ", num_inference_steps=2, duration_s=0.16)
    ours, theirs = (
        generate(loaded(place), settings).sonogram.values
        for place in (single, tmp_path / "velocity")
    )
    assert abs(ours - theirs).max() <= 1e-4 * theirs.max()


def test_what_is_predicted_can_be_said(folder: Path, small_model: SmallModel) -> None:
    said = loaded(folder, prediction="v")
    assert said.schedule.prediction == "velocity"
    assert said.name == "model + prediction:v_prediction"
    assert said.origins["prediction"] == "v_prediction (--prediction)"
    with pytest.raises(ParameterError, match="one of epsilon, v_prediction, sample"):
        load_model(folder, prediction="magic")
    small_model.save_pretrained(folder.parent / "small")
    with pytest.raises(ParameterError, match="leave out the prediction"):
        load_model(folder.parent / "small", prediction="epsilon")


@pytest.mark.parametrize("gone", [["vocab.json"], ["merges.txt"], ["vocab.json", "merges.txt"]])
@pytest.mark.parametrize("emptied", [False, True])
def test_half_a_tokenizer_is_one_line(folder: Path, gone: list[str], emptied: bool) -> None:
    place = folder / "tokenizer"
    shutil.rmtree(place)
    place.mkdir()
    vocabulary = tiny_stable_diffusion._vocabulary()
    (place / "vocab.json").write_text(json.dumps(vocabulary))
    (place / "merges.txt").write_text("#version: 0.2\na b</w>\n")
    for name in gone:
        (place / name).write_text("") if emptied else (place / name).unlink()
    with pytest.raises(CheckpointError, match=gone[0]) as caught:
        load_model(folder)
    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_without_tokenizer_asks_no_hub(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = row_of(loaded(folder), "jazz")
    monkeypatch.chdir(folder.parent)
    assert torch.equal(row_of(loaded("model"), "jazz"), expected)
    shutil.rmtree(folder / "tokenizer")
    for name in ("model", "./model", str(folder)):
        with pytest.raises(CheckpointError, match=r"no vocab\.json and no merges\.txt"):
            load_model(name)


def test_a_tokenizer_that_knows_no_words_is_refused(folder: Path) -> None:
    file = folder / "tokenizer" / "tokenizer.json"
    content = json.loads(file.read_text())
    begin, end = "<|startoftext|>", "<|endoftext|>"
    content["model"]["vocab"] = {begin: 0, end: 1}
    content["model"]["unk_token"] = end
    for token in content.get("added_tokens", []):
        token["id"] = 0 if token["content"] == begin else 1
    file.write_text(json.dumps(content))
    for name in ("vocab.json", "merges.txt"):
        (folder / "tokenizer" / name).unlink(missing_ok=True)
    with pytest.raises(CheckpointError, match=r"different prompts as the same|cannot load"):
        load_model(folder)


def test_a_tokenizer_of_another_model_is_refused(folder: Path) -> None:
    config = folder / "text_encoder" / "config.json"
    configured(folder, "text_encoder/config.json", vocab_size=200)
    weights = folder / "text_encoder" / "model.safetensors"
    tensors = load_file(weights)
    name = next(n for n in tensors if n.endswith("token_embedding.weight"))
    save_file({**tensors, name: tensors[name][:200].clone()}, weights, metadata={"format": "pt"})
    assert config.is_file()
    with pytest.raises(CheckpointError, match="belong to different models"):
        load_model(folder)


def renamed(folder: Path, variant: str) -> None:
    for part, stem in PARTS.items():
        (folder / part / f"{stem}.safetensors").rename(
            folder / part / f"{stem}.{variant}.safetensors"
        )


@pytest.mark.parametrize("variant", ["fp16", "bf16", "non_ema"])
def test_a_folder_with_one_kind_of_weights_loads(
    folder: Path, stable_diffusion_folder: Path, variant: str
) -> None:
    renamed(folder, variant)
    model, plain = loaded(folder), loaded(stable_diffusion_folder)
    assert variant in model.origins["weights"]
    for name, weight in plain.unet.state_dict().items():
        assert torch.equal(weight, model.unet.state_dict()[name])
    assert torch.equal(row_of(model, "jazz"), row_of(plain, "jazz"))


def test_plain_weights_go_before_others(folder: Path) -> None:
    for part, stem in PARTS.items():
        whole = load_file(folder / part / f"{stem}.safetensors")
        other = {name: torch.zeros_like(tensor) for name, tensor in whole.items()}
        target = folder / part / f"{stem}.fp16.safetensors"
        save_file(other, target, metadata={"format": "pt"})
    assert float(loaded(folder).unet.conv_in.weight.abs().sum()) > 0


def test_weights_in_several_files_load(folder: Path) -> None:
    from diffusers import UNet2DConditionModel

    expected = loaded(folder).unet.state_dict()
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    unet.save_pretrained(folder / "unet", max_shard_size="20KB")
    assert len(list((folder / "unet").glob("*-of-*.safetensors"))) > 1
    for name, weight in loaded(folder).unet.state_dict().items():
        assert torch.equal(weight, expected[name])


UNFIT: dict[str, tuple[Callable[[Path], None], str]] = {
    "XL": (
        lambda f: configured(f, "unet/config.json", addition_embed_type="text_time"),
        "is Stable Diffusion XL or of its kind: expected Stable Diffusion v1.5",
    ),
    "eight channels": (
        lambda f: configured(f, "unet/config.json", in_channels=8),
        "8 input channels: expected 4, or 9",
    ),
    "text width": (
        lambda f: configured(f, "unet/config.json", cross_attention_dim=1024),
        "gives 16 numbers a word, its UNet takes 1024",
    ),
    "latents": (
        lambda f: configured(f, "vae/config.json", latent_channels=16),
        "4 input channels: expected 16",
    ),
    "classes": (
        lambda f: configured(f, "unet/config.json", num_class_embeds=1000),
        "wants more than text",
    ),
    "no mapping": (lambda f: (f / "unet/config.json").write_text("[1]"), "expected a mapping"),
    "index of Flux": (
        lambda f: (
            shutil.rmtree(f / "unet"),
            configured(f, "model_index.json", _class_name="StableDiffusion3Pipeline"),
        )[-1],
        "is a StableDiffusion3Pipeline: expected",
    ),
    "prediction": (
        lambda f: configured(f, "scheduler/scheduler_config.json", prediction_type="magic"),
        "predicts 'magic'.*--prediction",
    ),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_what_is_of_another_kind_is_one_line(folder: Path, kind: str) -> None:
    change, words = UNFIT[kind]
    change(folder)
    with pytest.raises(CheckpointError, match=words) as caught:
        load_model(folder)
    assert len(str(caught.value).splitlines()) == 1


OTHER_FILES = {
    "conditioner.embedders.1.model.ln_final.weight": "Stable Diffusion XL",
    "cond_stage_model.model.ln_final.weight": "Stable Diffusion 2",
    "model.diffusion_model.joint_blocks.0.x": "Stable Diffusion 3",
    "double_blocks.0.img_attn.qkv.weight": "Flux",
    "lora_unet_down_blocks_0.lora_up.weight": "a LoRA",
    "control_model.input_blocks.0.0.weight": "a ControlNet",
    "first_stage_model.encoder.conv_in.weight": "an autoencoder alone",
    "down_blocks.0.resnets.0.conv1.weight": "a UNet alone",
    "emb_params": "a textual style",
}


@pytest.mark.parametrize("key", OTHER_FILES)
def test_a_file_of_another_kind_is_named(tmp_path: Path, key: str) -> None:
    file = tmp_path / "other.safetensors"
    save_file({key: torch.zeros(2, 4)}, file)
    with pytest.raises(CheckpointError, match=f"other.safetensors is {OTHER_FILES[key]}") as caught:
        load_model(file)
    assert len(str(caught.value).splitlines()) == 1


def test_a_single_file_of_an_inpainting_model_loads(single: Path) -> None:
    key = "model.diffusion_model.input_blocks.0.0.weight"
    wide = torch.randn(8, 9, 3, 3, generator=torch.Generator().manual_seed(0))
    rewritten(single, {key: wide})
    model = loaded(single)
    assert model.supports_inpainting
    assert torch.equal(model.unet.conv_in.weight, wide)
    rewritten(single, {key: wide[:, :8].clone()})
    with pytest.raises(CheckpointError, match="8 input channels"):
        load_model(single)


def test_a_single_file_in_half_precision_loads(single: Path) -> None:
    plain = loaded(single)
    save_file({name: tensor.half() for name, tensor in load_file(single).items()}, single)
    with safe_open(single, framework="pt") as opened:
        assert opened.get_tensor(next(iter(opened.keys()))).dtype == torch.float16
    half = loaded(single)
    torch.testing.assert_close(
        half.unet.conv_in.weight, plain.unet.conv_in.weight, atol=1e-3, rtol=0
    )


def test_a_link_to_a_folder_loads(folder: Path) -> None:
    (folder.parent / "link").symlink_to(folder)
    assert row_of(loaded(folder.parent / "link"), "jazz").shape[0] == 1
