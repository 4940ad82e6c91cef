"""Figures of songs, made with any model and no corpus: what `docs/song.md` shows."""

from __future__ import annotations

import hashlib
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.beats import SAMPLE_RATE
from sonoriff.audio import AUDIO_SUFFIXES, read_audio, resample
from sonoriff.errors import ParameterError
from sonoriff.evaluation.judges import form
from sonoriff.evaluation.seams import seam_scores
from sonoriff.files import write_text
from sonoriff.models.protocol import Model
from sonoriff.music import bar_seconds, fifths_apart, parse_key, scale_of_key
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.latent_codec import model_facts
from sonoriff.pipeline.settings import OnProgress, Sampling
from sonoriff.songs.document import toml_from_song
from sonoriff.songs.plan import TRANSITIONS, Song
from sonoriff.songs.render import RENDERING, SHAPING, render_song
from sonoriff.songs.wish import plan_song
from sonoriff.version import __version__

# What people ask for: styles, moods, tempi and keys; the form follows from the style, or is named.
WISHES: tuple[tuple[str, dict[str, str]], ...] = (
    ("lo-fi hip hop, rainy night", {}),
    ("techno, 132 bpm", {}),
    ("rock with electric guitar", {}),
    ("jazz piano trio", {}),
    ("calm ambient pads", {}),
    ("orchestra, film music", {}),
    ("blues guitar", {}),
    ("acoustic folk, guitar and fiddle", {}),
    ("house with piano chords", {}),
    ("solo piano, sad", {}),
    ("reggae, sunny", {}),
    ("drum and bass, 174 bpm", {}),
    ("string quartet in D minor", {"form": "AABA"}),
    ("pop ballad", {}),
    ("heavy metal", {}),
    ("bossa nova, nylon guitar", {}),
    ("trance with synth lead", {}),
    ("country, banjo", {}),
    ("synthwave, night drive", {}),
    ("church organ", {"form": "through-composed"}),
    ("funk with slap bass", {}),
    ("chiptune", {"energy": "rising"}),
    ("swing big band", {}),
    ("meditation, soft bells", {}),
    ("epic trailer, brass and drums", {}),
    ("latin salsa, trumpet and congas", {}),
    ("dubstep", {}),
    ("waltz, accordion", {}),
    ("soul with organ", {}),
    ("flute and harp", {"mood": "calm"}),
    ("disco, strings", {}),
    ("minimal electronic", {"mood": "dark"}),
    ("indie rock, 120 bpm in E minor", {}),
    ("baroque harpsichord", {}),
    ("hip hop beat, 90 bpm", {"mood": "driving"}),
    ("choir, slow", {"form": "through-composed"}),
    ("marching band", {"mood": "heroic"}),
    ("world music, sitar and tabla", {"form": "AABA"}),
    ("cello, tense film scene", {"mood": "tense"}),
    ("electro pop, 118 bpm in C major", {"energy": "falling"}),
)
_TWO_MINUTES_S = 120.0
# Of a recorded piece.
_HEARD_S = 150.0
# Beyond this a join can be heard, unless music does the same without one.
_SEAM = 2.0
_OF_RETURNS, _OF_OTHERS = "likeness of returns", "likeness of others"
# Of what is kept of a song: another number wherever it comes to be measured otherwise.
_MEASURES = 3


