"""Blocks of documents and notebooks, run as a reader would run them."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = re.compile(
    r"^(?:<!-- tested with: (?P<changes>.+?) -->\n)?```(?P<language>sh|python)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LIMIT_S = 600.0


@dataclass(frozen=True)
class Block:
    """A block that a reader is to run."""

    language: str
    code: str


def blocks_of(document: Path) -> list[Block]:
    """Blocks of sh and Python, in order.

    A comment before a block, ``<!-- tested with: A => B; C => D -->``, makes it shorter for tests:
    its text A is replaced by B.
    """
    return [
        Block(found["language"], _changed(found["code"], found["changes"]))
        for found in _BLOCK.finditer(document.read_text(encoding="utf-8"))
    ]


def _changed(code: str, changes: str | None) -> str:
    for change in (changes or "").split("; ") if changes else []:
        old, new = change.split(" => ")
        assert old in code, f"{old!r} is not in {code!r}"
        code = code.replace(old, new)
    return code


def run_blocks(blocks: list[Block], folder: Path) -> dict[str, Any]:
    """Run them in a folder, Python in one session; what that session holds at the end."""
    session: dict[str, Any] = {"__name__": "__main__"}
    before = Path.cwd()
    os.chdir(folder)
    try:
        for block in blocks:
            if block.language == "sh":
                run_shell(block.code, folder)
            else:
                _run_python(block.code, session)
    finally:
        os.chdir(before)
    return session


def _run_python(code: str, session: dict[str, Any]) -> None:
    """Run it; where its last line is a value, show that as a notebook would."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<document>", "exec"), session)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "<document>", "eval"), session)
        shown = value._repr_html_() if hasattr(value, "_repr_html_") else repr(value)
        session.setdefault("shown", []).append(shown)


def run_shell(commands: str, folder: Path) -> None:
    """Run commands with this environment's programs; the folder is the home, too."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
    }
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert result.returncode == 0, f"{commands}\n{result.stdout}\n{result.stderr}"


def notebook_blocks(notebook: Path, **parameters: Any) -> list[Block]:
    """Code cells of a notebook, in order; a line ``!command {name}`` is a command.

    Parameters
    ----------
    parameters : set after the cell that is tagged "parameters", as papermill does it
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    blocks = []
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        blocks.append(Block("python", _as_python("".join(cell["source"]))))
        if "parameters" in cell["metadata"].get("tags", []):
            lines = [f"{name} = {value!r}" for name, value in parameters.items()]
            blocks.append(Block("python", "\n".join(lines)))
    return blocks


def _as_python(cell: str) -> str:
    """A cell whose commands are calls, so that their ``{name}`` is filled in when they run."""
    call = r"__import__('documents').run_shell(f'''\1''', __import__('pathlib').Path.cwd())"
    return re.sub(r"^!(.+)$", call, cell, flags=re.MULTILINE)
