"""What a corpus holds: counts by genre, instrument, split, tempo and licence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sonoriff.corpus.manifest import SPLITS, Corpus
from sonoriff.corpus.windows import CLIP_SECONDS
from sonoriff.errors import CorpusError


@dataclass
class Report:
    """Counts of one corpus."""

    clips: int = 0
    missing: int = 0
    hours: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    genres: dict[str, Counter[str]] = field(default_factory=dict)
    instruments: Counter[str] = field(default_factory=Counter)
    leads: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    credits: Counter[str] = field(default_factory=Counter)
    captions: int = 0
    distinct_captions: int = 0
    no_drums: int = 0
    loops: int = 0
    with_tempo: int = 0
    sources: int = 0
    shared_sources: tuple[str, ...] = ()


def report_of(root: Path, *, check_files: bool = False) -> Report:
    """Count everything in a corpus.

    Parameters
    ----------
    root : the corpus folder
    check_files : also look whether every listed file is there

    Raises
    ------
    CorpusError
        there is no corpus, or it is empty
    """
    out = Report()
    captions: set[str] = set()
    sources: dict[str, set[str]] = {}
    for clip in Corpus(root).clips():
        facts = clip.facts
        out.clips += 1
        out.missing += check_files and not (root / clip.file_name).exists()
        out.hours[facts.kind] += CLIP_SECONDS / 3600  # type: ignore[assignment]
        out.splits[clip.split] += 1
        out.genres.setdefault(facts.genre or "(none)", Counter())[clip.split] += 1
        out.instruments.update(facts.instruments)
        out.leads.update([facts.lead] if facts.lead else [])
        out.licences[clip.licence] += 1
        out.credits[clip.credit] += 1
        out.captions += len(clip.captions)
        captions.update(clip.captions)
        out.no_drums += facts.drums is False
        out.loops += facts.loop
        out.with_tempo += facts.bpm is not None
        sources.setdefault(clip.source, set()).add(clip.split)
    if not out.clips:
        raise CorpusError(f"{root} lists no clip: render or import some first")
    out.distinct_captions, out.sources = len(captions), len(sources)
    out.shared_sources = tuple(sorted(s for s, splits in sources.items() if len(splits) > 1))
    return out


def summary_lines(report: Report) -> list[str]:
    """The report's figures as lines of text."""
    shares = ", ".join(f"{name} {report.splits[name]}" for name in SPLITS)
    hours = ", ".join(f"{kind} {value:.2f} h" for kind, value in sorted(report.hours.items()))
    lines = [
        f"{report.clips} clips from {report.sources} sources: {hours}",
        f"splits: {shares}; sources in more than one split: {len(report.shared_sources)}",
        f"{len([g for g in report.genres if g != '(none)'])} genres,"
        f" {len(report.instruments)} instruments",
        f"{report.captions} captions, {report.distinct_captions} of them different",
        f"{report.with_tempo} clips with a tempo, {report.loops} whole bars long,"
        f" {report.no_drums} without drums",
    ]
    if report.missing:
        lines.append(f"{report.missing} listed files are missing")
    return lines
