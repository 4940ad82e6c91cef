"""First sounds of a model that was taught somebody's music, held against that music."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sonoriff.evaluation.personal.memorisation import Array, Memorisation, compared
from sonoriff.models.protocol import Model
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.sonogram import HIFI, encode
from sonoriff.training.data.pictures import load_pictures, prepare_pictures
from sonoriff.training.personal.music import OwnMusic


def first_sounds(
    model: Model,
    music: OwnMusic,
    folder: Path,
    work: Path,
    *,
    count: int = 8,
    steps: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Memorisation:
    """Write `count` riffs of the music's own captions into `folder`; how like the music they are.

    Parameters
    ----------
    steps : of the sampler; None takes the model's own
    progress : told (riffs done, riffs)
    """
    folder.mkdir(parents=True, exist_ok=True)
    prompts = music.captions(count)
    outputs: dict[str, Array] = {}
    for number in range(count):
        settings = GenerateSettings(
            prompt=prompts[number % len(prompts)], seed=number, num_inference_steps=steps
        )
        clip = generate(model, settings)
        path = folder / f"{number + 1:02d}.flac"
        clip.save(path)
        outputs[path.name] = encode(clip.waveform, clip.sample_rate, HIFI).mono
        if progress:
            progress(number + 1, count)
    return likeness(music, outputs, work)


def likeness(music: OwnMusic, outputs: dict[str, Array], work: Path) -> Memorisation:
    """How like the training clips pictures (M, N) of the format `hifi` are."""
    pictures = work / "pictures" / music.corpus.name
    prepare_pictures(music.corpus, pictures)
    stored = load_pictures([pictures])
    clips: dict[str, Array] = {
        str(stored.entries[i]["file_name"]): stored.picture(i)
        for i in stored.subset("train").tolist()
    }
    files = {clip.file_name: clip.source.removeprefix("import/") for clip in music.clips}
    return compared(outputs, clips, files)
