"""Energy, chords and kind: told to the model where it heeds them, and said where it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sonoriff.analysis.chords import parse_chord
from sonoriff.errors import ParameterError, SonoriffWarning
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.scale import chord_vector
from sonoriff.pipeline.generate import GenerateSettings
from sonoriff.pipeline.guides import facts_from_settings, guide_from_settings, with_energy
from sonoriff.pipeline.key_preview import sketch_steps


def settings(model: SmallModel, **wishes: object) -> GenerateSettings:
    return GenerateSettings(prompt="techno", **wishes).resolved(model)  # type: ignore[arg-type]


def test_chords_lie_where_their_beats_do(small_model: SmallModel) -> None:
    chosen = settings(small_model, chords="Am F", bpm=120.0)
    guide = guide_from_settings(small_model, chosen)
    (term,) = guide.positive
    am, f = (chord_vector(parse_chord(name)) for name in ("Am", "F"))
    # A bar of four beats is 2 s, a column 93 ms.
    batch = small_model.collate([term.embedding], [0.0], 64)
    assert batch.chords.shape == (1, 64, 24)
    assert np.array_equal(batch.chords[0, 0], am)
    assert np.array_equal(batch.chords[0, 20], am)
    assert np.array_equal(batch.chords[0, 22], f)
    assert np.array_equal(batch.chords[0, 43], am)
    # A window that begins a bar later begins with the second chord.
    later = small_model.collate([term.embedding], [2.0], 64)
    assert np.array_equal(later.chords[0, 0], f)


def test_what_is_pushed_away_from_has_no_chords(small_model: SmallModel) -> None:
    chosen = settings(small_model, chords="Am F", energy=5)
    guide = guide_from_settings(small_model, chosen)
    for term in guide.negative:
        assert not term.embedding.chords.any()


@pytest.mark.parametrize(("energy", "opposite"), [(5, 1), (2, 4), (3, 0), (None, 0)])
def test_the_opposite_energy_is_pushed_away_from(
    small_model: SmallModel, energy: int | None, opposite: int
) -> None:
    chosen = settings(small_model, energy=energy, bpm=100.0)
    told = {
        int(term.embedding.energy.item())
        for term in guide_from_settings(small_model, chosen).negative
        if term.embedding.bpm.item()
    }
    assert told == {opposite}


@pytest.mark.parametrize(
    ("prompt", "energy", "said"),
    [
        ("techno", 5, ["techno, powerful, energetic"]),
        ("", 1, ["very calm"]),
        ("jazz:0.7 + (dub:1.2):0.3", 4, ["jazz, energetic", "dub, energetic"]),
        ("techno", 3, ["techno"]),
        ("techno", None, ["techno"]),
    ],
)
def test_energy_is_said_in_words_too(prompt: str, energy: int | None, said: list[str]) -> None:
    assert [phrase.text for phrase in with_energy(parse_prompt(prompt), energy).phrases] == said


def test_energy_and_kind_are_told_and_music_is_recorded_by_default(small_model: SmallModel) -> None:
    facts = facts_from_settings(small_model, settings(small_model, energy=4))
    assert (facts.energy, facts.kind) == (4, "recorded")
    facts = facts_from_settings(small_model, settings(small_model, kind="rendered"))
    (term,) = small_model.encode_prompt(parse_prompt("techno"), facts)
    assert term.embedding.kind.item() == 0
    assert term.embedding.energy.item() == 0


def test_chords_win_over_a_key_that_is_not_theirs(small_model: SmallModel) -> None:
    with pytest.warns(SonoriffWarning, match="not those of F# major: the chords win"):
        facts = facts_from_settings(
            small_model, settings(small_model, chords="Am F C G", key="F# major")
        )
    assert facts.key is None
    assert facts.chords is not None
    kept = facts_from_settings(small_model, settings(small_model, chords="Am F C E", key="A minor"))
    assert kept.key == "A"


def test_with_chords_no_key_is_sketched(small_model: SmallModel) -> None:
    chosen = settings(small_model, chords="Am F")
    facts = facts_from_settings(small_model, chosen)
    assert sketch_steps(small_model, chosen, facts, 200) == 0
    assert sketch_steps(small_model, chosen, replace(facts, chords=None), 200) > 0


def test_a_model_that_does_not_heed_them_says_so(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SmallModel, "conditions", ("bpm", "key", "kind"))
    with pytest.warns(SonoriffWarning, match="energy and chords only by the words"):
        facts_from_settings(small_model, settings(small_model, chords="Am", energy=2))


@pytest.mark.parametrize(
    "wishes", [{"energy": 0}, {"energy": 6}, {"chords": "Hm"}, {"chords": ""}, {"kind": "live"}]
)
def test_bad_wishes_are_refused(wishes: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        GenerateSettings(prompt="x", **wishes)  # type: ignore[arg-type]
