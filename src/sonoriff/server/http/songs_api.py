"""Routes of songs: plans from wishes, their changes, and renders as riffs."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from sonoriff.errors import ParameterError
from sonoriff.server.http.dependencies import (
    owner_of,
    require_key,
    require_key_or_query,
    service_of,
)
from sonoriff.server.http.error_handlers import ApiError, described
from sonoriff.server.http.guard import client_of
from sonoriff.server.http.schemas import Record
from sonoriff.server.http.song_schemas import (
    Menu,
    RenderBody,
    RerollBody,
    SongAnswer,
    SongBody,
    SongList,
    WishBody,
)
from sonoriff.server.song_store import SongRecord, SongStore
from sonoriff.songs.document import check_number, dict_from_song, song_from_toml, toml_from_song
from sonoriff.songs.edits import first_sections, rerolled
from sonoriff.songs.menu import menu
from sonoriff.songs.plan import Song

_COMMON = described(401, 403, 408, 413, 422, 429, 503, 507)
router = APIRouter(
    prefix="/api/v1", tags=["songs"], dependencies=[Depends(require_key)], responses=_COMMON
)
files_router = APIRouter(
    prefix="/api/v1",
    tags=["songs"],
    dependencies=[Depends(require_key_or_query)],
    responses=_COMMON,
)
menu_router = APIRouter(prefix="/api/v1", tags=["songs"], responses=described(403, 429))
_Id = Annotated[str, Path(min_length=1, max_length=24, pattern="^[A-Za-z0-9_-]+$")]
_Number = Annotated[int, Path(ge=1, le=200, description="Of the section, from 1.")]


@menu_router.get("/menu", response_model=Menu)
async def get_menu() -> dict[str, Any]:
    """What can be chosen instead of written."""
    return menu()


@router.post("/songs", status_code=201, response_model=SongAnswer)
async def create(request: Request, body: WishBody | SongBody) -> Response:
    """A song from a wish, or from a plan."""
    song = _checked(request, body.song_of())
    found = await _do(request, "add", toml_from_song(song), owner_of(request) or "")
    headers = {"Location": f"/api/v1/songs/{found.id}"}
    return JSONResponse(_answer(found), 201, headers=headers)


@router.get("/songs", response_model=SongList)
async def newest(
    request: Request, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> dict[str, Any]:
    """The last songs, newest first."""
    found = await _do(request, "newest", limit, owner_of(request))
    return {"songs": [_answer(song) for song in found]}


@router.get("/songs/{song_id}", response_model=SongAnswer, responses=described(404))
async def get(request: Request, song_id: _Id) -> dict[str, Any]:
    """A song's plan, and the riff that was rendered from it last."""
    return _answer(await _find(request, song_id))


@router.put("/songs/{song_id}", response_model=SongAnswer, responses=described(404))
async def put(request: Request, song_id: _Id, body: SongBody) -> dict[str, Any]:
    """Replace the plan of a song."""
    found = await _find(request, song_id)
    return await _changed(request, found, _checked(request, body.song_of()))


@router.delete("/songs/{song_id}", status_code=204, responses=described(404))
async def delete(request: Request, song_id: _Id) -> Response:
    """Delete a plan; riffs that were rendered from it stay in the history."""
    await _find(request, song_id)
    await _do(request, "delete", song_id)
    return Response(status_code=204)


@router.post(
    "/songs/{song_id}/sections/{number}/reroll",
    response_model=SongAnswer,
    responses=described(404),
)
async def reroll(
    request: Request, song_id: _Id, number: _Number, body: RerollBody
) -> dict[str, Any]:
    """Give one section another seed."""
    found = await _find(request, song_id)
    song = song_from_toml(found.plan)
    check_number(song, number)
    content = dict_from_song(song)
    content["section"][number - 1].update(rerolled(song, number, body.seed))
    return await _changed(request, found, SongBody(song=content).song_of())


@router.post(
    "/songs/{song_id}/render",
    status_code=202,
    response_model=Record,
    responses=described(404),
)
async def render(request: Request, song_id: _Id, body: RenderBody) -> Response:
    """Render a song as a riff. Sections and joins that were painted before are not painted again.

    Of a song of n sections, progress grows by 1 / (2n - 1) with each section and then with each
    join.
    """
    found = await _find(request, song_id)
    service = service_of(request)
    song = song_from_toml(found.plan)
    count = len(song.sections)
    if body.sections is not None and body.sections > count:
        raise ParameterError(f"the song has {count} sections, not {body.sections}")
    _checked(request, first_sections(song, body.sections or count))
    body.check(service.config.limits)
    service.check_ready()
    settings = {"prompt": song.title or song.style, "plan": found.plan, **body.settings()}
    client, owner = client_of(request.scope), owner_of(request) or ""
    job = await service.jobs.submit("song", settings, {"task": "song"}, [], client, owner)
    riff_id = job.record["id"]
    if body.sections is None:
        await _do(request, "change", song_id, riff=riff_id)
    return JSONResponse(job.record, 202, headers={"Location": f"/api/v1/riffs/{riff_id}"})


@files_router.get(
    "/songs/{song_id}/song.toml",
    response_class=Response,
    responses={200: {"content": {"application/toml": {}}}, **described(404)},
)
async def plan(request: Request, song_id: _Id) -> Response:
    """The plan as a file."""
    found = await _find(request, song_id)
    return Response(
        found.plan,
        media_type="application/toml",
        headers={"Content-Disposition": f'attachment; filename="song-{found.id}.toml"'},
    )


def _checked(request: Request, song: Song) -> Song:
    """The song, if it keeps to the limits of this server."""
    limits = service_of(request).config.limits
    if len(song.sections) > limits.max_sections:
        raise ParameterError(
            f"a song has at most {limits.max_sections} sections here, got {len(song.sections)}"
        )
    if song.duration_s > limits.max_song_s:
        raise ParameterError(
            f"a song lasts at most {limits.max_song_s:g} s here, got {song.duration_s:.0f} s"
        )
    return song


async def _changed(request: Request, found: SongRecord, song: Song) -> dict[str, Any]:
    found.plan = toml_from_song(song)
    await _do(request, "change", found.id, plan=found.plan)
    return _answer(found)


async def _find(request: Request, song_id: str) -> SongRecord:
    found = await _do(request, "find", song_id, owner_of(request))
    if found is None:
        raise ApiError(404, "there is no such song")
    assert isinstance(found, SongRecord)
    return found


async def _do(request: Request, name: str, *given: Any, **values: Any) -> Any:
    """Call a method of the song store in a thread."""
    store = SongStore(service_of(request).store)
    return await asyncio.to_thread(getattr(store, name), *given, **values)


def _answer(found: SongRecord) -> dict[str, Any]:
    song = song_from_toml(found.plan)
    return {
        "id": found.id,
        "plan": found.plan,
        "song": dict_from_song(song),
        "bars": song.bars,
        "duration_s": song.duration_s,
        "created": f"{found.created.isoformat(timespec='seconds')}Z",
        "riff": found.riff,
    }
