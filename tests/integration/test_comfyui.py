"""The nodes for ComfyUI, loaded as it loads a folder of custom nodes, and run with its tensors."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sonoriff.errors import ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.sonogram.params import HIFI
from sounds import MAJOR_CADENCE, RATE, cadence

FOLDER = Path(__file__).parents[2] / "integrations" / "comfyui"
# What ComfyUI itself hands about, and what a custom node may add.
TYPES = {"STRING", "INT", "FLOAT", "AUDIO", "IMAGE", "MASK", "SONORIFF_MODEL"}
QUICK = {"seed": 1, "steps": 2}


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    name = "custom_nodes_sonoriff"
    spec = importlib.util.spec_from_file_location(
        name, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield module
    for loaded in [key for key in sys.modules if key.startswith(name)]:
        del sys.modules[loaded]


@pytest.fixture(scope="module")
def model(nodes: Any, small_model: SmallModel, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("comfyui") / "tiny"
    small_model.save_pretrained(folder)
    return run(nodes, "SonoriffLoadModel", name=str(folder))[0]


@pytest.fixture
def audio() -> dict[str, Any]:
    sound = cadence(0, MAJOR_CADENCE)[: 2 * RATE].astype(np.float32)
    return {"waveform": torch.from_numpy(np.stack([sound, sound]))[None], "sample_rate": RATE}


def run(nodes: Any, node_name: str, /, **inputs: Any) -> Any:
    node = nodes.NODE_CLASS_MAPPINGS[node_name]
    made = getattr(node(), node.FUNCTION)(**inputs)
    assert len(made) == len(node.RETURN_TYPES)
    return made


def check_sound(sound: dict[str, Any], seconds: float) -> None:
    batch, channels, samples = sound["waveform"].shape
    assert (batch, sound["sample_rate"]) == (1, RATE)
    assert channels in (1, 2)
    assert samples / RATE == pytest.approx(seconds, abs=0.1)
    assert sound["waveform"].dtype == torch.float32
    assert torch.isfinite(sound["waveform"]).all()
    assert sound["waveform"].abs().max() > 0


def test_every_node_says_what_it_takes_and_gives(nodes: Any) -> None:
    assert set(nodes.NODE_CLASS_MAPPINGS) == set(nodes.NODE_DISPLAY_NAME_MAPPINGS)
    for node in nodes.NODE_CLASS_MAPPINGS.values():
        inputs = node.INPUT_TYPES()
        assert inputs["required"]
        for group in inputs.values():
            assert {each[0] for each in group.values()} <= TYPES
        assert set(node.RETURN_TYPES) <= TYPES
        assert len(node.RETURN_NAMES) == len(node.RETURN_TYPES)
        assert node.CATEGORY == "audio/sonoriff"


def test_music_is_generated(nodes: Any, model: Any) -> None:
    wishes = {"negative": "", "bpm": 0.0, "key": "", "energy": 0, "chords": "Am F", **QUICK}
    sound, picture = run(
        nodes, "SonoriffGenerate", model=model, prompt="jazz", duration_s=2.0, **wishes
    )
    check_sound(sound, 2.0)
    assert picture.shape[0] == 1
    assert picture.shape[1] == HIFI.n_mels
    assert picture.shape[3] == 3
    assert 0.0 <= picture.min() < picture.max() <= 1.0
    with pytest.raises(ParameterError, match="is no chord"):
        run(nodes, "SonoriffGenerate", model=model, prompt="", duration_s=2.0, chords="H", seed=0)


def test_a_sound_is_remixed_and_a_part_of_it_painted_anew(
    nodes: Any, model: Any, audio: dict[str, Any]
) -> None:
    given = {"model": model, "audio": audio, "prompt": "organ", **QUICK}
    sound, _ = run(nodes, "SonoriffRemix", strength=0.5, **given)
    check_sound(sound, 2.0)
    (before,) = run(nodes, "SonoriffEncode", audio=audio)
    mask = torch.zeros(1, *before.shape[1:3])
    mask[:, :, : before.shape[2] // 2] = 1.0
    for area in ({"high_hz": 200.0}, {"to_s": 1.0}, {"mask": mask}):
        sound, picture = run(nodes, "SonoriffInpaint", **given, **area)
        check_sound(sound, 2.0)
        changed = (picture - before).abs()[0, ..., 0]
        assert changed.max() > 0.02
        kept = changed[:128] if "high_hz" in area else changed[:, -40:]
        assert kept.mean() < 0.01
    with pytest.raises(ParameterError, match="what to paint anew"):
        run(nodes, "SonoriffInpaint", **given)


def test_a_picture_is_the_sound_again(nodes: Any, audio: dict[str, Any]) -> None:
    (picture,) = run(nodes, "SonoriffEncode", audio=audio)
    (sound,) = run(nodes, "SonoriffDecode", sonogram=picture)
    check_sound(sound, 2.0)
    (again,) = run(nodes, "SonoriffEncode", audio=sound)
    assert (again - picture).abs().mean() < 0.02
