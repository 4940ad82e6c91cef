"""Parts that many tests share: real ones, tiny."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sonoriff import threads

if TYPE_CHECKING:
    from postgresql_server import PostgresqlServer
    from s3_server import S3Server
    from sonoriff.models.small.model import SmallModel


# Before torch is loaded: its threads do not spin while they wait, as in the program itself; beside
# busy processes the tests of tiny models took a hundred times as long. Their number is fixed, since
# the last bits of a sum depend on it.
os.environ.setdefault("OMP_NUM_THREADS", str(threads.usable_cores()))
for _name, _value in threads.SPIN.items():
    os.environ.setdefault(_name, _value)


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> SmallModel:
    """A model of the bundled kind with random weights; its cells are those of the real one.

    Shared by all tests: not to be changed.
    """
    from sonoriff.models.small.model import SmallModel
    from tiny_small_model import save_tiny

    folder = save_tiny(tmp_path_factory.mktemp("models") / "tiny")
    return SmallModel.from_pretrained(folder, precision="float32")


@pytest.fixture(scope="session")
def stable_diffusion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stable Diffusion's own parts in diffusers layout, tiny, with random weights.

    Shared by all tests: not to be changed; copy it first. A latent cell covers 8 x 8 pixels as in
    the real one, a window is 16 cells wide, the tokenizer knows single letters.
    """
    import tiny_stable_diffusion

    folder = tmp_path_factory.mktemp("models") / "tiny-riffusion"
    tiny_stable_diffusion.save(folder)
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A real PostgreSQL; tests take a database each."""
    from postgresql_server import find_programs, running_postgresql

    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgresql(programs) as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A real S3 server; tests take a bucket each, and leave it without faults."""
    from s3_server import running_s3

    with running_s3() as server:
        yield server
