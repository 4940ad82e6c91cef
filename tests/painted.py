"""Sonograms that the verbs start from, and what they make as an array."""

import numpy as np

from sonoriff.pipeline.clip import Clip
from sonoriff.sonogram import HIFI, Sonogram
from sonoriff.sonogram.codec import encode


def values(clip: Clip) -> np.ndarray:
    return clip.sonogram.values


def sweep(seconds: float, channels: int = 1) -> Sonogram:
    """A rising tone, other in each channel."""
    t = np.arange(round(seconds * HIFI.sample_rate)) / HIFI.sample_rate
    tones = [
        0.2 * np.sin(2 * np.pi * (200 + 100 * c + 300 * t / seconds) * t) for c in range(channels)
    ]
    return encode(np.stack(tones).astype(np.float32), HIFI.sample_rate)


def noise(seconds: float, seed: int = 0) -> Sonogram:
    """White noise."""
    n_samples = round(seconds * HIFI.sample_rate)
    waveform = np.random.default_rng(seed).uniform(-0.1, 0.1, (1, n_samples))
    return encode(waveform.astype(np.float32), HIFI.sample_rate)
