"""Corpora in and out: merging several into one, exporting a Hugging Face audiofolder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sonoriff.corpus.manifest import SPLITS, Corpus, CorpusClip, clip_path
from sonoriff.errors import CorpusError


def _link(source: Path, target: Path) -> None:
    """A hard link where the disk allows it, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
    temporary.replace(target)


def merge(corpora: Sequence[Path], root: Path) -> int:
    """Put the clips of several corpora into one new corpus, renumbered; files are linked.

    Returns
    -------
    how many clips the new corpus has

    Raises
    ------
    CorpusError
        `root` is a corpus already, a listed file is missing, or none of them lists a clip
    """
    target = Corpus(root)
    if target.metadata.exists():
        raise CorpusError(f"{root} is a corpus already: name a new folder")
    number = 0
    for folder in corpora:
        rows: list[CorpusClip] = []
        for clip in Corpus(folder).clips():
            if not (folder / clip.file_name).exists():
                raise CorpusError(f"{folder / clip.file_name} is listed and missing")
            name = clip_path(number)
            _link(folder / clip.file_name, root / name)
            rows.append(replace(clip, file_name=name))
            number += 1
        if rows:
            target.append(rows)
    if not number:
        raise CorpusError(f"{', '.join(map(str, corpora))}: no clip is listed, nothing to merge")
    target.write_info(clips=number, merged=[folder.name for folder in corpora])
    return number


def export(root: Path, target: Path) -> dict[str, int]:
    """Write a corpus as a Hugging Face audiofolder with one folder a split; files are linked.

    Returns
    -------
    clips of each split

    Raises
    ------
    CorpusError
        `target` is not empty, or `root` is no corpus or an empty one
    """
    if target.exists() and any(target.iterdir()):
        raise CorpusError(f"{target} is not empty: name a new folder")
    counts = dict.fromkeys(SPLITS, 0)
    lines: dict[str, list[str]] = {name: [] for name in SPLITS}
    for clip in Corpus(root).clips():
        name = Path(clip.file_name).name
        _link(root / clip.file_name, target / clip.split / name)
        row = json.loads(replace(clip, file_name=name).to_json())
        lines[clip.split].append(json.dumps(row, ensure_ascii=False))
        counts[clip.split] += 1
    if not any(counts.values()):
        raise CorpusError(f"{root} lists no clip: render or import some first")
    for split, rows in lines.items():
        if rows:
            (target / split / "metadata.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    return counts
