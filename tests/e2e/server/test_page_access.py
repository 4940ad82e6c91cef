"""Who does not see well, wants no motion, or has no server: axe-core finds nothing in any state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from listening import CHROMIUM, FLAGS
from page_tools import LINK, button, look, play, riff_of, view

pytestmark = pytest.mark.usefixtures("page_is_built")
AXE = Path(__file__).resolve().parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] })
  return violations.map(({ id, nodes }) =>
    `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
}"""


def test_axe_finds_nothing_in_any_state(server: Any, page: Page) -> None:
    riff_of(server, "a harp")
    page.add_script_tag(path=AXE)
    found: dict[str, list[str]] = {}

    def check(state: str) -> None:
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            look(page, f"{state}-{scheme}".replace(" ", "-"))
            for violation in page.evaluate(RUN):
                found.setdefault(violation, []).append(f"{state}, {scheme}")

    check("first look")
    view(page, "Make")
    check("make")
    view(page, "Play")
    play(page)
    page.get_by_text("More", exact=True).click()
    for text in ("organ", "flute"):
        page.get_by_label("What comes next?", exact=True).fill(text)
        page.keyboard.press("Enter")
    button(page, "Blend with another sound").click()
    check("playing")
    button(page, "Help").click()
    check("help")
    page.keyboard.press("Escape")
    button(page, "Gallery").click()
    page.get_by_label("Download a harp").first.click()
    check("gallery")
    button(page, "Rename a harp").first.click()
    check("renaming")
    page.get_by_label("Title").press("Escape")
    button(page, "Paint on a harp").first.click()
    expect(page.locator(".now .words")).to_have_text("a harp")
    button(page, "Bass").click()
    check("painting")
    button(page, "Leave").click()
    button(page, "Songs").click()
    page.get_by_role("dialog").wait_for()
    check("songs")
    assert found == {}, "\n".join(f"{what}\n    {where}" for what, where in found.items())


def test_the_page_opens_without_its_server(starting: Any) -> None:
    """Installed once, it says itself that the server is gone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(starting.url + LINK)
        manifest = page.locator("link[rel=manifest]").get_attribute("href")
        assert starting.get(f"/{manifest}").json()["start_url"] == "./"
        page.evaluate("() => navigator.serviceWorker.ready")
        page.reload()
        page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        page.reload()
        button(page, "Play").wait_for()
        starting.stop()
        page.reload()
        expect(button(page, "Play")).to_be_visible()
        expect(page.locator(".line")).to_contain_text("The server does not answer")
        browser.close()


def test_files_of_the_page_are_small_and_kept(server: Any) -> None:
    page = server.get("/", headers={"Accept-Encoding": "identity"})
    assert page.headers["cache-control"] == "no-cache"
    script = page.text.split('src="./')[1].split('"')[0]
    plain = server.get(f"/{script}", headers={"Accept-Encoding": "identity"})
    for coding in ("br", "gzip"):
        answer = server.get(f"/{script}", headers={"Accept-Encoding": coding}, stream=True)
        assert answer.headers["content-encoding"] == coding
        assert "Accept-Encoding" in answer.headers["vary"]
        assert answer.headers["content-type"] == plain.headers["content-type"]
        assert "immutable" in answer.headers["cache-control"]
        assert len(answer.raw.read(decode_content=False)) < len(plain.content) / 2
    assert "content-encoding" not in plain.headers
