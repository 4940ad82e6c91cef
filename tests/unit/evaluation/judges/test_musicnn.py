"""musicnn in Torch, against TensorFlow's own answers and by ear."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.evaluation.judges import musicnn
from sonoriff.evaluation.judges.musicnn import (
    PATCH_FRAMES,
    SAMPLE_RATE,
    TAGS,
    Network,
    load_musicnn,
    mel_from_waveform,
    patches_of_waveform,
)

GOLDENS = json.loads(
    (Path(__file__).parents[3] / "golden" / "musicnn.json").read_text(encoding="utf-8")
)
needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("musicnn") is None, reason=f"needs {musicnn.INSTALL}"
)
TIME = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE


def golden_waveform() -> np.ndarray:
    """As in scripts/make_musicnn_goldens.py."""
    chord = sum(np.sin(2 * np.pi * f * TIME * (1 - 0.02 * TIME)) for f in (220.0, 277.2, 329.6))
    click = np.exp(-60.0 * (TIME % 0.5)) * np.sin(2 * np.pi * 1800.0 * TIME)
    return np.asarray(0.15 * chord + 0.4 * click, np.float32)


def plucked_strings() -> np.ndarray:
    """A picked chord by Karplus and Strong's string."""
    sound = np.zeros(len(TIME))
    for step, note in enumerate((110, 165, 220, 277, 330, 220, 165, 277, 330, 440, 330, 277)):
        start = step * SAMPLE_RATE // 4
        period = SAMPLE_RATE // note
        cycle = np.random.default_rng(0).uniform(-0.3, 0.3, period)
        while start < len(sound):
            end = min(start + period, len(sound))
            sound[start:end] += cycle[: end - start]
            cycle = 0.498 * (cycle + np.roll(cycle, -1))
            start += period
    return sound.astype(np.float32)


def machine_beat() -> np.ndarray:
    """Kick on every beat of 130 bpm, hats between, a bass in sixteenths."""
    beat = 60 / 130
    phase = TIME % beat
    kick = np.sin(2 * np.pi * (50 * phase + 30 * (1 - np.exp(-30 * phase)))) * np.exp(-8 * phase)
    noise = np.random.default_rng(1).normal(size=len(TIME))
    hat = 0.3 * noise * np.exp(-60 * ((TIME + beat / 2) % beat))
    step = TIME // (beat / 4) % 3
    bass = ((TIME * 55 * 2 ** (step / 4)) % 1 - 0.5) * np.exp(-6 * (TIME % (beat / 4)))
    return np.asarray(0.7 * kick + hat + 0.4 * bass, np.float32)


def test_the_mel_spectrum_is_librosas() -> None:
    mel = mel_from_waveform(golden_waveform())
    assert mel.shape == (1 + 3 * SAMPLE_RATE // 256, 96)
    # Goldens are rounded to five digits; float32 in another order of summing.
    np.testing.assert_allclose(mel[[0, 50, 186]], GOLDENS["mel"], atol=3e-5)


@needs_weights
@pytest.mark.parametrize("network", ["MTT", "MSD"])
def test_tags_and_features_are_tensorflows(network: Network) -> None:
    patch = mel_from_waveform(golden_waveform())[None, :PATCH_FRAMES]
    tags, features = load_musicnn(network)(patch)
    # Single precision through nine layers, from a mel that differs by 1e-5.
    np.testing.assert_allclose(tags[0], GOLDENS[network]["tags"], atol=2e-5)
    np.testing.assert_allclose(features[0], GOLDENS[network]["features"], atol=1e-4)


@needs_weights
@pytest.mark.parametrize(("sound", "tag"), [(plucked_strings, "guitar"), (machine_beat, "techno")])
def test_it_hears_what_is_played(sound, tag: str) -> None:  # type: ignore[no-untyped-def]
    tags, _ = load_musicnn("MTT")(mel_from_waveform(sound())[None, :PATCH_FRAMES])
    assert TAGS["MTT"][int(tags[0].argmax())] == tag


@needs_weights
def test_a_batch_is_as_one_by_one() -> None:
    mel = torch.stack(
        [mel_from_waveform(x)[:PATCH_FRAMES] for x in (plucked_strings(), machine_beat())]
    )
    network = load_musicnn("MTT")
    together = network(mel)[1]
    alone = torch.cat([network(mel[i : i + 1])[1] for i in range(2)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


@needs_weights
@pytest.mark.parametrize("level", [0.0, 100.0])
def test_silence_and_very_loud_sound_give_numbers(level: float) -> None:
    tags, features = load_musicnn("MSD")(
        mel_from_waveform(np.float32(level) * machine_beat())[None, :PATCH_FRAMES]
    )
    assert torch.isfinite(tags).all()
    assert torch.isfinite(features).all()


def test_both_networks_have_fifty_tags() -> None:
    assert [len(set(TAGS[n])) for n in ("MTT", "MSD")] == [50, 50]


def test_a_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(CheckpointError, match=r"pip install --no-deps musicnn==0\.1\.0"):
        musicnn.weights_folder()


@pytest.mark.parametrize("shape", [(0,), (256,), (1, 4000)])
def test_sound_too_short_or_of_two_axes_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="one channel"):
        mel_from_waveform(np.zeros(shape, np.float32))


def test_patches_lie_evenly_from_the_first_column_to_the_last() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * 44_100).astype(np.float32)
    mel = mel_from_waveform(noise[: 5 * SAMPLE_RATE])
    patches = patches_of_waveform(noise[: 5 * SAMPLE_RATE], SAMPLE_RATE)
    assert patches.shape == (2, PATCH_FRAMES, 96)
    assert torch.equal(patches[0], mel[:PATCH_FRAMES])
    assert torch.equal(patches[-1], mel[-PATCH_FRAMES:])
    assert len(patches_of_waveform(noise, 44_100)) == 2


def test_a_short_sound_is_one_patch_that_ends_in_silence() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    (patch,) = patches_of_waveform(noise, SAMPLE_RATE)
    assert patch.shape == (PATCH_FRAMES, 96)
    assert not patch[1 + SAMPLE_RATE // 256 :].any()
