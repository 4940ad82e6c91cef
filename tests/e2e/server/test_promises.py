"""What docs/server.md promises to whoever runs the server."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from running_server import Running, run_server
from server_tools import wait_until
from sonoriff.server.config import Limits, ServerConfig

PAGE = (Path(__file__).parents[3] / "docs" / "server.md").read_text(encoding="utf-8")
INFO, RIFFS = "/api/v1/info", "/api/v1/riffs"


@pytest.fixture
def run(model_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts a server; its model is not waited for."""
    started = []

    def start(**options: Any) -> Running:
        config = ServerConfig(model=str(model_folder), data_folder=tmp_path, grace_s=0.1, **options)
        started.append(run_server(config))
        return started[-1]

    yield start
    for running in started:
        running.stop()


def test_the_metrics_are_those_of_the_page(server: Running) -> None:
    table = PAGE[PAGE.index("| metric |") : PAGE.index("## Figures")]
    named = set()
    for cell in re.findall(r"^\| (`[^|]*`) \|", table, flags=re.MULTILINE):
        first, *others = re.findall("`([a-z_]+)`", cell)
        named |= {first, *(first.replace("_streams", other) for other in others)}
    assert len(named) >= 11
    served = set(re.findall(r"^# TYPE (\w+) ", server.get("/metrics").text, flags=re.MULTILINE))
    ours = {name for name in served if name.startswith("sonoriff_") and "_created" not in name}
    assert {name.removesuffix("_total") for name in named} == {
        name.removesuffix("_total") for name in ours
    }


def test_the_limits_are_those_of_the_page() -> None:
    limits, mib = Limits(), 2**20
    for said in (
        f"| {limits.max_body_bytes // mib} MiB; {limits.max_json_bytes // 2**10} KiB | 413 |",
        f"| {limits.max_uploads_bytes // mib} MiB; "
        f"{limits.max_uploads_bytes_per_client // mib} MiB |",
        f"| {limits.max_pixels // 10**6} million pixels, {limits.max_source_s:g} s;",
        f"| {limits.task_s:g} s; half of the machine's",
        f"| {limits.max_duration_s:g} s; {limits.max_steps}; {limits.max_prompt_chars};",
        f"| {limits.max_jobs}; {limits.max_jobs_per_client};",
        f"(`--max-streams` ({limits.max_streams}); {limits.max_streams_per_client}".removeprefix(
            "("
        ),
        f"for {limits.resume_s:g} s; of one client | {limits.max_kept_streams}; "
        f"{limits.max_kept_streams_per_client} |",
        f"| {limits.requests_per_minute:g} a minute, {limits.requests_per_minute / 6:g} at once;",
        f"| {limits.wrong_keys_per_minute:g} a minute, {limits.wrong_keys_per_minute:g} at once |",
        f"| {limits.messages_per_s:g} a second, {4 * limits.messages_per_s:g} at once,",
        f"| {limits.reserve_bytes // mib} MiB stay free | 507 |",
        f"| `--max-riffs` ({limits.max_riffs}), {limits.max_stored_bytes // 2**30} GiB,",
        f"{limits.body_s:g} s | the connection is closed; 408 |",
    ):
        assert said in PAGE, said


def test_behind_a_proxy_a_client_is_who_the_proxy_names(run: Any) -> None:
    """Two requests at once are allowed of each."""
    server = run(limits=Limits(requests_per_minute=12.0))

    def statuses(client: str) -> list[int]:
        head = {"X-Forwarded-For": client}
        return [server.get(INFO, headers=head).status_code for _ in range(3)]

    assert statuses("192.0.2.1") == [200, 200, 429]
    assert statuses("192.0.2.2") == [200, 200, 429]
    # The page's files have six times as much, of their own.
    head = {"X-Forwarded-For": "192.0.2.1"}
    pages = [server.get("/healthz", headers=head).status_code for _ in range(13)]
    assert pages == [200] * 12 + [429]


def test_other_names_and_pages_are_let_in_one_by_one(run: Any) -> None:
    friend, stranger = "https://friend.example", "https://stranger.example"
    server = run(allowed_hosts=("music.example",), allowed_origins=(friend,))

    def status(method: Callable[..., Any], **head: str) -> int:
        answer = method(RIFFS, headers={name.title(): value for name, value in head.items()})
        code: int = answer.status_code
        return code

    assert status(server.get, host="music.example") == 200
    assert status(server.get, host="MUSIC.example:80") == 200
    assert status(server.get, host="rebound.example") == 403
    assert status(server.post, origin=friend) == 422  # let in, and nothing was asked for
    assert status(server.post, origin=stranger) == 403
    allowed = server.get(RIFFS, headers={"Origin": friend}).headers
    assert allowed["access-control-allow-origin"] == friend
    refused = server.get(RIFFS, headers={"Origin": stranger}).headers
    assert "access-control-allow-origin" not in refused


def test_the_log_names_routes_and_no_ids(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        server.get(f"{RIFFS}/secret-of-mine?key=secret-of-mine")
        # The line follows the answer.
        wait_until(lambda: any(record.name.startswith("sonoriff") for record in caplog.records))
    lines = [record for record in caplog.records if record.name.startswith("sonoriff")]
    facts = [getattr(record, "facts", {}) for record in lines]
    assert any(fact.get("route") == f"{RIFFS}/{{riff_id}}" for fact in facts), facts
    assert "secret-of-mine" not in str(
        [(r.getMessage(), f) for r, f in zip(lines, facts, strict=True)]
    )
