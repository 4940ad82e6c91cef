"""Songs in a browser: planned, changed, heard while they are painted, downloaded, shared."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
import soundfile
from playwright.sync_api import Page, expect

from listening import page_at
from page_tools import LINK, button, look, newest
from server_tools import WAIT_S
from sonoriff.songs.document import load_song, song_from_toml

pytestmark = pytest.mark.usefixtures("page_is_built")


def planned(page: Page, wish: str = "jazz, 240 bpm", seconds: str = "0:30") -> None:
    """The song view with a plan for a wish."""
    button(page, "Songs").click()
    page.get_by_label("What the song is").fill(wish)
    page.get_by_label("Length").select_option(label=seconds)
    button(page, "Plan it").click()
    page.get_by_role("toolbar", name="Song").wait_for()


# Keeps what is told to a screen reader, in `said`.
REMEMBERED = """() => {
  window.said = [];
  new MutationObserver(() => {
    for (const told of document.querySelectorAll("[role=status]")) said.push(told.textContent);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def names(page: Page) -> list[str]:
    return page.locator(".block .word").all_inner_texts()


def block(page: Page, start: str) -> Any:
    return page.get_by_role("button", name=re.compile(f"^{start}, "))


def test_a_song_is_made_edited_and_downloaded(server: Any, page: Page, tmp_path: Path) -> None:
    button(page, "Songs").click()
    page.get_by_label("Genre").select_option("jazz")
    page.get_by_label("Mood").select_option("calm")
    page.get_by_label("What the song is").fill("240 bpm")
    page.get_by_label("Length").select_option(label="0:30")
    look(page, "song-wish")
    button(page, "Plan it").click()
    expect(page.locator(".block")).to_have_count(4)
    assert names(page) == ["A", "A 2", "B", "A 3"]
    block(page, "B").click()
    prompt = page.get_by_role("textbox", name="Prompt", exact=True)
    prompt.fill("soft strings")
    prompt.press("Tab")
    page.get_by_label("Transition to the next").select_option("riser")
    page.get_by_label("Title").fill("Browser song")
    page.get_by_label("Title").press("Tab")
    page.evaluate(REMEMBERED)
    button(page, "Render").click()
    expect(page.get_by_role("link", name="wav")).to_be_visible(timeout=1000 * WAIT_S)
    # A quick machine shows it for a moment only.
    said = page.evaluate("said")
    steps = ("Asking the server", "Painting ", "Joining ")
    assert any(step in text for text in said for step in steps), said
    page.wait_for_timeout(300)
    look(page, "song")
    riff = newest(server)
    assert (riff["verb"], riff["prompt"], riff["state"]) == ("song", "Browser song", "done")
    plan = song_from_toml(riff["settings"]["plan"])
    assert [section.name for section in plan.sections] == ["A", "A 2", "B", "A 3"]
    assert plan.sections[2].prompt == "soft strings"
    assert plan.sections[2].transition == "riser"
    assert plan.style == "240 bpm, jazz, calm, gentle"
    wav = server.get(riff["files"]["wav"]).content
    sound, rate = soundfile.read(io.BytesIO(wav))
    assert len(sound) / rate == pytest.approx(plan.duration_s, abs=0.02)
    assert page.get_by_role("link", name="wav").get_attribute("href") == (
        server.url + riff["files"]["wav"]
    )
    with page.expect_download() as waiting:
        button(page, "Plan as a file").click()
    waiting.value.save_as(tmp_path / "song.toml")
    assert load_song(tmp_path / "song.toml") == plan
    others = [r for r in server.get("/api/v1/riffs").json()["riffs"] if r["verb"] == "song"]
    assert len([r for r in others if r["prompt"] == "Browser song"]) == 1, "parts are not kept"


def test_blocks_are_dragged_pulled_and_drawn(page: Page) -> None:
    planned(page)
    before = page.locator(".block .count").all_inner_texts()
    boxes = [page.locator(".block").nth(i).bounding_box() for i in range(4)]
    first, last = boxes[0], boxes[3]
    assert first is not None
    assert last is not None
    page.mouse.move(first["x"] + 20, first["y"] + 20)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] - 5, last["y"] + 20, steps=8)
    page.mouse.up()
    expect(page.locator(".block .word").nth(3)).to_have_text("A")
    assert names(page) == ["A 2", "B", "A 3", "A"]
    button(page, "Undo").click()
    assert names(page) == ["A", "A 2", "B", "A 3"]
    edge = page.locator(".block .edge").nth(0)
    box = edge.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 5 + first["width"] / 2, box["y"] + 10, steps=5)
    page.mouse.up()
    assert int(page.locator(".block .count").nth(0).inner_text()) > int(before[0])
    dot = page.get_by_role("slider", name="Energy of B at its end")
    box = dot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 12, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 12, box["y"] + 70, steps=5)
    page.mouse.up()
    assert float(dot.get_attribute("aria-valuenow") or 9) < 3
    button(page, "Undo").click()
    button(page, "Undo").click()
    assert page.locator(".block .count").all_inner_texts() == before
    button(page, "Redo").click()
    assert page.locator(".block .count").all_inner_texts() != before


