"""A sound from the microphone, which in the tests is Chromium's own: a beep every second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from listening import CHROMIUM, FLAGS
from page_tools import LINK, button, newest, view
from server_tools import wait_until
from sonoriff.sonogram.picture import picture_from_bytes

BEEPS = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@contextmanager
def page_with(url: str, *flags: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        page = browser.new_page()
        page.goto(url)
        view(page, "Make")
        yield page
        browser.close()


def test_what_is_recorded_is_remixed(server: Any) -> None:
    with page_with(server.url + LINK, *BEEPS) as page:
        button(page, "Record a sound").click()
        stop = page.locator(".make button", has_text="Stop 0:02")
        stop.click()
        expect(page.get_by_text("microphone.webm")).to_be_visible()
        page.get_by_label("What it is to become").fill("church bells")
        button(page, "Remix").click()
        expect(page.locator(".now .words")).to_have_text("church bells")
        expect(button(page, "Record a sound")).to_be_visible()
    riff = newest(server)
    wait_until(lambda: newest(server)["state"] == "done")
    assert (riff["verb"], riff["prompt"]) == ("remix", "church bells")
    sonogram = picture_from_bytes(server.get(newest(server)["files"]["png"]).content)
    assert 1.5 < sonogram.duration_s < 6


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (("--use-fake-device-for-media-stream", "--deny-permission-prompts"), "may not use the"),
        (("--use-fake-ui-for-media-stream",), "There is no microphone"),
    ],
)
def test_a_microphone_that_is_refused_or_missing_is_a_line(
    server: Any, flags: tuple[str, ...], line: str
) -> None:
    with page_with(server.url + LINK, *flags) as page:
        button(page, "Record a sound").click()
        expect(page.locator(".line")).to_contain_text(line)
        expect(button(page, "Record a sound")).to_be_visible()
