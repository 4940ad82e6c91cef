"""The weights of a run that did best on held-out clips."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from sonoriff.files import atomic_path, write_text
from sonoriff.training.checkpoint import damage_in_words, trained_tensors

_STATE, _WEIGHTS = "state.json", "weights.safetensors"


class Best:
    """Averaged weights with the lowest loss so far, in ``run/best``.

    Parameters
    ----------
    run : the run's folder
    fresh : the run begins: what an earlier one left is removed

    Attributes
    ----------
    step : of the check that they are of; 0 before the first
    loss : the held-out loss there
    before : the held-out loss of the model that the run began with; None where it is not known
    """

    def __init__(self, run: Path, *, fresh: bool) -> None:
        self._folder = run / "best"
        self.step, self.loss = 0, math.inf
        self.before: float | None = None
        if fresh:
            shutil.rmtree(self._folder, ignore_errors=True)
        elif (self._folder / _STATE).is_file():
            with damage_in_words(f"cannot read {self._folder}"):
                state = json.loads((self._folder / _STATE).read_text("utf-8"))
                self.step, self.loss = int(state["step"]), float(state["loss"])
                self.before = state.get("before")

    def offer(self, step: int, loss: float, averaged: nn.Module, model: nn.Module) -> None:
        """Keep these if they are better; weights first, so that a kill leaves none without."""
        if not loss < self.loss:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self._folder / _WEIGHTS) as partial:
            save_file(trained_tensors(averaged, model), partial)
        state = {"step": step, "loss": loss, "before": self.before}
        write_text(self._folder / _STATE, json.dumps(state))
        self.step, self.loss = step, loss

    def restore(self, averaged: nn.Module) -> None:
        """Put them in place; nothing where there was no check."""
        if self.step:
            with damage_in_words(f"cannot read {self._folder}"):
                averaged.load_state_dict(load_file(self._folder / _WEIGHTS), strict=False)
