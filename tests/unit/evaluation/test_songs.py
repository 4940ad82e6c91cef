"""The figures of songs, on a tiny model of random weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sonoriff.errors import Cancelled, ParameterError
from sonoriff.evaluation.songs import (
    WISHES,
    SongEvaluation,
    cost_figures,
    figure_lines,
    figures_of_songs,
    measured_songs,
    songs_json,
)
from sonoriff.models.small.model import SmallModel
from sonoriff.songs.plan import TRANSITIONS

SETTINGS = SongEvaluation(wishes=2, length_s=24.0, num_inference_steps=1)


def test_the_wishes_are_forty_and_every_transition_has_its_turn() -> None:
    assert len({wish for wish, _ in WISHES}) == 40
    songs = SongEvaluation(length_s=60.0).songs()
    for kind in TRANSITIONS:
        assert sum(s.transition == kind for song in songs for s in song.sections[:-1]) >= 30
    assert len({song.bpm for song in songs}) > 15
    with pytest.raises(ParameterError, match="there are 40 wishes, got 41"):
        SongEvaluation(wishes=41)
    with pytest.raises(ParameterError, match="a song lasts 10 to 600 s"):
        SongEvaluation(length_s=3.0)


def test_a_run_that_was_stopped_goes_on(small_model: SmallModel, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        raise Cancelled(f"{done} of {total}")

    with pytest.raises(Cancelled, match="1 of 2"):
        measured_songs(small_model, SETTINGS, work=tmp_path, on_progress=stop)
    (first,) = tmp_path.glob("*.json")
    # Whatever lies there is taken as it is: nothing is rendered again.
    known = json.loads(first.read_text()) | {"falls": "kept"}
    first.write_text(json.dumps(known))
    measures = measured_songs(
        small_model, SETTINGS, work=tmp_path, on_progress=lambda i, n: seen.append((i, n))
    )
    assert measures[0]["falls"] == "kept"
    assert measures[1]["falls"] in (True, False)
    assert seen == [(1, 2), (2, 2)]
    first.write_text("{")
    again = measured_songs(small_model, SETTINGS, work=tmp_path)
    assert again[0]["falls"] in (True, False), "a damaged file is measured again"


def test_figures_of_songs(small_model: SmallModel, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet"
    measures = measured_songs(small_model, SETTINGS, work=tmp_path, sheet=sheet)
    assert {path.suffix for path in sheet.iterdir()} == {".png", ".flac", ".toml"}
    figures = {figure.name: figure for figure in figures_of_songs(measures)}
    counts = {name: figure.count for name, figure in figures.items()}
    sections = sum(len(song.sections) for song in SETTINGS.songs())
    held = figures["sections in the key that most of their song is in, %"]
    assert held.count == figures["sections in the key of the plan, %"].count
    assert sum(key is not None for m in measures for key in m["keys"]) == held.count
    joins = sum(counts[f"join, {kind}, mean z"] for kind in TRANSITIONS)
    assert joins == sections - 2
    value = figures["last bar softer than the one before, %"].value
    assert value == 100
    lines = list(figure_lines(figures.values()))
    assert len(lines) == len(figures) + 2
    content = json.loads(songs_json(small_model, SETTINGS, list(figures.values()), measures))
    assert content["model"] == "tiny"
    assert [song["wish"] for song in content["songs"]] == [wish for wish, _ in WISHES[:2]]


def test_an_edit_paints_a_section_and_its_joins(small_model: SmallModel) -> None:
    seen: list[tuple[int, int]] = []
    found = cost_figures(
        replace(small_model, window_frames=64),
        SETTINGS,
        length_s=20.0,
        on_progress=lambda i, n: seen.append((i, n)),
    )
    figures = {figure.name: figure.value for figure in found}
    assert figures["sections and joins painted after one reroll"] == 3
    assert seen == [(1, 3), (2, 3), (3, 3)]
