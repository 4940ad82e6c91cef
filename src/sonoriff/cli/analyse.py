"""`sonoriff analyse`: what is heard in a sound."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonoriff.cli import options
from sonoriff.cli.batch import Job, find_sources, run_jobs
from sonoriff.cli.plain import plain
from sonoriff.errors import ParameterError

if TYPE_CHECKING:
    from sonoriff.pipeline.analyse import Analysis


@dataclass(frozen=True, kw_only=True)
class _Wishes:
    start: float
    duration: float | None
    as_json: bool
    labels: Path | None
    midi: Path | None


def analyse(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Sound files, folders or globs.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all of it as JSON, one line a file.")
    ] = False,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write bars and chords as labels for Audacity."),
    ] = None,
    midi: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write tempo, bars and chords as MIDI, for a DAW."),
    ] = None,
    start: Annotated[float, typer.Option(help="Where to begin.", metavar="SECONDS", min=0.0)] = 0.0,
    duration: Annotated[
        float | None, typer.Option(help="How much to take.", metavar="SECONDS", min=0.001)
    ] = None,
    jobs: options.Jobs = 1,
) -> None:
    """Hear tempo, beats, bars, key, chords, energy and loudness of a sound.

    \b
    Examples:
      sonoriff analyse song.mp3
      sonoriff analyse song.mp3 --midi song.mid --labels song.txt
      sonoriff analyse my-music/ --json > all.jsonl
    """
    from sonoriff.audio import AUDIO_SUFFIXES

    sources = find_sources(inputs, AUDIO_SUFFIXES)
    if len(sources) > 1 and (labels or midi):
        raise ParameterError("labels and MIDI are written for one sound at a time")
    wishes = _Wishes(start=start, duration=duration, as_json=as_json, labels=labels, midi=midi)
    planned = [Job(source.path, source.path) for source in sources]
    run_jobs(partial(_analyse_file, wishes), planned, n_processes=jobs, bar=False)


def _analyse_file(wishes: _Wishes, job: Job) -> str:
    from sonoriff.audio import read_audio
    from sonoriff.files import write_bytes, write_text
    from sonoriff.pipeline.analyse import (
        MAX_SECONDS,
        analyse,
        labels_from_analysis,
        midi_from_analysis,
    )

    waveform, rate = read_audio(
        job.source,
        start_s=wishes.start,
        duration_s=wishes.duration,
        max_seconds=MAX_SECONDS,
        max_channels=2,
    )
    found = analyse(waveform, rate)
    midi = midi_from_analysis(found) if wishes.midi else None
    if wishes.labels:
        write_text(wishes.labels, labels_from_analysis(found))
    if wishes.midi and midi is not None:
        write_bytes(wishes.midi, midi)
    if wishes.as_json:
        facts = {"file": str(job.source), **found.to_dict()}
        return plain(json.dumps(facts, ensure_ascii=False))
    return "\n".join([str(job.source), *_lines(found)])


def _lines(found: Analysis) -> list[str]:
    tempo = "none that is clear"
    if found.bpm is not None:
        tempo = f"{found.bpm:.1f} bpm, {len(found.bars_s)} bars of four, the first at "
        tempo += f"{found.bars_s[0]:.2f} s"
    loudness = "silent" if found.loudness_lufs is None else f"{found.loudness_lufs:.1f} LUFS"
    chords = " ".join(str(span.what) for span in found.chords) or "none"
    return [
        f"  length    {found.duration_s:.2f} s, {loudness}",
        f"  tempo     {tempo}",
        f"  key       {found.key or 'none that is clear'}",
        f"  chords    {chords}",
        f"  energy    {found.energy} of 5, by stretches "
        + " ".join(str(span.what) for span in found.energies),
    ]
