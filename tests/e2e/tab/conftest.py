"""Exports, and pages with the engine, in Debian's Chromium."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from exported_model import ExportedModel, exported
from sonoriff.models.registry import bundled_folder
from tab_tools import Opened, build_engine, engine_page
from tiny_small_model import save_tiny


@pytest.fixture(scope="session")
def engine_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_engine(tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExportedModel, Path]:
    """A model of random weights, and the folder of its export."""
    stored = save_tiny(tmp_path_factory.mktemp("model") / "tiny")
    folder = tmp_path_factory.mktemp("exported")
    return exported(stored, folder, "float16"), folder


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExportedModel, Path]:
    folder = tmp_path_factory.mktemp("exported")
    return exported(bundled_folder(), folder, "float16"), folder


@pytest.fixture(scope="session")
def opened(engine_module: Path) -> Opened:
    """Opens the engine with the files of an export."""
    return functools.partial(engine_page, engine_module)
