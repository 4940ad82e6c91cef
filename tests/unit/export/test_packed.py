"""Weights in few bytes stand for what they were, as near as their bits allow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sonoriff.errors import ParameterError
from sonoriff.export.packed import packed, read_packed, write_packed

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(np.float32)

    return {
        "a.weight|T": normal(64, 300) * np.geomspace(1e-3, 10.0, 300, dtype=np.float32),
        "conv.weight": normal(256, 9, 3, 3) * np.geomspace(1e-3, 9.0, 256)[:, None, None, None],
        "a.bias": normal(300),
        "scale_rows": normal(36, 8, 96),
        "b.weight|q": random.integers(-63, 64, (200, 200)).astype(np.int8),
        "b.weight|s": normal(200),
    }


def test_large_weights_have_a_scale_for_each_output(
    arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    arrays = {name: np.asarray(array, array.dtype) for name, array in arrays.items()}
    write_packed(tmp_path / "packed.safetensors", packed(arrays, "int8"))
    found = read_packed(tmp_path / "packed.safetensors")
    assert found.keys() == arrays.keys()
    for name in ("a.bias", "scale_rows", "b.weight|q", "b.weight|s"):
        np.testing.assert_array_equal(found[name], arrays[name])
    for name, others in (("a.weight|T", 0), ("conv.weight", (1, 2, 3))):
        step = np.abs(arrays[name]).max(axis=others, keepdims=True) / 127
        assert (np.abs(found[name] - arrays[name]) <= 0.501 * step).all()
    assert (tmp_path / "packed.safetensors").stat().st_size < 0.5 * sum(
        array.nbytes for array in arrays.values()
    )


def test_float16_keeps_what_a_checkpoint_of_16_bits_has(
    arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    stored = {
        name: array.astype(np.float16).astype(np.float32) if array.dtype != np.int8 else array
        for name, array in arrays.items()
        if not name.endswith("|s")
    }
    write_packed(tmp_path / "packed.safetensors", packed(stored, "float16"))
    for name, array in read_packed(tmp_path / "packed.safetensors").items():
        np.testing.assert_array_equal(array, stored[name])


def test_an_unknown_storage_is_told() -> None:
    with pytest.raises(ParameterError, match="int8 or float16"):
        packed({}, "int4")


def test_the_compiled_loops_are_of_their_sources() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "make_engine_wasm.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