@dataclass(frozen=True, kw_only=True)
class SongEvaluation:
    """What is measured with.

    Attributes
    ----------
    wishes : this many of the evaluation's own, in [1, 40]
    length_s : of each song
    num_inference_steps : None takes the model's own
    """

    wishes: int = len(WISHES)
    length_s: float = 60.0
    num_inference_steps: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.wishes <= len(WISHES):
            raise ParameterError(f"there are {len(WISHES)} wishes, got {self.wishes}")
        self.songs()  # a length that makes no song is refused before any work

    def songs(self) -> list[Song]:
        """The plans; every transition gets its turn."""
        made = []
        for i, (wish, more) in enumerate(WISHES[: self.wishes]):
            song = plan_song(wish, length_s=self.length_s, seed=i, **more)  # type: ignore[arg-type]
            sections = tuple(
                replace(section, transition=TRANSITIONS[(i + j) % len(TRANSITIONS)])
                for j, section in enumerate(song.sections)
            )
            made.append(replace(song, sections=sections))
        return made


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes
    ----------
    value : None where nothing could be measured
    wanted : in words
    count : of what it was measured on
    """

    name: str
    value: float | None
    wanted: str
    count: int


def measure_song(song: Song, clip: Clip) -> dict[str, Any]:
    """Everything that is measured of one song, as plain values."""
    sound, rate = clip.waveform, clip.sample_rate
    bar_s = song.duration_s / song.bars
    bounds = [bar * bar_s for bar in song.first_bars()]
    sections = [song.resolved(i) for i in range(len(song.sections))]
    asked = [float(np.mean(s.energy)) if s.energy else None for s in sections]
    ending = form.ending_of_song(sound, rate, song.bpm)
    return {
        "asked": asked,
        "energy": form.section_energies(sound, rate, bounds),
        "energy, levelled": form.section_energies(sound, rate, bounds, levelled=True),
        **_likeness(song, sound, rate),
        "key": song.key,
        "keys": [
            form.heard_key(sound[:, round(a * rate) : round(b * rate)], rate)
            for a, b in itertools.pairwise(bounds)
        ],
        "tempo error": form.tempo_error(sound, rate, song.bpm),
        **_joins(song, sound, rate, bounds),
        "falls": ending.falls,
        "rings out": ending.rings_out,
    }


def _likeness(song: Song, sound: npt.NDArray[np.float32], rate: int) -> dict[str, list[float]]:
    """How alike sections are that return, and others, by pairs."""
    features = form.beat_features(sound, rate, song.bpm, 4 * song.bars)
    edges = [4 * bar for bar in song.first_bars()]
    found: dict[str, list[float]] = {_OF_RETURNS: [], _OF_OTHERS: []}
    for i, j in itertools.combinations(range(len(song.sections)), 2):
        spans = (edges[i], edges[i + 1]), (edges[j], edges[j + 1])
        kind = _OF_RETURNS if song.original(i) == song.original(j) else _OF_OTHERS
        found[kind].append(form.section_likeness(features, *spans))
    return found


def _joins(
    song: Song, sound: npt.NDArray[np.float32], rate: int, bounds: list[float]
) -> dict[str, Any]:
    """Seam scores by transition, and those of the bar lines that the joins were compared with.

    Every section begins on a bar line, where more is struck than on other beats.
    """
    lines = bounds[1:-1]
    if not lines:
        return {"seams": [], "elsewhere": []}
    bars = [bar * bar_seconds(song.bpm) for bar in range(song.bars)]
    scores, elsewhere = seam_scores(sound, rate, lines, bars)
    kinds = [section.transition for section in song.sections]
    return {"seams": [list(pair) for pair in zip(kinds, scores, strict=False)],
            "elsewhere": elsewhere}  # fmt: skip


def measured_songs(
    model: Model,
    settings: SongEvaluation,
    *,
    work: Path,
    sheet: Path | None = None,
    on_progress: OnProgress | None = None,
) -> list[dict[str, Any]]:
    """Measures of every song; those that a run before this one made are taken from `work`.

    Parameters
    ----------
    work : folder, made if missing; it keeps what is painted, too
    sheet : folder for the sonogram and the plan of each song that is rendered now
    on_progress : told of each song
    """
    songs = settings.songs()
    work.mkdir(parents=True, exist_ok=True)
    if sheet is not None:
        sheet.mkdir(parents=True, exist_ok=True)
    sampling = Sampling(num_inference_steps=settings.num_inference_steps).resolved(model)
    found = []
    for i, song in enumerate(songs):
        path = work / f"{_digest(model, song, sampling)}.json"
        measures = _kept(path) if sheet is None else None
        if measures is None:
            clip = render_song(model, song, sampling, cache=work / "cache")
            measures = measure_song(song, clip)
            write_text(path, json.dumps(measures))
            if sheet is not None:
                clip.save(sheet / f"{i + 1:02}.png")
                clip.save(sheet / f"{i + 1:02}.flac")
                write_text(sheet / f"{i + 1:02}.toml", toml_from_song(song))
        found.append(measures)
        if on_progress is not None:
            on_progress(i + 1, len(songs))
    return found


def _kept(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _digest(model: Model, song: Song, sampling: Sampling) -> str:
    made_by = [model_facts(model), RENDERING, SHAPING, _MEASURES, __version__]
    facts = [toml_from_song(song), *made_by, sampling.to_dict()]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]


def figures_of_songs(measures: list[dict[str, Any]]) -> list[Figure]:
    """The table of all songs."""
    levels = [_ranks(m, "energy") for m in measures]
    levelled = [_ranks(m, "energy, levelled") for m in measures]
    returns = [x for m in measures for x in m[_OF_RETURNS]]
    others = [x for m in measures for x in m[_OF_OTHERS]]
    pairs = [m for m in measures if m[_OF_RETURNS] and m[_OF_OTHERS]]
    keys = [[key for key in m["keys"] if key is not None] for m in measures]
    fifths = [
        fifths_apart(heard, scale_of_key(*parse_key(m["key"])))
        for m, heard_keys in zip(measures, keys, strict=True)
        for heard in heard_keys
        if m["key"]
    ]
    held = [x for heard in keys for x in _fifths_from_usual(heard)]
    errors = [m["tempo error"] for m in measures if m["tempo error"] is not None]
    figures = [
        _mean("energy asked and measured, rank correlation in a song", levels, "0.9 or more"),
        _mean("the same, sections brought to one loudness", levelled, "as high as may be"),
        _mean("likeness of a section and its return", returns, "near 1"),
        _mean("likeness of other sections", others, "below that"),
        _share(
            "songs whose returns are more alike than its other sections, %",
            [min(m[_OF_RETURNS]) > float(np.mean(m[_OF_OTHERS])) for m in pairs],
            "100",
        ),
        _share("sections in the key that most of their song is in, %", [x == 0 for x in held], ""),
        _share("sections in it or a fifth away, %", [x <= 1 for x in held], "95 or more"),
        _share("sections in the key of the plan, %", [x == 0 for x in fifths], ""),
        _share("sections in that or a fifth away, %", [x <= 1 for x in fifths], ""),
        _share("songs with a pulse to measure, %", [m["tempo error"] is not None
                                                    for m in measures], ""),
        Figure("greatest error of their tempo, %", 100 * max(errors) if errors else None,
               "below 0.5", len(errors)),
    ]  # fmt: skip
    for kind in TRANSITIONS:
        scores = [score for m in measures for name, score in m["seams"] if name == kind]
        figures.append(_mean(f"join, {kind}, mean z", scores, "as elsewhere"))
        above = [score > _SEAM for score in scores]
        figures.append(_share(f"join, {kind}, above {_SEAM:g}, %", above, "as elsewhere"))
    elsewhere = [x for m in measures for x in m["elsewhere"]]
    figures += [
        _mean("other bar lines, mean z", elsewhere, ""),
        _share(f"other bar lines, above {_SEAM:g}, %", [x > _SEAM for x in elsewhere], ""),
        _share("last bar softer than the one before, %", [m["falls"] for m in measures], "95"),
        _share("nothing is cut off at the end, %", [m["rings out"] for m in measures], "95"),
    ]
    return figures


def _fifths_from_usual(heard: list[int]) -> list[int]:
    """Fifths of each section's key from the one that most sections have."""
    if not heard:
        return []
    usual = max(heard, key=heard.count)
    return [fifths_apart(key, usual) for key in heard]


