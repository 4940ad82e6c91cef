"""The verbs of the engine in a page, beside those of Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from exported_model import ExportedModel
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.loop import LoopSettings, loop
from sonoriff.sonogram import encode
from tab_tools import Engine, Opened, packed

Exported = tuple[ExportedModel, Path]
LEVEL_DB = 92.0 / 255.0


@pytest.fixture(scope="module")
def engine(opened: Opened, tiny: Exported) -> Iterator[Engine]:
    with opened(tiny[1]) as engine:
        yield engine


@pytest.mark.parametrize("duration_s", [None, 1.0, 9.0])
def test_generate(engine: Engine, tiny: Exported, duration_s: float | None) -> None:
    settings = {
        "prompt": "jazz, 100 bpm",
        "negative_prompt": "drums",
        "seed": 3,
        "num_inference_steps": 2,
        "duration_s": duration_s,
    }
    clip = generate(tiny[0], GenerateSettings(**settings))
    values = engine.floats(
        "window.piece = await engine.generate(model, given); return piece.values.data", settings
    )
    assert np.abs(values - clip.sonogram.values.ravel()).max() <= LEVEL_DB
    check_sound(engine, clip.waveform[0], -40.0)


@pytest.mark.parametrize(("bars", "bpm"), [(1, 97.0), (4, 150.0)])
def test_loop(engine: Engine, tiny: Exported, bars: int, bpm: float) -> None:
    settings = {
        "prompt": "funk in A minor",
        "bpm": bpm,
        "bars": bars,
        "seed": 5,
        "num_inference_steps": 2,
    }
    clip = loop(tiny[0], LoopSettings(**settings))
    values = engine.floats(
        "window.piece = await engine.loop(model, given); return piece.values.data", settings
    )
    assert np.abs(values - clip.sonogram.values.ravel()).max() <= LEVEL_DB
    assert engine.value("return piece.settings.loop_samples") == clip.waveform.shape[1]
    check_sound(engine, clip.waveform[0], -30.0)


def check_sound(engine: Engine, wanted: np.ndarray, most_db: float) -> None:
    found = engine.floats("return piece.samples[0]")
    assert found.shape == wanted.shape
    off = ((found - wanted) ** 2).mean() / (wanted**2).mean()
    assert 10 * np.log10(off) < most_db


def test_encode(engine: Engine, tiny: Exported) -> None:
    random = np.random.default_rng(0)
    sound = (random.uniform(-1, 1, 70_001) * np.linspace(0, 1, 70_001) ** 4).astype(np.float32)
    found = engine.floats(
        "return engine.encode(model.native, model.about.sonogram, [unpacked(given)]).data",
        packed(sound),
    )
    wanted = encode(sound[None], 44100, tiny[0].params).values
    np.testing.assert_allclose(found, wanted.ravel(), atol=0.02)


def test_what_is_not_painted_stays_the_source(engine: Engine) -> None:
    values = np.random.default_rng(1).uniform(-70, 0, (1, 256, 200)).astype(np.float32)
    mask = np.zeros((256, 200), np.float32)
    mask[40:90, 60:120] = 1.0
    found = engine.floats(
        """
        const source = new engine.Grid(1, 256, 200, unpacked(given.values))
        const mask = new engine.Grid(1, 256, 200, unpacked(given.mask))
        const settings = { prompt: 'organ', num_inference_steps: 2 }
        const piece = await engine.inpaint(model, source, mask, settings)
        return piece.values.data
        """,
        {"values": packed(values), "mask": packed(mask)},
    ).reshape(values.shape)
    np.testing.assert_allclose(found[0][mask == 0], values[0][mask == 0], atol=1e-4)
    assert np.abs(found[0][mask == 1] - values[0][mask == 1]).mean() > 1.0


def test_the_strength_of_a_remix(engine: Engine) -> None:
    values = np.full((1, 256, 128), -40.0, np.float32)
    remixed = """
        const source = new engine.Grid(1, 256, 128, unpacked(given.values))
        const settings = { prompt: 'organ', num_inference_steps: 2, strength: given.strength }
        return (await engine.remix(model, source, settings)).values.data
        """
    kept, other = (
        engine.floats(remixed, {"values": packed(values), "strength": strength})
        for strength in (0.0, 1.0)
    )
    assert np.abs(kept - other).mean() > 1.0
    assert kept.shape == other.shape == (values.size,)


@pytest.mark.parametrize(
    ("verb", "settings", "words"),
    [
        ("generate", {"prompt": "x", "duration_s": -1}, "duration"),
        ("generate", {"prompt": "x", "key": "H"}, "a key is"),
        ("loop", {"prompt": "x", "bpm": 60, "bars": 500}, "change the number of bars"),
        ("generate", {"prompt": "(x:50)"}, "a weight must be"),
    ],
)
def test_what_is_wrong_is_said(
    engine: Engine, verb: str, settings: dict[str, object], words: str
) -> None:
    message = engine.value(
        f"try {{ await engine.{verb}(model, given) }} catch (error) {{ return error.message }}",
        settings,
    )
    assert words in message
