"""The electronic programme: which genre at which tempo, in which key, made by which recipe."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.splits import draw_source
from sonoriff.corpus.windows import CLIP_SECONDS
from sonoriff_composer.electronic import recipes
from sonoriff_composer.electronic.mixer import mixed
from sonoriff_composer.electronic.studio import MUTES, Session
from sonoriff_composer.harmony import KEYS, choose_progression
from sonoriff_composer.piece import Piece, bars_needed, choose_starts, choose_timing
from sonoriff_composer.score import seeded
from sonoriff_composer.stage import seats

NAME = "electronic"
VERSION = 1
FAMILIES = 60


@dataclass(frozen=True)
class Genre:
    """A genre's recipe, tempo range, harmony, and whether it is mostly minor."""

    recipe: Callable[[Session], None]
    slow: float
    fast: float
    family: str = "edm"
    minor: bool = True
    weight: int = 1


GENRES: dict[str, Genre] = {
    "techno": Genre(recipes.techno, 122, 142, weight=3),
    "acid techno": Genre(recipes.acid_techno, 124, 140),
    "house": Genre(recipes.house, 116, 129, family="soul", minor=False, weight=2),
    "trance": Genre(recipes.trance, 130, 142, weight=2),
    "eurodance": Genre(recipes.eurodance, 125, 146, minor=False),
    "hardstyle": Genre(recipes.hardstyle, 146, 158),
    "drum and bass": Genre(recipes.drum_and_bass, 166, 178, weight=2),
    "dubstep": Genre(recipes.dubstep, 136, 146),
    "hip hop": Genre(recipes.hip_hop, 78, 100, family="soul", weight=2),
    "trap": Genre(recipes.trap, 126, 152),
    "lo-fi": Genre(recipes.lo_fi, 66, 90, family="jazz", minor=False, weight=2),
    "trip hop": Genre(recipes.trip_hop, 72, 96),
    "downtempo": Genre(recipes.downtempo, 80, 108, family="ambient", minor=False),
    "ambient": Genre(recipes.ambient, 56, 84, family="ambient", minor=False, weight=2),
    "synthwave": Genre(recipes.synthwave, 84, 120, weight=2),
    "chiptune": Genre(recipes.chiptune, 110, 172, family="pop", minor=False, weight=2),
    "electro": Genre(recipes.electro, 112, 132),
    "uk garage": Genre(recipes.garage, 128, 136, family="soul", minor=False),
    "breakbeat": Genre(recipes.breakbeat, 120, 138),
    "industrial": Genre(recipes.industrial, 104, 134),
}
# Names of tracks to canonical instruments; None is no instrument a listener would name.
_INSTRUMENTS: dict[str, str | None] = {
    "drums": "drums",
    "synth bass": "synth bass",
    "acid bass": "acid bass",
    "wobble bass": "wobble bass",
    "triangle bass": "synth bass",
    "synth stab": "synth stabs",
    "synth sequence": "synth arpeggio",
    "synth arpeggio": "synth arpeggio",
    "chip arpeggio": "chip arpeggio",
    "synth pluck": "synth plucks",
    "synth pad": "synth pad",
    "supersaw": "supersaw",
    "synth lead": "synth lead",
    "square lead": "square lead",
    "electric piano": "electric piano",
    "organ": "organ",
    "bells": "bells",
    "vibraphone": "vibraphone",
    "drone": "synth drone",
    "vinyl crackle": None,
    "texture": None,
}
_GROUPS = {
    "synth bass": "bass",
    "acid bass": "bass",
    "wobble bass": "bass",
    "triangle bass": "bass",
    "drums": "drums",
    "synth lead": "lead",
    "square lead": "lead",
    "vibraphone": "lead",
}
# What stands elsewhere on the stage than its group.
_ROLES = {
    "synth pad": "pad",
    "supersaw": "pad",
    "drone": "pad",
    "texture": "pad",
    "vinyl crackle": "pad",
    "synth arpeggio": "arpeggio",
    "chip arpeggio": "arpeggio",
    "synth pluck": "arpeggio",
    "bells": "arpeggio",
}


