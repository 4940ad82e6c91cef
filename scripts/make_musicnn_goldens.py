"""Make tests/golden/musicnn.json with TensorFlow and librosa, as musicnn itself computes.

Run it in an environment of its own, since nothing else here needs TensorFlow:

    python3.11 -m venv tf && tf/bin/pip install tensorflow-cpu==2.15.1 librosa==0.10.2 "numpy<2"
    tf/bin/pip install --no-deps musicnn==0.1.0
    tf/bin/python scripts/make_musicnn_goldens.py

The graph is musicnn's own, filled by TensorFlow from musicnn's own checkpoint. The mel spectrum
is librosa's in float32 with the padding that was the default when the network was trained.
"""

from __future__ import annotations

import json
from pathlib import Path

import librosa
import musicnn
import numpy as np
import tensorflow as tf
from musicnn import models

TARGET = Path(__file__).parents[1] / "tests" / "golden" / "musicnn.json"
SAMPLE_RATE, PATCH_FRAMES = 16_000, 187


def test_waveform() -> np.ndarray:
    """Three seconds of a falling chord over a pulse; the test makes the same."""
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    chord = sum(np.sin(2 * np.pi * f * time * (1 - 0.02 * time)) for f in (220.0, 277.2, 329.6))
    click = np.exp(-60.0 * (time % 0.5)) * np.sin(2 * np.pi * 1800.0 * time)
    return (0.15 * chord + 0.4 * click).astype(np.float32)


def patch_of_waveform(waveform: np.ndarray) -> np.ndarray:
    """float32 (187, 96) of the start."""
    power = librosa.feature.melspectrogram(
        y=waveform, sr=SAMPLE_RATE, hop_length=256, n_fft=512, n_mels=96, pad_mode="reflect"
    )
    return np.log10(10_000.0 * power.T + 1.0).astype(np.float32)[:PATCH_FRAMES]


def run_network(name: str, patch: np.ndarray) -> dict[str, list[float]]:
    """Tags and features of one patch."""
    tf.compat.v1.reset_default_graph()
    with tf.name_scope("model"):
        x = tf.compat.v1.placeholder(tf.float32, [None, PATCH_FRAMES, 96])
        training = tf.compat.v1.placeholder(tf.bool)
        logits, *_, penultimate = models.define_model(x, training, name, 50)
        tags = tf.sigmoid(logits)
    with tf.compat.v1.Session() as session:
        saver = tf.compat.v1.train.Saver()
        saver.restore(session, f"{Path(musicnn.__file__).parent}/{name}/")
        found = session.run([tags, penultimate], {x: patch[None], training: False})
    return {
        "tags": [round(float(v), 6) for v in found[0][0]],
        "features": [round(float(v), 6) for v in found[1][0]],
    }


def main() -> None:
    tf.compat.v1.disable_eager_execution()
    patch = patch_of_waveform(test_waveform())
    goldens = {
        "versions": {"tensorflow": tf.__version__, "librosa": librosa.__version__},
        "mel": [[round(float(v), 5) for v in patch[i]] for i in (0, 50, 186)],
        "MTT": run_network("MTT_musicnn", patch),
        "MSD": run_network("MSD_musicnn", patch),
    }
    TARGET.write_text(json.dumps(goldens, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
