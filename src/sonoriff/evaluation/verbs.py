"""Figures of the verbs, made with any model and no corpus: what `docs/pipeline.md` shows."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.key import chroma_likeness, chroma_of_waveform
from sonoriff.errors import ParameterError
from sonoriff.evaluation.judges.rhythm import beat_contrast
from sonoriff.evaluation.seams import seam_scores
from sonoriff.models.protocol import Model
from sonoriff.pipeline.canvas import OVERLAP
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.extend import ExtendSettings, Side, extend
from sonoriff.pipeline.generate import GenerateSettings, generate, generate_many
from sonoriff.pipeline.guides import facts_from_settings
from sonoriff.pipeline.inpaint import InpaintSettings, area_from_settings, inpaint
from sonoriff.pipeline.latent_codec import picture_from_sonogram
from sonoriff.pipeline.loop import LoopSettings, loop
from sonoriff.pipeline.morph import MorphPoint, MorphSettings, morph
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.pipeline.settings import OnProgress, sampler_names
from sonoriff.pipeline.tiling import window_columns
from sonoriff.sonogram.codec import encode
from sonoriff.sonogram.params import HIFI
from sonoriff.stream.engine import RiffStream
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt

PROMPTS = ("smooth jazz piano trio", "techno, 128 bpm", "solo church organ")
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
_LOW_STRENGTHS = (0.25, 0.5)
FEW_STEPS = (4, 8, 16, 32)
TRUTH_STEPS = 200
# The picture is that of the truth where no more than this share of the way to another seed is left.
SAME_SHARE = 0.1
_MORPH_CLIPS = 5
_LONG_WINDOWS = 2
_STREAM_WINDOWS = 5
# A join whose score is higher can be heard, unless music does the same without a join.
_SEAM = 2.0
_HIGH = "near 1"


Waveform = npt.NDArray[np.float32]
# ``(name, what is wanted, value)`` of one prompt and seed.
Figures = Iterator[tuple[str, str, float]]


@dataclass(frozen=True)
class Measure:
    """One figure over several prompts and seeds.

    Attributes
    ----------
    above : % of the seam scores that are above 2; None for other figures
    """

    name: str
    mean: float
    worst: float
    wanted: str
    count: int
    above: float | None


@dataclass(frozen=True)
class SamplerRow:
    """How near few steps of a sampler come to the truth.

    Attributes
    ----------
    evaluations : of the model
    distance : mean over pixels, in % of the picture's range
    share : of the distance between two seeds, so that 1 is no likeness at all
    """

    sampler: str
    steps: int
    evaluations: int
    distance: float
    share: float


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """What is measured with.

    Attributes
    ----------
    seeds : for each prompt, from 0 on
    num_inference_steps : None takes the model's own
    """

    prompts: tuple[str, ...] = PROMPTS
    seeds: int = 1
    num_inference_steps: int | None = None

    def __post_init__(self) -> None:
        if not self.prompts or self.seeds < 1:
            raise ParameterError("need a prompt and a seed at least")

    def cases(self) -> Iterator[GenerateSettings]:
        """Settings of every prompt with every seed."""
        for prompt, seed in itertools.product(self.prompts, range(self.seeds)):
            yield GenerateSettings(
                prompt=prompt, seed=seed, num_inference_steps=self.num_inference_steps
            )


def evaluate_pipeline(
    model: Model, settings: PipelineSettings, *, on_progress: OnProgress | None = None
) -> Iterator[Measure]:
    """All measures of the verbs, each as soon as all its cases are done.

    Parameters
    ----------
    on_progress : told of every case of every part
    """
    cases = list(settings.cases())
    sources = [generate(model, case) for case in cases]
    parts = (
        *(_reproducibility, _outside, _strengths),
        *(_long_seams, _extend_seams, _loop_seams, _morph, _stream),
    )
    for i, part in enumerate(parts):
        results: dict[tuple[str, str], list[float]] = {}
        for j, (case, source) in enumerate(zip(cases, sources, strict=True)):
            for name, wanted, value in part(model, case, source):
                results.setdefault((name, wanted), []).append(value)
            if on_progress is not None:
                on_progress(i * len(cases) + j + 1, len(parts) * len(cases))
        for (name, wanted), values in results.items():
            above = None
            if name.endswith(", z"):
                above = 100.0 * float(np.mean(np.array(values) > _SEAM))
            mean, worst = float(np.mean(values)), (min if wanted == _HIGH else max)(values)
            yield Measure(name, mean, worst, wanted, len(values), above)


def _shared(case: GenerateSettings) -> dict[str, Any]:
    """Fields of a case that every verb has."""
    return {
        "prompt": case.prompt,
        "seed": case.seed,
        "num_inference_steps": case.num_inference_steps,
    }


def _strengths(model: Model, case: GenerateSettings, source: Clip) -> Figures:
    """How far a remix of another seed lies from its source."""
    for strength in STRENGTHS:
        settings = RemixSettings(**_shared(case), strength=strength)
        settings = replace(settings, seed=case.seed + 1000)
        made, bpm = remix(model, source, settings), _bpm(model, case)
        distance = picture_distance(made, source)
        yield f"distance from the source, strength {strength:g}, %", "grows", distance
        if bpm is not None and strength in _LOW_STRENGTHS:
            ours, theirs = (_contrast(clip, bpm) for clip in (made, source))
            name = f"remix, strength {strength:g}, how clear the source's beats stay, %"
            yield name, "near 100", 100.0 * ours / theirs


def _seams(name: str, clip: Clip, joins_s: Sequence[float], beats_s: Sequence[float]) -> Figures:
    """The seam score of every join of a clip, and of the places that it is compared with."""
    yield from _scores(name, seam_scores(clip.waveform, clip.sample_rate, joins_s, beats_s))


def _scores(name: str, scores: tuple[list[float], list[float]]) -> Figures:
    for score in scores[0]:
        yield f"seam, {name}, z", f"below {_SEAM:g}", score
    for score in scores[1]:
        yield f"places without a join, {name}, z", "as there", score


def _beats(bpm: float | None, duration_s: float, first_s: float = 0.0) -> list[float]:
    """Times of the beats in so many seconds; none without a tempo."""
    if bpm is None:
        return []
    return [first_s + beat * 60.0 / bpm for beat in range(int(duration_s * bpm / 60.0) + 1)]


def _bpm(model: Model, case: GenerateSettings) -> float | None:
    """The tempo that a case is painted at."""
    return facts_from_settings(model, case, guess_tempo=True).bpm


def _long_seams(model: Model, case: GenerateSettings, source: Clip) -> Figures:
    window_s = source.sonogram.duration_s
    long = generate(model, replace(case, duration_s=_LONG_WINDOWS * window_s))
    beats = _beats(_bpm(model, case), long.sonogram.duration_s)
    yield from _seams("long generate", long, _window_edges(model, long), beats)
    yield from _notes("long generate", np.array_split(long.waveform, _LONG_WINDOWS, axis=1))


def _extend_seams(model: Model, case: GenerateSettings, source: Clip) -> Figures:
    """Seams of extensions, and whether the source's beats go on in what is new."""
    window_s, bpm = source.sonogram.duration_s, _bpm(model, case)
    for side in get_args(Side):
        settings = ExtendSettings(**_shared(case), duration_s=1.5 * window_s, side=side)
        made = extend(model, source, settings)
        join = window_s if side == "end" else made.sonogram.duration_s - window_s
        first_beat = 0.0 if side == "end" else join
        beats = _beats(bpm, window_s, first_beat)
        yield from _seams(f"extend at the {side}", made, [join], beats)
        if bpm is not None:
            before, after = _contrasts(made, bpm, first_beat, join)
            kept = after / before if side == "end" else before / after
            yield f"extend at the {side}, how clear the beats stay, %", "near 100", 100.0 * kept
        parts = np.split(made.waveform, [round(join * made.sample_rate)], axis=1)
        yield from _notes(f"extend at the {side}", parts)


