"""Documents that are made from the code are up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_line_is_documented_as_it_is() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "make_cli_docs.py"), "--check"]
    result = subprocess.run(check, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
