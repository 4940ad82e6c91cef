"""Guides from settings: prompts encoded once, tempo and key from the prompt where not given."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from sonoriff.errors import ParameterError, SonoriffWarning
from sonoriff.models.lora_tags import warn_of_tags
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import Condition, Facts, Model
from sonoriff.pipeline.paint import Guide
from sonoriff.pipeline.prompt import bpm_in_prompt, key_in_prompt, parse_key
from sonoriff.pipeline.settings import Sampling


def facts_from_settings(model: Model, sampling: Sampling, *, guess_tempo: bool = False) -> Facts:
    """Tempo and key as given, else as the prompt names them.

    With `guess_tempo` a prompt that names no tempo gets that which such music mostly has: right
    where all is new, wrong where a source has a tempo of its own.
    """
    prompt = parse_prompt(sampling.prompt)
    key, mode = parse_key(sampling.key) if sampling.key else key_in_prompt(prompt.text)
    bpm = sampling.bpm if sampling.bpm is not None else bpm_in_prompt(prompt.text)
    if bpm is not None and not 20 <= bpm <= 400:
        raise ParameterError(f"bpm must be in [20, 400], got {bpm}")
    if bpm is None and guess_tempo:
        bpm = model.likely_bpm(prompt)
    given = sampling.bpm is not None or sampling.key is not None
    if given and not model.takes_facts:
        warnings.warn(
            f"{model.name} hears tempo and key only as words: name them in the prompt",
            SonoriffWarning,
            stacklevel=4,
        )
    return Facts(bpm, key, mode)


def guide_from_settings(
    model: Model, sampling: Sampling, facts: Facts | None = None, *, guess_tempo: bool = False
) -> Guide:
    """The guide of resolved settings; `facts` replace those of settings and prompt."""
    assert sampling.guidance_scale is not None
    warn_of_tags(f"{sampling.prompt} {sampling.negative_prompt}", getattr(model, "loras", ()))
    prompt = parse_prompt(sampling.prompt)
    negative = parse_prompt(sampling.negative_prompt)
    known = facts or facts_from_settings(model, sampling, guess_tempo=guess_tempo)
    positive = model.encode_prompt(prompt, known)

    def encoded(facts: Facts) -> Condition:
        same = (prompt, known) == (negative, facts)
        return positive if same else model.encode_prompt(negative, facts)

    return Guide(positive, negative_condition(model, encoded, known), sampling.guidance_scale)


def negative_condition(
    model: Model, encoded: Callable[[Facts], Condition], facts: Facts
) -> Condition:
    """What guidance pushes away from: the negative prompt, in part at the tempo of `facts`.

    Parameters
    ----------
    encoded : the negative prompt with facts
    """
    bare, share = encoded(Facts()), model.defaults.paced_share
    if facts.bpm is None or share == 0.0:
        return bare
    return model.blend((bare, encoded(Facts(facts.bpm))), (1.0 - share, share))


def everywhere(guide: Guide) -> Callable[[float], Guide]:
    """The same guide at every column."""
    return lambda _middle: guide


def blended_guide(model: Model, a: Guide, b: Guide, share: float) -> Guide:
    """Between two guides, share 0 is `a` itself and 1 is `b`."""
    if share in (0.0, 1.0):
        return a if share == 0.0 else b
    shares = (1.0 - share, share)
    return Guide(
        model.blend((a.positive, b.positive), shares),
        model.blend((a.negative, b.negative), shares),
        shares[0] * a.guidance_scale + shares[1] * b.guidance_scale,
    )