def _order(seed: int, index: int) -> str:
    """The genre of a piece: every cycle plays each as often as its weight."""
    names = [name for name, genre in GENRES.items() for _ in range(genre.weight)]
    cycle, place = divmod(index, len(names))
    seeded(seed, NAME, "order", cycle).shuffle(names)
    return names[place]


def _harmony(rng: random.Random, genre: Genre) -> tuple[str, str]:
    """Mode and progression; a minor genre takes minor progressions."""
    for _ in range(50):
        mode, progression = choose_progression(rng, genre.family)
        if not genre.minor or mode == "minor":
            break
    return mode, progression


def _sections(
    rng: random.Random, starts: tuple[float, ...], bar_s: float, beatless: bool
) -> list[tuple[float, float, frozenset[str]]]:
    """Who is silent from which clip to the next."""
    out = []
    for number, start in enumerate(starts):
        stop = starts[number + 1] if number + 1 < len(starts) else start + CLIP_SECONDS + 4 * bar_s
        weights = [weight for weight, _ in MUTES]
        mutes = rng.choices([m for _, m in MUTES], weights)[0]
        if beatless or (number == 0 and rng.random() < 0.7):
            mutes = frozenset()
        out.append((0.0 if number == 0 else start, stop, mutes))
    return out


def compose(seed: int, index: int) -> Piece:
    """Piece number `index` of a seed."""
    rng = seeded(seed, NAME, VERSION, index)
    name = _order(seed, index)
    genre = GENRES[name]
    families = [f"electronic/{name}/{number:02d}" for number in range(FAMILIES)]
    source, split = draw_source(rng, families)
    timing = choose_timing(rng, genre.slow, genre.fast, loop_share=0.5)
    starts = choose_starts(rng, timing, rng.choice((2, 3, 3)))
    key = rng.randrange(12)
    mode, progression = _harmony(rng, genre)
    session = Session(
        rng,
        seeded(source, VERSION),
        timing,
        key,
        mode,
        progression,
        bars_needed(starts, timing) + 1,
        _sections(rng, starts, timing.bar_s, name == "ambient"),
        np.random.default_rng(rng.randrange(2**32)),
    )
    genre.recipe(session)
    beatless = "drums" not in session.tracks
    tracks = list(session.tracks.values())
    roles = [_ROLES.get(t.name) or _GROUPS.get(t.name, "chords") for t in tracks]
    sound = mixed(
        tracks, session.kicks_s, session.noise,
        duck_depth=session.duck_depth, beat_s=session.beat_s, reverb_s=session.reverb_s,
        drive=session.drive, stage=seats(roles, seeded("stage", NAME, seed, index)),
    )  # fmt: skip
    facts = ClipLabels(
        genre=name, style=name, lead=session.lead, bpm=None if beatless else round(timing.bpm, 2),
        key=KEYS[key], mode=mode, beats_per_bar=None if beatless else 4,
        loop=timing.loop and not beatless, kind="render",
    )  # fmt: skip
    return Piece(
        facts, source, split, starts, waveform=sound, activity=_activity(session),
        level_db=rng.uniform(-18.5, -15.5),
    )  # fmt: skip


def _activity(session: Session) -> tuple[tuple[str, float, float, float], ...]:
    """(instrument, start, stop, weight) of every track in every section where it sounds."""
    out = []
    for track in session.tracks.values():
        name = _INSTRUMENTS[track.name]
        if name is None:
            continue
        for start, stop, _ in session.sections:
            part = track.signal[round(start * 44100) : round(stop * 44100)]
            power = float(np.sqrt(np.mean(part**2))) if len(part) else 0.0
            if power > 0.004:
                weight = (
                    {"drums": 2.0}.get(name, 1.0) * (2.0 if name == session.lead else 1.0) * power
                )
                out.append((name, start, stop, weight))
    return tuple(out)
