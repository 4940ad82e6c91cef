"""Routes of riffs: create, follow, download, and search the history."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from starlette.responses import (
    FileResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from sonoriff.errors import FormatError, ParameterError
from sonoriff.pipeline.sound_file import Bits
from sonoriff.server.http.answers import RangedFile
from sonoriff.server.http.dependencies import (
    owner_of,
    require_key,
    require_key_or_query,
    service_of,
)
from sonoriff.server.http.error_handlers import ApiError, described
from sonoriff.server.http.excerpt import riff_of_part
from sonoriff.server.http.guard import client_of
from sonoriff.server.http.schemas import (
    ExtendBody,
    GenerateBody,
    InpaintBody,
    LoopBody,
    MorphBody,
    Page,
    PartBody,
    Record,
    RemixBody,
    RiffBody,
    TitleBody,
    read_settings,
)
from sonoriff.server.jobs import Job
from sonoriff.server.service import Service
from sonoriff.server.store import ENDED, RiffRecord, StoreError

_LONGEST_NAME = 60
# How often a riff that another server makes is looked at.
_WATCH_S = 1.0
_COMMON = described(401, 403, 408, 413, 422, 429, 503, 507)
router = APIRouter(
    prefix="/api/v1", tags=["riffs"], dependencies=[Depends(require_key)], responses=_COMMON
)
files_router = APIRouter(
    prefix="/api/v1",
    tags=["riffs"],
    dependencies=[Depends(require_key_or_query)],
    responses=_COMMON,
)
Kind = Literal["png", "wav", "flac", "ogg", "opus", "mp3"]
_TYPES = {
    "png": "image/png",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "mp3": "audio/mpeg",
}
Source = Annotated[UploadFile | None, File(description="Sound, or sonogram picture.")]
RiffId = Annotated[str | None, Form(max_length=40, description="Of the history, as the source.")]
_Settings = Annotated[str, Form(max_length=20_000, description="JSON, as the body of a riff.")]


async def _submit(
    request: Request, verb: str, body: RiffBody, blobs: dict[str, bytes] | None = None
) -> JSONResponse:
    """Queue a riff; respond 202 with its record."""
    service = service_of(request)
    body.check(service.config.limits)
    service.check_ready()
    given = blobs or {}
    task = {"has_source": "source" in given, "has_mask": "mask" in given}
    client = client_of(request.scope)
    job = await service.jobs.submit(
        verb, body.settings(), task, list(given.values()), client, owner_of(request) or ""
    )
    where = {"Location": f"/api/v1/riffs/{job.record['id']}"}
    return JSONResponse(job.record, 202, headers=where)


@router.post("/riffs", status_code=202, response_model=Record)
async def generate(request: Request, body: GenerateBody) -> Response:
    """Text to music."""
    return await _submit(request, "generate", body)


@router.post("/riffs/loop", status_code=202, response_model=Record)
async def loop(request: Request, body: LoopBody) -> Response:
    """A seamless loop of whole bars."""
    return await _submit(request, "loop", body)


@router.post("/riffs/morph", status_code=202, response_model=Record)
async def morph(request: Request, body: MorphBody) -> Response:
    """A morph from one prompt or seed to another."""
    return await _submit(request, "morph", body)


@router.post("/riffs/remix", status_code=202, response_model=Record, responses=described(404, 409))
async def remix(
    request: Request, settings: _Settings, source: Source = None, riff: RiffId = None
) -> Response:
    """A variation on a sound or picture."""
    body = read_settings(RemixBody, settings)
    given = await source_of(request, source, riff)
    return await _submit(request, "remix", body, {"source": given})


@router.post("/riffs/extend", status_code=202, response_model=Record, responses=described(404, 409))
async def extend(
    request: Request, settings: _Settings, source: Source = None, riff: RiffId = None
) -> Response:
    """A continuation after a sound, or a lead-in before it."""
    body = read_settings(ExtendBody, settings)
    given = await source_of(request, source, riff)
    return await _submit(request, "extend", body, {"source": given})


@router.post(
    "/riffs/inpaint", status_code=202, response_model=Record, responses=described(404, 409)
)
async def inpaint(
    request: Request,
    settings: _Settings,
    source: Source = None,
    riff: RiffId = None,
    mask: Annotated[UploadFile | None, File(description="White is repainted.")] = None,
) -> Response:
    """Repaint a part, chosen by time, by frequency or by a painted mask."""
    body = read_settings(InpaintBody, settings)
    assert isinstance(body, InpaintBody)
    if mask is None and body.time_s is None and body.band_hz is None:
        raise ParameterError("say what to repaint: time_s, band_hz, or a mask")
    blobs = {"source": await source_of(request, source, riff)}
    if mask is not None:
        blobs["mask"] = await mask.read()
    return await _submit(request, "inpaint", body, blobs)


async def source_of(
    request: Request, source: UploadFile | None, riff: str | None, kind: str = "png"
) -> bytes:
    """The uploaded file of a form, or a file of the riff it refers to.

    Raises BusyError before reading anything if no riff can be accepted.
    """
    if (source is None) == (riff is None):
        raise ParameterError("give either a file as source, or the id of a riff")
    service = service_of(request)
    service.check_ready()
    service.jobs.check_room(client_of(request.scope))
    if source is not None:
        data = await source.read()
        if not data:
            raise ParameterError("the source is empty")
        return data
    assert riff is not None
    found = await _finished(request, riff)
    path = await _file(service, found, kind)
    return await asyncio.to_thread(path.read_bytes)


@router.get("/riffs", response_model=Page)
async def history(
    request: Request,
    query: Annotated[str, Query(max_length=200, description="Words in prompt or title.")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[str | None, Query(pattern="^[0-9]{1,18}$")] = None,
    order: Literal["newest", "oldest", "longest", "name"] = "newest",
) -> dict[str, Any]:
    """The history."""
    service = service_of(request)
    words = query.replace("\0", " ").split()[:10]
    owner = owner_of(request)
    riffs, following = await asyncio.to_thread(
        service.store.page, words, limit, before, owner, order
    )
    return {"riffs": [_record(service, riff) for riff in riffs], "next": following}


def _record(service: Service, riff: RiffRecord) -> dict[str, Any]:
    """Record and job of a riff; the job of a running riff is more current."""
    job = service.jobs.find(riff.id)
    return job.record if job is not None else riff.record()


async def _find(request: Request, riff_id: str) -> tuple[RiffRecord, Job | None]:
    service, owner = service_of(request), owner_of(request)
    riff = await asyncio.to_thread(service.store.find, riff_id, owner) if _is_id(riff_id) else None
    job = service.jobs.find(riff_id)
    if riff is not None and job is None and riff.state not in ENDED:
        # It ended between the two lookups; the database is updated before the job is removed.
        riff = await asyncio.to_thread(service.store.find, riff_id, owner)
    if riff is None:
        raise ApiError(404, "there is no such riff")
    return riff, job


async def _finished(request: Request, riff_id: str) -> RiffRecord:
    riff, _ = await _find(request, riff_id)
    if riff.state != "done":
        state = _record(service_of(request), riff)["state"]
        raise ApiError(409, f"this riff is {state}: it has no files")
    return riff


async def _file(
    service: Service,
    riff: RiffRecord,
    kind: str,
    sample_rate: int | None = None,
    bits: Bits | None = None,
) -> Path:
    """Path of a finished riff's file; raises ApiError if it is missing or damaged."""
    try:
        path = await asyncio.to_thread(service.store.file, riff, kind, sample_rate, bits)
    except FormatError as error:
        raise ApiError(404, f"{error}: nothing can be made of it") from error
    if path is None:
        raise ApiError(404, "the files of this riff are gone")
    return path


