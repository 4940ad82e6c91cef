"""Axes of a sonogram."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.sonogram import HIFI, RIFFUSION_V1, Sonogram, SonogramParams
from sonoriff.sonogram.plot import decibels_from_sonogram, figure_from_sonogram, row_from_hz


@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
@pytest.mark.parametrize("frequency_hz", [100.0, 440.0, 5000.0])
def test_a_tone_stands_where_the_axis_says(params: SonogramParams, frequency_hz: float) -> None:
    from sonoriff.sonogram import encode

    time_s = np.arange(22050) / 44100
    tone = (0.5 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)[None]
    loudest = encode(tone, 44100, params).values[0, :, 10:-10].mean(axis=1).argmax()
    assert loudest == pytest.approx(row_from_hz(frequency_hz, params), abs=1.5)


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
def test_time_and_frequency_are_labelled(params: SonogramParams, n_channels: int) -> None:
    values = np.random.default_rng(0).random((n_channels, params.n_mels, 9001)).astype(np.float32)
    figure = figure_from_sonogram(Sonogram(values, params, {"prompt": "cost $5 or $6"}))
    panels = figure.axes[:n_channels]
    assert panels[-1].get_xlabel() == "time (s)"
    assert panels[0].get_xlim() == (0.0, pytest.approx(params.duration_s(9001)))
    labels = [tick.get_text() for tick in panels[0].get_yticklabels()]
    assert {"1k", "5k"} <= set(labels)
    assert panels[0].images[0].get_array().shape == (params.n_mels, 3001)


def test_power_values_are_shown_in_decibels_of_the_loudest() -> None:
    values = np.full((1, 512, 2), 0.5, np.float32)
    values[0, 0] = (5.0, 0.0)
    decibels = decibels_from_sonogram(Sonogram(values, RIFFUSION_V1))
    assert decibels[0, 0].tolist() == [0.0, -80.0]
    assert decibels[0, 1, 0] == pytest.approx(-20.0)
    silent = Sonogram(np.zeros((1, 512, 1), np.float32), RIFFUSION_V1)
    assert decibels_from_sonogram(silent).max() == -80.0
