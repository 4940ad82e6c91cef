"""A small folder of music for the tests of `sonoriff train lora` and `finetune`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 44_100


def tune(seed: int, seconds: float) -> np.ndarray:
    """Plucked chords that change four times a second, different for each seed."""
    rng = np.random.default_rng(seed)
    time = np.arange(RATE // 4) / RATE
    parts = []
    for _ in range(int(seconds * 4)):
        tones = rng.choice(np.arange(110, 880, 7), 3)
        parts.append(sum(np.sin(2 * np.pi * f * time) for f in tones) * np.exp(-time * 9) * 0.2)
    return np.concatenate(parts).astype(np.float32)


def make(folder: Path, *, files: int = 6, seconds: float = 6.5) -> Path:
    """Files with captions of their own in a text beside them; one of them is broken."""
    folder.mkdir(parents=True)
    for number in range(files):
        soundfile.write(folder / f"{number}_tune.wav", tune(number, seconds), RATE)
        (folder / f"{number}_tune.txt").write_text(f"plucked chords {number % 2}\n")
    (folder / "broken.flac").write_bytes(b"fLaC and then nothing")
    return folder
