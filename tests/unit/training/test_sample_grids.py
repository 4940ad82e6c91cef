"""What a run shows: sheets with their sounds, and curves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image
from torch import full

import tiny_recipes
from line_recipe import LineRecipe
from sonoriff.training.config import LoopConfig
from sonoriff.training.curves import read_log, save_curves
from sonoriff.training.loop import train
from sonoriff.training.sample_grids import MAX_SOUNDS, save_sounds, sonogram_from_picture


def test_the_autoencoders_sheet_has_its_sounds(tmp_path: Path) -> None:
    recipe = tiny_recipes.autoencoder_recipe("train", "validation")
    recipe.sample(recipe.build().eval(), tmp_path, 7)
    assert (tmp_path / "step-0000007.png").exists()
    sounds = sorted((tmp_path / "step-0000007").iterdir())
    assert [path.name for path in sounds] == ["01-noise-all-of-it.flac", "02-decoded.flac"]
    samples, sample_rate = soundfile.read(sounds[0])
    assert sample_rate == 44_100
    assert 5.8 < len(samples) / sample_rate < 6.0
    assert np.abs(samples).max() > 0.01


def test_the_denoisers_sheet_has_its_sounds(tmp_path: Path) -> None:
    recipe = tiny_recipes.denoiser_recipe("train", "validation")
    recipe.sample(recipe.build().eval(), tmp_path, 7)
    assert [path.name for path in (tmp_path / "step-0000007").iterdir()] == ["01-techno.flac"]


def test_a_sheet_has_no_more_than_a_dozen_sounds(tmp_path: Path) -> None:
    sonogram = sonogram_from_picture(full((256, 64), -1.0))
    save_sounds(tmp_path / "sheet.png", [("../Ä", sonogram)] * (MAX_SOUNDS + 1))
    names = sorted(path.name for path in (tmp_path / "sheet").iterdir())
    assert len(names) == MAX_SOUNDS
    assert names[0] == "01-anything.flac"


def test_a_run_draws_its_curves(tmp_path: Path) -> None:
    settings = LoopConfig(steps=3, batch_size=3, learning_rate=1e-2, precision="no")
    train(LineRecipe(), settings, tmp_path)
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.format == "PNG"


def test_curves_are_of_the_whole_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    rows = [{"step": step, "loss": 1 / step} for step in range(1, 201)]
    rows[99]["validation"] = 0.5
    lines = [json.dumps(row) for row in rows]
    # A run that was killed in the middle of a line and went on from step 2.
    log.write_text("\n".join(['{"step": 1, "loss": 9}', '{"step": 2, "lo', *lines]) + "\n")
    assert read_log(log) == rows
    save_curves(log, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        levels = np.asarray(picture.convert("L"))
    assert levels.min() < 100 < levels.max()
    save_curves(tmp_path / "none.jsonl", tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
