"""Riffs asked of two front servers that are killed: each is made once, or fails and says why.

    python -m benchmarks.jobs [--riffs 1000] [--kill-every 20] [--seed N]

The servers, a PostgreSQL and an S3 (moto's) are real and of this run; the model is tiny, with
random weights. Three of four kills are SIGKILL, one is SIGTERM; the server is started again at
once. Every fifth riff has a source. Fails where a riff was lost or made twice, where a file is not
whole, or where a source was left.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import requests
import soundfile
from obstore.store import from_url
from sqlalchemy import Engine, func, select, text

from sonoriff.audio import audio_bytes
from sonoriff.server.records import UNFINISHED, RiffRecord, Source, engine_of
from sonoriff.server.riff_files import stem_of_name
from sonoriff.sonogram.picture import picture_from_bytes

ROOT = Path(__file__).resolve().parents[1]
_SETTINGS = {"duration_s": 1.0, "num_inference_steps": 1}
_ASK_S = 30.0
# Longer than it takes a riff to be lost as often as it may be.
_PATIENCE_S = 600.0
# Counts what no client sees: how often a riff became done.
_TRIGGER = """
CREATE TABLE ends (riff_id VARCHAR(24) NOT NULL);
CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO ends VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER note_end AFTER UPDATE OF state ON riffs FOR EACH ROW
WHEN (NEW.state = 'done') EXECUTE FUNCTION note_end();
"""


@dataclass
class Front:
    """A front server that can be killed and started again."""

    command: list[str]
    environment: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, without waiting for its model."""
        self.process = subprocess.Popen(
            self.command, env=self.environment, stderr=subprocess.DEVNULL, cwd=ROOT
        )

    def end(self, how: signal.Signals) -> None:
        """Kill it, or tell it to stop."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait()

    @property
    def is_ready(self) -> bool:
        """Whether it answers that it can make riffs."""
        try:
            return requests.get(f"{self.url}/readyz", timeout=_ASK_S).status_code == 200
        except requests.RequestException:
            return False


@dataclass
class Outcome:
    """What became of the riffs.

    Attributes
    ----------
    asked : riffs that a server has accepted
    unheard : riffs whose server was killed before its answer came
    states : of both
    taken : riffs that were taken by another server, or again by the same
    silent : riffs that failed without a reason
    lost : accepted, and not in the database, or never ended
    twice : became done more than once
    whole, half, spare : files that are, that are not, and those of attempts that do not count
    sources : left in the database
    """

    seconds: float = 0.0
    asked: int = 0
    unheard: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    silent: int = 0
    lost: int = 0
    twice: int = 0
    whole: int = 0
    half: int = 0
    spare: int = 0
    sources: int = 0

    @property
    def is_good(self) -> bool:
        """Whether each was made once, or failed with a reason, and all files are whole."""
        whole = 2 * self.states["done"] == self.whole
        return whole and not any((self.silent, self.lost, self.twice, self.half, self.sources))

    def __str__(self) -> str:
        kills = ", ".join(f"{count} {name}" for name, count in sorted(self.kills.items()))
        return (
            f"{self.asked} riffs asked of two servers in {self.seconds:.0f} s, with {kills}\n"
            f"done {self.states['done']}, failed with a reason "
            f"{self.states['failed'] - self.silent}, without {self.silent}, cancelled "
            f"{self.states['cancelled']}, lost {self.lost}, twice {self.twice}\n"
            f"taken up {self.taken}; answers that a kill cut off {self.unheard} (their riffs are "
            "among those above)\n"
            f"files whole {self.whole}, half {self.half}, of attempts that do not count "
            f"{self.spare}; sources left {self.sources}"
        )


def trial(
    *,
    riffs: int,
    kill_every: int,
    seed: int,
    database: str,
    files: str,
    environment: dict[str, str],
    model: Path,
    folder: Path,
    lease_s: float = 6.0,
) -> Outcome:
    """Ask two servers for riffs while they are killed, and look at what came of it.

    Parameters
    ----------
    kill_every : riffs that end from one kill to the next
    database, files : empty ones, as `sonoriff serve` takes them
    environment : of the servers, for the store of files
    model : a model folder
    folder : for the data of the servers
    """
    drawn, outcome, began = random.Random(seed), Outcome(), time.monotonic()
    fronts = [_front(folder / str(n), database, files, environment, model, lease_s) for n in (1, 2)]
    engine = engine_of(database)
    asked: list[str] = []
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        for front in fronts:
            front.start()
            stack.callback(front.end, signal.SIGKILL)
        _wait(lambda: all(front.is_ready for front in fronts))
        with engine.begin() as connection:
            connection.execute(text(_TRIGGER))
        asking = threading.Thread(target=_ask_all, args=(fronts, riffs, asked, outcome))
        asking.start()
        for ended in range(kill_every, riffs, kill_every):
            _wait(lambda ended=ended: _ended(engine) >= ended)
            front = drawn.choice(fronts)
            how = drawn.choice([signal.SIGKILL] * 3 + [signal.SIGTERM])
            front.end(how)
            outcome.kills[how.name] += 1
            front.start()
        asking.join()
        with suppress(TimeoutError):
            _wait(lambda: not _unfinished(engine))
        outcome.seconds = time.monotonic() - began
        _count_riffs(engine, asked, outcome)
        with _variables(environment):
            _count_files(files, engine, outcome)
    return outcome


def _front(
    folder: Path,
    database: str,
    files: str,
    environment: dict[str, str],
    model: Path,
    lease_s: float,
) -> Front:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {
        "port": port,
        "model": model,
        "data": folder,
        "database": database,
        "files": files,
        "lease": lease_s,
    }
    command = [sys.executable, "-m", "benchmarks.front_server"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    return Front(command, {**os.environ, **environment}, port)


def _ask_all(fronts: list[Front], riffs: int, asked: list[str], outcome: Outcome) -> None:
    """Ask for riffs in turn, of whichever server takes the next one."""
    source = audio_bytes(np.zeros((1, 44_100), np.float32), 44_100, ".flac")
    number = 0
    while len(asked) < riffs:
        front = fronts[number % 2]
        number += 1
        settings: dict[str, Any] = {"prompt": f"riff {len(asked)}", "seed": len(asked)}
        try:
            if len(asked) % 5 == 4:
                form = {"settings": json.dumps({**settings, "num_inference_steps": 1})}
                url, given = f"{front.url}/api/v1/riffs/remix", {"source": source}
                answer = requests.post(url, data=form, files=given, timeout=_ASK_S)
            else:
                url, settings = f"{front.url}/api/v1/riffs", {**settings, **_SETTINGS}
                answer = requests.post(url, json=settings, timeout=_ASK_S)
        except requests.RequestException:
            time.sleep(0.1)
            continue
        if answer.status_code == 202:
            asked.append(answer.json()["id"])
        else:
            assert answer.status_code == 503, answer.text
            time.sleep(0.05)
    outcome.asked = len(asked)


def _ended(engine: Engine) -> int:
    with engine.connect() as connection:
        chosen = select(func.count()).where(RiffRecord.state.not_in(UNFINISHED))
        return connection.scalar(chosen) or 0


def _unfinished(engine: Engine) -> bool:
    with engine.connect() as connection:
        chosen = select(RiffRecord.id).where(RiffRecord.state.in_(UNFINISHED)).limit(1)
        return connection.scalar(chosen) is not None


def _wait(true: Any) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.1)


def _count_riffs(engine: Engine, asked: list[str], outcome: Outcome) -> None:
    with engine.connect() as connection:
        rows = connection.execute(select(RiffRecord.id, RiffRecord.state, RiffRecord.error)).all()
        ends = Counter(connection.scalars(text("SELECT riff_id FROM ends")))
        outcome.sources = len(connection.scalars(select(Source.riff_id)).all())
        taken = "SELECT count(*) FROM claims WHERE attempt > 1"
        outcome.taken = connection.scalar(text(taken)) or 0
    states = {row.id: row.state for row in rows}
    outcome.states = Counter(states.values())
    outcome.unheard = len(set(states) - set(asked))
    outcome.lost = sum(states.get(riff_id, "queued") in UNFINISHED for riff_id in asked)
    outcome.silent = sum(row.state == "failed" and not row.error for row in rows)
    outcome.twice = sum(count > 1 for count in ends.values())


def _count_files(url: str, engine: Engine, outcome: Outcome) -> None:
    with engine.connect() as connection:
        rows = connection.execute(
            select(RiffRecord.id, RiffRecord.stem, RiffRecord.duration_s).where(
                RiffRecord.state == "done"
            )
        )
        done = {row.stem or row.id: row.duration_s for row in rows}
    store = from_url(url, client_options={"allow_http": True})
    for file in [file for some in store.list() for file in some]:
        name = file["path"].rpartition("/")[2]
        if name == "sonoriff":
            continue
        duration_s = done.get(stem_of_name(name))
        if duration_s is None:
            outcome.spare += 1
        elif _is_whole(bytes(store.get(file["path"]).bytes()), duration_s):
            outcome.whole += 1
        else:
            outcome.half += 1


def _is_whole(data: bytes, duration_s: float) -> bool:
    """Whether a picture or a sound is as long as its riff."""
    try:
        if data.startswith(b"\x89PNG"):
            return bool(picture_from_bytes(data).duration_s > duration_s - 0.1)
        sound, rate = soundfile.read(io.BytesIO(data))
    except Exception:
        return False
    return abs(len(sound) / rate - duration_s) < 0.01


class _variables:
    """Variables of the environment, for the time of a block."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._values}
        os.environ.update(self._values)

    def __exit__(self, *_error: object) -> None:
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def main() -> None:
    """Run it, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riffs", type=int, default=1000)
    parser.add_argument("--kill-every", type=int, default=20, help="riffs")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    given = parser.parse_args()
    sys.path.append(str(ROOT / "tests"))
    from postgresql_server import find_programs, running_postgresql
    from s3_server import running_s3
    from tiny_small_model import save_tiny

    programs = find_programs()
    if programs is None:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    print(f"seed {given.seed}", flush=True)
    with (
        tempfile.TemporaryDirectory() as name,
        running_postgresql(programs) as postgresql,
        running_s3() as s3,
    ):
        outcome = trial(
            riffs=given.riffs,
            kill_every=given.kill_every,
            seed=given.seed,
            database=postgresql.database(),
            files=s3.make_bucket("riffs"),
            environment=s3.environment,
            model=save_tiny(Path(name) / "model"),
            folder=Path(name),
        )
    print(outcome)
    sys.exit(0 if outcome.is_good else 1)


if __name__ == "__main__":
    main()