def _contrast(clip: Clip, bpm: float) -> float:
    """How the beats of a tempo, the first one at 0, stand out."""
    beats = np.array(_beats(bpm, clip.sonogram.duration_s))
    levels = encode(clip.waveform, clip.sample_rate, HIFI).mono
    return beat_contrast(levels, HIFI.frames_per_second, beats)


def _contrasts(clip: Clip, bpm: float, beat_s: float, join_s: float) -> tuple[float, float]:
    """How the beats stand out before and after a join; one of them lies at `beat_s`."""
    heard = encode(clip.waveform, clip.sample_rate, HIFI)
    rate = heard.params.frames_per_second
    count = math.ceil(heard.duration_s * bpm / 60.0)
    beats = beat_s + np.arange(-count, count + 1) * 60.0 / bpm
    levels, column = heard.mono, round(join_s * rate)
    return (
        beat_contrast(levels[:, :column], rate, beats),
        beat_contrast(levels[:, column:], rate, beats - join_s),
    )


def _notes(name: str, parts: Sequence[Waveform]) -> Figures:
    """Whether the parts (C, T) of a sound are in one key."""
    chromas = [chroma_of_waveform(part.mean(axis=0), HIFI.sample_rate) for part in parts]
    pairs = itertools.combinations(chromas, 2)
    alike = float(np.mean([chroma_likeness(a, b) for a, b in pairs]))
    yield f"{name}, likeness of its parts' notes", _HIGH, alike


