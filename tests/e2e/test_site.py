"""The documentation is a website that holds all it shows."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from listening import page_at

ROOT = Path(__file__).resolve().parents[2]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


def build(target: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        [*command, *options], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site, served."""
    target = tmp_path_factory.mktemp("site")
    result = build(target)
    assert result.returncode == 0, result.stderr
    handler = partial(_Quiet, directory=str(target))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_pages_show_play_and_find_with_no_other_server(site: str) -> None:
    with page_at(f"{site}/index.html", width=1280, height=900) as page:
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{site}/index.html")
        picture = page.get_by_role("img", name="The sonogram of a generated riff")
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500
        sound = page.locator("audio").first
        expect(sound).to_be_visible()
        assert _status(page, sound.get_attribute("src")) == 200

        page.goto(f"{site}/sounds/")
        sources = page.locator("audio").evaluate_all("all => all.map(a => a.src)")
        assert len(sources) == 5
        assert {_status(page, source) for source in sources} == {200}

        page.get_by_role("textbox", name="Search").click()
        page.keyboard.type("inpaint")
        found = page.locator(".md-search-result__item a").first
        found.wait_for()
        assert "inpaint" in found.inner_text().lower()

        page.goto(f"{site}/architecture/")
        expect(page.locator("div.mermaid")).to_have_count(4, timeout=60_000)
        assert page.locator("pre.mermaid").count() == 0

        page.goto(f"{site}/api/")
        parameter = page.get_by_text("a path of a sound or of a picture").first
        expect(parameter).to_be_attached()

        page.get_by_role("link", name="Try it").first.click()
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        expect(page.locator(".line")).to_have_text("Ready", timeout=120_000)
    assert {url for url in requests if not url.startswith((site, "data:", "blob:"))} == set()


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("[nowhere](missing.md)\n", encoding="utf-8")
    configuration = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    # The pages and their order are those of the real one; here is one page.
    configuration = configuration[: configuration.index("\nnav:")]
    for relative in ("scripts/site_hooks.py", "scripts/site_docstrings.py"):
        configuration = configuration.replace(relative, str(ROOT / relative))
    (tmp_path / "mkdocs.yml").write_text(configuration, encoding="utf-8")
    result = build(tmp_path / "out", "--config-file", str(tmp_path / "mkdocs.yml"))
    assert result.returncode != 0
    assert "missing.md" in result.stderr


def _status(page: Page, url: str | None) -> int:
    """The answer to a request for a URL as the page has it."""
    return int(page.evaluate("url => fetch(url).then(answer => answer.status)", url))
