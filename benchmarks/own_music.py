"""A folder of somebody's music to teach a model: an hour of a free album that Debian ships.

    python -m benchmarks.own_music supertuxkart-data ~/own-kart
    sonoriff train lora ~/own-kart -o kart
    sonoriff evaluate own ~/own-kart kart

Choose an album that the base was not trained on (its card names those). Whole tracks are held out
until these last a quarter of an hour, the next ones are trained on.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import soundfile

from sonoriff_composer.catalogue import PACKAGES
from sonoriff_composer.debian import SOURCES, fetch
from sonoriff_composer.recordings import tracks_of

HELD_OUT_S, TRAINED_S = 900.0, 3600.0
# Of another kind than the rest of their album, or its other versions.
LEFT_OUT = {
    *("traveling_minstrels.ogg", "menu.opus", "menu_enhanced.opus", "track3_enhanced.opus"),
}
# The same piece at another speed must not be on both sides.
FASTER = ("_fast", "_f")


def make(package: str, folder: Path) -> None:
    """Link the tracks into `folder` and write what they are into its metadata.jsonl."""
    album = next(album for album in PACKAGES if album.package == package)
    tracks = [
        found
        for found in tracks_of(album, fetch(package, SOURCES))
        if found.track.file not in LEFT_OUT and not found.path.stem.endswith(FASTER)
    ]
    tracks.sort(key=lambda found: hashlib.md5(found.track.file.encode()).hexdigest())
    seconds = {"validation": 0.0, "train": 0.0}
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for found in tracks:
        split = "validation" if seconds["validation"] < HELD_OUT_S else "train"
        if seconds["train"] >= TRAINED_S:
            break
        seconds[split] += soundfile.info(str(found.path)).duration
        track, target = found.track, folder / found.track.file
        if not target.exists():
            os.link(found.path, target)
        moods = [" ".join((*track.moods, track.genre)).strip()] if track.moods else []
        row = {
            "file_name": track.file,
            "captions": [*track.phrases[:1], *moods, *track.phrases[1:3]],
            "split": split,
            "licence": album.licence,
            "credit": f"{target.stem} by {track.credit or album.credit}, from {album.title}",
        }
        lines.append(json.dumps(row) + "\n")
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]))
