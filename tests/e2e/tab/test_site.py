"""A site without a server, in a real browser: it plays, makes, keeps, and works offline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from listening import CHROMIUM, EAR, FLAGS, needs_page
from page_tools import LINK, NEXT, frames_heard, play
from sonoriff.export.site import Site, export_site
from sonoriff.models.registry import load_model
from tab_tools import served
from tiny_small_model import save_tiny


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Site]:
    needs_page()
    stored = save_tiny(tmp_path_factory.mktemp("model") / "tiny")
    folder = tmp_path_factory.mktemp("site")
    return folder, export_site(load_model(str(stored)), folder)


@contextmanager
def visited(*folders: Path, link: str = LINK) -> Iterator[Page]:
    """The site as a visitor has it, with an ear; errors on the page fail the test."""
    errors: list[str] = []
    with served(*folders) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 900, "height": 900})
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(EAR)
        page.goto(url + link)
        yield page
        browser.close()
    assert not errors, errors


def ready(page: Page) -> None:
    expect(page.locator(".line")).to_have_text("Ready")


def test_a_stream_follows_the_prompt(site: tuple[Path, Site]) -> None:
    with visited(site[0]) as page:
        ready(page)
        play(page)
        assert frames_heard(page) > 44100
        page.get_by_label(NEXT).fill("organ")
        page.get_by_label(NEXT).press("Enter")
        expect(page.locator(".now")).to_contain_text("organ")
