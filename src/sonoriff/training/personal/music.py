"""A folder of somebody's own music as a corpus to train on: cut, captioned, some of it held out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sonoriff.corpus.importer import ImportReport, audio_files, import_folder, piece_name
from sonoriff.corpus.manifest import Corpus, CorpusClip
from sonoriff.corpus.sidecars import Description, Metadata, describe, read_metadata
from sonoriff.corpus.text import UTF8
from sonoriff.corpus.windows import CLIP_SECONDS
from sonoriff.errors import CorpusError
from sonoriff.files import write_text
from sonoriff.training.data.caches import unique_name

AUTO = "auto"
_HELD_OUT = 0.08
_FEWEST_FILES, _FEWEST_CLIPS = 5, 20
_FEW_CLIPS = 50

Progress = Callable[[int, int], None]
# (path of a clip, what is known of its file, the clip) to the clip with captions of what is heard.
Listener = Callable[[Path, Description, CorpusClip], CorpusClip]


@dataclass(frozen=True)
class OwnMusic:
    """What a folder gave.

    Attributes
    ----------
    corpus : where the clips are
    clips : all of them, training and held out
    warnings : whole sentences for the user
    """

    corpus: Path
    clips: tuple[CorpusClip, ...]
    warnings: tuple[str, ...]

    @property
    def hours(self) -> float:
        """Length of all clips."""
        return len(self.clips) * CLIP_SECONDS / 3600

    @property
    def n_files(self) -> int:
        """Files that gave a clip."""
        return len({clip.source for clip in self.clips})

    @property
    def n_trained(self) -> int:
        """Clips that are not held out."""
        return sum(clip.split == "train" for clip in self.clips)

    def captions(self, count: int) -> list[str]:
        """Up to `count` captions for samples, the most common first, each only once."""
        tally = Counter(clip.captions[0] for clip in self.clips)
        return [text for text, _ in tally.most_common(count)]

    def digest(self) -> str:
        """Short name of exactly these clips, captions and splits."""
        text = "\n".join(clip.to_json() for clip in self.clips)
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def corpus_folder(folder: Path, work: Path) -> Path:
    """Where the clips of a folder are kept between runs."""
    return work / "own" / unique_name(folder)


def gather(
    folder: Path,
    work: Path,
    *,
    caption: str | None = None,
    listener: Listener | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> OwnMusic:
    """Import a folder, write captions, hold some files out; what was done before is not repeated.

    Parameters
    ----------
    folder : audio in any sub-folders, captions beside it (see `sonoriff.corpus.sidecars`)
    work : where clips are kept
    caption : one caption for all clips; None takes what the folder says; "auto" lets `listener`
        add to that
    progress : told (files done, files)

    Raises
    ------
    CorpusError
        no folder, no audio, damaged captions, or nothing that can be trained on; it says why
    """
    root = corpus_folder(folder, work)
    files = audio_files(folder)
    metadata = read_metadata(folder, files)
    warnings = _captions_without_files(folder, files, metadata)
    report = import_folder(folder, root, workers=workers, progress=progress)
    warnings += _left_out(report)
    pieces = {piece_name(path, folder): path for path in files}
    corpus = Corpus(root)
    found = list(corpus.clips()) if corpus.metadata.exists() else []
    clips = [clip for clip in found if clip.piece in pieces]
    if not clips:
        raise CorpusError(_why_nothing(folder, root, set(pieces)))
    known = {piece: describe(path, metadata) for piece, path in pieces.items()}
    clips = [_captioned(clip, known[clip.piece], caption) for clip in clips]
    if caption == AUTO and listener is not None:
        clips = _heard(root, clips, known, listener)
    clips, more = _split(clips, known)
    write_text(corpus.metadata, "".join(clip.to_json() + "\n" for clip in clips))
    return OwnMusic(root, tuple(clips), (*warnings, *more))


def _captions_without_files(folder: Path, files: list[Path], metadata: Metadata) -> list[str]:
    lost = sorted(metadata.unmatched)
    if lost and not metadata.by_file:
        raise CorpusError(
            f"{folder}: none of the {len(lost)} files that its metadata names is there, "
            f"{lost[0]} among them: are file_name and the folders right?"
        )
    stems = {path.with_suffix("") for path in files}
    lost += sorted(str(p) for p in folder.rglob("*.txt") if p.with_suffix("") not in stems)
    if not lost:
        return []
    return [f"{len(lost)} captions belong to no sound file and are not used: {lost[0]}"]


def _left_out(report: ImportReport) -> list[str]:
    said = []
    other = {name: n for name, n in report.encodings.items() if name != UTF8}
    said += [f"{n} captions are in {name} and were read as that" for name, n in other.items()]
    if report.unreadable:
        reason = report.unreadable[0][1]
        said.append(f"{len(report.unreadable)} files cannot be read and are left out: {reason}")
    if report.too_short:
        said.append(f"{len(report.too_short)} files are shorter than a second and are left out")
    if report.silent:
        said.append(f"{report.silent} silent clips are left out")
    if report.copies:
        said.append(f"{report.copies} clips that are copies of others are left out")
    return said


def _why_nothing(folder: Path, root: Path, pieces: set[str]) -> str:
    dropped = root / "dropped.txt"
    lines = dropped.read_text("utf-8").splitlines() if dropped.exists() else []
    reasons = Counter(
        reason for piece, _, reason in (line.partition("\t") for line in lines) if piece in pieces
    )
    said = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common(3))
    return f"{folder} gives nothing to train on: of {len(pieces)} files, {said or 'none is usable'}"


def _captioned(clip: CorpusClip, known: Description, caption: str | None) -> CorpusClip:
    """The clip with one caption, and one more that names its tempo where that is known."""
    texts = (caption,) if caption not in (None, AUTO) else known.captions
    captions = tuple(text for text in texts if text)
    bpm = clip.facts.bpm
    if bpm and not any("bpm" in text.lower() for text in captions):
        captions = (*captions, f"{captions[0]}, {round(bpm)} bpm")
    return replace(clip, captions=captions)


def _heard(
    root: Path, clips: list[CorpusClip], known: dict[str, Description], listener: Listener
) -> list[CorpusClip]:
    """Captions of what is heard; each clip is listened to once."""
    store = root / "heard.jsonl"
    lines = store.read_text("utf-8").splitlines() if store.exists() else []
    before = {(c.file_name, c.piece): c for c in map(CorpusClip.from_json, lines)}
    out = []
    with store.open("a", encoding="utf-8") as stream:
        for clip in clips:
            done = before.get((clip.file_name, clip.piece))
            if done is None:
                done = listener(root / clip.file_name, known[clip.piece], clip)
                stream.write(json.dumps(json.loads(done.to_json())) + "\n")
            out.append(replace(clip, captions=done.captions, facts=done.facts))
    return out


def _split(
    clips: list[CorpusClip], known: dict[str, Description]
) -> tuple[list[CorpusClip], list[str]]:
    """Hold out whole files, or the ends of few long ones; what the captions say comes first."""
    said = {piece: d.split for piece, d in known.items() if d.split in ("validation", "test")}
    sources = sorted({c.source for c in clips if c.piece not in said}, key=_order)
    warnings = []
    held: set[str] = set()
    if said:
        held = {clip.file_name for clip in clips if clip.piece in said}
    elif len(sources) >= _FEWEST_FILES:
        apart = set(sources[: max(1, round(_HELD_OUT * len(sources)))])
        held = {clip.file_name for clip in clips if clip.source in apart}
    elif len(clips) >= _FEWEST_CLIPS:
        for source in sources:
            own = [clip.file_name for clip in clips if clip.source == source]
            held |= set(own[len(own) - round(_HELD_OUT * len(own)) :])
    else:
        warnings.append(
            f"only {len(sources)} files with {len(clips)} clips: none is held out, so nothing "
            "tells whether the model learns them by heart"
        )
    if len(clips) < _FEW_CLIPS:
        warnings.append(
            f"{len(clips)} clips ({len(clips) * CLIP_SECONDS / 60:.1f} minutes) are little: expect "
            "the model to repeat them; half an hour or more is better"
        )
    if len(held) == len(clips):
        raise CorpusError("every clip is held out: the captions leave nothing to train on")
    return [
        replace(clip, split="validation" if clip.file_name in held else "train") for clip in clips
    ], warnings


def _order(source: str) -> bytes:
    return hashlib.blake2b(source.encode("utf-8", "surrogateescape"), digest_size=8).digest()
