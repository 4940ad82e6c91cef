"""The page plays what the server sends: every sample, once, in order; and draws it."""

from __future__ import annotations

import io
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from PIL import Image
from playwright.sync_api import Page

from listening import heard_by, needs_page, page_at
from sonoriff.sonogram import HIFI, encode

PROMPTS = ("church organ", "dub reggae", "techno with flute")
# A longer listening, for `make soak`; the server can be asked for the last minute.
LISTEN_S = min(50.0, float(os.environ.get("SONORIFF_LISTEN_S", "8")))
SILENT = 128
WIDTH = 880
HEAD, COLUMNS_PER_PIXEL = 0.72, 0.62
SCREENS = Path(__file__).resolve().parents[3] / "out" / "screens"
LINK = "/?prompt=jazz&weight=1&steps=1&guidance=1&morph=0"


def test_every_sample_is_heard_once_and_drawn_where_it_is_heard(server: Any) -> None:
    needs_page()
    with page_at(server.url + LINK, width=WIDTH + 400) as page:
        page.get_by_label("Silver").check(force=True)
        page.get_by_role("button", name="Play", exact=True).click()
        for prompt in PROMPTS:
            page.get_by_label("What comes next?", exact=True).fill(prompt)
            page.keyboard.press("Enter")
            page.locator(".words", has_text=prompt).wait_for()
        page.wait_for_timeout(1000 * LISTEN_S / 4)
        page.get_by_role("button", name="Pause", exact=True).click()
        page.wait_for_timeout(1500)
        picture = page.locator(".sonogram > canvas").screenshot()
        heard = heard_by(page)
        _look(page, "desktop")
        page.set_viewport_size({"width": 360, "height": 740})
        page.wait_for_timeout(300)
        _look(page, "phone")
        assert page.evaluate("() => document.documentElement.scrollWidth") == 360
        sent = _sent(server)
    played = _played(heard)
    _check_samples(played, sent[: len(played), 0])
    _check_picture(picture, sent.mean(axis=1), len(played))


def _look(page: Page, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png")


def _sent(server: Any) -> npt.NDArray[np.float32]:
    """The stream's sound from its first sample on, as the server has sent it, float32 (T, 2)."""
    # Streams of tests before this one are kept for a while, for listeners that come back.
    (stream,) = (s for s in server.service.streams._streams.values() if s.connection)
    span = {"first_sample": 0, "end_sample": stream.session.next_sample}
    record = server.post(f"/api/v1/streams/{stream.id}/riffs", json=span).json()
    flac = server.get(record["files"]["flac"]).content
    return np.asarray(soundfile.read(io.BytesIO(flac), dtype="float32")[0])


def _played(heard: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What was heard without the silence before, after, and while the server was behind."""
    edges = np.flatnonzero(np.diff(np.concatenate([[1], (heard != 0).astype(int), [1]])))
    keep = np.ones(len(heard), bool)
    for first, end in pairwise(edges):
        if end - first >= SILENT and not heard[first:end].any():
            keep[first:end] = False
    return heard[keep]


def _check_samples(played: npt.NDArray[np.float32], sent: npt.NDArray[np.float32]) -> None:
    """Every sample that was sent, in order; none louder, and quieter only where it fades."""
    assert len(played) > 4 * HIFI.sample_rate
    assert np.std(sent) > 1e-3
    error = np.abs(played - sent)
    assert (np.abs(played) <= np.abs(sent) + 1e-3).all()
    fades = np.flatnonzero(error > 1e-3)
    # A busy machine runs dry now and then, which takes two fades; the rest is exact.
    assert len(fades) < len(played) / 3
    assert np.corrcoef(played, sent)[0, 1] > 0.9


def _check_picture(png: bytes, sound: npt.NDArray[np.float32], position: int) -> None:
    """Columns left of the playhead are those of the sound's own spectrum, at its place."""
    grey = np.asarray(Image.open(io.BytesIO(png)).convert("L"), np.float32)[::-1]
    pixels = np.arange(round(HEAD * WIDTH) - 300, round(HEAD * WIDTH) - 4)
    columns = position / HIFI.hop_length + (pixels - HEAD * grey.shape[1]) * COLUMNS_PER_PIXEL
    drawn = _rows(grey[:, pixels])
    spectrum = _rows(encode(sound[None], HIFI.sample_rate, HIFI).values[0])
    lags = np.arange(-30, 31)
    scores = [_likeness(drawn, spectrum, columns + lag) for lag in lags]
    best = int(lags[int(np.argmax(scores))])
    assert abs(best) <= 3, (best, max(scores))
    assert max(scores) > 0.25


def _rows(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """32 bands of a picture, each with its own mean taken away."""
    bands = np.array_split(picture, 32, axis=0)
    rows = np.stack([band.mean(axis=0) for band in bands])
    return np.asarray(rows - rows.mean(axis=1, keepdims=True), np.float32)


def _likeness(
    drawn: npt.NDArray[np.float32], spectrum: npt.NDArray[np.float32], columns: Any
) -> float:
    at = np.clip(np.round(columns).astype(int), 0, spectrum.shape[1] - 1)
    return float(np.corrcoef(drawn.ravel(), spectrum[:, at].ravel())[0, 1])
