"""Real recorded music under free licences, from the music packages of Debian's games."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sonoriff.corpus.importer import Collector, ImportReport, Work
from sonoriff.corpus.manifest import ClipLabels, CorpusClip
from sonoriff.corpus.sidecars import Description
from sonoriff.corpus.splits import split_of
from sonoriff_composer.captions import captions_for, moods_of
from sonoriff_composer.catalogue import PACKAGES, Album, Track
from sonoriff_composer.debian import AUDIO_SUFFIXES, fetch
from sonoriff_composer.score import seeded

PREFIX = "recording-"
# Two versions of one track must fall into one split.
_VARIANT = re.compile(r"(_fast|_f|_enhanced|_revisited|_remake|-old|_)+$")


@dataclass(frozen=True)
class _Found:
    """A track on disk with what the catalogue says of it."""

    path: Path
    album: Album
    track: Track


def tracks_of(album: Album, folder: Path) -> list[_Found]:
    """The album's tracks on disk that the catalogue knows, in order."""
    files = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in AUDIO_SUFFIXES]
    # By its name, or by its folder and name where a file has the name of others.
    paths = {name: p for p in files for name in (p.name, f"{p.parent.name}/{p.name}")}
    return [_Found(paths[t.file], album, t) for t in album.tracks if t.file in paths]


def _work(found: _Found, root: Path) -> Work:
    """A track as a piece of work for the importer."""
    album, track = found.album, found.track
    # The parts of a song in a folder of its own are one source.
    name = track.file.partition("/")[0]
    stem = _VARIANT.sub("", Path(name).stem)
    source = f"{album.package}/{stem}"
    held_out = album.held_out and album.tracks.index(track) % album.held_out == 0
    facts = ClipLabels(
        genre=track.genre or None,
        style=track.style or None,
        instruments=track.instruments,
        moods=track.moods,
        drums=track.drums,
    )
    title = f"{Path(track.file).stem} by {track.credit or album.credit}"
    known = Description(
        track.phrases,
        facts,
        track.licence or album.licence,
        f"{title}, from {album.title}",
        "test" if held_out else split_of(source),
        "catalogue",
    )
    piece = f"{PREFIX}{album.package}/{track.file}"
    return Work(found.path, piece, source, known, root, album.most, -18.0)


def _captions(description: Description, facts: ClipLabels, file_name: str) -> tuple[str, ...]:
    """Captions from the hand-written facts, with some of the hand-written phrases."""
    rng = seeded("recording", file_name)
    calm = facts.genre in ("ambient", "orchestral")
    tempo = () if calm or not facts.bpm else moods_of(ClipLabels(bpm=facts.bpm, drums=facts.drums))
    moods = (*facts.moods, *(m for m in tempo if m == "fast" and m not in facts.moods))
    phrases = list(description.captions)
    rng.shuffle(phrases)
    if phrases and facts.bpm and not calm:
        phrases[0] = f"{phrases[0]}, {round(facts.bpm)} bpm"
    on_progress = replace(facts, moods=moods, bpm=None if calm else facts.bpm)
    return captions_for(rng, on_progress, tuple(phrases[:3])) or description.captions


def captions_again(clip: CorpusClip) -> tuple[str, ...]:
    """A collected clip's captions as the catalogue and the rules of today write them.

    What the catalogue no longer knows keeps the captions it has.
    """
    package, _, file = clip.piece.removeprefix(PREFIX).partition("/")
    tracks = (t for a in PACKAGES if a.package == package for t in a.tracks if t.file == file)
    track = next(tracks, None)
    if track is None:
        return clip.captions
    return _captions(Description(track.phrases), clip.facts, clip.file_name)


def collect(
    root: Path,
    sources: Path,
    *,
    workers: int = 1,
    packages: tuple[str, ...] = (),
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Fetch the packages of the catalogue and put their music into a corpus; resumable.

    Parameters
    ----------
    root : the corpus
    sources : where downloaded packages are kept, some 1.4 GB
    workers : processes
    packages : names of packages; all of the catalogue by default
    progress : called with (tracks done, tracks)

    Raises
    ------
    SetupError
        no Debian system, no network, or a full disk
    """
    queue = []
    for album in PACKAGES:
        if packages and album.package not in packages:
            continue
        folder = fetch(album.package, sources)
        queue += [_work(found, root) for found in tracks_of(album, folder)]
    return Collector(root, _captions).run(queue, workers, progress)
