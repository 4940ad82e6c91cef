"""A PostgreSQL that goes while servers run: 503 until it is back, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from postgresql_server import find_programs, running_postgresql
from running_server import run_server
from server_tools import wait_until
from sonoriff.server.config import Limits, ServerConfig

QUICK = {"prompt": "", "duration_s": 1.0, "num_inference_steps": 1}


def test_a_database_that_goes_and_comes_back(model_folder: Path, tmp_path: Path) -> None:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgresql(programs) as postgresql:
        config = ServerConfig(
            model=str(model_folder),
            data_folder=tmp_path / "one",
            database=postgresql.database(),
            limits=Limits(lease_s=60.0),
        )
        running = run_server(config)
        wait_until(lambda: running.service.riff_pool.model_info)
        riff = running.post("/api/v1/riffs", json=QUICK).json()["id"]
        running.get(f"/api/v1/riffs/{riff}/events")
        finish, kept = running.service.store.finish, list[bool]()

        def without_database(*given: Any) -> bool:
            """The database goes in the moment in which a riff is done."""
            if not kept:
                postgresql.stop()
                kept.append(False)
            kept.append(finish(*given))
            return kept[-1]

        running.service.store.finish = without_database  # type: ignore[method-assign]
        later = running.post("/api/v1/riffs", json=QUICK).json()["id"]
        wait_until(lambda: kept)
        for answer in (
            running.get("/readyz"),
            running.get("/api/v1/riffs"),
            running.get(f"/api/v1/riffs/{riff}"),
            running.post("/api/v1/riffs", json=QUICK),
        ):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert "history" in answer.json()["error"]["message"]
        assert running.get("/healthz").status_code == 200
        program = str(Path(sys.executable).with_name("sonoriff"))
        second = [program, "serve", "--port", "0", "--data", str(tmp_path / "two")]
        assert config.database is not None
        said = subprocess.run(
            [*second, "--database", config.database], capture_output=True, text=True, timeout=300
        )
        assert said.returncode == 1
        assert "the database of the history cannot be opened" in said.stderr.splitlines()[-1]
        assert "Traceback" not in said.stderr
        postgresql.start()
        wait_until(lambda: kept[-1])
        assert running.get("/readyz").status_code == 200
        for one in (riff, later):
            running.get(f"/api/v1/riffs/{one}/events")
            record = running.get(f"/api/v1/riffs/{one}").json()
            assert (record["state"], record["error"]) == ("done", None)
            assert running.get(record["files"]["flac"]).status_code == 200
        running.stop()
