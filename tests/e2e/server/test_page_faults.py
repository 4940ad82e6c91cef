"""What people stumbled over on the page: each once, in the real browser."""

from __future__ import annotations

from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from listening import CHROMIUM, EAR, FLAGS, page_at
from page_tools import LINK, button, frames_heard, look, newest, play, riff_of
from server_tools import wait_until

pytestmark = pytest.mark.usefixtures("page_is_built")
LIVE = ".line"


def open_riff(page: Page, prompt: str) -> None:
    button(page, "Gallery").click()
    button(page, f"Play {prompt}").first.click()
    expect(page.locator(".now .words")).to_have_text(prompt)


@pytest.mark.parametrize("when", ["after the riff has ended", "while the riff plays"])
def test_the_stream_plays_again_after_a_riff(server: Any, page: Page, when: str) -> None:
    riff_of(server, "harp")
    play(page)
    open_riff(page, "harp")
    if "ended" in when:
        expect(button(page, "Play")).to_be_visible()
    button(page, "Back to the stream").click()
    expect(page.locator(LIVE)).to_have_text("Live")
    page.wait_for_timeout(2500)
    before = frames_heard(page)
    page.wait_for_timeout(1500)
    assert frames_heard(page) > before
    expect(button(page, "Pause")).to_be_visible()


def test_a_riff_after_a_riff_that_has_ended_is_heard(server: Any, page: Page) -> None:
    riff_of(server, "harp")
    riff_of(server, "lute")
    play(page)
    open_riff(page, "harp")
    expect(button(page, "Play")).to_be_visible()
    before = frames_heard(page)
    open_riff(page, "lute")
    page.wait_for_timeout(1500)
    assert frames_heard(page) > before + 20_000


def test_the_link_of_a_riff_plays_it_in_another_browser(server: Any, page: Page) -> None:
    riff_of(server, "glass harp")
    open_riff(page, "glass harp")
    button(page, "Copy a link to this riff").click()
    link = page.evaluate("() => location.search")
    assert link == f"?riff={newest(server)['id']}"
    assert page.context.browser is not None
    other = page.context.browser.new_page(bypass_csp=True)
    other.add_init_script(EAR)
    other.goto(f"{server.url}/{link}")
    button(other, "Play: glass harp").click()
    expect(other.locator(".now .words")).to_have_text("glass harp")
    other.wait_for_timeout(1500)
    assert frames_heard(other) > 20_000
    other.goto(server.url + "/?riff=nothing-here")
    expect(other.locator(LIVE)).to_contain_text("The riff of this link cannot be played")


def test_the_link_of_a_stream_says_what_it_plays(server: Any) -> None:
    link = "/?prompt=church+bells&weight=2&prompt=electronic+beats&weight=1&steps=1&guidance=1"
    with page_at(server.url + link) as page:
        button(page, "Play: church bells + electronic beats").click()
        expect(page.locator(".line")).to_have_text("Live")
        wait_until(lambda: frames_heard(page) > 20_000)


@pytest.mark.parametrize("size", [(1440, 900), (360, 740)])
def test_nothing_covers_what_is_painted(server: Any, size: tuple[int, int]) -> None:
    with page_at(server.url + LINK, width=size[0], height=size[1]) as page:
        play(page)
        button(page, "Paint").click()
        mask = page.get_by_role("img", name="Mask: paint over what is to be made anew")
        tools = page.locator(".brushes")
        expect(tools).to_be_visible()
        picture, shown = mask.bounding_box(), tools.bounding_box()
        assert picture is not None
        assert shown is not None
        look(page, f"paint-{size[0]}")
        assert shown["y"] >= picture["y"] + picture["height"] - 1
        assert picture["height"] > 100
        # A stroke at the very bottom lands on the picture.
        page.mouse.move(picture["x"] + 60, picture["y"] + picture["height"] - 4)
        page.mouse.down()
        page.mouse.move(picture["x"] + 120, picture["y"] + picture["height"] - 4)
        page.mouse.up()
        expect(button(page, "Clear")).to_be_enabled()


def test_one_question_at_a_time_while_the_server_loads(starting: Any) -> None:
    workers = [
        p for p in psutil.Process().children() if "sonoriff.server.workers.worker" in p.cmdline()
    ]
    loading = [p for p in workers if p.cmdline()[-1].count(str(starting.service.config.model))]
    assert loading
    # At once: a model is loaded sooner than a page.
    for process in loading:
        process.suspend()
    try:
        with page_at(starting.url + LINK) as page:
            button(page, "Play").click()
            expect(page.locator(LIVE)).to_contain_text("Loading the model")
            # Each attempt to connect is turned away, and says once more that the model is loading.
            page.wait_for_timeout(5000)
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.wait_for_timeout(4000)
    finally:
        for process in loading:
            process.resume()
    questions = [url for url in asked if url.endswith("/info")]
    # Every 0.7 s; before, one more chain of them began at each attempt.
    assert 1 <= len(questions) <= 8, len(questions)


