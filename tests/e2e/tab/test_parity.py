"""The engine in a page computes what Python computes: Python is the reference.

Chromium and Python add up sums in other orders; all tolerances are of that rounding. They are held
on float32 arithmetic: with whole numbers of 8 bits a rounding difference may turn a step of an
activation, and the networks then differ by as much as the 8 bits cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from exported_model import ExportedModel
from painted_in_tab import PROMPT, SPEAK, asked, check_painting
from sonoriff.diffusion.noise import normal_noise
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.small.text import load_tokenizer
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.guides import (
    everywhere,
    facts_from_settings,
    guide_from_settings,
    with_energy,
)
from sonoriff.pipeline.latent_codec import latents_from_picture, values_from_picture
from sonoriff.pipeline.noise import noise_grid, slerp
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.settings import Sampling
from sonoriff.sonogram import Sonogram, decode
from sonoriff.sonogram.streaming import StreamingDecoder
from sonoriff.stream.window_planner import _seed_of
from tab_tools import Engine, Opened, packed

Exported = tuple[ExportedModel, Path]
TEXTS = (
    "smooth tropical dance jazz",
    "Ünïcode Änderung, naïve café",
    "日本語の音楽 🎵 techno!",
    "don't stop -- 808's & heartbreak at 140bpm",
    "a" * 200,
    "",
    ", ".join(f"instrument number {i} of the orchestra" for i in range(40)),
)


@pytest.fixture(scope="module")
def engine(opened: Opened, tiny: Exported) -> Iterator[Engine]:
    with opened(tiny[1]) as engine:
        yield engine


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_and_states_of_a_text(engine: Engine, tiny: Exported, text: str) -> None:
    ids = engine.value("return model.text.tokens(given)", text)
    assert ids == load_tokenizer().encode(text).ids
    (term,) = tiny[0].encode_prompt(parse_prompt(text), MusicAttributes())
    states = engine.floats("return (await model.text.states(given)).text", text)
    np.testing.assert_allclose(states, term.embedding.text.ravel(), atol=2e-5)
    present = engine.value("return [...(await model.text.states(given)).present]", text)
    assert present == term.embedding.present[0].astype(int).tolist()


@pytest.mark.parametrize(("seed", "count"), [(0, 16), (7, 20485), (2**40 + 5, 5), (2**32 - 1, 31)])
def test_noise_of_a_seed(engine: Engine, seed: int, count: int) -> None:
    noise = engine.floats("return engine.normalNoise(...given)", [seed, count])
    np.testing.assert_allclose(noise, normal_noise(seed, count), atol=2e-6)


def test_generators_of_phases_and_of_the_units_of_a_riff(engine: Engine) -> None:
    for seed in (0, 5, 2**31, 2**40):
        drawn = engine.floats("return model.native.uniform(engine.pcgState(given), 1001)", seed)
        np.testing.assert_array_equal(drawn, np.random.default_rng(seed).random(1001, np.float32))
        for unit in (0, 1, 9):
            found = engine.value("return String(engine.seedOfUnit(...given))", [seed, unit])
            assert int(found) == _seed_of(seed, unit)


def test_noise_between_two_seeds(engine: Engine, tiny: Exported) -> None:
    a, b = (noise_grid(tiny[0], 20, seed) for seed in (3, 4))
    between = engine.floats(
        "const grid = (seed) => engine.noiseGrid(model.about, 20, seed);"
        "return engine.slerp(grid(3), grid(4), 0.3).data"
    )
    np.testing.assert_allclose(between, slerp(a, b, 0.3).ravel(), atol=5e-6)


@pytest.mark.parametrize("time", [1.0, 0.5, 0.083])
def test_the_velocity(engine: Engine, tiny: Exported, time: float) -> None:
    model, _ = tiny
    more = {"energy": 5, "chords": "Am:2 F#m7b5 G/B"}
    facts = facts_from_settings(model, Sampling(prompt=PROMPT, **more))
    terms = model.encode_prompt(with_energy(parse_prompt(PROMPT), 5), facts)
    x = noise_grid(model, 40, 7)
    known = noise_grid(model, 40, 8)
    mask = np.zeros_like(x[:, :1])
    mask[..., :9] = 1.0
    for number, term in enumerate(terms):
        batch = model.collate([term.embedding], [1.25], 40)
        wanted = model.predict(x, time, batch, known, mask)
        found = engine.floats(
            SPEAK
            + """
            const { embedding } = guidance.positive[given.number]
            const batch = model.networks.batch([embedding], [1.25], given.width)
            const known = engine.noiseGrid(model.about, given.width, 8)
            const mask = new engine.Grid(1, known.rows, known.width)
            for (let i = 0; i < mask.data.length; i++) mask.data[i] = i % mask.width < 9 ? 1 : 0
            const [velocity] = await model.networks.velocity(
              [noise], given.time, batch, [known], [mask])
            return velocity.data
            """,
            {**asked(width=40, **more), "time": time, "number": number},
        )
        np.testing.assert_allclose(found, wanted.ravel(), atol=5e-4)


@pytest.mark.parametrize(
    ("width", "negative", "circular"),
    [(64, "", False), (64, "drums", False), (150, "", False), (50, "", True), (90, "", True)],
)
def test_latents_and_picture_after_all_steps(
    engine: Engine, tiny: Exported, width: int, negative: str, circular: bool
) -> None:
    model, _ = tiny
    check_painting(engine, model, asked(width=width, negative=negative), circular)


def test_latents_of_a_picture(engine: Engine, tiny: Exported) -> None:
    model, _ = tiny
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 1, 256, 203)).astype(np.float32)
    found = engine.floats(
        """
        const picture = new engine.Grid(1, 256, 203, unpacked(given))
        return (await engine.latentsFromPicture(model.networks, picture)).data
        """,
        packed(picture),
    )
    np.testing.assert_allclose(found, latents_from_picture(model, picture).ravel(), atol=1e-4)


@pytest.fixture(scope="module")
def values(bundled: Exported) -> np.ndarray:
    """Decibels of a clip of the bundled model."""
    model, _ = bundled
    settings = Sampling(prompt=PROMPT, num_inference_steps=6).resolved(model)
    canvas = Canvas(noise_grid(model, 64, 7), everywhere(guide_from_settings(model, settings)))
    return values_from_picture(model.decode(paint(model, canvas, settings)), model.params, 0.0)


def test_samples_of_the_codec_whole_and_in_pieces(
    engine: Engine, tiny: Exported, values: np.ndarray
) -> None:
    params = tiny[0].params
    whole = engine.floats(
        """
        const values = new engine.Grid(1, 256, 512, unpacked(given))
        return engine.decode(model.native, model.about.sonogram, values)[0]
        """,
        packed(values),
    )
    assert distance_db(whole, decode(Sonogram(values, params))[0]) < -60.0
    pieces = engine.floats(
        """
        const values = new engine.Grid(1, 256, 512, unpacked(given))
        let decoder = new engine.StreamingDecoder(model.native, model.about.sonogram)
        const parts = []
        for (let first = 0; first < 512; first += 37) {
          const other = decoder.clone()
          const columns = values.slice(first, first + 37)
          const [once] = decoder.push(columns)
          const [again] = other.push(columns)
          if (once.some((value, i) => value !== again[i])) throw new Error('the copy differs')
          parts.push(again)
          decoder = other
        }
        parts.push(decoder.flush()[0])
        return Float32Array.from(parts.flatMap((part) => [...part]))
        """,
        packed(values),
    )
    np.testing.assert_array_equal(pieces, whole)


def test_a_column_is_heard_when_its_look_ahead_has_come(engine: Engine, tiny: Exported) -> None:
    stated = engine.value("return model.about.codec.look_ahead_frames")
    assert stated == StreamingDecoder(tiny[0].params).look_ahead_frames(1)


def distance_db(found: np.ndarray, wanted: np.ndarray) -> float:
    """Power of the difference beside that of the sound."""
    assert found.shape == wanted.shape
    difference = found.astype(np.float64) - wanted
    return float(10 * np.log10((difference**2).mean() / (wanted.astype(np.float64) ** 2).mean()))
