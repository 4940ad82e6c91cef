"""Guidance from settings: prompts are encoded once; tempo and key fall back to the prompt's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

from sonoriff.analysis.chords import Chord, parse_progression
from sonoriff.analysis.energy import STEPS
from sonoriff.errors import SonoriffWarning
from sonoriff.models.lora_tags import warn_of_tags
from sonoriff.models.prompts import Prompt, Span, parse_prompt
from sonoriff.models.protocol import Conditioning, Model, MusicAttributes
from sonoriff.music import KEYS, SCALES, USUAL_KIND, check_bpm, parse_key
from sonoriff.pipeline.guidance import Guidance
from sonoriff.pipeline.prompt import bpm_in_prompt, key_in_prompt
from sonoriff.pipeline.settings import Sampling

# Chords borrow a note now and then.
_FITTING = 0.7
# Said beside the number, which alone is heeded too little; docs/research/experiments.md.
ENERGY_WORDS = {1: "very calm", 2: "calm", 4: "energetic", 5: "powerful, energetic"}


def facts_from_settings(
    model: Model, sampling: Sampling, *, guess_tempo: bool = False
) -> MusicAttributes:
    """Tempo and key as given, or as the prompt names them.

    With `guess_tempo`, a prompt without a tempo gets the typical tempo of its genre. That suits new
    music; a source has a tempo of its own.
    """
    prompt = parse_prompt(sampling.prompt)
    key, mode = parse_key(sampling.key) if sampling.key else key_in_prompt(prompt.text)
    bpm = sampling.bpm if sampling.bpm is not None else bpm_in_prompt(prompt.text)
    if bpm is not None:
        check_bpm(bpm)
    if bpm is None and guess_tempo:
        bpm = model.likely_bpm(prompt)
    unheard = [
        name
        for name in ("bpm", "key", "energy", "chords", "kind")
        if getattr(sampling, name) is not None and name not in model.conditions
    ]
    if unheard:
        _warn(f"{model.name} is told {' and '.join(unheard)} only by the words of the prompt")
    chords = parse_progression(sampling.chords) if sampling.chords else None
    if chords and key and not chords_fit(chords, key, mode):
        _warn(f"these chords are not those of {key} {mode or 'major or minor'}: the chords win")
        key = mode = None
    kind = sampling.kind or USUAL_KIND
    return MusicAttributes(bpm, key, mode, energy=sampling.energy, chords=chords, kind=kind)


def _warn(text: str) -> None:
    warnings.warn(text, SonoriffWarning, stacklevel=5)


def chords_fit(chords: Sequence[tuple[Chord, int]], key: str, mode: str | None) -> bool:
    """Whether most notes of the chords belong to a key."""
    scales = [SCALES[mode]] if mode else list(SCALES.values())
    tonic = KEYS.index(key)
    notes = [tone for chord, _ in chords for tone in chord.tones]
    inside = [sum((note - tonic) % 12 in scale for note in notes) for scale in scales]
    return max(inside) > _FITTING * len(notes)


def guide_from_settings(
    model: Model,
    sampling: Sampling,
    facts: MusicAttributes | None = None,
    *,
    guess_tempo: bool = False,
) -> Guidance:
    """Guidance from resolved settings; `facts` override those of settings and prompt."""
    assert sampling.guidance_scale is not None
    warn_of_tags(f"{sampling.prompt} {sampling.negative_prompt}", getattr(model, "loras", ()))
    negative = parse_prompt(sampling.negative_prompt)
    known = facts or facts_from_settings(model, sampling, guess_tempo=guess_tempo)
    prompt = with_energy(parse_prompt(sampling.prompt), known.energy)
    positive = model.encode_prompt(prompt, known)

    def encoded(facts: MusicAttributes) -> Conditioning:
        same = (prompt, known) == (negative, facts)
        return positive if same else model.encode_prompt(negative, facts)

    return Guidance(positive, negative_condition(model, encoded, known), sampling.guidance_scale)


def negative_condition(
    model: Model, encoded: Callable[[MusicAttributes], Conditioning], facts: MusicAttributes
) -> Conditioning:
    """What guidance pushes away from: the negative prompt, partly at the tempo of `facts`.

    There it has the opposite energy, too, which costs no further step.

    Parameters
    ----------
    encoded : the negative prompt with facts
    """
    # The same kind on both sides: guidance must act on the prompt, not on the kind.
    bare, share = encoded(MusicAttributes(kind=facts.kind)), model.defaults.paced_share
    if facts.bpm is None or share == 0.0:
        return bare
    opposite = None if facts.energy is None else 1 + STEPS - facts.energy
    if opposite == facts.energy:
        opposite = None
    paced = encoded(MusicAttributes(facts.bpm, kind=facts.kind, energy=opposite))
    return model.blend((bare, paced), (1.0 - share, share))


def with_energy(prompt: Prompt, energy: int | None) -> Prompt:
    """A prompt with the words of an energy of 1 to 5 in each of its phrases."""
    words = ENERGY_WORDS.get(energy or 0)
    if words is None:
        return prompt
    phrases = [
        replace(phrase, spans=(*phrase.spans, Span(f", {words}" if phrase.text else words)))
        for phrase in prompt.phrases
    ]
    return Prompt(tuple(phrases))


def everywhere(guide: Guidance) -> Callable[[float], Guidance]:
    """The same guidance at every column."""
    return lambda _middle: guide


def blended_guide(model: Model, a: Guidance, b: Guidance, share: float) -> Guidance:
    """Interpolate between two guidances; share 0 gives `a` itself, 1 gives `b`."""
    if share in (0.0, 1.0):
        return a if share == 0.0 else b
    shares = (1.0 - share, share)
    return Guidance(
        model.blend((a.positive, b.positive), shares),
        model.blend((a.negative, b.negative), shares),
        shares[0] * a.guidance_scale + shares[1] * b.guidance_scale,
    )
