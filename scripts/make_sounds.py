"""Make the sounds of the README into docs/sounds/, their page, and docs/pictures/riff.png.

Usage: python scripts/make_sounds.py [--model MODEL] [--output FOLDER]

Run it again when the bundled model has changed. Two cores need less than a minute. Every seed is 1:
nothing was picked by ear.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass
from pathlib import Path

import soundfile
from PIL import Image

import sonoriff
from sonoriff.audio import turned_down
from sonoriff.sonogram.plot import figure_from_sonogram

ROOT = Path(__file__).resolve().parents[1]
# The MP3 encoder's scale from 0 (large) to 1 (small): about 65 kbit/s for one channel.
COMPRESSION = 0.6
SEED = 1
COLOURS, DPI = 64, 100


@dataclass(frozen=True)
class Sound:
    """A sound of the README."""

    name: str
    prompt: str
    duration_s: float = 12.0
    loop_bars: int = 0

    @property
    def command(self) -> str:
        """What makes it on the command line."""
        loop = f"--loop --bars {self.loop_bars}"
        length = loop if self.loop_bars else f"--duration {self.duration_s:g}"
        return f'sonoriff generate "{self.prompt}" {length} --seed {SEED} -o {self.name}.wav'

    def made_by(self, model: sonoriff.Sonoriff) -> sonoriff.Clip:
        """The clip."""
        if self.loop_bars:
            return model.loop(self.prompt, bars=self.loop_bars, seed=SEED)
        clip = model.generate(self.prompt, duration_s=self.duration_s, seed=SEED)
        assert isinstance(clip, sonoriff.Clip)
        return clip


SOUNDS = (
    Sound("jazz", "smooth tropical dance jazz"),
    Sound("piano", "calm piano, 90 bpm, in A minor"),
    Sound("house", "deep house with electric piano, 122 bpm"),
    Sound("quartet", "string quartet, baroque, in D major"),
    Sound("funk", "funk with slap bass, 110 bpm", loop_bars=4),
)
HEAD = """\
# Sounds

Made by `python scripts/make_sounds.py` with the bundled model; do not edit. Every seed is 1, so
none was picked by ear. They are MP3 files to keep the repository small; each command writes the
same music in full quality.

"""


def entry(sound: Sound, seconds: float) -> str:
    """What the page says of a sound: its prompt, a player, and its command."""
    return (
        f"## {sound.prompt}\n\n"
        f'<audio controls preload="none" src="{sound.name}.mp3"></audio>\n\n'
        f"[{sound.name}.mp3]({sound.name}.mp3), {seconds:.1f} s\n\n"
        f"```sh\n{sound.command}\n```\n"
    )


def drawn(clip: sonoriff.Clip) -> Image.Image:
    """A clip's sonogram with axes, in few colours, so that the file is small."""
    figure = io.BytesIO()
    figure_from_sonogram(clip.sonogram).savefig(figure, format="png", dpi=DPI)
    return Image.open(figure).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


def main() -> None:
    """Make all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--model", help="the bundled one where none is named")
    parser.add_argument("--output", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    sounds, pictures = options.output / "sounds", options.output / "pictures"
    for folder in (sounds, pictures):
        folder.mkdir(parents=True, exist_ok=True)
    model = sonoriff.load(options.model)
    entries = []
    for index, sound in enumerate(SOUNDS):
        clip = sound.made_by(model)
        target = sounds / f"{sound.name}.mp3"
        samples = turned_down(clip.waveform).T
        soundfile.write(target, samples, clip.sample_rate, compression_level=COMPRESSION)
        entries.append(entry(sound, len(samples) / clip.sample_rate))
        print(f"{target}: {target.stat().st_size / 1000:.0f} kB", flush=True)
        if index == 0:
            drawn(clip).save(pictures / "riff.png", optimize=True)
    (sounds / "README.md").write_text(HEAD + "\n".join(entries), encoding="utf-8")


if __name__ == "__main__":
    main()
