"""Pieces made of recorded sounds, from the real Debian packages."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff_composer import samples
from sonoriff_composer.piece import clip_facts
from sonoriff_composer.samples import KINDS, compose

RATE = 44_100
ORDER = [name for name, (_, share, _, _) in KINDS.items() for _ in range(share)]


def onsets_s(sound: np.ndarray) -> np.ndarray:
    """Where the level of 5 ms jumps by 12 dB over the 20 ms before."""
    level = np.sqrt(np.mean(sound[: len(sound) // 220 * 220].reshape(-1, 220) ** 2, axis=1)) + 1e-4
    before = np.max(np.stack([np.roll(level, k) for k in range(2, 6)]), axis=0)
    rise = (level > 4 * before) & (level > 0.02)
    return np.flatnonzero(rise & ~np.roll(rise, 1)) * 220 / RATE


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_sounds_and_says_what_it_is(kind: str) -> None:
    piece = compose(3, ORDER.index(kind))
    assert piece.waveform is not None
    assert piece.waveform.shape[0] == 2
    assert piece.waveform.shape[1] >= piece.duration_s * RATE - 1
    assert np.isfinite(piece.waveform).all()
    assert 0.3 < np.abs(piece.waveform).max() <= 0.51
    word = {"drums": "drum", "tabla": "tabla", "typing": "typing", "bells": "bell"}[kind]
    assert any(word in phrase.lower() for phrase in piece.phrases)
    assert piece.source.startswith(f"samples/{kind}/")
    assert (piece.licence == "CC0-1.0") or piece.credit


def test_a_piece_is_the_same_again_and_another_seed_is_another() -> None:
    a, b, c = compose(3, 0), compose(3, 0), compose(4, 0)
    assert a.waveform is not None
    assert b.waveform is not None
    assert c.waveform is not None
    assert np.array_equal(a.waveform, b.waveform)
    assert not np.array_equal(a.waveform[:, :RATE], c.waveform[:, :RATE])


def test_drums_strike_on_the_beat() -> None:
    """Strokes lie on sixteenths of the stated tempo, but for the hand's few milliseconds."""
    straight = next(
        piece
        for piece in (compose(1, i * len(ORDER)) for i in range(40))
        if (piece.facts.style or "").split()[0] in ("rock", "disco", "house")
    )
    assert straight.facts.bpm
    assert straight.waveform is not None
    step_s = 60.0 / straight.facts.bpm / 4
    places = onsets_s(straight.waveform.mean(axis=0)) / step_s
    assert len(places) > 8
    away_s = np.abs(places - np.round(places)) * step_s
    assert np.median(away_s) < 0.012


def test_tempo_and_bar_are_known_only_where_there_is_a_pulse() -> None:
    bells = clip_facts(compose(3, ORDER.index("bells")), 1.0)
    assert bells.bpm is None
    assert bells.since_bar_s is None
    drums = compose(3, ORDER.index("drums"))
    bar_s = 240.0 / (drums.facts.bpm or 1.0)
    assert clip_facts(drums, 3 * bar_s).since_bar_s == pytest.approx(0.0, abs=1e-3)
    assert clip_facts(drums, 3.25 * bar_s).since_bar_s == pytest.approx(bar_s / 4, abs=1e-3)


def test_a_bell_has_the_partials_of_a_bell() -> None:
    bell = samples._bell(400.0, samples.seeded("bell"))
    level = np.abs(np.fft.rfft(bell * np.hanning(len(bell))))
    hz = np.fft.rfftfreq(len(bell), 1 / RATE)
    for ratio in (0.5, 1.0, 1.2, 2.0):
        near = np.abs(hz - 400.0 * ratio) < 6
        assert level[near].max() > 0.1 * level.max(), ratio
