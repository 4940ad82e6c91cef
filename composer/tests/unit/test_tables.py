"""The hand-written tables: instruments, grooves, settings, bands, genres, recordings."""

from __future__ import annotations

import re

from sonoriff.corpus.vocabulary import GENRE_SYNONYMS, INSTRUMENT_SYNONYMS
from sonoriff_composer.accompaniment import genres
from sonoriff_composer.bands import ACTS
from sonoriff_composer.catalogue import PACKAGES
from sonoriff_composer.electronic.programme import GENRES
from sonoriff_composer.grooves import STYLES
from sonoriff_composer.harmony import PROGRESSIONS
from sonoriff_composer.instruments import CANONICAL, VOICES, instrument_of
from sonoriff_composer.players import SETTINGS
from sonoriff_composer.scores import GENRES as WRITTEN

FREE = {
    "MIT",
    "CC0-1.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0-or-later",
    "CC-BY-3.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
}


def all_genres() -> set[str]:
    played = {s.genre for s in SETTINGS if s.genre} | {a.genre for a in ACTS}
    return {*genres(), *GENRES, *WRITTEN} | played


def test_every_program_has_a_name_and_every_voice_a_range() -> None:
    assert all(instrument_of(p) for p in range(128))
    for name, voice in VOICES.items():
        assert voice.high - voice.low >= 14, name
        assert instrument_of(voice.program) == CANONICAL.get(name, name)
    assert set(INSTRUMENT_SYNONYMS) <= {instrument_of(p) for p in range(128)} | {
        "drums",
        "hand claps",
    }


def test_styles_name_known_leads_and_harmonies() -> None:
    for style in STYLES:
        assert set(style.leads) <= set(VOICES), style.name
        assert style.family in PROGRESSIONS
        assert 40 < style.slow < style.fast < 300
    for act in ACTS:
        assert act.family in PROGRESSIONS
        assert act.slow < act.fast


def test_there_are_sixty_genres_and_synonyms_belong_to_them() -> None:
    assert len(all_genres()) >= 100
    assert set(GENRE_SYNONYMS) <= all_genres()


def test_recordings_are_free_credited_and_listed_once() -> None:
    for album in PACKAGES:
        files = [t.file for t in album.tracks]
        assert len(set(files)) == len(files), album.package
        for track in album.tracks:
            assert (track.licence or album.licence) in FREE
            assert track.credit or album.credit
            assert track.phrases or track.genre
            assert re.search(r"\.(ogg|opus|mp3)$", track.file)
