"""`sonoriff mcp`, spoken to by the official client over standard input and output."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio
import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client

from sonoriff.audio import read_tags
from sonoriff.models.small.model import SmallModel
from sonoriff.sonogram import load_picture


@pytest.fixture(scope="module")
def model_folder(small_model: SmallModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "tiny"
    folder.mkdir()
    small_model.save_pretrained(folder)
    return folder


def path_of(link: str) -> Path:
    return Path(unquote(urlsplit(link).path))


def test_an_assistant_makes_changes_and_hears_music(model_folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"not for you")
    music = tmp_path / "music"
    command = ["-m", "sonoriff", "mcp", "--folder", str(music), "--model", str(model_folder)]
    parameters = StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))
    told: list[float] = []

    async def on_progress(progress: float, total: float | None, _message: str | None) -> None:
        told.append(progress / (total or 1.0))

    async def talk() -> None:
        async with (
            stdio_client(parameters) as (read, write),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            names = {tool.name for tool in (await session.list_tools()).tools}
            assert names == {"generate", "remix", "inpaint", "extend", "song", "analyse"}

            async def call(name: str, progress: Any = None, **given: Any) -> dict[str, Any]:
                answer = await session.call_tool(name, given, progress_callback=progress)
                assert not answer.is_error, answer.content
                found: dict[str, Any] = json.loads(answer.content[0].text)
                return found

            made = await call(
                "generate", on_progress, prompt="calm piano", duration_s=2, bpm=90, seed=7
            )
            assert (made["bpm"], made["duration_s"]) == (90, pytest.approx(2, abs=0.02))
            assert read_tags(path_of(made["sound"]))["title"] == "calm piano"
            assert told[-1] == 1.0
            other = await call("remix", source=made["sound"], prompt="organ", strength=0.5)
            assert load_picture(path_of(other["picture"])).metadata["verb"] == "remix"
            part = await call(
                "inpaint", source=made["picture"], prompt="bells", low_hz=60, high_hz=250
            )
            assert load_picture(path_of(part["picture"])).metadata["prompt"] == "bells"
            longer = await call("extend", source=path_of(made["sound"]).name, duration_s=3)
            assert longer["duration_s"] == pytest.approx(3, abs=0.02)
            heard = await call("analyse", source=longer["sound"])
            assert heard["duration_s"] == longer["duration_s"]
            for name, given, word in (
                ("analyse", {"source": str(secret)}, "a source is a file in"),
                ("analyse", {"source": "../secret.wav"}, "a source is a file in"),
                ("generate", {"prompt": "x", "duration_s": 500}, "at most 120 s"),
                ("generate", {"prompt": "x", "key": "H"}, "a key is"),
            ):
                refused = await session.call_tool(name, given)
                assert refused.is_error
                assert word in refused.content[0].text

    anyio.run(talk)
    assert len(list(music.glob("*.wav"))) == len(list(music.glob("*.png"))) == 4
