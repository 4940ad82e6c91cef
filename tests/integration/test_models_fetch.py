"""Models fetched from a hub that speaks its protocol, in every layout that repositories have."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import hub_server
import original_layout
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.registry import load_model
from sonoriff.models.stable_diffusion.hub import CONFIG_REPOSITORY
from sonoriff.models.stable_diffusion.model import StableDiffusionModel

NAME = "someone/riffs"
PARTS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}
PARTS["text_encoder"] = "model"


def pickled(folder: Path, part: str, *, variant: str = "", keep: bool = False) -> None:
    weights = folder / part / f"{PARTS[part]}.safetensors"
    stem = "pytorch_model" if part == "text_encoder" else PARTS[part]
    torch.save(load_file(weights), folder / part / f"{stem}{variant}.bin")
    if not keep:
        weights.unlink()


def only_pickles(folder: Path) -> None:
    for part in PARTS:
        pickled(folder, part)
    (folder / "whole.ckpt").write_bytes(bytes(3_000_000))


def pickles_beside(folder: Path) -> None:
    for part in PARTS:
        pickled(folder, part, keep=True)
    original_layout.save(folder, folder / "whole.safetensors")
    torch.save({"state_dict": load_file(folder / "whole.safetensors")}, folder / "whole.ckpt")
    (folder / "safety_checker").mkdir()
    (folder / "safety_checker" / "pytorch_model.bin").write_bytes(bytes(1_000_000))


def one_pickle_among(folder: Path) -> None:
    pickled(folder, "vae")


def half_alone(folder: Path) -> None:
    for part, stem in PARTS.items():
        file = folder / part / f"{stem}.safetensors"
        file.rename(folder / part / f"{stem}.fp16.safetensors")
        (folder / part / f"{stem}.fp16.bin").write_bytes(bytes(500_000))


def half_beside(folder: Path) -> None:
    for part, stem in PARTS.items():
        shutil.copy(
            folder / part / f"{stem}.safetensors", folder / part / f"{stem}.fp16.safetensors"
        )


def _single(folder: Path) -> None:
    original_layout.save(folder, folder.parent / "whole.safetensors")
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "README.md").write_text("a model")


def one_file(folder: Path) -> None:
    _single(folder)
    shutil.move(folder.parent / "whole.safetensors", folder / "riffs-v1.safetensors")
    torch.save({"state_dict": load_file(folder / "riffs-v1.safetensors")}, folder / "riffs-v1.ckpt")
    (folder / "riffs-v1.vae.safetensors").write_bytes(b"x")


def one_pickle(folder: Path) -> None:
    _single(folder)
    file = folder.parent / "whole.safetensors"
    torch.save({"state_dict": load_file(file), "global_step": 7}, folder / "riffs-v1.ckpt")
    (folder / "riffs-v1-full.ckpt").write_bytes(bytes(5_000_000))


CONFIGS = {
    *{"model_index.json", "scheduler/scheduler_config.json", "unet/config.json"},
    *{"vae/config.json", "text_encoder/config.json"},
}
# What is fetched besides configurations and tokenizer.
LAYOUTS: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "safetensors": (lambda _: None, {f"{p}/{s}.safetensors" for p, s in PARTS.items()}),
    "pickles": (
        only_pickles,
        {
            *{"unet/diffusion_pytorch_model.bin", "vae/diffusion_pytorch_model.bin"},
            "text_encoder/pytorch_model.bin",
        },
    ),
    "both": (pickles_beside, {f"{p}/{s}.safetensors" for p, s in PARTS.items()}),
    "one pickle": (
        one_pickle_among,
        {
            *{"unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.bin"},
            "text_encoder/model.safetensors",
        },
    ),
    "half alone": (half_alone, {f"{p}/{s}.fp16.safetensors" for p, s in PARTS.items()}),
    "half beside": (half_beside, {f"{p}/{s}.safetensors" for p, s in PARTS.items()}),
    "one file": (one_file, {"riffs-v1.safetensors"}),
    "one file, pickled": (one_pickle, {"riffs-v1.ckpt"}),
}


@pytest.fixture
def hub() -> Iterator[hub_server.Hub]:
    with hub_server.running() as running:
        yield running


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(hub: hub_server.Hub, tmp_path: Path) -> Command:
    """Run sonoriff beside that hub, with empty folders of models."""
    settings = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "NO_PROXY": "127.0.0.1"}
    settings |= {"SONORIFF_MODELS": str(tmp_path / "models"), "HF_HUB_DISABLE_XET": "1"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sonoriff", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **settings},
        )

    return run


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_least_that_is_needed_is_fetched_and_loads(
    stable_diffusion_folder: Path,
    hub: hub_server.Hub,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    layout: str,
) -> None:
    change, weights = LAYOUTS[layout]
    repository = tmp_path / "repository"
    shutil.copytree(stable_diffusion_folder, repository)
    change(repository)
    hub.repositories = {NAME: repository, CONFIG_REPOSITORY: stable_diffusion_folder}
    done = command("models", "fetch", NAME)
    assert (done.returncode, done.stderr) == (0, "")
    fetched = {path.removeprefix(f"{NAME}/") for path in hub.fetched if path.startswith(NAME)}
    single = layout.startswith("one file")
    configs = set() if single else CONFIGS
    tokenizer = {path for path in fetched if path.startswith("tokenizer/")}
    assert fetched - tokenizer == weights | configs
    assert bool(tokenizer) is not single
    size = sum((repository / path).stat().st_size for path in fetched)
    assert done.stdout.startswith(f"{NAME}: {size / 1e6:.1f} MB in {len(fetched)} files")
    assert not list((tmp_path / "models").rglob("*.bin"))
    assert not list((tmp_path / "models").rglob("*.ckpt"))
    assert not list((tmp_path / "models").rglob(".cache"))
    listed = command("models").stdout
    assert NAME in listed
    assert "epsilon" in listed

    monkeypatch.setenv("SONORIFF_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    model, original = (
        load_model(place, dtype=torch.float32) for place in (NAME, stable_diffusion_folder)
    )
    assert isinstance(model, StableDiffusionModel)
    assert isinstance(original, StableDiffusionModel)
    assert model.name == NAME
    rows = [
        m.encode_prompt(parse_prompt("jazz"), MusicAttributes())[0].embedding
        for m in (model, original)
    ]
    torch.testing.assert_close(rows[0], rows[1])
    for name, weight in original.unet.state_dict().items():
        torch.testing.assert_close(model.unet.state_dict()[name], weight)


def test_a_name_that_is_not_here_names_the_command(hub: hub_server.Hub, command: Command) -> None:
    done = command("generate", "jazz", "--model", NAME, "-o", "never.wav")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"sonoriff models fetch {NAME}")
    assert len(done.stderr.splitlines()) == 1
    assert hub.fetched == []


def test_what_is_no_model_is_one_line(
    hub: hub_server.Hub, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "README.md").write_text("nothing")
    hub.repositories = {NAME: tmp_path / "repository"}
    for name, words in ((NAME, "holds no weights"), ("someone/none", "none of that name")):
        done = command("models", "fetch", name)
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_pickle_that_runs_a_program_is_not_run(
    stable_diffusion_folder: Path, hub: hub_server.Hub, command: Command, tmp_path: Path
) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    repository = tmp_path / "repository"
    shutil.copytree(stable_diffusion_folder, repository)
    only_pickles(repository)
    torch.save({"a": Trap()}, repository / "vae" / "diffusion_pytorch_model.bin")
    hub.repositories = {NAME: repository}
    done = command("models", "fetch", NAME)
    assert done.returncode == 1
    assert "is not read" in done.stderr
    assert not (tmp_path / "sprung").exists()
    assert not (tmp_path / "models" / NAME).exists()
