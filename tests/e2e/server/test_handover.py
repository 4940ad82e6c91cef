"""Two servers of one database: riffs go from one to the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from running_server import Running, run_server
from server_tools import wait_until
from sonoriff.server.config import Limits, ServerConfig
from sonoriff.server.records import Claim

QUICK = {"prompt": "", "duration_s": 1.0, "num_inference_steps": 1}
LONG = {"prompt": "", "duration_s": 120.0, "num_inference_steps": 50}
LIMITS = Limits(lease_s=3.0)


@pytest.fixture
def run(model_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts servers of one database, and stops those that still run."""
    started = []

    def start(name: str) -> Running:
        config = ServerConfig(
            model=str(model_folder),
            data_folder=tmp_path / name,
            database=f"sqlite:///{tmp_path / 'shared.sqlite'}",
            grace_s=0.1,
            limits=LIMITS,
        )
        running = run_server(config)
        started.append(running)
        wait_until(lambda: running.service.riff_pool.model_info or running.server.fatal)
        assert running.server.fatal is None
        return running

    yield start
    for running in started:
        if running.thread.is_alive():
            running.stop()


def state(server: Running, riff_id: str) -> str:
    found: str = server.get(f"/api/v1/riffs/{riff_id}").json()["state"]
    return found


def last_event(server: Running, riff_id: str) -> dict[str, Any]:
    """The last change of a riff that its events tell."""
    lines = server.get(f"/api/v1/riffs/{riff_id}/events").text.strip().splitlines()
    record: dict[str, Any] = json.loads(lines[-1].removeprefix("data: "))
    return record


def test_a_server_that_stops_hands_its_riffs_back_at_once(run: Callable[..., Running]) -> None:
    one, two = run("one"), run("two")
    long = one.post("/api/v1/riffs", json=LONG).json()["id"]
    form = {"settings": json.dumps({"prompt": "", "num_inference_steps": 1})}
    source = {"source": b"no sonogram"}
    remix = one.post("/api/v1/riffs/remix", data=form, files=source).json()["id"]
    short = one.post("/api/v1/riffs", json={**QUICK, "prompt": "short"}).json()["id"]
    wait_until(lambda: state(two, long) == "running")
    one.stop()
    assert two.post(f"/api/v1/riffs/{long}/cancel").json()["state"] == "cancelled"
    assert last_event(two, short)["state"] == "done"
    assert two.get(f"/api/v1/riffs/{short}/riff.flac").status_code == 200
    # It came with its source, which is no sonogram: that is what the other server says of it.
    assert last_event(two, remix)["state"] == "failed"
    assert "sound" in two.get(f"/api/v1/riffs/{remix}").json()["error"]


def test_a_server_without_its_lease_writes_nothing_and_the_other_makes_the_riff(
    run: Callable[..., Running],
) -> None:
    one, two = run("one"), run("two")
    asked = one.post("/api/v1/riffs", json={**QUICK, "duration_s": 20.0, "num_inference_steps": 20})
    riff_id = asked.json()["id"]
    store = one.service.store
    store.renew = lambda: dict[str, int]()  # type: ignore[method-assign]
    with store._engine.begin() as connection:
        gone = update(Claim).values(until=two.service.store._leases._time(-1.0))
        connection.execute(gone)
    record = last_event(two, riff_id)
    assert record["state"] == "done"
    assert last_event(one, riff_id)["state"] == "done"
    wait_until(lambda: one.service.jobs.find(riff_id) is None)
    found = two.service.store.find(riff_id)
    assert found is not None
    wait_until(lambda: not list((store._folder / "riffs").iterdir()) or found.stem is None)


def test_events_and_cancel_reach_a_riff_of_another_server(run: Callable[..., Running]) -> None:
    one, two = run("one"), run("two")
    riff_id = one.post("/api/v1/riffs", json=LONG).json()["id"]
    wait_until(lambda: state(two, riff_id) == "running")
    assert two.post(f"/api/v1/riffs/{riff_id}/cancel").json()["state"] == "cancelled"
    wait_until(lambda: one.service.jobs.find(riff_id) is None)
    assert last_event(one, riff_id)["state"] == "cancelled"
    assert last_event(two, riff_id)["state"] == "cancelled"
