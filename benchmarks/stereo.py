"""How wide a model's clips are beside the music it was trained on, by kind of music.

Usage: python -m benchmarks.stereo CORPUS [CORPUS ...] [--model MODEL] [--clips 96]

Captions of test clips, one clip of each and the real one beside it: the correlation of left and
right over a clip, and how much louder left is, in dB; means by genre (the style where a clip has no
genre), for those with four clips or more. And what stereo costs: a clip of the model, and of the
middle alone.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonoriff.audio import read_audio
from sonoriff.corpus.manifest import Corpus, CorpusClip
from sonoriff.models.registry import load_model
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.sonogram import Sonogram, decode

FloatArray = npt.NDArray[np.float32]
_LEAST = 4


def width_of(waveform: FloatArray) -> tuple[float, float]:
    """Correlation of both channels, and the level of left over that of right in dB."""
    if len(waveform) == 1:
        return 1.0, 0.0
    left, right = waveform.astype(np.float64)
    powers = np.mean(left**2) + 1e-12, np.mean(right**2) + 1e-12
    alike = float(np.mean(left * right) / np.sqrt(powers[0] * powers[1]))
    return alike, float(10 * np.log10(powers[0] / powers[1]))


def _chosen(corpora: list[Path], count: int) -> list[tuple[Path, CorpusClip]]:
    tested = [
        (root, clip)
        for root in corpora
        for clip in Corpus(root).clips()
        if clip.split == "test" and clip.captions
    ]
    places = np.linspace(0, len(tested) - 1, min(count, len(tested))).astype(int)
    return [tested[place] for place in places]


def main() -> None:
    """Print a line for each kind of music, and one for all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--model", default=None)
    parser.add_argument("--clips", type=int, default=96)
    options = parser.parse_args()
    model = load_model(options.model)
    found: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    whole = middle = painted = 0.0
    for root, clip in _chosen(options.corpora, options.clips):
        real, _ = read_audio(root / clip.file_name, max_channels=2)
        began = time.process_time()
        made = generate(model, GenerateSettings(prompt=clip.captions[0], seed=1))
        painted += time.process_time() - began
        began = time.process_time()
        waveform = made.waveform
        whole += time.process_time() - began
        began = time.process_time()
        decode(Sonogram(np.ascontiguousarray(made.sonogram.values[-1:]), made.sonogram.params))
        middle += time.process_time() - began
        kind = clip.facts.genre or clip.facts.style or "other"
        found[kind].append((*width_of(real), *width_of(waveform)))
    print("kind, clips: correlation real / made, difference; level left over right real / made, dB")
    distances = []
    for kind, rows in sorted(found.items()):
        if len(rows) >= _LEAST:
            means = np.mean(rows, axis=0)
            distances.append(means[2] - means[0])
            print(_line(kind, rows))
    print(_line("all", [row for rows in found.values() for row in rows]))
    if distances:
        print(f"difference by kind: mean of sizes {np.abs(distances).mean():.3f}, "
              f"largest {np.abs(distances).max():.3f}")  # fmt: skip
    print(f"cost of left and right: {100 * (whole - middle) / (painted + middle):.1f} % of a clip")


def _line(kind: str, rows: list[tuple[float, ...]]) -> str:
    alike, level, alike_made, level_made = np.mean(rows, axis=0)
    spread, spread_made = np.std(rows, axis=0)[[1, 3]]
    return (
        f"{kind}, {len(rows)}: {alike:.2f} / {alike_made:.2f}, {alike_made - alike:+.2f}; "
        f"{level:+.1f} ± {spread:.1f} / {level_made:+.1f} ± {spread_made:.1f}"
    )


if __name__ == "__main__":
    main()
