"""Documents say what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sonoriff.cli.main import find_command

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("**/*.md"),
    *(ROOT / "integrations").glob("**/*.md"),
]


def test_the_command_line_is_documented_as_it_is() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "make_cli_docs.py"), "--check"]
    result = subprocess.run(check, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_every_dependency_has_its_reason() -> None:
    project = _pyproject()["project"]
    requirements = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        requirements += extra
    names = {re.split(r"[\s<>=!~;\[]", requirement)[0] for requirement in requirements}
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = [cell.strip() for line in text.splitlines() for cell in line.split("|")[1:3]]
    assert names - set(rows) == set()


def test_every_dependency_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines}
    project = _pyproject()["project"]
    wanted = [*project["dependencies"]]
    for name, extra in project["optional-dependencies"].items():
        wanted += [] if name == "torchaudio" else extra
    assert {re.split(r"[\s<>=!~;\[]", requirement)[0] for requirement in wanted} - pinned == set()


@pytest.mark.parametrize("page", sorted(p.relative_to(ROOT) for p in DOCUMENTS), ids=str)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    here = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in here if not (ROOT / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("page", sorted(p.relative_to(ROOT) for p in DOCUMENTS), ids=str)
def test_commands_in_documents_exist(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"^ *sonoriff ([a-z]+)", text, flags=re.MULTILINE))
    assert {name for name in named if not find_command(name)} == set()


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
