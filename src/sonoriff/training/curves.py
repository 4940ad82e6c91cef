"""What a run's log says: its figures, and its curves as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sonoriff.files import atomic_path

_WINDOWS = 50  # of the smoothed loss


def read_log(log: Path) -> list[dict[str, float]]:
    """The figures of every step, the later of two where a run went on; torn lines are left out."""
    steps: dict[float, dict[str, float]] = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
            steps[row["step"]] = row
        except (ValueError, KeyError, TypeError):
            continue
    return [steps[step] for step in sorted(steps)]


def save_curves(log: Path, path: Path) -> None:
    """Draw loss and validation over the steps as a PNG; nothing where there is no log."""
    rows = read_log(log) if log.exists() else []
    names = [name for row in rows for name in row if name.startswith("validation")]
    if not rows:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True)
    _draw(upper, rows, "loss", smoothed=True)
    for name in dict.fromkeys(names):
        _draw(lower, rows, name)
    for axes in (upper, lower) if names else (upper,):
        axes.legend(loc="upper right", fontsize="small")
    lower.set_xlabel("step")
    with atomic_path(path) as partial:
        figure.savefig(partial, format="png", dpi=100)


def _draw(axes: Any, rows: list[dict[str, float]], name: str, *, smoothed: bool = False) -> None:
    steps, values = np.array([(row["step"], row[name]) for row in rows if name in row]).T
    if smoothed:
        window = max(1, len(values) // _WINDOWS)
        values = np.convolve(values, np.full(window, 1.0 / window), mode="valid")
        steps = steps[window - 1 :]
        name = f"{name}, mean of {window} steps" if window > 1 else name
    axes.plot(steps, values, label=name, marker="" if len(values) > 1 else "o")
