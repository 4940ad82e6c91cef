"""The weights of the best check are what a run gives, also after a stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sonoriff.cli.train_own import _say_best
from sonoriff.training.best import Best
from sonoriff.training.config import LoopConfig
from sonoriff.training.loop import train

HELD_OUT = {0: 0.8, 2: 0.9, 4: 0.5, 6: 0.7, 8: 0.8}


class Recipe:
    """One weight that grows by itself; the held-out loss is a table by step."""

    name = "growing"

    def __init__(self, first_check: int = 0) -> None:
        self.next_check = first_check
        self.seen: dict[int, float] = {}

    def build(self) -> nn.Module:
        model = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(model.weight)
        return model

    def facts(self) -> dict[str, Any]:
        return {"recipe": self.name}

    def loss(
        self, model: nn.Module, generator: torch.Generator, batch_size: int
    ) -> tuple[Tensor, dict[str, float]]:
        del generator, batch_size
        return -model(torch.ones(1, 1)).mean(), {}

    def before_save(self, model: nn.Module) -> None:
        del model

    def validate(self, model: nn.Module) -> dict[str, float]:
        step, self.next_check = self.next_check, self.next_check + 2
        self.seen[step] = float(model.weight.detach())  # type: ignore[operator]
        return {"validation": HELD_OUT[step]}

    def sample(self, model: nn.Module, folder: Path, step: int) -> None:
        del model, folder, step


def config(**changes: Any) -> LoopConfig:
    fixed: dict[str, Any] = {"steps": 8, "batch_size": 1, "learning_rate": 0.1, "warmup_steps": 1}
    more = {"validate_steps": 2, "ema_decay": 0.0, "precision": "no", "keep_best": True}
    return LoopConfig(**{**fixed, **more, **changes})


def weight(model: nn.Module) -> float:
    return float(model.weight.detach())  # type: ignore[operator]


def test_the_best_check_is_what_a_run_gives(tmp_path: Path) -> None:
    recipe = Recipe()
    averaged = train(recipe, config(), tmp_path)
    assert weight(averaged) == recipe.seen[4] != recipe.seen[8]
    best = Best(tmp_path, fresh=False)
    assert (best.step, best.loss) == (4, 0.5)
    # Of the model as it was, before the first step.
    assert best.before == 0.8
    assert recipe.seen[0] == 0.0
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[0] == {"step": 0, "validation": 0.8}


@pytest.mark.parametrize(
    ("before", "checks", "said"),
    [
        (0.8, [(2, 0.7)], ["was 0.8000 before and 0.7000 at step 2"]),
        (0.8, [(1, 0.7), (2, 0.75)], ["was 0.8000 before and 0.7000 at step 1, whose weights"]),
        (0.6, [(1, 0.7), (2, 0.75)], ["was 0.6000 before", "nothing was learned"]),
        (None, [(2, 0.7)], ["was lowest, 0.7000, at step 2"]),
    ],
)
def test_what_is_said_of_the_held_out_loss(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    before: float | None,
    checks: list[tuple[int, float]],
    said: list[str],
) -> None:
    best = Best(tmp_path, fresh=True)
    best.before = before
    for step, loss in checks:
        best.offer(step, loss, nn.Linear(1, 1), nn.Linear(1, 1))
    _say_best(tmp_path, config(steps=2))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(said)
    assert all(words in line for words, line in zip(said, lines, strict=True))


def test_without_the_wish_it_is_the_last(tmp_path: Path) -> None:
    recipe = Recipe(first_check=2)
    assert weight(train(recipe, config(keep_best=False), tmp_path)) == recipe.seen[8]
    assert not (tmp_path / "best").exists()


def test_a_run_that_was_stopped_remembers_the_best(tmp_path: Path) -> None:
    whole = Recipe()
    wanted = weight(train(whole, config(), tmp_path / "whole"))
    recipe = Recipe()
    train(recipe, config(steps=6), tmp_path / "parts")
    assert weight(train(recipe, config(), tmp_path / "parts")) == pytest.approx(wanted)


def test_a_new_run_forgets_the_best_of_another(tmp_path: Path) -> None:
    Best(tmp_path, fresh=False).offer(99, 0.001, nn.Linear(1, 1), nn.Linear(1, 1))
    recipe = Recipe()
    assert weight(train(recipe, config(), tmp_path)) == recipe.seen[4]


def test_a_loss_that_is_no_number_is_not_the_best(tmp_path: Path) -> None:
    best = Best(tmp_path, fresh=True)
    best.offer(2, float("nan"), nn.Linear(1, 1), nn.Linear(1, 1))
    assert best.step == 0
