"""The program's own help."""

from __future__ import annotations

import pytest

from sonoriff.cli.main import COMMANDS, load_command


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_itself_begins_with(name: str) -> None:
    own = " ".join((load_command(name).help or "").split())
    assert own[:24] == COMMANDS[name][:24]
