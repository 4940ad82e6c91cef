"""Finding models, and pickles written as safetensors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.convert import convert
from sonoriff.models.registry import bundled_folder, list_models, load_model
from sonoriff.models.small.model import SmallModel


def test_models_of_the_models_folder_are_listed_and_loaded_by_name(
    small_model: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONORIFF_MODELS", str(tmp_path))
    small_model.save_pretrained(tmp_path / "mine")
    (tmp_path / "no-model").mkdir()
    (mine,) = [m for m in list_models() if m.origin == "local"]
    assert (mine.name, mine.kind) == ("mine", "small")
    weights = (tmp_path / "mine").rglob("*.safetensors")
    assert mine.n_bytes > sum(file.stat().st_size for file in weights)
    assert load_model("mine").name == "tiny"


def test_what_is_no_model_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONORIFF_MODELS", str(tmp_path / "nothing"))
    for name, what in (
        ("no-such-model", "sonoriff models"),
        ("no-such.safetensors", "no file"),
        ("../up/down", "sonoriff models"),
        (str(tmp_path), "holds no model"),
    ):
        with pytest.raises(CheckpointError, match=what):
            load_model(name)
    with pytest.raises(CheckpointError, match="no device 'gpu7'"):
        load_model(tmp_path, device="gpu7")
    if not bundled_folder().exists():
        with pytest.raises(CheckpointError, match="without the bundled model"):
            load_model()


def test_pickles_are_written_as_safetensors(tmp_path: Path) -> None:
    weight = torch.arange(6.0).view(2, 3)
    checkpoint = tmp_path / "old.ckpt"
    torch.save({"state_dict": {"a": weight.T, "b": weight, "step": 3}}, checkpoint)
    assert convert(checkpoint) == [tmp_path / "old.safetensors"]
    written = load_file(tmp_path / "old.safetensors")
    assert set(written) == {"a", "b"}
    assert torch.equal(written["a"], weight.T)
    folder = tmp_path / "model" / "text_encoder"
    folder.mkdir(parents=True)
    torch.save({"x": weight}, folder / "pytorch_model.bin")
    assert convert(tmp_path / "model") == [folder / "model.safetensors"]


def test_a_pickle_that_runs_a_program_is_refused_and_does_not_run_it(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"a": Trap()}, tmp_path / "trap.ckpt")
    with pytest.raises(CheckpointError, match="is not read"):
        convert(tmp_path / "trap.ckpt")
    assert not (tmp_path / "sprung").exists()
    assert not (tmp_path / "trap.safetensors").exists()
    with pytest.raises(CheckpointError, match="sonoriff models convert"):
        load_model(tmp_path / "trap.ckpt")


def test_convert_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no pickles"):
        convert(tmp_path)
    with pytest.raises(ParameterError, match="no file"):
        convert(tmp_path / "none.ckpt")
    (tmp_path / "bad.ckpt").write_bytes(b"bad")
    with pytest.raises(CheckpointError, match="is not read"):
        convert(tmp_path / "bad.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    with pytest.raises(CheckpointError, match="no weights"):
        convert(tmp_path / "list.ckpt")
