"""Loops: a whole number of bars whose end meets its start."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.music import MAX_BPM, MIN_BPM, USUAL_BPM, check_bpm
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.circular import circle_resampled
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.guides import everywhere, facts_from_settings, guide_from_settings
from sonoriff.pipeline.key_preview import facts_of_sketch, sketch_steps
from sonoriff.pipeline.latent_codec import painted_sonogram, picture_from_latents
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.settings import MAX_DURATION_S, OnProgress, Sampling, stage

_OVERLAP = 0.5
# A stroke reaches so many columns to each side; what is softer than this (of 2 from silence to
# full), below the loudest, is not heard.
_STROKE_FRAMES, _RANGE = 3, 1.3


@dataclass(frozen=True, kw_only=True)
class LoopSettings(Sampling):
    """Everything that determines a loop, besides the model.

    Attributes
    ----------
    prompt : may name the tempo; without one it is 120 beats a minute
    bars : at least 1
    beats_per_bar : in [1, 16]
    """

    prompt: str
    bars: int = 4
    beats_per_bar: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.bars <= 256 or not 1 <= self.beats_per_bar <= 16:
            raise ParameterError(
                f"bars must be in [1, 256] and beats a bar in [1, 16]: {self.bars}, "
                f"{self.beats_per_bar}"
            )

    def duration_s(self, bpm: float) -> float:
        """Exact length at a tempo; ParameterError where it is too long or shorter than a second."""
        length = self.bars * self.beats_per_bar * 60.0 / bpm
        if not 1.0 <= length <= MAX_DURATION_S:
            raise ParameterError(
                f"{self.bars} bars at {bpm:g} bpm last {length:.2f} s, a loop lasts from 1 to "
                f"{MAX_DURATION_S:.0f} s: change the number of bars"
            )
        return length


def loop(model: Model, settings: LoopSettings, *, on_progress: OnProgress | None = None) -> Clip:
    """A clip of exactly `bars` bars that repeats seamlessly.

    Notes
    -----
    The latent grid is a circle while it is painted: windows run over its join, and it is decoded
    with its own other end beside each end. The first bar begins in the middle of a cell: a clip
    of a corpus begins with a bar at the edge of one, where nothing sounded before, and there a
    model strikes harder than at other bars. The picture is then turned to the bar, brought from
    whole cells to the whole number of columns next to the exact length (at most half a cell's
    worth, which the tempo told to the model makes up for), and the waveform to the exact number
    of samples. On a circle any bar may be the first: it is the one whose first stroke is most like
    all others, so that nothing tells where the loop begins again.
    """
    chosen = settings.resolved(model)
    facts = facts_from_settings(model, replace(chosen, bpm=None), guess_tempo=True)
    bpm = chosen.bpm if chosen.bpm is not None else facts.bpm or USUAL_BPM
    check_bpm(bpm)
    params, length = model.params, chosen.duration_s(bpm)
    columns = length * params.frames_per_second
    n_frames, n_cells = round(columns), max(2, round(columns / model.cell[1]))
    told_bpm = min(MAX_BPM, max(MIN_BPM, bpm * columns / (n_cells * model.cell[1])))
    facts = replace(facts, bpm=told_bpm)
    noise = noise_grid(model, n_cells, chosen.seed)
    early = model.cell[1] // 2
    since = -early / params.frames_per_second
    assert chosen.num_inference_steps is not None
    sketched = sketch_steps(model, chosen, facts, n_cells)
    steps = sketched + chosen.num_inference_steps
    told = stage(on_progress, 0, steps)
    facts = facts_of_sketch(model, chosen, facts, noise, since_beat_s=since, on_progress=told)
    guide = guide_from_settings(model, chosen, facts)
    canvas = Canvas(noise, everywhere(guide), overlap=_OVERLAP, circular=True, since_beat_s=since)
    latents = paint(model, canvas, chosen, on_progress=stage(on_progress, sketched, steps))
    turned = np.roll(picture_from_latents(model, latents, circular=True), -early, axis=-1)
    picture = np.clip(circle_resampled(turned, n_frames), -1.0, 1.0)
    picture = np.roll(
        picture, -plainest_bar(picture[:, :1], chosen.bars, chosen.beats_per_bar), axis=-1
    )
    about = {
        "verb": "loop",
        **chosen.to_dict(),
        "bpm": bpm,
        "attributes": replace(facts, bpm=bpm).named(),
        "loop_samples": round(length * params.sample_rate),
    }
    return Clip(painted_sonogram(model, picture, about))


def plainest_bar(picture: npt.NDArray[np.float32], bars: int, beats_per_bar: int) -> int:
    """The column of a circular picture (C, 1, M, N) at which that bar begins."""
    levels = np.maximum(picture, float(picture.max()) - _RANGE)
    rises = np.maximum(levels - np.roll(levels, 1, axis=-1), 0.0).mean(axis=(0, 1, 2))
    around = range(-_STROKE_FRAMES, _STROKE_FRAMES + 1)
    strokes = np.max([np.roll(rises, -by) for by in around], axis=0)
    beats = bars * beats_per_bar
    places = [round(beat * picture.shape[-1] / beats) for beat in range(beats)]
    struck = strokes[places]
    unlike = np.abs(struck - struck.mean())[::beats_per_bar]
    return int(places[int(unlike.argmin()) * beats_per_bar])
