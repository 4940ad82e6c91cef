"""A page in Debian's Chromium, and an ear at its audio output."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Page, sync_playwright

from sonoriff.server.http.app import STATIC

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Whatever is connected to the loudspeaker is heard by a worklet too, sample by sample. It is loaded
# before any worklet of the page, so that nothing is played before somebody listens. A page without
# an address has no worklets.
EAR = """
if (window.isSecureContext) {
  const ear = URL.createObjectURL(new Blob([`
  registerProcessor('ear', class extends AudioWorkletProcessor {
    process([input]) {
      if (input[0]) this.port.postMessage(input[0].slice())
      return true
    }
  })`], { type: 'text/javascript' }))
  const addModule = AudioWorklet.prototype.addModule
  AudioWorklet.prototype.addModule = async function (...module) {
    await addModule.call(this, ear)
    return addModule.apply(this, module)
  }
  const connect = AudioNode.prototype.connect
  window.heard = []
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      const node = new AudioWorkletNode(this.context, 'ear', { numberOfOutputs: 0 })
      node.port.onmessage = (event) => window.heard.push(event.data)
      connect.call(this, node)
    }
    return connect.call(this, target, ...rest)
  }
}
"""
TAKE = """() => {
  const all = new Float32Array(window.heard.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of window.heard) { all.set(part, at); at += part.length }
  const bytes = new Uint8Array(all.buffer)
  let text = ''
  for (let i = 0; i < bytes.length; i += 32768) {
    text += String.fromCharCode(...bytes.subarray(i, i + 32768))
  }
  return btoa(text)
}"""


def needs_page() -> None:
    """Fail where the browser is missing or the page was not built."""
    assert CHROMIUM, "no chromium: apt-get install chromium"
    built = (STATIC / "index.html").is_file()
    assert built, "the page is not built: npm ci && npm run build in web/, or pip install -e ."


@contextmanager
def page_at(
    url: str, width: int = 900, height: int = 480, *, reduced_motion: bool = False
) -> Iterator[Page]:
    """A page with an ear; errors on it fail the test."""
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        # The ear is a script that the page's policy would turn away.
        page = browser.new_page(
            viewport={"width": width, "height": height},
            bypass_csp=True,
            service_workers="block",
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(EAR)
        page.goto(url)
        yield page
        browser.close()
    assert not errors, errors


def heard_by(page: Page) -> npt.NDArray[np.float32]:
    """The left channel of all that reached the audio output: float32 (T,)."""
    return np.frombuffer(base64.b64decode(page.evaluate(TAKE)), np.float32)