def test_the_keyboard_does_all_of_it(page: Page) -> None:
    planned(page)
    block(page, "A").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(block(page, "B")).to_be_focused()
    page.keyboard.press("Alt+ArrowLeft")
    assert names(page) == ["A", "B", "A 2", "A 3"]
    expect(page.locator(".app > [role=status]")).to_have_text("B is section 2 now.")
    expect(block(page, "B")).to_be_focused()
    page.keyboard.press("+")
    page.keyboard.press("ArrowUp")
    expect(block(page, "B")).to_have_attribute("aria-label", re.compile("9 bars, energy 4.5"))
    page.keyboard.press("Delete")
    assert names(page) == ["A", "A 2", "A 3"]
    expect(block(page, "A 2")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(block(page, "B")).to_have_attribute("aria-label", re.compile("9 bars, energy 4.5"))
    page.keyboard.press("Control+z")
    expect(block(page, "B")).to_have_attribute("aria-label", re.compile("9 bars, energy 4$"))
    page.keyboard.press("Control+Shift+Z")
    expect(block(page, "B")).to_have_attribute("aria-label", re.compile("energy 4.5"))
    page.get_by_role("slider", name="Energy of A at its beginning").press("ArrowDown")
    expect(block(page, "A")).to_have_attribute("aria-label", re.compile("energy 2.5 to 3"))


def test_a_song_is_heard_while_it_is_painted(server: Any, page: Page) -> None:
    planned(page)
    button(page, "Play the song").click()
    place = page.get_by_label("Play from")
    expect(place).to_be_enabled()
    page.wait_for_function("() => Number(document.querySelector('.place').value) > 0.3")
    expect(page.get_by_role("link", name="wav")).to_be_visible(timeout=1000 * WAIT_S)
    assert button(page, "Pause the song").is_visible()
    place.fill("20")
    page.wait_for_function("() => Number(document.querySelector('.place').value) > 20.3")
    button(page, "Pause the song").click()
    riffs = len(server.get("/api/v1/riffs?limit=100").json()["riffs"])
    button(page, "Reroll this section").click()
    expect(button(page, "Render")).to_be_enabled()
    button(page, "Render").click()
    expect(button(page, "Render")).to_be_disabled()
    expect(page.get_by_role("link", name="wav")).to_be_visible(timeout=1000 * WAIT_S)
    assert len(server.get("/api/v1/riffs?limit=100").json()["riffs"]) == riffs + 1


def test_a_link_carries_the_plan(server: Any, page: Page) -> None:
    planned(page, wish="techno, 240 bpm")
    button(page, "Remove it").click()
    made = names(page)
    button(page, "Copy a link to this song").click()
    page.wait_for_function("() => location.hash.startsWith('#song=')")
    link = page.url
    assert len(link) < 1500
    page.reload()
    page.get_by_role("toolbar", name="Song").wait_for()
    assert names(page) == made
    page.goto(server.url + LINK + "#song=AAAA")
    page.reload()
    button(page, "Songs").click()
    expect(page.get_by_label("What the song is")).to_be_visible()


def test_a_phone_shows_a_list(server: Any) -> None:
    with page_at(server.url + LINK, width=390, height=800) as page:
        planned(page)
        boxes = [page.locator(".block").nth(i).bounding_box() for i in range(2)]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"] - 1
        assert boxes[0]["x"] == boxes[1]["x"]
        width = page.evaluate("document.querySelector('dialog').scrollWidth")
        assert width <= 390
        button(page, "Later").click()
        assert names(page) == ["A 2", "A", "B", "A 3"]
        look(page, "song-phone")


def test_a_wish_that_is_refused_is_told(page: Page) -> None:
    button(page, "Songs").click()
    expect(button(page, "Plan it")).to_be_disabled()
    page.get_by_label("What the song is").fill("jazz")
    page.route("**/api/v1/songs", lambda route: route.abort())
    button(page, "Plan it").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile("server cannot be reached"))
