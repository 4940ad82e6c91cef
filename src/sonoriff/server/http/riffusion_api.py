"""`POST /run_inference/`, compatible with Riffusion's own server."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Coroutine, Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sonoriff.errors import BusyError, Cancelled, ParameterError
from sonoriff.server.config import Limits
from sonoriff.server.http.dependencies import require_key, service_of
from sonoriff.server.http.error_handlers import as_unicode, described
from sonoriff.server.http.guard import client_of
from sonoriff.server.http.schemas import as_integer
from sonoriff.server.workers.ipc import Message
from sonoriff.server.workers.worker_pool import TooMuchError, WorkerDied, WorkerPool

router = APIRouter(tags=["Riffusion"], dependencies=[Depends(require_key)])
_MAX_SEED = 2**63 - 1
_MAX_GUIDANCE = 50.0
# (name, type name in messages, Python types, required)
_Field = tuple[str, str, tuple[type, ...], bool]
_END: tuple[_Field, ...] = (
    ("prompt", "str", (str,), True),
    ("seed", "int", (int,), True),
    ("negative_prompt", "Optional[str]", (str, type(None)), False),
    ("denoising", "float", (int, float), False),
    ("guidance", "float", (int, float), False),
)
_INPUT: tuple[_Field, ...] = (
    ("start", "PromptInput", (Mapping,), True),
    ("end", "PromptInput", (Mapping,), True),
    ("alpha", "float", (int, float), True),
    ("num_inference_steps", "int", (int,), False),
    ("seed_image_id", "str", (str,), False),
    ("mask_image_id", "Optional[str]", (str, type(None)), False),
)


_TEXT = {"type": "string", "maxLength": Limits().max_prompt_chars}
# The greatest of them that readers of JSON hold who know doubles only.
_SEED = {"type": "integer", "minimum": 0, "maximum": _MAX_SEED - 1023}
_GUIDANCE = {"type": "number", "minimum": 0, "maximum": _MAX_GUIDANCE}
_PROMPT = {
    "type": "object",
    "required": ["prompt", "seed"],
    "properties": {
        "prompt": _TEXT,
        "seed": _SEED,
        "negative_prompt": {"anyOf": [_TEXT, {"type": "null"}]},
        "denoising": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.75},
        "guidance": {**_GUIDANCE, "default": 7.0},
    },
}
_STEPS = {"type": "integer", "minimum": 1, "maximum": Limits().max_steps, "default": 50}
_SCHEMA = {
    "type": "object",
    "required": ["start", "end", "alpha"],
    "properties": {
        "start": _PROMPT,
        "end": _PROMPT,
        "alpha": {"type": "number", "minimum": 0, "maximum": 1},
        "num_inference_steps": _STEPS,
        # Of the images that a server has: see `sonoriff.server.http.openapi`.
        "seed_image_id": {"type": "string", "default": "og_beat"},
        "mask_image_id": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
}


@router.post(
    "/run_inference/",
    response_class=JSONResponse,
    responses={
        400: {"content": {"text/plain": {}}, "description": "what is wrong, as a line of text"},
        **described(401, 403, 413, 429, 503),
    },
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}
    },
)
async def run_inference(request: Request) -> Response:
    """A riff interpolated between two prompts, starting from a seed image."""
    service = service_of(request)
    try:
        inputs = _inputs(await request.body(), service.config.limits)
        task = {"task": "riffuse", "inputs": inputs}
        images = _images(service.seeds.read, inputs)
        service.check_ready()
        client = client_of(request.scope)
        with service.jobs.place(client):
            work = _made(service.riff_pool, task, images, client)
            made = await _while_connected(request, service.jobs.before_stop(work))
    except (ParameterError, TooMuchError) as error:
        return PlainTextResponse(as_unicode(str(error)), 400)
    except Cancelled as error:
        raise BusyError(str(error)) from error
    facts, (picture, sound) = made
    return JSONResponse(
        {
            "image": f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}",
            "audio": f"data:audio/mpeg;base64,{base64.b64encode(sound).decode()}",
            "duration_s": facts["duration_s"],
        }
    )


async def _made(
    pool: WorkerPool, task: dict[str, Any], images: list[bytes], client: str
) -> Message:
    """Result of the worker; the request queues like every other riff."""
    try:
        return await pool.call(task, images, payer=(client, ""))
    except WorkerDied:
        return await pool.call(task, images, payer=(client, ""))


async def _while_connected(request: Request, work: Coroutine[Any, Any, Message]) -> Message:
    """Result of the work; raises Cancelled if the client disconnects first."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    working, going = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait({working, going}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Cancelled("the client has disconnected")
    finally:
        for task in (working, going):
            task.cancel()
        await asyncio.gather(working, going, return_exceptions=True)


def _images(read: Any, inputs: dict[str, Any]) -> list[bytes]:
    """Seed image and mask image; empty bytes if there is no mask."""
    seed_id, mask_id = inputs.get("seed_image_id", "og_beat"), inputs.get("mask_image_id")
    seed = read(seed_id)
    if seed is None:
        raise ParameterError(f"Invalid seed image: {seed_id}")
    mask = read(mask_id) if mask_id else b""
    if mask is None:
        raise ParameterError(f"Invalid mask image: {mask_id}")
    return [seed, mask]


def _inputs(body: bytes, limits: Limits) -> dict[str, Any]:
    """The validated request; errors are worded as by Riffusion's server."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParameterError("the body must be JSON") from error
    max_steps = limits.max_steps
    if not isinstance(values, Mapping):
        raise ParameterError("the body must be a JSON object with start, end and alpha")
    inputs = _checked(values, _INPUT, "")
    for end in ("start", "end"):
        inputs[end] = _checked(inputs[end], _END, f"{end}.")
        _check_prompts(inputs[end], end, limits.max_prompt_chars)
        if not 0 <= inputs[end]["seed"] <= _MAX_SEED:
            raise ParameterError(f"{end}.seed must be in [0, 2^63)")
        if not 0 <= inputs[end].get("guidance", 7.0) <= _MAX_GUIDANCE:
            raise ParameterError(f"{end}.guidance must be in [0, {_MAX_GUIDANCE:g}]")
    if not 1 <= inputs.get("num_inference_steps", 50) <= max_steps:
        raise ParameterError(f"num_inference_steps must be in [1, {max_steps}] here")
    return inputs


def _checked(values: Mapping[str, Any], known: tuple[_Field, ...], where: str) -> dict[str, Any]:
    checked = {}
    for name, expected, types, required in known:
        if name not in values:
            if required:
                raise ParameterError(f'missing value for field "{where}{name}"')
            continue
        value = values[name]
        if types == (int,):
            value = as_integer(value)
        if not isinstance(value, types) or isinstance(value, bool):
            raise ParameterError(
                f'wrong value type for field "{where}{name}" - should be "{expected}" instead of '
                f'value "{str(value)[:100]}" of type "{type(value).__name__}"'
            )
        if isinstance(value, str) and not _is_text(value):
            raise ParameterError(
                f'field "{where}{name}" contains half a character: send whole ones'
            )
        checked[name] = value
    return checked


def _is_text(value: str) -> bool:
    """Whether a string is valid Unicode: JSON can encode lone surrogates, UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_prompts(values: Mapping[str, Any], end: str, limit: int) -> None:
    for name in ("prompt", "negative_prompt"):
        length = len(values.get(name) or "")
        if length > limit:
            raise ParameterError(f"{end}.{name} may have {limit} characters, got {length}")
