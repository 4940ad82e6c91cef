"""The canvas of a window: what is known of it, its noise, and where its prompts lead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.chords import parse_progression
from sonoriff.models.lora_tags import warn_of_tags
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import Conditioning, Model, MusicAttributes
from sonoriff.music import USUAL_KIND
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.guidance import Guidance
from sonoriff.pipeline.guides import chords_fit, negative_condition, with_energy
from sonoriff.pipeline.latent_codec import latents_from_picture
from sonoriff.pipeline.noise import noise_grid, slerp
from sonoriff.pipeline.prompt import bpm_in_prompt
from sonoriff.pipeline.settings import Sampling
from sonoriff.stream.position import Blend, StreamPosition, heaviest, key_of
from sonoriff.stream.riff import Riff
from sonoriff.stream.scene import Scene

FloatArray = npt.NDArray[np.float32]
# Shares of the model's window that are seen of what came before.
FLOW_CONTEXT, RIFF_CONTEXT = 3 / 8, 1 / 4
# Cells painted beyond a unit of a riff, whose last column may lie half a cell beyond the grid.
SPARE_CELLS = 1
_MEMORY = 64


@dataclass(frozen=True, eq=False)
class Plan:
    """A window that is to be painted.

    Attributes
    ----------
    course, riff : in force in it
    n_new : cells of it
    blend : of its prompts
    kept : (1, C, H, n), the settled cells before it
    n_known : how many of them the canvas begins with
    canvas, sampling : for `paint`
    """

    course: StreamPosition
    riff: Riff | None
    n_new: int
    blend: Blend
    kept: FloatArray
    n_known: int
    canvas: Canvas
    sampling: Sampling

    def joined(self, painted: FloatArray) -> FloatArray:
        """Latents (1, C, H, n) of the cells kept, the new ones and those to spare."""
        return np.concatenate([self.kept, painted[..., self.n_known :]], axis=-1)


class WindowPlanner:
    """Makes canvases; remembers what prompts mean, since they come again with every window.

    Parameters
    ----------
    model : any
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._conditions: dict[tuple[str, MusicAttributes, int | None], Conditioning] = {}
        self._tempi: dict[str, float | None] = {}

    @property
    def cell_samples(self) -> int:
        """Samples that one latent cell lasts."""
        return self.model.cell[1] * self.model.params.hop_length

    @property
    def window_cells(self) -> int:
        """Cells of the windows that the model was trained on."""
        return self.model.latent_shape(self.model.window_frames)[2]

    @property
    def context_cells(self) -> int:
        """Cells of what came before that a window of flow sees, at most."""
        return round(FLOW_CONTEXT * self.window_cells)

    def plan(
        self,
        course: StreamPosition,
        riff: Riff | None,
        start: int,
        n_new: int,
        latents: FloatArray | None,
    ) -> Plan:
        """How a window is to be painted.

        Parameters
        ----------
        start, n_new : its first cell, and how many
        latents : (1, C, H, n), those before; None at the start
        """
        scene = course.scene
        width = n_new + (SPARE_CELLS if riff else 0)
        blend = course.morph.blend_at((start + n_new) * self.cell_samples)
        noise = self._noise(course, riff, width)
        kept = noise[..., :0] if latents is None else latents[..., -self.context_cells :]
        known = kept[..., max(0, kept.shape[-1] - self._context(riff, width)) :]
        columns = self.model.cell[1]
        guide = riff.guide(start * columns, (start + width) * columns) if riff else None
        strength = 1.0
        source = np.zeros_like(noise)
        if guide is not None:
            source, strength = latents_from_picture(self.model, guide), scene.strength
        strength_map = np.full((1, 1, noise.shape[2], width), strength, np.float32)
        canvas = Canvas(
            np.concatenate([np.zeros_like(known), noise], axis=-1),
            lambda _middle: self._guide(course, blend),
            np.concatenate([known, source], axis=-1),
            np.concatenate([np.zeros_like(known[:, :1]), strength_map], axis=-1),
            since_beat_s=self._since_beat_s(course, start - known.shape[-1]),
        )
        sampling = Sampling(
            seed=course.walk.seed,
            num_inference_steps=scene.num_inference_steps,
            guidance_scale=scene.guidance_scale,
        ).resolved(self.model)
        return Plan(course, riff, n_new, blend, kept, known.shape[-1], canvas, sampling)

    def likely_bpm(self, scene: Scene) -> float | None:
        """The tempo that music of the heaviest prompt mostly has, remembered."""
        text = heaviest(scene)
        if text not in self._tempi:
            if len(self._tempi) >= _MEMORY:
                self._tempi.pop(next(iter(self._tempi)))
            self._tempi[text] = self.model.likely_bpm(parse_prompt(text))
        return self._tempi[text]

    def _since_beat_s(self, course: StreamPosition, cell: int) -> float | None:
        """Seconds from a beat to a cell; None where no tempo is set."""
        if course.bars is None:
            return None
        return (cell * self.cell_samples - course.bars.origin) / course.bars.sample_rate

    def _context(self, riff: Riff | None, width: int) -> int:
        most = self.context_cells if riff is None else round(RIFF_CONTEXT * self.window_cells)
        return min(most, max(0, self.window_cells - width))

    def _noise(self, course: StreamPosition, riff: Riff | None, width: int) -> FloatArray:
        """Noise of a place on the walk, another one for each unit of a riff."""
        unit = riff.place if riff else 0
        a, b = (noise_grid(self.model, width, _seed_of(course.walk.seed + i, unit)) for i in (0, 1))
        return slerp(a, b, course.walk.alpha)

    def _guide(self, course: StreamPosition, blend: Blend) -> Guidance:
        conditions = [self._condition(prompt.text, course) for prompt in blend]
        positive = (
            conditions[0]
            if len(conditions) == 1
            else self.model.blend(conditions, [prompt.weight for prompt in blend])
        )
        facts = self._facts(parse_prompt(heaviest(course.scene)).text, course)
        negative = negative_condition(
            self.model, partial(self._encoded, course.scene.negative_prompt), facts
        )
        scale = course.scene.guidance_scale
        return Guidance(
            positive, negative, self.model.defaults.guidance_scale if scale is None else scale
        )

    def _condition(self, text: str, course: StreamPosition) -> Conditioning:
        facts = self._facts(parse_prompt(text).text, course)
        return self._encoded(text, facts, facts.energy)

    def _facts(self, words: str, course: StreamPosition) -> MusicAttributes:
        scene = course.scene
        bpm = course.bars.bpm if course.bars else bpm_in_prompt(words)
        chords = parse_progression(scene.chords) if scene.chords else None
        # A key that was only heard must not contradict the chords that were asked for.
        heard = None if chords else course.key
        key, mode = key_of(scene, words) or heard or (None, None)
        if chords and key and not chords_fit(chords, key, mode):
            key = mode = None
        return MusicAttributes(bpm, key, mode, energy=scene.energy, chords=chords, kind=USUAL_KIND)

    def _encoded(
        self, text: str, facts: MusicAttributes, energy: int | None = None
    ) -> Conditioning:
        """A prompt with facts, and with the words of an energy where it is one to be heard."""
        known = (text, facts, energy)
        if known not in self._conditions:
            if len(self._conditions) >= _MEMORY:
                self._conditions.pop(next(iter(self._conditions)), None)
            warn_of_tags(text, getattr(self.model, "loras", ()))
            prompt = with_energy(parse_prompt(text), energy)
            self._conditions[known] = self.model.encode_prompt(prompt, facts)
        return self._conditions[known]


def _seed_of(seed: int, unit: int) -> int:
    """One seed of two numbers; the first unit has the seed itself."""
    if unit == 0:
        return seed % 2**63
    words = np.random.SeedSequence([seed, unit]).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))
