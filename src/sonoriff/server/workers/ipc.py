"""Messages between the server and its workers: a JSON header and blobs, over a pair of pipes."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Sequence
from itertools import islice
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<I")
Message = tuple[dict[str, Any], list[bytes]]


def packed(header: dict[str, Any], blobs: Sequence[bytes] = ()) -> bytes:
    """Serialise a message: length of the header, header, blobs."""
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *blobs])


def joined(messages: Sequence[tuple[dict[str, Any], Sequence[bytes]]]) -> Message:
    """Combine several messages into one."""
    headers = [{**header, "n_blobs": len(blobs)} for header, blobs in messages]
    return {"messages": headers}, [blob for _, blobs in messages for blob in blobs]


def parted(message: Message) -> list[Message]:
    """Inverse of `joined`."""
    header, blobs = message
    rest = iter(blobs)
    return [(one, list(islice(rest, one.pop("n_blobs")))) for one in header["messages"]]


async def receive(reader: asyncio.StreamReader) -> Message:
    """Receive a message; raises IncompleteReadError if the other end has closed."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    header = json.loads(await reader.readexactly(length))
    return header, [await reader.readexactly(size) for size in header.pop("blobs")]


def receive_blocking(file: BinaryIO) -> Message:
    """Receive a message; raises EOFError if the other end has closed."""
    (length,) = _LENGTH.unpack(_exactly(file, _LENGTH.size))
    header = json.loads(_exactly(file, length))
    return header, [_exactly(file, size) for size in header.pop("blobs")]


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data