def _is_id(text: str) -> bool:
    """Whether a string is a well-formed id; some databases fail on other characters."""
    return len(text) <= 24 and text.isascii() and text.replace("-", "").replace("_", "").isalnum()


@router.get("/riffs/{riff_id}", response_model=Record, responses=described(404))
async def record(request: Request, riff_id: str) -> dict[str, Any]:
    """A riff's record."""
    riff, _ = await _find(request, riff_id)
    return _record(service_of(request), riff)


@router.patch("/riffs/{riff_id}", response_model=Record, responses=described(404))
async def rename(request: Request, riff_id: str, body: TitleBody) -> dict[str, Any]:
    """Give a riff a title; "" takes it away."""
    service = service_of(request)
    await _find(request, riff_id)
    riff = await asyncio.to_thread(service.store.rename, riff_id, body.title.strip())
    if riff is None:
        raise ApiError(404, "there is no such riff")
    return _record(service, riff)


@router.post("/riffs/{riff_id}/cancel", response_model=Record, responses=described(404))
async def cancel(request: Request, riff_id: str) -> dict[str, Any]:
    """Cancel a riff; a finished riff is left unchanged."""
    service = service_of(request)
    riff, job = await _find(request, riff_id)
    if job is not None:
        await service.jobs.cancel(job)
        return job.record
    if riff.state in ENDED:
        return riff.record()
    # Another server makes it.
    cancelled = await asyncio.to_thread(service.store.cancel, riff_id)
    if cancelled is None:
        raise ApiError(404, "there is no such riff")
    return cancelled.record()


