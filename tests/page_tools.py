"""What tests of the page do again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

expect.set_options(timeout=60_000)
SCREENS = Path(__file__).resolve().parents[1] / "out" / "screens"
LINK = "/?prompt=jazz&weight=1&steps=1&guidance=1&morph=0&seed=7"
NEXT = "What comes next?"


def look(page: Page, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png")


def button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def play(page: Page) -> None:
    button(page, "Play").click()
    page.locator(".line", has_text="Live").wait_for()
    page.wait_for_timeout(2500)


def view(page: Page, name: str) -> None:
    """Turn the panel to *Play* or *Make*."""
    page.get_by_role("radio", name=name, exact=True).check(force=True)


def slide(page: Page, name: str, value: str) -> None:
    field = page.get_by_label(f"{name}, number", exact=True)
    field.fill(value)
    field.press("Tab")


def frames_heard(page: Page) -> int:
    """Frames since the page was opened that were not silent."""
    return int(
        page.evaluate(
            "() => window.heard.reduce((n, part) => n + part.filter((x) => x !== 0).length, 0)"
        )
    )


def riff_of(server: Any, prompt: str) -> dict[str, Any]:
    record = server.post(
        "/api/v1/riffs", json={"prompt": prompt, "duration_s": 2, "num_inference_steps": 1}
    )
    assert record.status_code == 202, record.text
    riff = record.json()
    while riff["state"] in ("queued", "running"):
        riff = server.get(f"/api/v1/riffs/{riff['id']}").json()
    assert riff["state"] == "done"
    return dict(riff)


def newest(server: Any) -> dict[str, Any]:
    return dict(server.get("/api/v1/riffs").json()["riffs"][0])