def _stream(model: Model, case: GenerateSettings, source: Clip) -> Figures:
    scene = Scene(prompts=(WeightedPrompt(case.prompt),), seed=case.seed)
    if case.num_inference_steps is not None:
        scene = replace(scene, num_inference_steps=case.num_inference_steps)
    stream = RiffStream(model)
    state, parts = stream.start(SceneSchedule((Cue(scene),))), []
    while state.n_samples < _STREAM_WINDOWS * source.waveform.shape[1]:
        _, samples, state = stream.next(state)
        parts.append(samples)
    yield from _notes(
        "stream", np.array_split(np.concatenate(parts, axis=1), _STREAM_WINDOWS, axis=1)
    )


def _loop_seams(model: Model, case: GenerateSettings, source: Clip) -> Figures:
    del source
    turned = loop(model, LoopSettings(**_shared(case), bars=2))
    twice = np.concatenate([turned.waveform, turned.waveform], axis=1)
    join = turned.waveform.shape[1] / turned.sample_rate
    beats = _beats(turned.settings["bpm"], 2 * join)
    yield from _scores("loop", seam_scores(twice, turned.sample_rate, [join], beats))


def _window_edges(model: Model, clip: Clip) -> list[float]:
    """Where windows of a long clip begin and end, seconds."""
    frames, cell = clip.sonogram.n_frames, model.cell[1]
    width, window = (model.latent_shape(n)[2] for n in (frames, model.window_frames))
    columns = window_columns(width, window, round(OVERLAP * window))
    edges = {int(c[0]) for c in columns[1:]} | {int(c[-1]) + 1 for c in columns[:-1]}
    return [model.params.duration_s(edge * cell) for edge in sorted(edges)]


def _morph(model: Model, case: GenerateSettings, source: Clip) -> Figures:
    """Seams of a way of several clips, and how even its steps are."""
    window_s = source.sonogram.duration_s
    points = (MorphPoint(), MorphPoint(prompt="ambient pad", seed=case.seed + 1))
    settings = MorphSettings(**_shared(case), points=points, clips=_MORPH_CLIPS)
    way = morph(model, settings)
    joins = [i * window_s for i in range(1, len(way.clips))]
    # A clip at an end is what it is by itself and begins with a beat of its own.
    beats = [*_beats(_bpm(model, case), joins[-1]), joins[-1]]
    yield from _seams("morph", way.joined, joins, beats)
    steps = [picture_distance(a, b) for a, b in itertools.pairwise(way.clips)]
    evenness = max(steps) / max(float(np.mean(steps)), 1e-9)
    yield "morph, greatest step over mean step", "1 if even", evenness


def _reproducibility(model: Model, case: GenerateSettings, source: Clip) -> Figures:
    again = generate(model, case)
    yield "same seed again, greatest difference", "0", _greatest(source, again)
    (first, _) = generate_many(model, case, 2, batch_size=2)
    yield "same seed in a batch of 2, greatest difference", "near 0", _greatest(source, first)


