"""The page's parts in a browser: gallery, painting, remix, links, keys, phone, labels."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from playwright.sync_api import Page, expect

from page_tools import NEXT, button, look, newest, play, riff_of

pytestmark = pytest.mark.usefixtures("page_is_built")


def test_a_riff_of_the_gallery_is_played_and_forgotten(server: Any, page: Page) -> None:
    riff_of(server, "brass of the gallery")
    button(page, "Gallery").click()
    page.get_by_label("Search").fill("of the gallery")
    card = button(page, "Play brass of the gallery")
    card.wait_for()
    look(page, "gallery")
    card.click()
    expect(page.get_by_role("heading", name="Riff", exact=True)).to_be_visible()
    expect(page.locator(".now .words")).to_have_text("brass of the gallery")
    button(page, "Gallery").click()
    page.get_by_label("Search").fill("of the gallery")
    button(page, "Delete brass of the gallery").click()
    expect(page.locator(".card", has_text="brass of the gallery")).to_have_count(0)


def test_a_painted_region_is_made_anew_and_the_rest_stays(server: Any, page: Page) -> None:
    before = riff_of(server, "to be painted")
    button(page, "Gallery").click()
    page.get_by_label("Search").fill("to be painted")
    button(page, "Paint on to be painted").click()
    canvas = page.get_by_role("img", name=re.compile("^Mask"))
    canvas.wait_for()
    page.wait_for_timeout(500)
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.6 * box["height"], steps=8)
    page.mouse.up()
    look(page, "painting")
    page.get_by_label("What the painted part is to become").fill("a flute instead")
    button(page, "Make anew").click()
    expect(page.locator(".now .words")).to_have_text("a flute instead")
    after = newest(server)
    assert (after["verb"], after["prompt"]) == ("inpaint", "a flute instead")
    pictures = [_picture(server, riff) for riff in (before, after)]
    changed = np.abs(pictures[0] - pictures[1]).max(axis=0) > 8
    width = len(changed)
    assert changed[int(0.62 * width) : int(0.72 * width)].mean() > 0.5
    assert changed[: int(0.3 * width)].mean() < 0.1


def _picture(server: Any, riff: dict[str, Any]) -> Any:
    png = server.get(riff["files"]["png"]).content
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), np.float32)


def test_a_dropped_file_is_remixed(server: Any, page: Page, tmp_path: Path) -> None:
    sound = 0.3 * np.sin(2 * np.pi * 440 * np.arange(88200) / 44100)
    soundfile.write(tmp_path / "tone.wav", sound, 44100)
    data = list((tmp_path / "tone.wav").read_bytes())
    transfer = page.evaluate_handle(
        """(data) => {
          const transfer = new DataTransfer()
          const bytes = new Uint8Array(data)
          transfer.items.add(new File([bytes], 'tone.wav', { type: 'audio/wav' }))
          return transfer
        }""",
        data,
    )
    page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    dialog = page.get_by_role("dialog", name="Remix")
    expect(dialog.get_by_text("tone.wav")).to_be_visible()
    look(page, "remix")
    dialog.get_by_label("What it is to become").fill("a choir of bees")
    dialog.get_by_role("button", name="Remix").click()
    expect(page.locator(".now .words")).to_have_text("a choir of bees")
    assert newest(server)["verb"] == "remix"


def test_a_link_plays_the_same_moment(server: Any, page: Page) -> None:
    play(page)
    button(page, "Copy a link to this moment").click()
    page.wait_for_function("() => location.search.includes('seed=')")
    link, heard = page.url, page.locator(".now .words").inner_text()
    (stream,) = (s for s in server.service.streams._streams.values() if s.connection)
    window = stream.session._chunks[0].window
    asked = dict(part.split("=") for part in link.split("?")[1].split("&"))
    wanted = next(c.window for c in stream.session._chunks if str(c.window.seed) == asked["seed"])
    assert wanted.seed >= window.seed
    page.goto(link)
    play(page)
    assert page.locator(".now .words").inner_text() == heard
    streams = [s for s in server.service.streams._streams.values() if s.connection]
    first = streams[-1].session._chunks[0].window
    assert (first.seed, first.alpha) == (wanted.seed, wanted.alpha)
    assert first.prompts == wanted.prompts


def test_keys_do_what_the_help_says(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="How it works")).to_be_visible()
    look(page, "help")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.locator("body").click(position={"x": 3, "y": 3})
    page.keyboard.press("Space")
    expect(button(page, "Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(button(page, "Play")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_label(NEXT, exact=True)).to_be_focused()
    page.keyboard.type("by keys alone")
    page.keyboard.press("Enter")
    expect(page.locator(".panel")).to_contain_text("by keys alone")
    page.get_by_label(NEXT, exact=True).blur()
    page.keyboard.press("g")
    expect(page.get_by_role("dialog", name="Gallery")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("c")
    expect(page.get_by_label("Ember", exact=True)).not_to_be_checked()


NAMELESS = """() => [...document.querySelectorAll('button, input, select, a, audio, canvas')]
  .filter((x) => x.checkVisibility() && !x.closest('[aria-hidden=true]'))
  .filter((x) => !(x.ariaLabel || x.labels?.length || x.textContent.trim() || x.title))
  .map((x) => x.outerHTML.slice(0, 120))"""


def test_every_control_has_a_name(page: Page) -> None:
    play(page)
    for text in ("organ", "flute"):
        page.get_by_label(NEXT, exact=True).fill(text)
        page.keyboard.press("Enter")
    page.locator("summary", has_text="More").click()
    assert page.evaluate(NAMELESS) == []
    for key in ("g", "?"):
        page.locator("body").click(position={"x": 3, "y": 3})
        page.keyboard.press(key)
        page.get_by_role("dialog").wait_for()
        assert page.evaluate(NAMELESS) == []
        page.keyboard.press("Escape")
    assert page.evaluate("() => document.documentElement.lang") == "en"
    assert page.get_by_role("main").count() == 1
