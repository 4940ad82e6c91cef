"""The engine in its worker: it speaks the wire protocol, does work, and says what is wrong."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from exported_model import ExportedModel
from listening import CHROMIUM, FLAGS
from tab_tools import RUNTIME, served

Exported = tuple[ExportedModel, Path]
SCENE = {"prompts": [{"text": "jazz", "weight": 1}], "num_inference_steps": 1, "guidance_scale": 1}
OPEN = """async () => {
  const { EngineClient } = await import('/engine.js')
  window.client = new EngineClient(new Worker('/worker.js', { type: 'module' }))
  const changed = new Promise((done) => (client.onChange = () => {
    if (client.about || client.failure) done()
  }))
  const here = (name) => new URL(name, location.href).href
  client.load({ folder: here('./'), native: here('engine.wasm'), threads: 1,
    mjs: here('ort-wasm-simd-threaded.mjs'), wasm: here('ort-wasm-simd-threaded.wasm') })
  await changed
  return client.failure
}"""
LISTEN = """async (scene) => {
  const port = client.streams()
  const got = []
  let samples = 0
  const heard = new Promise((done) => (port.onmessage = ({ data }) => {
    if (data.type !== 'message') return
    if (typeof data.data === 'string') {
      const message = JSON.parse(data.data)
      got.push(message)
      if (message.type === 'ready') {
        say({ type: 'scene', id: 5, scene: { bpm: 1 } })
        say({ type: 'want', until: 60000 })
      }
      return
    }
    const head = [...new Uint8Array(data.data, 0, 16)]
    got.push({ type: 'frame', head, bytes: data.data.byteLength })
    if (head[0] === 1) samples += (data.data.byteLength - 16) / 2
    if (samples >= 60000) done()
  }))
  const say = (message) => port.postMessage({ id: 1, type: 'message', message })
  port.postMessage({ id: 1, type: 'open' })
  say({ type: 'hello', version: 1, scene })
  await heard
  say({ type: 'bye' })
  return got
}"""


@contextmanager
def opened(*folders: Path) -> Iterator[tuple[Page, str]]:
    """A page with the worker, and why it has no model, if it has none."""
    with served(*folders, RUNTIME) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(300_000)
        page.goto(url)
        yield page, page.evaluate(OPEN)
        browser.close()


def test_a_stream_by_the_protocol_and_a_piece_of_work(engine_module: Path, tiny: Exported) -> None:
    with opened(engine_module, tiny[1]) as (page, failure):
        assert failure == ""
        messages: list[dict[str, Any]] = page.evaluate(LISTEN, SCENE)
        first, refused = messages[0], messages[1]
        assert (first["type"], first["sample_rate"], first["n_mels"]) == ("ready", 44100, 256)
        assert (refused["type"], refused["id"]) == ("error", 5)
        assert "bpm must be in [30, 300]" in refused["message"]
        assert next(m for m in messages if m["type"] == "window")["first_sample"] == 0
        check_frames([m for m in messages if m["type"] == "frame"])
        length = page.evaluate(
            """async () => {
              const settings = { prompt: 'organ', duration_s: 1, num_inference_steps: 1 }
              const shares = []
              const done = await client.work({ verb: 'generate', settings }, (s) => shares.push(s))
              return [done.samples[0].length, done.picture.width, shares.at(-1)]
            }"""
        )
        assert length == [86 * 512, 86, 1]


def check_frames(frames: list[dict[str, Any]]) -> None:
    """Columns and samples follow each other without a gap."""
    ends = {1: 0, 2: 0}
    for frame in frames:
        kind, version, channels, _, count, first = struct.unpack("<BBBBIQ", bytes(frame["head"]))
        assert (version, channels, first) == (1, 1, ends[kind])
        ends[kind] += count * (1 if kind == 1 else 512)
        assert frame["bytes"] == 16 + count * (2 if kind == 1 else 256)
    assert ends[1] == 60000
    assert ends[2] >= ends[1]


@pytest.mark.parametrize("name", ["denoiser.safetensors", "model.json"])
def test_damaged_files_are_told(
    engine_module: Path, tiny: Exported, tmp_path: Path, name: str
) -> None:
    data = bytearray((tiny[1] / name).read_bytes())
    if name == "model.json":
        data = bytearray(json.dumps({**json.loads(data), "version": 99}).encode())
    else:
        data[-1] ^= 1
    (tmp_path / name).write_bytes(data)
    with opened(engine_module, tmp_path, tiny[1]) as (_, failure):
        words = "another version" if name == "model.json" else f"{name} is damaged"
        assert words in failure
