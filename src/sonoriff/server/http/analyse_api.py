"""The route that says what is heard in a sound."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from sonoriff.errors import ParameterError
from sonoriff.server.http.dependencies import require_key, service_of
from sonoriff.server.http.error_handlers import described
from sonoriff.server.http.guard import client_of
from sonoriff.server.http.riffs_api import RiffId, Source, source_of
from sonoriff.server.workers.worker_pool import TooMuchError

router = APIRouter(prefix="/api/v1", tags=["riffs"], dependencies=[Depends(require_key)])
_TYPES = {"labels": "text/plain; charset=utf-8", "midi": "audio/midi"}


class SpanAnswer(BaseModel):
    """A chord's name, or an energy of 1 to 5, and where it holds."""

    start_s: float
    end_s: float
    what: str | int


class AnalysisAnswer(BaseModel):
    """As `sonoriff.pipeline.analyse.Analysis`."""

    duration_s: float
    loudness_lufs: float | None
    bpm: float | None
    beats_s: list[float]
    bars_s: list[float]
    key: str | None
    key_likeness: float
    energy: int
    chords: list[SpanAnswer]
    energies: list[SpanAnswer]


@router.post(
    "/analyse",
    response_model=AnalysisAnswer,
    responses={
        200: {"content": {"text/plain": {}, "audio/midi": {}}},
        **described(401, 403, 404, 408, 409, 413, 422, 429, 503),
    },
)
async def analyse(
    request: Request,
    source: Source = None,
    riff: RiffId = None,
    form: Annotated[
        Literal["json", "labels", "midi"],
        Query(alias="format", description="Labels are for Audacity, MIDI is for a DAW."),
    ] = "json",
) -> Response:
    """Tempo, beats, bars, key, chords, energy and loudness of a sound."""
    service = service_of(request)
    given = await source_of(request, source, riff, kind="flac")
    client = client_of(request.scope)
    task: dict[str, Any] = {"task": "analyse", "format": form}
    try:
        with service.jobs.place(client):
            work = service.riff_pool.call(task, [given], payer=(client, ""))
            facts, blobs = await service.jobs.before_stop(work)
    except TooMuchError as error:
        raise ParameterError(str(error)) from error
    if form == "json":
        return JSONResponse(facts["analysis"])
    return Response(blobs[0], media_type=_TYPES[form])
