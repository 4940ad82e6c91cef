"""A sonogram with time and frequency axes (matplotlib)."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.sonogram import Sonogram

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MAX_COLUMNS = 4000
_TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
_DYNAMIC_RANGE_DB = 80.0


def decibels_from_sonogram(sonogram: Sonogram) -> npt.NDArray[np.float32]:
    """Values in dB, (C, M, N): as stored for "log", re the picture's loudest for "power"."""
    if sonogram.params.scale == "log":
        return sonogram.values
    loudest = float(sonogram.values.max()) or 1.0
    floor = loudest * 10.0 ** (-_DYNAMIC_RANGE_DB / 20.0)
    decibels = 20.0 * np.log10(np.maximum(sonogram.values, floor) / loudest)
    return np.asarray(decibels, dtype=np.float32)


def row_from_hz(frequency_hz: float, params: SonogramParams) -> float:
    """The row (a fraction), counted from the lowest, whose filter would be centred there."""

    def mel(hz: float) -> float:
        return float(2595.0 * np.log10(1.0 + hz / 700.0))

    step = (mel(params.f_max) - mel(params.f_min)) / (params.n_mels + 1)
    return (mel(frequency_hz) - mel(params.f_min)) / step - 1.0


def figure_from_sonogram(sonogram: Sonogram) -> Figure:
    """One panel a channel, seconds across and hertz up, with a bar for the loudness.

    A very long sonogram is thinned to a few thousand columns, the loudest of each group kept.
    """
    from matplotlib.figure import Figure

    decibels = _thinned(decibels_from_sonogram(sonogram))
    n_channels, params = sonogram.n_channels, sonogram.params
    figure = Figure(figsize=(10, 1.5 + 3 * n_channels), layout="constrained")
    panels = figure.subplots(n_channels, 1, sharex=True, squeeze=False)[:, 0]
    names = ("left", "right") if n_channels == 2 else ("",)
    for panel, channel, name in zip(panels, decibels, names, strict=False):
        picture = panel.imshow(
            channel,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            cmap="magma",
            extent=(0.0, sonogram.duration_s, -0.5, params.n_mels - 0.5),
            vmin=float(decibels.min()),
            vmax=max(float(decibels.max()), float(decibels.min()) + 1.0),
        )
        _label(panel, params, name)
    panels[-1].set_xlabel("time (s)")
    unit = "dB re full scale" if params.scale == "log" else "dB re the loudest"
    figure.colorbar(picture, ax=list(panels), label=unit)
    figure.suptitle(_title(sonogram), fontsize=11)
    return figure


def axes_png(sonogram: Sonogram) -> bytes:
    """`figure_from_sonogram` as the bytes of a PNG file."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A prompt may be in a script that the font lacks; it then shows boxes.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        figure_from_sonogram(sonogram).savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def _label(panel: Any, params: SonogramParams, name: str) -> None:
    rows: dict[int, float] = {}
    for hz in reversed(_TICKS_HZ):
        row = row_from_hz(hz, params)
        crowded = bool(rows) and min(rows.values()) - row < params.n_mels / 20
        if params.f_min < hz <= params.f_max and not crowded:
            rows[hz] = row
    labels = [f"{hz // 1000}k" if hz >= 1000 else str(hz) for hz in rows]
    panel.set_yticks(list(rows.values()), labels)
    panel.set_ylabel(f"{name} frequency (Hz)".strip())


def _title(sonogram: Sonogram) -> str:
    prompt = str(sonogram.metadata.get("prompt") or "")
    # A dollar sign would start a formula.
    shown = (prompt[:77] + "..." if len(prompt) > 80 else prompt).replace("$", r"\$")
    return shown or f"{sonogram.params.name}, {sonogram.duration_s:.2f} s"


def _thinned(decibels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    group = -(-decibels.shape[2] // _MAX_COLUMNS)
    if group == 1:
        return decibels
    starts = np.arange(0, decibels.shape[2], group)
    return np.asarray(np.maximum.reduceat(decibels, starts, axis=2), dtype=np.float32)
