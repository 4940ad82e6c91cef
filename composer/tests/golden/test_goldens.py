"""What the composer makes of a seed stays what it was: shipped weights have heard it."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("make_goldens.py")
_spec = importlib.util.spec_from_file_location("make_goldens", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
make_goldens = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_goldens)
GOLDENS: dict[str, Any] = json.loads(make_goldens.GOLDENS.read_text("utf-8"))


@pytest.mark.parametrize(("programme", "seed", "index"), make_goldens.PIECES)
def test_a_seed_gives_what_it_gave(programme: str, seed: int, index: int) -> None:
    if programme == "accompaniment":
        assert shutil.which("mma"), "Debian's mma is not installed"
    golden = dict(GOLDENS[f"{programme}-{seed}-{index}"])
    made = make_goldens.golden_of(programme, seed, index)
    # Oscillators and filters differ in their last bits between versions of NumPy and SciPy.
    assert made.pop("levels_db", []) == pytest.approx(golden.pop("levels_db", []), abs=0.1)
    assert made == golden
