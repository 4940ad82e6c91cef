"""Photograph the web player while it plays the bundled model, into docs/pictures/page.png.

Usage: python scripts/make_page_picture.py [--model MODEL] [--output FILE]

Needs the built page, Playwright and Chromium: what `make test` installs. Run it again when the page
has changed.
"""

from __future__ import annotations

import argparse
import io
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

TARGET = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "page.png"
LINK = "/?prompt=smooth%20tropical%20dance%20jazz&seed=7"
OTHER = "dub reggae with flute"
READY_S, PLAY_S = 120.0, 14.0
SIZE = {"width": 1200, "height": 680}
COLOURS = 128


@contextmanager
def server(model: str | None) -> Iterator[str]:
    """The address of a server of its own, whose model is loaded."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    chosen = ["--model", model] if model else []
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "sonoriff", "serve", "--port", str(port), "--data", data]
        with subprocess.Popen([*command, *chosen], stderr=subprocess.DEVNULL) as process:
            try:
                url = f"http://127.0.0.1:{port}"
                _wait_until_ready(url)
                yield url
            finally:
                process.terminate()


def _wait_until_ready(url: str) -> None:
    end = time.monotonic() + READY_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def photograph(page: Page) -> Image.Image:
    """The page after some seconds of music, with a blend of two sounds."""
    page.get_by_role("button", name="Play", exact=True).click()
    page.locator(".line", has_text="Live").wait_for()
    page.wait_for_timeout(1000 * PLAY_S)
    page.get_by_role("button", name="Blend with another sound").click()
    page.get_by_label("Sound 2", exact=True).fill(OTHER)
    page.keyboard.press("Enter")
    page.get_by_label("Share of sound 2").fill("35")
    page.locator(".words", has_text=OTHER).wait_for()
    page.wait_for_timeout(4000)
    page.locator(".line", has_text="Live").wait_for()
    return Image.open(io.BytesIO(page.screenshot()))


def main() -> None:
    """Start a server and a browser, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--model", help="the bundled one where none is named")
    parser.add_argument("--output", type=Path, default=TARGET)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with server(options.model) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="dark")  # type: ignore[arg-type]
        page.set_default_timeout(1000 * READY_S)
        page.goto(url + LINK)
        picture = photograph(page).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        browser.close()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    picture.save(options.output, optimize=True)
    print(f"{options.output}: {options.output.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
