"""A plan as a timeline."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import sonoriff
from sonoriff.songs.document import load_song
from sonoriff.songs.plan import Section, Song


def test_blocks_are_as_wide_as_their_sections_and_text_is_escaped(tmp_path: Path) -> None:
    song = Song(
        sections=(
            Section(name="<A & B>", bars=1, energy=(1.0, 5.0)),
            Section(name="C", bars=3, like="<A & B>"),
        ),
        bpm=120.0,
        key="A minor",
        title='"x"',
    )
    figure = ElementTree.fromstring(song._repr_html_())
    widths = [float(rect.get("width", "0")) for rect in figure.iter("rect")]
    assert widths == [225.0, 675.0]
    titles = [title.text for title in figure.iter("title")]
    assert titles[0] == "<A & B>: 1 bars, energy 1 to 5"
    assert titles[1] == "C, like <A & B>: 3 bars, energy 1 to 5"
    caption = figure.find("figcaption")
    assert caption is not None
    assert caption.text == '"x": 4 bars at 120 bpm in A minor'
    song.save(tmp_path / "song.toml")
    assert load_song(tmp_path / "song.toml") == song


def test_the_front_door_plans_songs() -> None:
    song = sonoriff.plan_song("jazz", length_s=30)
    assert isinstance(song, sonoriff.Song)
