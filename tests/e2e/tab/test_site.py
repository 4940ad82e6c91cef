"""A site without a server, in a real browser: it plays, makes, keeps, and works offline."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import wave
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect, sync_playwright

from listening import CHROMIUM, EAR, FLAGS, needs_page
from page_tools import LINK, NEXT, button, frames_heard, play, view
from sonoriff.export.site import (
    MAX_FIRST_LOAD,
    MAX_FIRST_LOAD_COMPRESSED,
    Site,
    export_site,
)
from sonoriff.models.registry import load_model
from sonoriff.sonogram.picture import picture_from_bytes
from tab_tools import served
from tiny_small_model import save_tiny

# Not needed for music, and therefore kept after it.
KEPT_ENCODER = """async () => (await (await caches.open('sonoriff-model')).keys())
  .some(({ url }) => url.includes('encoder.safetensors'))"""


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
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(EAR)
        page.goto(url + link)
        yield page
        browser.close()
    assert not errors, errors


def ready(page: Page) -> None:
    expect(page.locator(".line")).to_have_text("Ready")


def test_it_is_said_how_much_is_loaded_first(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sonoriff", "export", "web", "-o", str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"first load: (.+) MB, (.+) MB with (brotli|gzip)", told)
    assert found, told
    raw, compressed = (1e6 * float(size) for size in found.groups()[:2])
    assert raw <= MAX_FIRST_LOAD
    assert compressed <= MAX_FIRST_LOAD_COMPRESSED
    names = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    for name, stored in json.loads((tmp_path / "tab.json").read_text())["files"].items():
        data = (tmp_path / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == tuple(stored.values())
        names.remove(name)
    assert names == {"index.html", "sw.js", "tab.json"}


def test_a_stream_follows_the_prompt(site: tuple[Path, Site]) -> None:
    with visited(site[0]) as page:
        ready(page)
        play(page)
        assert frames_heard(page) > 44100
        page.get_by_label(NEXT).fill("organ")
        page.get_by_label(NEXT).press("Enter")
        expect(page.locator(".now")).to_contain_text("organ")


def make(page: Page, words: str) -> None:
    """Make a riff of a second."""
    view(page, "Make")
    page.get_by_label("What is it to be?").fill(words)
    page.get_by_label("Seconds, number").fill("1")
    button(page, "Make").click()
    expect(page.locator(".items .item").first).to_contain_text(words)


def downloaded(page: Page, title: str, name: str) -> tuple[str, bytes]:
    """A file of the newest riff of the gallery: its name and content."""
    menu = page.get_by_label(f"Download {title}").first
    menu.click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).first.click()
    menu.click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


def test_a_riff_is_made_and_kept(site: tuple[Path, Site]) -> None:
    with visited(site[0]) as page:
        ready(page)
        make(page, "organ")
        page.reload()
        ready(page)
        expect(button(page, "Songs")).to_have_count(0)
        button(page, "Gallery").click()
        name, data = downloaded(page, "organ", "WAV 44.1 kHz")
        with wave.open(io.BytesIO(data)) as sound:
            assert (sound.getframerate(), sound.getnframes()) == (44100, 86 * 512)
        assert name == "organ.wav"
        name, data = downloaded(page, "organ", "Picture")
        assert name == "organ.png"
        picture = picture_from_bytes(data)
        assert (picture.values.shape, picture.params.name) == ((1, 256, 86), "hifi")
        assert picture.metadata["prompt"] == "organ"
        button(page, "Rename organ").click()
        page.get_by_label("Title").fill("Sunday")
        button(page, "Rename").click()
        page.get_by_label("Search").fill("sun")
        button(page, "Play Sunday").click()
        expect(page.locator(".now .words")).to_have_text("Sunday")


def test_the_gallery_goes_to_another_browser(site: tuple[Path, Site], tmp_path: Path) -> None:
    file = tmp_path / "gallery.zip"
    with visited(site[0]) as page:
        ready(page)
        make(page, "organ")
        button(page, "Gallery").click()
        with page.expect_download() as waiting:
            button(page, "Export all").click()
        waiting.value.save_as(file)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert sorted(name[-4:] for name in archive.namelist()) == [".png", ".wav", "json"]
    with visited(site[0]) as page:
        ready(page)
        button(page, "Gallery").click()
        expect(button(page, "Play organ")).to_have_count(0)
        page.get_by_label("Import").set_input_files(file)
        button(page, "Play organ").click()
        expect(page.locator(".now .words")).to_have_text("organ")
        button(page, "Gallery").click()
        file.write_bytes(file.read_bytes()[:-9])
        page.get_by_label("Import").set_input_files(file)
        expect(page.get_by_role("alert")).to_have_text(re.compile("damaged"))
        button(page, "Delete organ").click()
        expect(button(page, "Play organ")).to_have_count(0)


def test_a_dropped_file_is_remixed(site: tuple[Path, Site], tmp_path: Path) -> None:
    file = tmp_path / "tone.wav"
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    soundfile.write(file, tone, 44100)
    with visited(site[0]) as page:
        ready(page)
        button(page, "Gallery").click()
        page.get_by_label("Open a file").set_input_files(file)
        page.get_by_label("What it is to become").fill("flute")
        button(page, "Remix").click()
        expect(page.locator(".now h2")).to_have_text("Riff")
        expect(page.locator(".now .words")).to_have_text("flute")
        file.write_bytes(b"no sound")
        button(page, "Gallery").click()
        page.get_by_label("Open a file").set_input_files(file)
        button(page, "Remix").click()
        expect(page.locator(".line")).to_contain_text("cannot read the file")


def test_what_is_heard_is_kept_and_painted_on(site: tuple[Path, Site]) -> None:
    with visited(site[0]) as page:
        ready(page)
        play(page)
        button(page, "Record").click()
        page.wait_for_timeout(2000)
        button(page, "Stop recording").click()
        recorded = page.get_by_role("dialog", name="Recorded")
        expect(recorded.get_by_role("button", name="FLAC")).to_have_count(0)
        recorded.get_by_role("button", name="Keep it in the gallery").click()
        expect(recorded.get_by_role("status")).to_have_text("Kept in the gallery.")
        page.keyboard.press("Escape")
        button(page, "Paint").click()
        expect(page.locator(".now h2")).to_have_text("Riff")
        expect(page.locator(".now .words")).to_have_text("jazz")
        button(page, "Bass").click()
        page.get_by_label("What the painted part is to become").fill("tuba")
        button(page, "Make anew").click()
        expect(page.locator(".now .words")).to_have_text("tuba")
        button(page, "Gallery").click()
        expect(page.locator(".card")).to_have_count(3)


def test_a_full_disk_is_told(site: tuple[Path, Site]) -> None:
    with visited(site[0]) as page:
        ready(page)
        page.evaluate(
            """() => (IDBObjectStore.prototype.put = () => {
              throw new DOMException('full', 'QuotaExceededError')
            })"""
        )
        view(page, "Make")
        page.get_by_label("Seconds, number").fill("1")
        button(page, "Make").click()
        expect(page.locator(".line")).to_contain_text("no room for this riff")


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        ("WebAssembly.validate = () => false", "no WebAssembly SIMD"),
        ("delete globalThis.WebAssembly", "no WebAssembly, which"),
        ("WebAssembly.Memory = class { constructor() { throw RangeError('memory') } }", "memory"),
    ],
)
def test_what_a_browser_lacks_is_told(
    site: tuple[Path, Site], tmp_path: Path, lack: str, words: str
) -> None:
    workers = [file for file in site[1].files if file.name.startswith("worker-")]
    engine = max(workers, key=lambda file: file.stat().st_size)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / engine.name).write_text(f"{lack};{engine.read_text()}")
    with visited(tmp_path, site[0]) as page:
        expect(page.locator(".line")).to_contain_text(words)


def test_songs_need_a_server(site: tuple[Path, Site]) -> None:
    with visited(site[0], link=f"{LINK}#song=q64FAA") as page:
        expect(page.get_by_role("alert")).to_contain_text("Songs need a server")


def test_offline_after_the_first_visit(site: tuple[Path, Site], tmp_path: Path) -> None:
    with visited(site[0]) as page:
        ready(page)
        page.evaluate("navigator.serviceWorker.ready")
        page.wait_for_function(KEPT_ENCODER)
        page.context.set_offline(True)
        page.reload()
        ready(page)
        play(page)
        assert frames_heard(page) > 44100
        file = tmp_path / "tone.wav"
        soundfile.write(file, 0.1 * np.ones(44100), 44100)
        button(page, "Gallery").click()
        page.get_by_label("Open a file").set_input_files(file)
        button(page, "Remix").click()
        expect(page.locator(".now h2")).to_have_text("Riff")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model/denoiser.safetensors", "truncated"),
        ("model/denoiser.safetensors", "tampered"),
        ("assets/ort-wasm", "tampered"),
        ("tab.json", "truncated"),
    ],
)
def test_damaged_files_are_told(
    site: tuple[Path, Site], tmp_path: Path, name: str, damage: str
) -> None:
    [file] = [f for f in site[1].files if name in str(f) and f.suffix != ".mjs"]
    data = bytearray(file.read_bytes())
    if damage == "truncated":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2] ^= 1
    damaged = tmp_path / file.relative_to(site[0])
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_bytes(data)
    with visited(tmp_path, site[0]) as page:
        words = "not whole" if name == "tab.json" else f"{file.name} is damaged"
        expect(page.locator(".line")).to_contain_text(words)
