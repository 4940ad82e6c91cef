"""The HTTP API against its own OpenAPI document, by drawn requests."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sonoriff.errors import BusyError
from sonoriff.server.config import ServerConfig
from sonoriff.server.http.app import create_app

schema = schemathesis.openapi.from_dict(create_app(ServerConfig()).openapi())
allowed = schemathesis.openapi.from_dict(create_app(ServerConfig()).openapi())
allowed.config.generation.update(modes=[GenerationMode.POSITIVE])
# JSON Schema cannot say that one number is less than another.
NOT_TO_BE_SAID = "a span is [low, high] with 0 <= low < high"


@schema.parametrize()
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_a_documented_one(case: Any, server: Any) -> None:
    answer = case.call_and_validate(
        base_url=server.url,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
    if answer.status_code == 202:
        # What was asked for may take long, and others have to fit into the queue.
        server.delete(f"/api/v1/riffs/{answer.json()['id']}")


# Not the songs: a plan is refused for what it says, and that it is one is not in the document yet.
@allowed.exclude(path_regex="^/api/v1/songs").parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_is_refused_that_the_document_allows(case: Any, no_worker: Any) -> None:
    answer = case.call(base_url=no_worker.url)
    if NOT_TO_BE_SAID not in answer.text:
        assert answer.status_code not in (400, 413, 415, 422), (answer.text, case.body)


@pytest.fixture
def no_worker(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server that checks everything and then makes nothing: 503."""

    def busy() -> None:
        raise BusyError("every request is refused here, after its checks")

    monkeypatch.setattr(server.service, "check_ready", busy)
    return server


def test_the_document_says_what_is_refused() -> None:
    """Steps, lengths and keys beyond the limits were allowed by it, and refused by the server."""
    document = create_app(ServerConfig()).openapi()
    for kind in ("GenerateBody", "LoopBody", "MorphBody"):
        fields = document["components"]["schemas"][kind]["properties"]
        assert fields["num_inference_steps"]["anyOf"][0]["maximum"] == 50
        assert "pattern" in fields["key"]["anyOf"][0]
    length = document["components"]["schemas"]["GenerateBody"]["properties"]["duration_s"]
    assert length["anyOf"][0]["maximum"] == 120.0
    ask = document["paths"]["/run_inference/"]["post"]["requestBody"]["content"]
    assert ask["application/json"]["schema"]["required"] == ["start", "end", "alpha"]


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        ({"plan": "title = 'x'"}, True),
        ({"song": {"title": "x"}, "plan": None}, True),
        ({"plan": "", "song": {}}, False),
        ({"plan": None, "song": None}, False),
        ({}, False),
    ],
)
def test_a_song_is_a_plan_in_one_form(body: dict[str, object], allowed: bool) -> None:
    import jsonschema_rs

    kind = create_app(ServerConfig()).openapi()["components"]["schemas"]["SongBody"]
    assert jsonschema_rs.is_valid(kind, body) is allowed