def _ranks(measures: dict[str, Any], name: str) -> float | None:
    pairs = [
        (a, b) for a, b in zip(measures["asked"], measures[name], strict=True) if a is not None
    ]
    return form.rank_correlation([a for a, _ in pairs], [b for _, b in pairs])


def _mean(name: str, values: Iterable[float | None], wanted: str) -> Figure:
    known = [value for value in values if value is not None]
    return Figure(name, float(np.mean(known)) if known else None, wanted, len(known))


def _share(name: str, values: Iterable[bool], wanted: str) -> Figure:
    known = list(values)
    return Figure(name, 100.0 * float(np.mean(known)) if known else None, wanted, len(known))


def reference_figure(folder: Path, *, on_progress: OnProgress | None = None) -> Figure:
    """How alike returns are in recorded pieces: the files of a folder and of those below it.

    Raises
    ------
    ParameterError
        no file in it is a piece of music with a pulse, of 64 beats or more
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    found = []
    for i, path in enumerate(paths):
        read, rate = read_audio(path, duration_s=_HEARD_S, max_channels=2)
        found.append(form.best_return(resample(read, rate, SAMPLE_RATE), SAMPLE_RATE))
        if on_progress is not None:
            on_progress(i + 1, len(paths))
    if all(likeness is None for likeness in found):
        raise ParameterError(f"no music of 64 beats or more in {folder}")
    return _mean("likeness of the likeliest return, recordings", found, "")


def cost_figures(
    model: Model,
    settings: SongEvaluation,
    *,
    length_s: float = _TWO_MINUTES_S,
    on_progress: OnProgress | None = None,
) -> list[Figure]:
    """What a song costs beside as many windows as fill its length, and what an edit costs.

    Processor time of all threads, so that other work on the machine does not count; on a
    graphics card, time.
    """
    count = max(1, round(length_s / model.params.duration_s(model.window_frames)))
    clock = time.process_time if model.device == "cpu" else time.perf_counter
    song = plan_song(WISHES[0][0], length_s=length_s)
    song = replace(song, sections=tuple(replace(s, like=None) for s in song.sections))
    sampling = Sampling(num_inference_steps=settings.num_inference_steps).resolved(model)

    def tell(done: int) -> None:
        if on_progress is not None:
            on_progress(done, 3)

    def took(make: Callable[[], Any]) -> float:
        began = clock()
        make()
        return clock() - began

    def windows() -> None:
        for seed in range(count):
            one = GenerateSettings(prompt=WISHES[0][0], bpm=song.bpm, seed=seed)
            _ = generate(model, replace(one, num_inference_steps=settings.num_inference_steps)
                         ).waveform  # fmt: skip

    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        whole_s = took(lambda: render_song(model, song, sampling, cache=cache).waveform)
        tell(1)
        pieces = len(list(cache.glob("*.npy")))
        edited = song.sections[1], replace(song.sections[1], seed=12345)
        sections = tuple(edited[1] if s is edited[0] else s for s in song.sections)
        again = replace(song, sections=sections)
        again_s = took(lambda: render_song(model, again, sampling, cache=cache).waveform)
        tell(2)
        new = len(list(cache.glob("*.npy"))) - pieces
    windows_s = took(windows)
    tell(3)
    return [
        Figure(f"{length_s:g} s of song, processor seconds", whole_s, "", 1),
        Figure(f"{count} windows, processor seconds", windows_s, "", 1),
        Figure("beyond the windows, processor seconds", whole_s - windows_s, "12 at most", 1),
        Figure("sections and joins painted after one reroll", float(new), "3 at most", 1),
        Figure("a render after one reroll, processor seconds", again_s, "", 1),
    ]


def figure_lines(figures: Iterable[Figure]) -> Iterator[str]:
    """A table in Markdown."""
    yield "| what | value | wanted | of |"
    yield "|---|---|---|---|"
    for f in figures:
        value = "" if f.value is None else f"{f.value:.3g}"
        yield f"| {f.name} | {value} | {f.wanted} | {f.count} |"


def songs_json(
    model: Model,
    settings: SongEvaluation,
    figures: list[Figure],
    measures: list[dict[str, Any]],
) -> str:
    """All figures and what they were made of, for a program."""
    content = {
        "version": 1,
        **model_facts(model),
        "settings": asdict(settings),
        "figures": [asdict(f) for f in figures],
        "songs": [
            {"wish": wish, **m} for (wish, _), m in zip(WISHES, measures, strict=False)
        ],
    }  # fmt: skip
    return json.dumps(content, indent=1) + "\n"