def _outside(model: Model, case: GenerateSettings, source: Clip) -> Figures:
    """The greatest change of a value outside what was to be painted anew."""
    middle = source.sonogram.duration_s / 2
    areas: dict[str, dict[str, Any]] = {
        "span of an inpainting": {"times": ((0.5 * middle, middle),)},
        "band of an inpainting": {"bands": ((300.0, 3000.0),)},
    }
    for name, area in areas.items():
        settings = InpaintSettings(**_shared(case), **area)
        settings = replace(settings, seed=case.seed + 1000)
        made = inpaint(model, source, settings)
        weights = area_from_settings(settings, source.sonogram.n_frames, model.params)
        change = np.abs(made.sonogram.values - source.sonogram.values)
        yield f"changed outside the {name}", "0", float(change[:, weights == 0].max())


def _greatest(a: Clip, b: Clip) -> float:
    return float(np.abs(a.sonogram.values - b.sonogram.values).max())


def picture_distance(a: Clip, b: Clip) -> float:
    """Mean difference of two pictures over their pixels, % of the range from silence to full."""
    pictures = [picture_from_sonogram(clip.sonogram)[0] for clip in (a, b)]
    return 50.0 * float(np.abs(pictures[0] - pictures[1]).mean())


def evaluate_samplers(
    model: Model,
    settings: PipelineSettings,
    *,
    steps: tuple[int, ...] = FEW_STEPS,
    truth_steps: int = TRUTH_STEPS,
    on_progress: OnProgress | None = None,
) -> Iterator[SamplerRow]:
    """Few steps of every sampler of the model against many of DDIM, from the same noise.

    Each row is given as soon as it is done.

    Samplers that draw fresh noise (LCM) have no such truth and are left out.
    """
    cases = list(settings.cases())
    names = [name for name in sampler_names(model) if name != "lcm"]
    truths = [
        generate(model, replace(case, sampler="ddim", num_inference_steps=truth_steps))
        for case in cases
    ]
    others = [
        generate(model, replace(case, seed=case.seed + 1000, sampler=names[0])) for case in cases
    ]
    apart = float(np.mean([picture_distance(a, b) for a, b in zip(truths, others, strict=True)]))
    plan = list(itertools.product(names, steps))
    for i, (name, count) in enumerate(plan):
        made = [
            generate(model, replace(case, sampler=name, num_inference_steps=count))
            for case in cases
        ]
        distance = float(
            np.mean([picture_distance(a, b) for a, b in zip(made, truths, strict=True)])
        )
        if on_progress is not None:
            on_progress(i + 1, len(plan))
        share = distance / max(apart, 1e-9)
        yield SamplerRow(name, count, evaluations(name, count), distance, share)


def evaluations(sampler: str, steps: int) -> int:
    """How often a sampler asks the model in so many steps; Heun only once in the last."""
    return 2 * steps - 1 if sampler == "heun" else steps


def measure_lines(measures: Iterable[Measure]) -> Iterator[str]:
    """A table in Markdown, line by line as the measures come."""
    yield f"| what | mean | worst | above {_SEAM:g}, % | wanted | cases |"
    yield "|---|---|---|---|---|---|"
    for m in measures:
        above = "" if m.above is None else f"{m.above:.0f}"
        yield f"| {m.name} | {m.mean:.3g} | {m.worst:.3g} | {above} | {m.wanted} | {m.count} |"


def sampler_lines(rows: Iterable[SamplerRow]) -> Iterator[str]:
    """A table in Markdown, line by line as the rows come; then which sampler gets there first."""
    yield "| sampler | steps | evaluations | distance from the truth, % | of that between seeds |"
    yield "|---|---|---|---|---|"
    seen = []
    for r in rows:
        seen.append(r)
        yield f"| {r.sampler} | {r.steps} | {r.evaluations} | {r.distance:.2f} | {r.share:.2f} |"
    there = [r for r in seen if r.share <= SAME_SHARE]
    yield ""
    if not there:
        yield f"None comes nearer than {100 * SAME_SHARE:.0f} % of the distance between seeds."
        return
    best = min(there, key=lambda r: (r.evaluations, r.share))
    yield (
        f"Nearer than {100 * SAME_SHARE:.0f} % of the distance between seeds with the fewest "
        f"evaluations: {best.sampler}, {best.steps} steps."
    )


def figures_json(model: Model, measures: list[Measure], rows: list[SamplerRow]) -> str:
    """All figures for a program."""
    content = {
        "version": 1,
        "model": model.name,
        "measures": [asdict(m) for m in measures],
        "samplers": [asdict(r) for r in rows],
    }
    return json.dumps(content, indent=1) + "\n"
