"""How a server is set up, and what it refuses."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_PORT = 3013
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one client, and all together, may ask for.

    Attributes
    ----------
    max_body_bytes, max_json_bytes : of a request with a file, and of one without
    body_s : how long a body may take to come
    max_pixels : of an uploaded picture
    max_source_s, max_duration_s : of an uploaded sound, and of a riff to be made, seconds
    max_steps, max_prompt_chars : of a prompt and its painting
    max_streams, max_streams_per_client : WebSockets that are open together
    max_kept_streams, max_kept_streams_per_client : streams without a connection that are kept for
        `resume_s`
    max_jobs, max_jobs_per_client : riffs that wait or are being made
    requests_per_minute : HTTP requests and WebSockets of a client
    messages_per_s : WebSocket messages of a connection, over four seconds
    ahead_s : seconds that may be wanted beyond what was sent
    resume_s, idle_s, hello_s : how long a lost stream is kept, an idle one is left open, and the
        first message is waited for
    task_s : after which work is given up and its process ended
    cancel_s : after which the process of a riff that was cancelled is ended, if it is still at it
    max_riffs, max_stored_bytes, max_age_days : of the history; the oldest riffs go first
    reserve_bytes : of the disk that stay free; no riff is taken where there is less
    max_uploads_bytes, max_uploads_bytes_per_client : of bodies with a file and of sources of riffs
        that wait, held at a time
    wrong_keys_per_minute : that a client may try
    unread_s : how long an answer may lie unread before its connection is closed
    """

    max_body_bytes: int = 32 * 2**20
    max_json_bytes: int = 64 * 2**10
    body_s: float = 300.0
    max_pixels: int = 16_000_000
    max_source_s: float = 120.0
    max_duration_s: float = 120.0
    max_steps: int = 50
    max_prompt_chars: int = 500
    max_streams: int = 16
    max_streams_per_client: int = 8
    max_kept_streams: int = 32
    max_kept_streams_per_client: int = 8
    max_jobs: int = 16
    max_jobs_per_client: int = 12
    requests_per_minute: float = 600.0
    messages_per_s: float = 50.0
    ahead_s: float = 30.0
    resume_s: float = 60.0
    idle_s: float = 600.0
    hello_s: float = 10.0
    task_s: float = 600.0
    cancel_s: float = 2.0
    max_riffs: int = 1000
    max_stored_bytes: int = 2 * 2**30
    max_age_days: float | None = None
    reserve_bytes: int = 64 * 2**20
    max_uploads_bytes: int = 128 * 2**20
    max_uploads_bytes_per_client: int = 64 * 2**20
    wrong_keys_per_minute: float = 10.0
    unread_s: float = 60.0

    def for_clients(self) -> dict[str, Any]:
        """Those that a player has to know."""
        names = ("max_steps", "max_prompt_chars", "ahead_s", "resume_s")
        return {name: getattr(self, name) for name in names}

    def for_makers(self) -> dict[str, Any]:
        """Those that matter to who asks for riffs."""
        names = (
            "max_body_bytes",
            "max_pixels",
            "max_source_s",
            "max_duration_s",
            "max_jobs",
            "task_s",
        )
        return {
            **self.for_clients(),
            **{name: getattr(self, name) for name in (*names, "task_s")},
        }


def default_data_folder() -> Path:
    """Where riffs are kept when no folder is named."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "sonoriff"


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Everything that is set when a server starts.

    Attributes
    ----------
    host, port : where to listen
    model : name or folder, None for the bundled one
    prediction : of Stable Diffusion, None for what the checkpoint says
    devices : one process for streams on each
    data_folder : for pictures and sounds, and for the database where no other is named
    database : SQLAlchemy's URL; None is an SQLite file in the data folder
    keys : API keys; none means that everyone may come in
    private : each key sees the riffs alone that were made with it
    allowed_origins : of pages elsewhere that may use this server; "*" is all
    allowed_hosts : names that this server goes by, besides loopback; only looked at when it
        listens on loopback, where a foreign name is the sign of DNS rebinding
    seed_images : folder of Riffusion's seed and mask images
    grace_s : how long the riff under way may take when the server stops
    riff_nice : how far the worker for riffs steps back for that of streams; 0 is not at all
    worker_bytes : of memory that a worker may take beyond its model; None is half of the machine's,
        2 to 8 GiB
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    model: str | None = None
    prediction: str | None = None
    devices: tuple[str, ...] = ("auto",)
    data_folder: Path = field(default_factory=default_data_folder)
    database: str | None = None
    keys: tuple[str, ...] = ()
    private: bool = False
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    seed_images: Path | None = None
    grace_s: float = 10.0
    riff_nice: int = 5
    worker_bytes: int | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in ("localhost", "127.0.0.1", "::1")

    @property
    def work_folder(self) -> Path:
        """Where uploads lie while they are read."""
        return self.data_folder / "work"

    @property
    def database_url(self) -> str:
        """SQLAlchemy's URL."""
        return self.database or f"sqlite:///{self.data_folder / 'riffs.sqlite'}"
