"""Which clips of a corpus the model is tested on, and which it is compared with."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from sonoriff.errors import CorpusError, ParameterError
from sonoriff.evaluation.model.requested import Asked, asked_of_caption

HELD_OUT = ("validation", "test")
FEWEST_CLIPS = 10
_REFERENCE_SHARE = 3  # every third piece of the tested split
_REFERENCE_CLIPS = 3  # for each prompt, so that a look at few clips takes minutes


@dataclass(frozen=True)
class HeldOutPrompt:
    """A held-out clip's caption, with the clip (an index into `HeldOut.tested`).

    Attributes
    ----------
    new : no training clip of the corpus has the same caption: who says "reggae" alone is not new
    """

    caption: str
    clip: int
    asked: Asked
    new: bool = True


@dataclass(frozen=True)
class HeldOut:
    """Clips for a test, as lines of the manifest.

    Attributes
    ----------
    tested : real clips whose captions are the prompts; no two of the same file
    reference : other real clips, of other pieces; no row is made from them
    prompts : as many as were asked for; a second caption of a clip only when all had their first
    """

    tested: list[dict[str, Any]]
    reference: list[dict[str, Any]]
    prompts: list[HeldOutPrompt]


def held_out_clips(
    entries: list[dict[str, Any]], *, split: str = "test", n_prompts: int, seed: int = 0
) -> HeldOut:
    """Choose prompts and reference.

    Parameters
    ----------
    entries : the corpus, lines of its manifest
    split : "test" or "validation"
    n_prompts : >= 1

    Raises
    ------
    ParameterError
        unknown split, or no prompts asked for
    CorpusError
        too few held-out clips

    Notes
    -----
    The reference is taken from the other held-out split and every third piece of the tested one,
    chosen by its name, so that no prompt is ever answered from it. It has three clips for each
    prompt, and at least 100, where there are so many; more prompts add to it.
    """
    if split not in HELD_OUT or n_prompts < 1:
        raise ParameterError(
            f"need a split of {', '.join(HELD_OUT)} and at least one prompt, "
            f"got {split!r} and {n_prompts}"
        )
    tested: list[dict[str, Any]] = []
    reference: list[dict[str, Any]] = []
    for entry in entries:
        if entry["split"] not in HELD_OUT or not entry.get("captions"):
            continue
        ours = entry["split"] == split and not _is_reference(entry)
        (tested if ours else reference).append(entry)
    if min(len(tested), len(reference)) < FEWEST_CLIPS:
        raise CorpusError(
            f"the corpus has {len(tested)} clips to test on and {len(reference)} others to compare "
            f"with in its splits {' and '.join(HELD_OUT)}; needed are {FEWEST_CLIPS} of each"
        )
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(tested))[:n_prompts]
    chosen = [tested[i] for i in order]
    reference.sort(key=lambda entry: zlib.crc32(str(entry["file_name"]).encode()))
    reference = reference[: max(100, _REFERENCE_CLIPS * n_prompts)]
    train = [entry for entry in entries if entry["split"] == "train"]
    trained = {caption for entry in train for caption in entry.get("captions") or ()}
    return HeldOut(chosen, reference, _prompts(chosen, n_prompts, generator, trained))


def _is_reference(entry: dict[str, Any]) -> bool:
    piece = str(entry.get("piece") or entry.get("source") or entry["file_name"])
    return zlib.crc32(piece.encode()) % _REFERENCE_SHARE == 0


def _prompts(
    clips: list[dict[str, Any]], count: int, generator: np.random.Generator, trained: set[str]
) -> list[HeldOutPrompt]:
    """Captions in an order of chance for each clip, dealt clip by clip."""
    decks = [list(dict.fromkeys(clip["captions"])) for clip in clips]
    for deck in decks:
        generator.shuffle(deck)
    prompts: list[HeldOutPrompt] = []
    for turn in range(max(map(len, decks))):
        for i, deck in enumerate(decks):
            if turn < len(deck) and len(prompts) < count:
                caption = deck[turn]
                asked = asked_of_caption(caption, clips[i]["facts"])
                prompts.append(HeldOutPrompt(caption, i, asked, caption not in trained))
    return prompts
