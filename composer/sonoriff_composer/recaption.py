"""Captions written anew from the facts of a corpus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sonoriff.corpus.lock import alone
from sonoriff.corpus.manifest import Corpus
from sonoriff.files import write_text
from sonoriff_composer.captions import captions_for, moods_of
from sonoriff_composer.recordings import PREFIX, captions_again
from sonoriff_composer.render import PROGRAMMES
from sonoriff_composer.samples import NAME as SAMPLES
from sonoriff_composer.score import seeded


def recaption(root: Path, *, seed: int = 0) -> int:
    """Write the captions of rendered and collected clips anew from their facts; the sound stays.

    Clips of recorded sounds (typing, drum loops) keep theirs, which facts do not tell.

    Returns
    -------
    how many clips got new captions

    Raises
    ------
    CorpusError
        the corpus is being rendered or collected: its new clips would be lost
    """
    with alone(root, (*PROGRAMMES, "files")):
        return _recaptioned(Corpus(root), seed)


def _recaptioned(corpus: Corpus, seed: int) -> int:
    """Write new captions into the manifest; how many changed."""
    lines, changed = [], 0
    for clip in corpus.clips():
        if clip.facts.kind == "render" and not clip.piece.startswith(f"{SAMPLES}-"):
            facts = replace(clip.facts, moods=moods_of(clip.facts))
            captions = captions_for(seeded("captions", seed, clip.file_name), facts)
            changed += captions != clip.captions
            clip = replace(clip, facts=facts, captions=captions)
        elif clip.piece.startswith(PREFIX):
            captions = captions_again(clip)
            changed += captions != clip.captions
            clip = replace(clip, captions=captions)
        lines.append(clip.to_json())
    write_text(corpus.metadata, "\n".join(lines) + "\n")
    return changed
