"""What the page does while it plays: recording, the blend, a phone, reduced motion."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from playwright.sync_api import Page, expect

from listening import page_at
from page_tools import LINK, NEXT, button, look, play, view
from server_tools import wait_until

pytestmark = pytest.mark.usefixtures("page_is_built")


def test_what_was_heard_is_recorded_and_taken_away(page: Page) -> None:
    play(page)
    button(page, "Record").click()
    page.wait_for_timeout(2000)
    button(page, "Stop recording").click()
    dialog = page.get_by_role("dialog", name="Recorded")
    dialog.wait_for()
    look(page, "recorded")
    files = {}
    for name in ("WAV", "PNG", "FLAC, and keep it in the gallery"):
        with page.expect_download() as download:
            dialog.get_by_role("button", name=name).click()
        files[name[:4].strip(",")] = Path(download.value.path()).read_bytes()
    wav, rate = soundfile.read(io.BytesIO(files["WAV"]))
    assert rate == 44100
    assert len(wav) / rate > 1.0
    assert np.abs(wav).max() > 1e-3
    flac, _ = soundfile.read(io.BytesIO(files["FLAC"]))
    mono = wav if wav.ndim == 1 else wav[:, 0]
    assert abs(len(flac) - len(mono)) <= 1024
    assert Image.open(io.BytesIO(files["PNG"])).width > 50


def test_a_blend_is_asked_for_and_heard(server: Any, page: Page) -> None:
    play(page)
    # A queue stands still while nothing is heard.
    button(page, "Pause").click()
    expect(button(page, "Play")).to_be_visible()
    for text in ("organ", "flute", "choir"):
        page.get_by_label(NEXT, exact=True).fill(text)
        page.keyboard.press("Enter")
    (stream,) = (s for s in server.service.streams._streams.values() if s.connection)

    def asked() -> dict[str, float]:
        return {prompt.text: prompt.weight for prompt in stream.session.scene.prompts}

    button(page, "Blend with choir").click()
    wait_until(lambda: asked() == {"organ": 0.5, "choir": 0.5})
    expect(button(page, "Blend with choir")).to_have_count(0)
    slider = page.get_by_label("Share of sound 2")
    expect(slider).to_have_attribute("aria-valuetext", "50 percent choir")
    slider.fill("75")
    wait_until(lambda: asked() == {"organ": 0.25, "choir": 0.75})
    expect(slider).to_have_attribute("aria-valuetext", "75 percent choir")
    button(page, "Play").click()
    expect(page.locator(".now .words")).to_have_text("choir + organ")
    look(page, "blend")
    blends = [
        {prompt["text"]: prompt["weight"] for prompt in chunk.window.prompts}
        for chunk in stream.session._chunks
    ]
    assert {"organ": 0.25, "choir": 0.75} in blends
    assert {"organ": 0.5, "choir": 0.5} not in blends
    # The point of the plane is moved by keys as well: to the right, where the choir stands.
    puck = page.get_by_role("slider", name="Point between the sounds: arrow keys")
    for _ in range(12):
        puck.press("ArrowRight")
    wait_until(lambda: asked() == {"choir": 1.0})
    box = page.locator(".field-of-play").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_until(lambda: asked() == {"organ": 0.5, "choir": 0.5})
    button(page, "Add a sound").click()
    page.get_by_label("Sound 3", exact=True).fill("church bells")
    page.keyboard.press("Enter")
    wait_until(lambda: set(asked()) == {"organ", "choir", "church bells"})
    look(page, "blend-of-three")
    button(page, "Leave sound 1 out").click()
    wait_until(lambda: asked() == {"choir": 0.5, "church bells": 0.5})
    page.get_by_label("Share of sound 1").fill("90")
    wait_until(lambda: asked() == {"choir": 0.9, "church bells": 0.1})
    button(page, "End the blend").click()
    wait_until(lambda: asked() == {"choir": 1.0})
    expect(slider).to_have_count(0)


def test_a_phone_shows_all_without_scrolling_sideways(server: Any) -> None:
    with page_at(server.url + LINK, width=360, height=740) as page:
        play(page)
        for text in ("a prompt of many words that a phone has to break somewhere", "organ"):
            page.get_by_label(NEXT, exact=True).fill(text)
            page.keyboard.press("Enter")
        button(page, "Blend with another sound").click()
        page.locator("summary", has_text="More").click()
        look(page, "phone")
        assert page.evaluate("() => document.documentElement.scrollWidth") == 360
        for name in ("Gallery", "Help"):
            button(page, name).click()
            page.get_by_role("dialog").wait_for()
            wide = "() => document.querySelector('dialog').scrollWidth"
            assert page.evaluate(wide) <= 360
            look(page, f"phone-{name.lower()}")
            page.keyboard.press("Escape")
        for width, height in ((320, 640), (640, 320)):
            page.set_viewport_size({"width": width, "height": height})
            for name in ("Make", "Play"):
                view(page, name)
                look(page, f"phone-{width}-{name.lower()}")
                assert page.evaluate("() => document.documentElement.scrollWidth") == width


def test_reduced_motion_stands_still(server: Any) -> None:
    with page_at(server.url + LINK, reduced_motion=True) as page:
        play(page)
        look(page, "still")
        running = "() => document.getAnimations().filter((a) => a.playState === 'running').length"
        assert page.evaluate(running) == 0
