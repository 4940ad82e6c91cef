"""Worker process: holds a model, reads tasks from stdin and writes results to stdout.

Usage: python -m sonoriff.server.workers.worker '{"model": null, "device": "cpu", ...}'

It may be killed at any time: the server keeps the state that each task started from.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
import warnings
from typing import Any, BinaryIO

from sonoriff.errors import Cancelled, FormatError, ParameterError, SonoriffError
from sonoriff.server.logs import set_up_logs
from sonoriff.server.workers.ipc import Message, packed, parted, receive_blocking
from sonoriff.server.workers.rlimits import is_out_of_memory, limit_memory, limit_time
from sonoriff.threads import prepare

log = logging.getLogger(__name__)
# Shares of the startup time, most of which goes to the first window.
_IMPORTED, _LOADED = 0.3, 0.5


class _Inbox:
    """Tasks in order, batches as one item, and the numbers of cancelled tasks; filled by a thread.
    Urgent tasks to run between steps go to `between`.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.tasks: queue.SimpleQueue[list[Message]] = queue.SimpleQueue()
        self.between: queue.SimpleQueue[list[Message]] = queue.SimpleQueue()
        self.cancelled: set[int] = set()
        threading.Thread(target=self._read, args=(file,), daemon=True).start()

    def _read(self, file: BinaryIO) -> None:
        try:
            while True:
                message = receive_blocking(file)
                if "cancel" in message[0]:
                    self.cancelled.add(message[0]["cancel"])
                elif message[0].get("between"):
                    self.between.put(parted(message))
                    self.tasks.put([])  # wake the main loop, which may be idle
                else:
                    self.tasks.put(parted(message))
        finally:
            # The server is gone: exit at once.
            os._exit(0)


class Desk:
    """Runs tasks and sends their results.

    Parameters
    ----------
    tasks : `sonoriff.server.workers.tasks.Tasks`
    inbox : has `between` and `cancelled`
    send : called with a header and blobs
    """

    def __init__(self, tasks: Any, inbox: Any, send: Any) -> None:
        self._tasks, self._inbox, self._send = tasks, inbox, send
        self._in_between = False

    def do(self, messages: list[Message]) -> None:
        """Run one task or a batch."""
        self._serve_between()
        if len(messages) > 1:
            self._reply_together(messages)
        elif messages:
            self._reply(*messages[0])

    def _look(self, number: int) -> None:
        """Run urgent tasks, and raise Cancelled if this task is no longer wanted."""
        if number in self._inbox.cancelled:
            raise Cancelled("stopped on request")
        self._serve_between()

    def _serve_between(self) -> None:
        if self._in_between:
            return
        self._in_between = True
        try:
            while not self._inbox.between.empty():
                for header, blobs in self._inbox.between.get():
                    self._reply(header, blobs)
        finally:
            self._in_between = False

    def _tell(self, number: int, step: int, steps: int) -> None:
        self._look(number)
        self._send({"number": number, "type": "progress", "step": step, "steps": steps})

    def _fail(self, number: int, code: str, message: str = "") -> None:
        self._send({"number": number, "type": "error", "code": code, "message": message})

    def _reply(self, header: dict[str, Any], blobs: list[bytes]) -> None:
        number = header["number"]
        limit_time(header.get("task_s"))
        try:
            self._tell(number, 0, 1)
            facts, results = self._tasks.run(
                header,
                blobs,
                lambda step, steps: self._tell(number, step, steps),
                still_wanted=lambda: self._look(number),
            )
            self._send({"number": number, "type": "done", **facts}, results)
        except Cancelled as error:
            self._fail(number, "cancelled", str(error))
        except (ParameterError, FormatError) as error:
            self._fail(number, "invalid", str(error))
        except Exception as error:
            if is_out_of_memory(error):
                self._fail(number, "too_much", "it needs more memory than the limit: ask for less")
            else:
                log.error("task failed", exc_info=error)
                self._fail(number, "failed")
        self._inbox.cancelled.discard(number)

    def _reply_together(self, messages: list[Message]) -> None:
        """Make windows of several streams in a batch; those that failed are retried alone."""
        left = dict(enumerate(messages))

        def on_progress(place: int, step: int, steps: int) -> None:
            self._tell(messages[place][0]["number"], step, steps)

        try:
            for place, (facts, results) in self._tasks.windows(messages, on_progress):
                number = left.pop(place)[0]["number"]
                self._send({"number": number, "type": "done", **facts}, results)
                self._inbox.cancelled.discard(number)
        except SonoriffError:
            pass
        except Exception as error:
            log.error("windows failed", exc_info=error)
        for header, blobs in left.values():
            self._reply(header, blobs)


def main() -> None:
    """Load the model, report it, and run tasks until the server exits."""
    options = json.loads(sys.argv[1])
    prepare()
    set_up_logs()
    # Ctrl-C reaches every process of a terminal; only the server decides when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if options["nice"] and hasattr(os, "nice"):
        os.nice(options["nice"])
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # stray prints must not reach the pipe
    warnings.simplefilter("ignore")
    inbox = _Inbox(sys.stdin.buffer)

    def send(header: dict[str, Any], blobs: tuple[bytes, ...] | list[bytes] = ()) -> None:
        out.write(packed(header, blobs))
        out.flush()

    try:
        tasks = _loaded(options, lambda share: send({"type": "loading", "share": share}))
    except SonoriffError as error:
        send({"type": "fatal", "message": str(error)})
        return
    if tasks.model.device == "cpu":
        limit_memory(options["memory_bytes"])
    send(
        {
            "type": "ready",
            "device": tasks.model.device.partition(":")[0],
            "model": tasks.model_info().to_dict(),
        }
    )
    desk = Desk(tasks, inbox, send)
    while True:
        desk.do(inbox.tasks.get())


def _loaded(options: dict[str, Any], loading: Any) -> Any:
    """Load the model and create its tasks; warm up if it serves streams."""
    loading(0.0)
    from sonoriff.models.registry import load_model
    from sonoriff.server.workers.tasks import Tasks

    loading(_IMPORTED)
    model = load_model(
        options["model"], device=options["device"], prediction=options.get("prediction")
    )
    tasks = Tasks(
        model,
        max_pixels=options["max_pixels"],
        max_source_s=options["max_source_s"],
        folder=options["folder"],
    )
    if options["warm_up"]:
        loading(_LOADED)
        tasks.warm_up(lambda share: loading(_LOADED + (1.0 - _LOADED) * share))
    return tasks


if __name__ == "__main__":
    main()
