"""What the page costs its listener: processor time of headless Chromium without a GPU.

Usage: python -m benchmarks.page [--seconds 20]

Opens the page at 1440 x 900 and prints the share of a core that all processes of the browser take,
while a stream plays and is drawn, and while it is paused.
"""

from __future__ import annotations

import argparse
import time

import psutil
from playwright.sync_api import sync_playwright

from benchmarks.light import processor_name
from benchmarks.listener import running_server
from benchmarks.tab import processor_s
from listening import CHROMIUM, FLAGS
from page_tools import LINK, button, play

_SIZE = {"width": 1440, "height": 900}
# The page measures its first seconds and draws less where it has to.
_SETTLED_S = 5.0


def share_of_core(seconds: float, wait: object) -> float:
    """Of all processes of the browser, over so many seconds."""
    before, began = processor_s(), time.perf_counter()
    wait(1000.0 * seconds)  # type: ignore[operator]
    return (processor_s() - before) / (time.perf_counter() - began)


def main() -> None:
    """Play, pause, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    print(f"{processor_name()}; load average {psutil.getloadavg()[0]:.1f}")
    with running_server(None) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--disable-gpu"]
        )
        page = browser.new_page(viewport=_SIZE)
        page.goto(f"http://127.0.0.1:{server.port}{LINK}")
        play(page)
        for state in ("playing", "paused"):
            if state == "paused":
                button(page, "Pause").click()
            page.wait_for_timeout(1000 * _SETTLED_S)
            share = share_of_core(seconds, page.wait_for_timeout)
            print(f"{state}: {100 * share:.1f} % of a core")
        browser.close()


if __name__ == "__main__":
    main()