@router.delete("/riffs/{riff_id}", status_code=204, responses=described(404))
async def delete(request: Request, riff_id: str) -> Response:
    """Cancel a riff and delete it."""
    service = service_of(request)
    _, job = await _find(request, riff_id)
    if job is not None:
        await service.jobs.cancel(job)
    await asyncio.to_thread(service.store.delete, riff_id)
    return Response(status_code=204)


@files_router.get(
    "/riffs/{riff_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **described(404)},
)
async def events(request: Request, riff_id: str) -> StreamingResponse:
    """The record after every change, as server-sent events."""
    riff, job = await _find(request, riff_id)
    lines = _events(service_of(request), riff, job)
    return StreamingResponse(
        lines, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _events(service: Service, riff: RiffRecord, job: Job | None) -> AsyncIterator[str]:
    """Every change; those of a riff that another server makes are read from the history."""
    change = riff.record()
    if job is not None:
        async for change in job.changes():
            yield _event(change)
        if change["state"] in ENDED:
            return
    else:
        yield _event(change)
    while change["state"] not in ENDED and not service.is_stopping:
        await asyncio.sleep(_WATCH_S)
        try:
            found = await asyncio.to_thread(service.store.find, riff.id)
        except StoreError:
            continue
        if found is None:
            return
        before, change = change, found.record()
        if change["state"] != before["state"]:
            yield _event(change)


def _event(change: dict[str, Any]) -> str:
    ended = change["state"] in ENDED
    return f"event: {change['state'] if ended else 'progress'}\ndata: {json.dumps(change)}\n\n"


@files_router.get(
    "/riffs/{riff_id}/riff.{kind}",
    response_class=FileResponse,
    responses={
        200: {"content": {kind: {} for kind in _TYPES.values()}},
        307: {"description": "where the store of files gives it, with `--link-files`"},
        **described(404, 409, 416),
    },
)
async def file(
    request: Request,
    riff_id: str,
    kind: Kind,
    rate: Annotated[Literal["44100", "48000"] | None, Query(description="Hz, of a sound.")] = None,
    bits: Annotated[Bits | None, Query(description="Of WAV; of FLAC without float.")] = None,
) -> Response:
    """The picture, which carries all its metadata, or the sound with tags and marks."""
    service = service_of(request)
    riff = await _finished(request, riff_id)
    sample_rate = None if rate is None else int(rate)
    if service.config.link_files:
        link = await asyncio.to_thread(service.store.link, riff, kind, sample_rate, bits)
        if link is not None:
            return RedirectResponse(link, headers={"Cache-Control": "no-store"})
    path = await _file(service, riff, kind, sample_rate, bits)
    return RangedFile(
        path, stat_result=path.stat(), media_type=_TYPES[kind], filename=_file_name(riff, kind)
    )


def _file_name(riff: RiffRecord, kind: str) -> str:
    """A name for a download that every file system takes: words and seed."""
    words = re.sub(r"[\W_]+", "-", str(riff.settings.get("title") or riff.prompt)).strip("-")
    seed = riff.settings.get("seed")
    return f"{words[:_LONGEST_NAME] or 'riff'}-{riff.id if seed is None else seed}.{kind}"


@router.post(
    "/streams/{session}/riffs", status_code=201, response_model=Record, responses=described(404)
)
async def keep(request: Request, session: str, body: PartBody) -> Response:
    """Save a part of a stream as a riff."""
    service = service_of(request)
    stream = service.streams.find(session)
    if stream is None:
        raise ApiError(404, "there is no such stream")
    found = stream.session.part(body.first_sample, body.end_sample)
    if found is None:
        raise ParameterError("only what was sent within the last minute can be kept")
    settings = {**stream.session.scene.to_dict(), **body.model_dump()}
    await asyncio.to_thread(service.store.check_room)
    riff = await asyncio.to_thread(
        riff_of_part,
        service.store,
        service.streams.model_info,
        settings,
        *found,
        owner_of(request) or "",
    )
    where = {"Location": f"/api/v1/riffs/{riff.id}"}
    return JSONResponse(riff.record(), 201, headers=where)
