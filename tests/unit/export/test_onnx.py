"""ONNX files are whole by themselves: nothing of Sonoriff is needed to run them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from sonoriff.errors import ParameterError
from sonoriff.export.onnx import export_onnx
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.text import states_of_text
from tiny_small_model import save_tiny

TEXT = "slow jazz with a saxophone, 90 bpm"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> SmallModel:
    folder = save_tiny(tmp_path_factory.mktemp("model") / "tiny")
    return SmallModel.from_pretrained(folder, precision="float32", backend="onnx")


@pytest.fixture(scope="module")
def folder(stored: SmallModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "new"
    assert all(file.is_file() for file in export_onnx(stored, folder))
    return folder


def run(folder: Path, name: str, **inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        folder / f"{name}.onnx", providers=["CPUExecutionProvider"]
    )
    result: np.ndarray = session.run(None, inputs)[0]
    return result


def velocity_of(folder: Path, noisy: np.ndarray, told: dict[str, np.ndarray]) -> np.ndarray:
    return run(
        folder,
        "denoiser",
        noisy=noisy,
        known=noisy,
        mask=np.zeros_like(noisy[:, :1]),
        time=np.array([0.7], np.float32),
        **told,
    )


def test_a_text_has_the_states_that_the_package_gives_it(folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tables = load_file(folder / "embeddings.safetensors")
    ids = np.array([tokenizer.encode(TEXT).ids])
    ids = ids[:, ids[0] != 0]  # the padding that the file asks for
    states = run(
        folder,
        "text",
        embedded=tables["words"][ids] + tables["places"][: ids.shape[1]],
        present=np.ones(ids.shape, np.bool_),
    )
    np.testing.assert_allclose(states, states_of_text(TEXT)[0], atol=2e-5)


def test_the_denoiser_and_the_decoder_are_those_of_the_model(
    stored: SmallModel, folder: Path
) -> None:
    about = json.loads((folder / "model.json").read_text())
    channels, rows, window = (about["latents"][n] for n in ("channels", "rows", "window"))
    noisy = np.random.default_rng(0).standard_normal((1, channels, rows, window))
    noisy = noisy.astype(np.float32)
    (term,) = stored.encode_prompt(parse_prompt(TEXT), MusicAttributes(90.0, "D", "minor"))
    batch = stored.collate([term.embedding], [0.5], window)
    told = {n: batch.arrays()[n] for n in ("text", "present", "bpm", "key", "mode", "beat")}
    told |= {name: batch.arrays()[name] for name in about["conditions"]}
    velocity = velocity_of(folder, noisy, told)
    np.testing.assert_allclose(velocity, stored.predict(noisy, 0.7, batch), atol=1e-5)
    middle = noisy[:, : channels - about["latents"]["sides"]]
    picture = run(folder, "decoder", latents=middle)
    decoded = stored.decode(noisy)
    np.testing.assert_allclose(picture, decoded[:, :1], atol=1e-5)
    np.testing.assert_allclose(
        run(folder, "encoder", picture=picture),
        stored.encode(decoded)[:, : middle.shape[1]],
        atol=1e-4,
    )


def test_whole_numbers_of_7_bits_are_near_the_float_velocity(
    stored: SmallModel, tmp_path: Path
) -> None:
    export_onnx(stored, tmp_path, "int8")
    channels, rows, window = stored.latent_shape(stored.window_frames)
    noisy = np.random.default_rng(0).standard_normal((1, channels, rows, window))
    noisy = noisy.astype(np.float32)
    (term,) = stored.encode_prompt(parse_prompt(TEXT), MusicAttributes())
    batch = stored.collate([term.embedding], [None], window)
    wanted = stored.predict(noisy, 0.7, batch)
    names = ("text", "present", "bpm", "key", "mode", "beat", "kind", "energy", "chords")
    velocity = velocity_of(tmp_path, noisy, {name: batch.arrays()[name] for name in names})
    assert 0.0 < np.abs(velocity - wanted).mean() < 0.02 * wanted.std()


def test_what_cannot_be_exported_is_told_in_a_line(stored: SmallModel, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="float32 or int8"):
        export_onnx(stored, tmp_path, "float64")
    with pytest.raises(ParameterError, match="cannot be exported"):
        export_onnx(object.__new__(_Other), tmp_path)
    assert list(tmp_path.iterdir()) == []


class _Other:
    name = "riffusion"
