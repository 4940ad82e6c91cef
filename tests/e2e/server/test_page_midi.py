"""A MIDI controller at the page; a test has none, so a script plays the browser's port."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from page_tools import button, look, play, slide
from server_tools import wait_until

pytestmark = pytest.mark.usefixtures("page_is_built")
PLUG = """() => {
  const input = { name: 'Pad Kontrol', state: 'connected', type: 'input', onmidimessage: null }
  window.sent = []
  const output = { name: 'Drum Machine', state: 'connected', type: 'output',
    send: (data, time) => window.sent.push([data[0], time ?? null]) }
  const access = { inputs: new Map([['1', input]]), outputs: new Map([['2', output]]),
    onstatechange: null }
  navigator.requestMIDIAccess = () => Promise.resolve(access)
  window.strike = (...data) => input.onmidimessage(
    { data: Uint8Array.from(data), timeStamp: performance.now() })
  window.tick = (timeStamp) => input.onmidimessage({ data: Uint8Array.of(0xf8), timeStamp })
  window.unplug = () => {
    input.state = 'disconnected'
    access.onstatechange({ port: input })
  }
}"""


def test_knobs_and_pads_are_learned_and_heard(server: Any, page: Page) -> None:
    page.evaluate(PLUG)
    play(page)
    page.get_by_text("Controllers", exact=True).click()
    button(page, "Connect MIDI").click()
    expect(page.get_by_text("Pad Kontrol")).to_be_visible()
    (stream,) = (s for s in server.service.streams._streams.values() if s.connection)
    strike = "(data) => window.strike(...data)"
    button(page, "Learn Tempo").click()
    page.evaluate(strike, [0xB0, 21, 64])
    # A knob that is bound moves it, however fast it is turned; the last place counts.
    for value in range(0, 128, 3):
        page.evaluate(strike, [0xB0, 21, value])
    page.evaluate(strike, [0xB0, 21, 127])
    wait_until(lambda: stream.session.scene.bpm == 200)
    expect(page.get_by_label("Tempo in beats per minute", exact=True)).to_have_value("200")
    button(page, "A pad for what is heard").click()
    # What is no pad is no pad, and a flood of system exclusive changes nothing.
    page.evaluate("() => { for (let i = 0; i < 5000; i++) window.strike(0xf0, 1, 2, 3, 0xf7) }")
    page.evaluate(strike, [0x99, 36, 100])
    expect(page.get_by_text("Pad 9/36")).to_be_visible()
    page.get_by_label("What comes next?", exact=True).fill("organ")
    page.keyboard.press("Enter")
    wait_until(lambda: stream.session.scene.prompts[0].text == "organ")
    page.evaluate(strike, [0x99, 36, 100])
    wait_until(lambda: stream.session.scene.prompts[0].text == "jazz")
    page.get_by_label("Follow the tempo of its clock").check()
    page.evaluate("() => { for (let i = 0; i <= 48; i++) window.tick(i * 60000 / 97 / 24) }")
    wait_until(lambda: stream.session.scene.bpm == 97)
    look(page, "midi")
    page.evaluate("() => window.unplug()")
    expect(page.get_by_role("alert")).to_contain_text("Pad Kontrol is gone")


def test_midi_that_is_refused_is_said(page: Page) -> None:
    page.evaluate(
        "() => { navigator.requestMIDIAccess = () => Promise.reject(new DOMException('no')) }"
    )
    page.get_by_text("Controllers", exact=True).click()
    button(page, "Connect MIDI").click()
    expect(page.get_by_role("alert")).to_contain_text("MIDI was refused")


def test_the_clock_of_the_music_is_sent(page: Page) -> None:
    page.evaluate(PLUG)
    slide(page, "Tempo in beats per minute", "100")
    play(page)
    page.get_by_text("Controllers", exact=True).click()
    button(page, "Connect MIDI").click()
    page.get_by_label("Send it the clock of the music").check()
    wait_until(lambda: page.evaluate("() => window.sent.length") > 150)
    button(page, "Pause").click()
    wait_until(lambda: page.evaluate("() => window.sent.at(-1)[0]") == 0xFC)
    sent = page.evaluate("() => window.sent")
    first = [code for code, _ in sent].index(0xFA)
    ticks = np.array([time for code, time in sent[first:] if code == 0xF8])
    # The clock of the sound card and that of the page are not quite one.
    assert np.median(np.diff(ticks)) == pytest.approx(60_000 / 100 / 24, rel=0.02)
    assert (np.diff(ticks) > 0).mean() > 0.95
