"""The table of an evaluation: figures of each row, as text and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from sonoriff.evaluation.model.scores import Figures

FORMAT_VERSION = 1
# Figures that are also given as a share of another row's.
_OF_REAL = (
    *("genre_top1", "genre_top5", "instrument_recall"),
    *("agreement", "agreement_new", "tempo", "key_score"),
)
_OF_CEILING = ("fad_MTT", "fad_MSD")


@dataclass(frozen=True)
class Line:
    """One measure in the printed table; `better` says which way is good, or what to be like."""

    name: str
    title: str
    digits: int
    better: str


LINES = (
    Line("clips", "clips", 0, ""),
    Line("fad_MTT", "FAD∞, musicnn MTT", 1, "low"),
    Line("fad_MTT_of_ceiling", "... times the ceiling's", 2, "low"),
    Line("fad_MSD", "FAD∞, musicnn MSD", 1, "low"),
    Line("fad_MSD_of_ceiling", "... times the ceiling's", 2, "low"),
    Line("kad_MTT", "KAD x 1000, musicnn MTT", 2, "low"),
    Line("kad_MSD", "KAD x 1000, musicnn MSD", 2, "low"),
    Line("genre_top1", "asked genre heard first, %", 1, "high"),
    Line("genre_top5", "asked genre among five, %", 1, "high"),
    Line("instrument_recall", "asked instruments heard, %", 1, "high"),
    Line("agreement", "genre or instrument heard, %", 1, "high"),
    Line("agreement_of_real", "... % of what real clips get", 1, "high"),
    Line("agreement_new_of_real", "... the same for captions not in training", 1, "high"),
    Line("classes", "different genres and instruments asked", 0, ""),
    Line("tags_MTT", "musicnn MTT hears the tag, % (chance 50)", 1, "high"),
    Line("tags_MSD", "musicnn MSD hears the tag, % (chance 50)", 1, "high"),
    Line("asked_tempos", "prompts that name a tempo", 0, ""),
    Line("tempo", "tempo within 4 %, octaves apart, %", 1, "high"),
    Line("tempo_exact", "tempo within 4 %, %", 1, "high"),
    Line("asked_keys", "prompts that name a key", 0, ""),
    Line("key_exact", "key, %", 1, "high"),
    Line("key_score", "key, MIREX score, %", 1, "high"),
    Line("pulse_clarity", "pulse clarity, 0-1", 3, "as real"),
    Line("onset_sharpness", "onset sharpness, 0-1", 3, "as real"),
    Line("line_sharpness_db", "harmonic lines stand out, dB", 2, "as real"),
    Line("loudness_lufs", "loudness, median LUFS", 1, "as real"),
    Line("loudness_spread_db", "loudness, spread, dB", 1, "as real"),
    Line("diversity", "unlike one another, % of all music", 1, "as real"),
    Line("nearest_training", "likeness to nearest training clip", 3, "as real"),
    Line("copies", "nearer than 99 % of real clips, %", 1, "about 1"),
    Line("autoencoder_db", "mean error of the autoencoder, dB", 2, "low"),
    Line("seconds_per_clip", "seconds a clip", 2, "low"),
    Line("times_real_time", "times real time", 1, "high"),
)


@dataclass(frozen=True)
class Table:
    """Figures by row and name, and the facts they depend on.

    Attributes
    ----------
    rows : name of the row -> name of the figure -> value; NaN where it does not apply
    facts : corpus, sizes, model, settings, machine; JSON types
    lines : what is printed, in this order, where a row has it
    """

    rows: dict[str, Figures]
    facts: dict[str, Any]
    lines: tuple[Line, ...] = LINES

    def to_json(self) -> str:
        """Every figure; what does not apply is null."""
        rows = {
            row: {k: None if math.isnan(v) else round(v, 5) for k, v in figures.items()}
            for row, figures in self.rows.items()
        }
        content = {"version": FORMAT_VERSION, "rows": rows, "facts": self.facts}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    def to_text(self) -> str:
        """A table in Markdown, a line for each measure and a column for each row."""
        used = [line for line in self.lines if any(line.name in f for f in self.rows.values())]
        cells = [["", *self.rows, "good"]]
        for line in used:
            values = (_cell(figures, line) for figures in self.rows.values())
            cells.append([line.title, *values, line.better])
        widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
        lines = [_markdown(row, widths) for row in cells]
        rule = ["-" * widths[0], *(f"{'-' * (w - 1)}:" for w in widths[1:-1]), "-" * widths[-1]]
        return "\n".join([lines[0], _markdown(rule, widths), *lines[1:]]) + "\n"


def with_shares(rows: dict[str, Figures]) -> dict[str, Figures]:
    """The rows with their figures as shares of those of the rows "real" and "ceiling"."""
    result = {}
    for name, figures in rows.items():
        found = dict(figures)
        for key in _OF_REAL:
            if "real" in rows and key in figures:
                found[f"{key}_of_real"] = 100.0 * _ratio(figures[key], rows["real"][key])
        for key in _OF_CEILING:
            if "ceiling" in rows and key in figures:
                found[f"{key}_of_ceiling"] = _ratio(figures[key], rows["ceiling"][key])
        result[name] = found
    return result


def _ratio(value: float, by: float) -> float:
    return value / by if by > 0 else math.nan


def _cell(figures: Figures, line: Line) -> str:
    value = figures.get(line.name, math.nan)
    if math.isnan(value):
        return "-"
    text = f"{value:.{line.digits}f}"
    error = figures.get(line.name.replace("kad_", "kad_error_"), math.nan)
    return f"{text} ± {error:.{line.digits}f}" if line.name.startswith("kad_") else text


def _markdown(cells: list[str], widths: list[int]) -> str:
    first, *middle, last = cells
    padded = [first.ljust(widths[0])]
    padded += [cell.rjust(width) for cell, width in zip(middle, widths[1:-1], strict=True)]
    return "| " + " | ".join([*padded, last.ljust(widths[-1])]) + " |"
