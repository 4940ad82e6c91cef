"""The process that holds a model: reads tasks from its standard input, writes what it made.

Usage: python -m sonoriff.server.worker '{"model": null, "device": "cpu", ...}'

It may be killed at any time: whoever asked still has the state that the task began with.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
import warnings
from typing import Any, BinaryIO

from sonoriff.errors import Cancelled, FormatError, ParameterError, SonoriffError
from sonoriff.server.link import Message, packed, parted, receive_blocking
from sonoriff.threads import prepare

# Shares of the time that it takes to be ready, most of which goes to the first window.
_IMPORTED, _LOADED = 0.3, 0.5


class _Inbox:
    """Tasks in their order, those to be made together as one item, and the numbers of those no
    longer wanted; read by a thread.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.tasks: queue.SimpleQueue[list[Message]] = queue.SimpleQueue()
        self.cancelled: set[int] = set()
        threading.Thread(target=self._read, args=(file,), daemon=True).start()

    def _read(self, file: BinaryIO) -> None:
        try:
            while True:
                message = receive_blocking(file)
                if "cancel" in message[0]:
                    self.cancelled.add(message[0]["cancel"])
                else:
                    self.tasks.put(parted(message))
        finally:
            # The server has gone: so does its worker, whatever it is doing.
            os._exit(0)


def _reply(run: Any, inbox: _Inbox, send: Any, header: dict[str, Any], blobs: list[bytes]) -> None:
    number = header["number"]

    def told(step: int, steps: int) -> None:
        if number in inbox.cancelled:
            raise Cancelled("stopped on request")
        send({"number": number, "type": "progress", "step": step, "steps": steps})

    try:
        told(0, 1)
        facts, results = run(header, blobs, told)
        send({"number": number, "type": "done", **facts}, results)
    except Cancelled as error:
        send({"number": number, "type": "error", "code": "cancelled", "message": str(error)})
    except (ParameterError, FormatError) as error:
        send({"number": number, "type": "error", "code": "invalid", "message": str(error)})
    except Exception:
        traceback.print_exc()
        send({"number": number, "type": "error", "code": "failed", "message": ""})
    inbox.cancelled.discard(number)


def _reply_together(tasks: Any, inbox: _Inbox, send: Any, messages: list[Message]) -> None:
    """Windows of several streams; those that did not come of it are made or answered alone."""
    left = dict(enumerate(messages))

    def told(place: int, step: int, steps: int) -> None:
        number = messages[place][0]["number"]
        if number in inbox.cancelled:
            raise Cancelled("stopped on request")
        send({"number": number, "type": "progress", "step": step, "steps": steps})

    try:
        for place, (facts, results) in tasks.windows(messages, told):
            number = left.pop(place)[0]["number"]
            send({"number": number, "type": "done", **facts}, results)
            inbox.cancelled.discard(number)
    except SonoriffError:
        pass
    except Exception:
        traceback.print_exc()
    for header, blobs in left.values():
        _reply(tasks.run, inbox, send, header, blobs)


def main() -> None:
    """Load the model, say so, and work until the server goes."""
    options = json.loads(sys.argv[1])
    prepare()
    # Ctrl-C reaches every process of a terminal; the server says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if options["nice"] and hasattr(os, "nice"):
        os.nice(options["nice"])
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints by mistake must not reach the pipe
    warnings.simplefilter("ignore")
    inbox = _Inbox(sys.stdin.buffer)

    def send(header: dict[str, Any], blobs: tuple[bytes, ...] | list[bytes] = ()) -> None:
        out.write(packed(header, blobs))
        out.flush()

    def loading(share: float) -> None:
        send({"type": "loading", "share": share})

    try:
        loading(0.0)
        from sonoriff.models.registry import load_model
        from sonoriff.server.tasks import Tasks

        loading(_IMPORTED)
        model = load_model(
            options["model"], device=options["device"], prediction=options.get("prediction")
        )
        tasks = Tasks(model, max_pixels=options["max_pixels"], max_source_s=options["max_source_s"])
        if options["warm_up"]:
            loading(_LOADED)
            tasks.warm_up(lambda share: loading(_LOADED + (1.0 - _LOADED) * share))
    except SonoriffError as error:
        send({"type": "fatal", "message": str(error)})
        return
    send({"type": "ready", **tasks.facts()})
    while True:
        first, *others = messages = inbox.tasks.get()
        if others:
            _reply_together(tasks, inbox, send, messages)
        else:
            _reply(tasks.run, inbox, send, *first)


if __name__ == "__main__":
    main()
