"""Plans made from wishes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoriff.errors import ParameterError
from sonoriff.music import bar_seconds
from sonoriff.songs.forms import ENERGY_SHAPES, FORMS
from sonoriff.songs.menu import GENRES, INSTRUMENTS, MOODS, TEMPI, THEMES, Genre, menu, names
from sonoriff.songs.plan import Song
from sonoriff.songs.wish import form_of_wish, parse_length, plan_song


@settings(deadline=None)
@given(
    st.sampled_from(sorted(FORMS)),
    st.floats(10, 600),
    st.floats(60, 200),
    st.sampled_from(names(MOODS)),
    st.sampled_from(names(THEMES)),
    st.sampled_from(sorted(TEMPI)),
    st.sampled_from(ENERGY_SHAPES),
    st.integers(0, 1000),
)
def test_any_wish_meets_its_length_to_the_bar(
    form: str,
    length_s: float,
    bpm: float,
    mood: str,
    theme: str,
    tempo: str,
    energy: str,
    seed: int,
) -> None:
    def make() -> Song:
        return plan_song(
            "music",
            form=form,
            length_s=length_s,
            bpm=bpm,
            mood=mood,
            theme=theme,
            tempo=tempo,
            energy=energy,
            seed=seed,
        )

    bars = max(1, round(length_s / bar_seconds(bpm)))
    if bars * bar_seconds(bpm) > 600:
        with pytest.raises(ParameterError, match="600 s is the limit"):
            make()
        return
    song = make()
    assert song.bars == bars
    assert song == make()


def test_the_wish_chooses_form_tempo_and_key() -> None:
    song = plan_song("techno, 132 bpm, in D minor", length_s=120)
    assert (song.bpm, song.key) == (132.0, "D minor")
    assert form_of_wish("techno") is FORMS["dance"]
    assert [s.name for s in song.sections] == [part.name for part in FORMS["dance"].parts]
    assert all(section.bars % 4 == 0 for section in song.sections[:-1])
    assert 72 <= plan_song("lo-fi hip hop, rainy night").bpm <= 88
    assert form_of_wish("kazoo") is FORMS["pop"]


def test_the_seed_chooses_what_the_wish_leaves_open() -> None:
    made = {(s.bpm, s.key) for s in (plan_song("jazz", seed=i) for i in range(20))}
    assert len(made) > 10


def test_the_course_of_energy() -> None:
    rising = [s.energy for s in plan_song("jazz", energy="rising").sections]
    assert rising == sorted(rising)
    assert rising[0][0] == 1
    assert rising[-1][1] == 5
    falling = [s.energy for s in plan_song("jazz", energy="falling").sections]
    assert falling == sorted(falling, reverse=True)
    calm = plan_song("jazz", mood="calm")
    usual = plan_song("jazz")
    assert calm.style == "jazz, calm, gentle"
    assert all(a.energy < b.energy for a, b in zip(calm.sections, usual.sections, strict=True))


def test_what_is_chosen_goes_into_the_style() -> None:
    song = plan_song("jazz", theme="sleep", instruments=["piano", "bass"], mood="romantic")
    assert song.style == "jazz, piano, bass, romantic, warm, very calm, slow, soft"
    plain = plan_song("jazz").sections[0].energy
    assert plain is not None
    assert song.sections[0].energy == (plain[0] - 2, plain[1] - 2)


def test_a_tempo_word_keeps_to_the_genre_where_it_can() -> None:
    assert 120 <= plan_song("house", tempo="fast").bpm <= 128
    assert 64 <= plan_song("techno", tempo="slow").bpm <= 84
    assert 144 <= plan_song("kazoo", tempo="very fast").bpm <= 176
    assert plan_song("house, 100 bpm", tempo="fast").bpm == 100


@pytest.mark.parametrize("genre", GENRES)
def test_a_genre_of_the_menu_is_understood(genre: Genre) -> None:
    song = plan_song(genre.name)
    assert genre.bpm[0] <= song.bpm <= genre.bpm[1]
    assert form_of_wish(genre.name) is FORMS[genre.form]


def test_the_menu_is_plain_and_complete() -> None:
    content = json.loads(json.dumps(menu()))
    assert [genre["name"] for genre in content["genres"]] == list(names(GENRES))
    assert content["instruments"] == list(INSTRUMENTS)
    assert all(content.values())


def test_a_short_song_has_no_return_of_what_is_left_out() -> None:
    for form in FORMS:
        song = plan_song("music", form=form, length_s=10, bpm=60)
        names = [s.name for s in song.sections]
        assert all(s.like is None or s.like in names for s in song.sections)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2:00", 120), ("90", 90), ("90 s", 90), ("0:45", 45), ("10:00", 600)]
)
def test_a_length_is_read(text: str, seconds: float) -> None:
    assert parse_length(text) == seconds


@pytest.mark.parametrize("text", ["3", "2:60", "", "-5", "1e3", "11:00", "long", "nan"])
def test_a_length_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match=r"a length is written|lasts 10 to 600 s"):
        parse_length(text)


def test_bad_wishes_are_refused() -> None:
    with pytest.raises(ParameterError, match="say what the song is"):
        plan_song(" ")
    with pytest.raises(ParameterError, match="form must be one of pop, dance"):
        plan_song("jazz", form="sonata")
    with pytest.raises(ParameterError, match="mood must be one of"):
        plan_song("jazz", mood="hungry")
    with pytest.raises(ParameterError, match="energy must be one of form"):
        plan_song("jazz", energy="loud")
    with pytest.raises(ParameterError, match="theme must be one of study"):
        plan_song("jazz", theme="shopping")
    with pytest.raises(ParameterError, match="tempo must be one of very slow"):
        plan_song("jazz", tempo="prestissimo")
    with pytest.raises(ParameterError, match="instrument must be one of piano"):
        plan_song("jazz", instruments=["kazoo"])
    with pytest.raises(ParameterError, match="at most 1000 characters, got 1000000"):
        plan_song("a" * 1_000_000)
