"""Synthesised sounds, the mixer, and every recipe."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff_composer.electronic import voices
from sonoriff_composer.electronic.kernels import filtered, pulse, saw_bank
from sonoriff_composer.electronic.mixer import Track, duck, echoed, mixed, place, step_times
from sonoriff_composer.electronic.programme import GENRES, compose
from sonoriff_composer.electronic.studio import Session
from sonoriff_composer.piece import Timing
from sonoriff_composer.score import seeded
from sonoriff_composer.stage import Seat

RATE = 44_100


def spectrum(x: np.ndarray) -> np.ndarray:
    return np.abs(np.fft.rfft(x * np.hanning(len(x))))


def test_saw_has_its_harmonics_and_little_else() -> None:
    hz = np.full(RATE, 1_000.0, np.float32)
    x = saw_bank(hz, np.ones(1, np.float32), np.zeros(1, np.float32))
    level = spectrum(x)
    harmonics = sum(level[k * 1_000 - 3 : k * 1_000 + 4].sum() for k in range(1, 11))
    assert harmonics / level[:10_500].sum() > 0.97
    assert level[2_000] / level[1_000] == pytest.approx(0.5, rel=0.05)


def test_square_has_odd_harmonics_only() -> None:
    x = pulse(np.full(RATE, 500.0, np.float32), np.full(RATE, 0.5, np.float32))
    level = spectrum(x)
    assert level[1_000] < 0.01 * level[500]
    assert level[1_500] / level[500] == pytest.approx(1 / 3, rel=0.05)


@pytest.mark.parametrize(("mode", "passed", "stopped"), [(0, 100, 8_000), (2, 8_000, 100)])
def test_filter_passes_one_side(mode: int, passed: int, stopped: int) -> None:
    t = np.arange(RATE) / RATE
    x = (np.sin(2 * np.pi * passed * t) + np.sin(2 * np.pi * stopped * t)).astype(np.float32)
    level = spectrum(filtered(x, np.full(RATE, 900.0, np.float32), 0.1, mode))
    assert level[stopped] < 0.05 * level[passed]


def test_kick_falls_to_its_base() -> None:
    x = voices.kick(np.random.default_rng(0), base_hz=50, decay_s=0.4, punch=1.0, drive=0.0)
    tail = x[round(0.25 * RATE) : round(0.5 * RATE)]
    assert np.argmax(spectrum(np.pad(tail, (0, RATE - len(tail))))) == pytest.approx(50, abs=4)
    assert np.abs(x[: RATE // 50]).max() > 0.5


def test_patterns_steps_and_swing() -> None:
    assert step_times("x-o-" * 4, 0.1, 0)[:2] == [(0.0, 1.0), (pytest.approx(0.2), 0.65)]
    swung = step_times("-x" * 8, 0.1, 1, swing=0.6)
    assert swung[0][0] == pytest.approx(1.7 + 0.02)
    assert step_times("x" + "-" * 15 + "-" * 16, 0.1, 1) == []


def test_sidechain_echo_and_edges() -> None:
    flat = np.ones(RATE, np.float32)
    ducked = duck(flat, [0.5], 0.8, 0.2)
    assert ducked[RATE // 2] == pytest.approx(0.2)
    assert ducked[RATE // 4] == 1
    click = np.zeros(RATE, np.float32)
    place(click, np.ones(1, np.float32), 0.1)
    assert np.flatnonzero(echoed(click, 0.2, 0.5, 0.6)).tolist()[:2] == [4_410, 13_230]
    place(click, flat, 0.9)
    place(click, flat, 5.0)
    out = mixed(
        [Track("a", flat * np.float32(9))],
        [],
        np.random.default_rng(0),
        duck_depth=0.0,
        beat_s=0.5,
        reverb_s=1.0,
        drive=0.5,
        stage=[Seat(0.3, 0.2)],
    )  # fmt: skip
    assert out.shape == (2, RATE)
    assert np.abs(out).max() <= 1


@pytest.mark.parametrize("name", sorted(GENRES))
def test_every_recipe_sounds_and_has_its_parts(name: str) -> None:
    session = Session(
        seeded(name), seeded(name, "dna"), Timing(120.0, 4, 4.0, True), 2, "minor", "i | bVI", 2,
        [(0.0, 5.0, frozenset())], np.random.default_rng(0),
    )  # fmt: skip
    GENRES[name].recipe(session)
    assert session.tracks
    for track in session.tracks.values():
        assert np.all(np.isfinite(track.signal))
    loud = [t.name for t in session.tracks.values() if np.abs(t.signal).max() > 0.01]
    assert len(loud) >= (2 if name != "ambient" else 1)
    assert ("drums" in loud) == (name != "ambient")


def test_a_piece_repeats_to_the_sample_and_muted_sections_are_silent() -> None:
    one, two = compose(5, 3), compose(5, 3)
    assert one.waveform is not None
    assert two.waveform is not None
    assert np.array_equal(one.waveform, two.waveform)
    session = Session(
        seeded(1), seeded(2), Timing(120.0, 4, 4.0, True), 0, "minor", "i | i", 4,
        [(0.0, 4.0, frozenset({"drums"})), (4.0, 8.0, frozenset())], np.random.default_rng(0),
    )  # fmt: skip
    GENRES["techno"].recipe(session)
    drums = session.tracks["drums"].signal
    assert np.abs(drums[: 3 * RATE]).max() == 0
    assert np.abs(drums[5 * RATE : 7 * RATE]).max() > 0.1
