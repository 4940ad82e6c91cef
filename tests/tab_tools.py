"""Pages without a server of Sonoriff's: files over HTTP, and the engine as a module of its own."""

from __future__ import annotations

import base64
import functools
import http.server
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from listening import CHROMIUM, FLAGS

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
RUNTIME = WEB / "node_modules" / "onnxruntime-web" / "dist"
ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}

OPEN = """async (threads) => {
  const engine = await import('/engine.js')
  engine.prepare({ threads, mjs: location.origin + '/ort-wasm-simd-threaded.mjs',
    wasm: location.origin + '/ort-wasm-simd-threaded.wasm' })
  const load = async (name) => (await fetch('/' + name)).arrayBuffer()
  const about = await (await fetch('/model.json')).json()
  window.engine = engine
  window.model = await engine.Model.load(about, load, await load('engine.wasm'))
  window.packed = (numbers) => {
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
    let text = ''
    for (let i = 0; i < bytes.length; i += 32768)
      text += String.fromCharCode(...bytes.subarray(i, i + 32768))
    return btoa(text)
  }
  window.unpacked = (text) =>
    new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)
  return crossOriginIsolated
}"""


class _Files(http.server.SimpleHTTPRequestHandler):
    """Files of several folders, the first one that has them."""

    folders: tuple[Path, ...]
    headers_of_all: dict[str, str]

    def translate_path(self, path: str) -> str:
        inner = path.split("?")[0].strip("/") or "index.html"
        found = (folder / inner for folder in self.folders)
        return str(next((file for file in found if file.exists()), self.folders[0] / inner))

    def end_headers(self) -> None:
        for name, value in self.headers_of_all.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(*folders: Path, isolated: bool = False) -> Iterator[str]:
    """The address of a server of static files.

    Parameters
    ----------
    isolated : with the two headers that let a page have threads
    """
    handler = type(
        "Files",
        (_Files,),
        {"folders": folders, "headers_of_all": ISOLATION if isolated else {}},
    )
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folders[0]))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def build_engine(folder: Path) -> Path:
    """The engine as one module, ``engine.js``, with an empty page beside it."""
    vite = WEB / "node_modules" / ".bin" / "vite"
    assert vite.exists(), "the page's packages are missing: npm ci in web/"
    command = [str(vite), "build", "--config", "engine/vite.config.ts", "--outDir", str(folder)]
    subprocess.run(command, cwd=WEB, check=True, capture_output=True, env={**os.environ, "CI": "1"})
    (folder / "index.html").write_text("<!doctype html><title>engine</title>")
    (folder / "engine.wasm").write_bytes((WEB / "engine" / "native" / "engine.wasm").read_bytes())
    return folder


class Engine:
    """The engine in a page: its values are asked for by expressions."""

    def __init__(self, page: Page, isolated: bool) -> None:
        self.page, self.isolated = page, isolated

    def value(self, body: str, argument: Any = None) -> Any:
        """What an asynchronous function with this body returns; `model`, `engine` and `given`."""
        return self.page.evaluate(f"async (given) => {{ {body} }}", argument)

    def floats(self, body: str, argument: Any = None) -> np.ndarray:
        """The same for a Float32Array."""
        text = self.value(f"return packed(await (async (given) => {{ {body} }})(given))", argument)
        return np.frombuffer(base64.b64decode(text), np.float32)


def packed(array: np.ndarray) -> str:
    """An array for ``unpacked`` of the page."""
    return base64.b64encode(np.ascontiguousarray(array, np.float32).tobytes()).decode()


@contextmanager
def engine_page(module: Path, export: Path, *, threads: int = 1) -> Iterator[Engine]:
    """An empty page with the engine, a model of an export loaded.

    Parameters
    ----------
    module : folder of `build_engine`
    """
    assert CHROMIUM, "no chromium: apt-get install chromium"
    with (
        served(module, export, RUNTIME, isolated=threads > 1) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(300_000)
        page.goto(url)
        yield Engine(page, page.evaluate(OPEN, threads))
        browser.close()


Opened = Callable[..., AbstractContextManager[Engine]]
