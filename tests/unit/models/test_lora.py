"""LoRA files of every layout, against the libraries that write them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.lora import Lora, merge_lora, parse_lora
from sonoriff.models.small.model import Backend, SmallModel
from sonoriff.models.small.torch.networks import TorchNetworks
from sonoriff.models.torch_layers import layers_of


def network() -> nn.Module:
    torch.manual_seed(0)
    parts = {"query": nn.Linear(6, 4), "to_out": nn.Sequential(nn.Linear(4, 4), nn.Dropout())}
    parts["conv"] = nn.Conv2d(2, 3, 3)
    return nn.ModuleDict(parts).requires_grad_(False)


def factors(rank: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(rank, 6, generator=generator),
        torch.randn(4, rank, generator=generator),
    )


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_a_lora_that_peft_wrote_changes_the_small_model_as_peft_does(
    small_model: SmallModel, tmp_path: Path, backend: Backend
) -> None:
    import peft

    small_model.save_pretrained(tmp_path / "model", dtype="float32")
    model = SmallModel.from_pretrained(tmp_path / "model", precision="float32", backend=backend)
    denoiser = TorchNetworks.from_folder(tmp_path / "model").denoiser
    chosen = r".*(enter|leave|modulate\.1)$"
    config = peft.LoraConfig(r=3, lora_alpha=5, target_modules=chosen, init_lora_weights=False)
    torch.manual_seed(0)
    adapted = peft.get_peft_model(denoiser, config)
    adapted.save_pretrained(tmp_path / "lora")
    theirs = dict(adapted.merge_and_unload().named_parameters())
    assert merge_lora(model.layers(), Lora(tmp_path / "lora")) >= 3
    ours = model.networks.tensors("denoiser")
    for name, weight in theirs.items():
        np.testing.assert_allclose(ours[name], weight.numpy(), atol=1e-5, rtol=1e-4)
    before = small_model.networks.tensors("denoiser")
    assert not np.array_equal(ours["enter.weight"], before["enter.weight"])


@pytest.mark.parametrize(
    ("down", "up", "alpha"),
    [
        ("unet.query.lora_A.weight", "unet.query.lora_B.weight", None),
        ("base_model.model.query.lora_A.weight", "base_model.model.query.lora_B.weight", None),
        ("unet.query.lora.down.weight", "unet.query.lora.up.weight", None),
        ("unet.processor.query_lora.down.weight", "unet.processor.query_lora.up.weight", None),
        ("lora_unet_query.lora_down.weight", "lora_unet_query.lora_up.weight", "lora_unet_query"),
    ],
)
def test_every_layout_of_names_is_read(
    tmp_path: Path, down: str, up: str, alpha: str | None
) -> None:
    a, b = factors()
    tensors = {down: a, up: b} | ({f"{alpha}.alpha": torch.tensor(1.0)} if alpha else {})
    save_file(tensors, tmp_path / "style.safetensors")
    changed, before = network(), network()
    merge_lora({"unet": layers_of(changed)}, Lora(tmp_path / "style.safetensors", 0.5))
    strength = 0.5 * (0.5 if alpha else 1.0)
    expected = before.get_parameter("query.weight") + strength * b @ a
    torch.testing.assert_close(changed.get_parameter("query.weight"), expected)


def test_old_names_and_convolutions(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tensors = {
        "unet.to_out.lora_A.weight": torch.randn(1, 4),
        "unet.to_out.lora_B.weight": torch.randn(4, 1),
        "unet.conv.lora_A.weight": torch.randn(1, 2, 3, 3),
        "unet.conv.lora_B.weight": torch.randn(3, 1, 1, 1),
    }
    save_file(tensors, tmp_path / "style.safetensors")
    changed, before = network(), network()
    assert merge_lora({"unet": layers_of(changed)}, Lora(tmp_path)) == 2
    product = tensors["unet.conv.lora_B.weight"][:, :, 0, 0] @ tensors[
        "unet.conv.lora_A.weight"
    ].view(1, -1)
    expected = before.get_parameter("conv.weight") + product.view(3, 2, 3, 3)
    torch.testing.assert_close(changed.get_parameter("conv.weight"), expected)
    assert not torch.equal(
        changed.get_parameter("to_out.0.weight"), before.get_parameter("to_out.0.weight")
    )


def test_alpha_of_pefts_configuration(tmp_path: Path) -> None:
    a, b = factors()
    tensors = {"base_model.model.query.lora_A.weight": a, "base_model.model.query.lora_B.weight": b}
    save_file(tensors, tmp_path / "adapter_model.safetensors")
    config = {"lora_alpha": 8, "use_rslora": True, "alpha_pattern": {"query": 4}}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    changed, before = network(), network()
    merge_lora({"unet": layers_of(changed)}, Lora(tmp_path))
    expected = before.get_parameter("query.weight") + 4 / 2**0.5 * b @ a
    torch.testing.assert_close(changed.get_parameter("query.weight"), expected)


def test_what_cannot_be_applied_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    a, b = factors()
    file = tmp_path / "style.safetensors"
    for tensors, what in (
        ({"unet.other.lora_A.weight": a, "unet.other.lora_B.weight": b}, "another model"),
        ({"unet.query.lora_A.weight": a[:, :5].clone(), "unet.query.lora_B.weight": b}, "another"),
        ({"unet.query.lora_A.weight": a}, "other half"),
        ({"query.weight": a}, "no LoRA"),
        ({"unet.query.lora_magnitude_vector": a}, "DoRA"),
    ):
        save_file(tensors, file)
        kept = network()
        with pytest.raises(CheckpointError, match=what):
            merge_lora({"unet": layers_of(kept)}, Lora(file))
        weight = kept.get_parameter("query.weight")
        assert torch.equal(weight, network().get_parameter("query.weight"))
    file.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="cannot read"):
        merge_lora({"unet": layers_of(network())}, Lora(file))
    with pytest.raises(CheckpointError, match=r"no \.safetensors"):
        merge_lora({"unet": layers_of(network())}, Lora(tmp_path / "style.bin"))


def test_path_and_scale(tmp_path: Path) -> None:
    file = tmp_path / "my:1.safetensors"
    save_file({"x": torch.zeros(1)}, file)
    assert parse_lora(str(file)) == Lora(file)
    assert parse_lora(f"{file}:0.5") == Lora(file, 0.5)
    assert parse_lora(f"{file}:-.5").name == "my:1:-0.5"
    for wrong, what in ((f"{file}:11", "in \\[-10, 10\\]"), ("none.safetensors:1", "no LoRA")):
        with pytest.raises(ParameterError, match=what):
            parse_lora(wrong)


def test_the_model_is_named_after_its_loras(small_model: SmallModel, tmp_path: Path) -> None:
    from sonoriff.models.registry import load_model

    small_model.save_pretrained(tmp_path / "model", dtype="float32")
    outputs, inputs = small_model.networks.tensor("denoiser", "enter.weight").shape
    tensors = {
        "denoiser.enter.lora_A.weight": torch.ones(1, inputs),
        "denoiser.enter.lora_B.weight": torch.ones(outputs, 1),
    }
    save_file(tensors, tmp_path / "organ.safetensors")
    lora = Lora(tmp_path / "organ.safetensors", 0.25)
    model = load_model(tmp_path / "model", loras=[lora], dtype="float32")
    assert model.name == "tiny + organ:0.25"
    saved = load_file(tmp_path / "model" / "denoiser" / "diffusion_pytorch_model.safetensors")
    assert isinstance(model, SmallModel)
    loaded = model.networks.tensor("denoiser", "enter.weight")
    np.testing.assert_allclose(loaded, saved["enter.weight"].numpy() + 0.25, rtol=1e-6)