def test_all_keys_can_be_chosen_and_are_read_from_links(server: Any) -> None:
    with page_at(server.url + LINK + "&key=F%23+minor") as page:
        root, mode = page.get_by_label("Key", exact=True), page.get_by_label("Mode", exact=True)
        assert root.locator("option:checked").inner_text() == "F♯"
        assert mode.input_value() == "minor"
        assert root.locator("option").count() == 13
        expect(page.locator(".now .facts")).to_have_text("F♯ minor")
        root.select_option(label="B♭")
        mode.select_option("major")
        expect(page.locator(".now .facts")).to_have_text("B♭ major")
    with page_at(server.url + LINK + "&key=A%23+major") as page:
        expect(page.locator(".now .facts")).to_have_text("B♭ major")


def test_the_number_goes_along_with_the_slider(page: Page) -> None:
    slider = page.get_by_label("Change over, bars", exact=True)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    shown = page.get_by_label("Change over, bars, number")
    expect(shown).to_have_value("0")
    page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    expect(shown).to_have_value("16")
    page.mouse.up()
    shown.fill("5")
    shown.press("Enter")
    expect(slider).to_have_value("5")
    # What is out of range is not taken.
    shown.fill("500")
    shown.press("Enter")
    expect(shown).to_have_value("5")


def test_without_webgl_the_landscape_falls_back_to_the_flat_picture(server: Any) -> None:
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--disable-gpu", "--disable-3d-apis"]
        )
        page = browser.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url + LINK)
        button(page, "Relief").click()
        expect(page.locator(LIVE)).to_contain_text("cannot draw the landscape")
        expect(button(page, "Relief")).to_have_attribute("aria-pressed", "false")
        expect(page.locator(".sonogram > canvas")).to_be_visible()
        browser.close()
    assert errors == []


def test_controls_are_seen_in_forced_colours(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    slider = page.get_by_label("Tempo in beats per minute", exact=True)
    assert slider.evaluate("(e) => getComputedStyle(e).appearance") == "auto"
    chosen = page.locator(".modes label:has(:checked)")
    other = page.locator(".modes label:not(:has(:checked))")
    width = "(e) => getComputedStyle(e).borderTopWidth"
    assert chosen.evaluate(width) != other.evaluate(width)
    disc = page.locator(".disc").evaluate("(e) => getComputedStyle(e).backgroundColor")
    ground = page.locator(".app").evaluate("(e) => getComputedStyle(document.body).backgroundColor")
    assert disc not in (ground, "rgba(0, 0, 0, 0)")
    look(page, "forced-colours")


def test_a_server_that_is_gone_is_said_in_words(server: Any, page: Page) -> None:
    riff_of(server, "zither")
    button(page, "Gallery").click()
    page.route("**/api/v1/riffs/**", lambda route: route.abort())
    page.locator(".card").first.wait_for()
    button(page, "Play zither").first.click()
    expect(page.locator(LIVE)).to_contain_text("The server cannot be reached")


def test_what_is_deleted_can_be_had_back(server: Any, page: Page) -> None:
    riff = riff_of(server, "bagpipe")
    button(page, "Gallery").click()
    button(page, "Delete bagpipe").click()
    expect(button(page, "Play bagpipe")).to_have_count(0)
    button(page, "Undo").click()
    expect(button(page, "Play bagpipe")).to_have_count(1)
    button(page, "Delete bagpipe").click()
    expect(button(page, "Play bagpipe")).to_have_count(0)
    assert server.get(f"/api/v1/riffs/{riff['id']}").status_code == 200
    # A page that is left does not keep what was to go.
    page.goto("about:blank")
    wait_until(lambda: server.get(f"/api/v1/riffs/{riff['id']}").status_code == 404)


def test_the_remix_begins_with_its_words(page: Page) -> None:
    page.evaluate(
        """() => {
          const data = new DataTransfer()
          data.items.add(new File(['x'], 'x.wav', { type: 'audio/wav' }))
          window.dispatchEvent(new DragEvent('drop', { dataTransfer: data }))
        }"""
    )
    expect(page.get_by_label("What it is to become")).to_be_focused()


def test_a_paused_page_rests(page: Page) -> None:
    play(page)
    button(page, "Pause").click()
    page.wait_for_timeout(1500)
    frames = page.evaluate(
        """async () => {
          let frames = 0
          const own = window.requestAnimationFrame
          window.requestAnimationFrame = (f) => (frames++, own(f))
          await new Promise((done) => setTimeout(done, 1000))
          window.requestAnimationFrame = own
          return frames
        }"""
    )
    assert frames <= 2
    before = page.evaluate("() => window.heard.length")
    page.wait_for_timeout(1000)
    # The sound's own thread has stopped too.
    assert page.evaluate("() => window.heard.length") == before
    button(page, "Play").click()
    expect(page.locator(LIVE)).to_have_text("Live")
