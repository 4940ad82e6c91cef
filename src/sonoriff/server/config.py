"""Server configuration and limits."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_PORT = 3013
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits for a single client and for all clients together.

    Attributes
    ----------
    max_body_bytes, max_json_bytes : size of a request body with a file, and without one
    body_s : time allowed for receiving a request body
    max_pixels : size of an uploaded picture
    max_source_s, max_duration_s : length of an uploaded sound and of a requested riff
    max_song_s, max_sections : length of a song and its sections
    max_steps, max_prompt_chars : denoising steps of a riff and length of a prompt
    max_streams, max_streams_per_client : concurrent WebSockets
    max_kept_streams, max_kept_streams_per_client : disconnected streams kept for `resume_s`
    max_jobs, max_jobs_per_client : riffs queued or running
    requests_per_minute : HTTP requests and WebSockets per client
    messages_per_s : WebSocket messages per connection, averaged over four seconds
    ahead_s : how far beyond the audio already sent a client may request
    resume_s, idle_s, hello_s : timeouts for resuming a lost stream, for an idle connection, and
        for the first message
    task_s : after this long a task is abandoned and its process killed
    cancel_s : grace period of a cancelled riff before its process is killed
    max_riffs, max_stored_bytes, max_age_days : size of the history; the oldest riffs are deleted
        first
    max_fetched_bytes : copies of files that are kept elsewhere
    reserve_bytes : free disk space required before a riff is accepted
    max_uploads_bytes, max_uploads_bytes_per_client : uploads in progress plus the sources of
        queued riffs
    wrong_keys_per_minute : failed API keys allowed per client
    lease_s : a server of a shared database that says nothing for so long has lost its riffs
    unread_s : a connection is closed when its client has not read a response for this long
    """

    max_body_bytes: int = 32 * 2**20
    max_json_bytes: int = 64 * 2**10
    body_s: float = 300.0
    max_pixels: int = 16_000_000
    max_source_s: float = 120.0
    max_duration_s: float = 120.0
    max_song_s: float = 300.0
    max_sections: int = 64
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
    max_fetched_bytes: int = 2**30
    reserve_bytes: int = 64 * 2**20
    max_uploads_bytes: int = 128 * 2**20
    max_uploads_bytes_per_client: int = 64 * 2**20
    wrong_keys_per_minute: float = 10.0
    lease_s: float = 90.0
    unread_s: float = 60.0

    def for_clients(self) -> dict[str, Any]:
        """Limits that a player needs to know."""
        names = ("max_steps", "max_prompt_chars", "ahead_s", "resume_s")
        return {name: getattr(self, name) for name in names}

    def for_makers(self) -> dict[str, Any]:
        """Limits that apply to riff requests."""
        names = (
            "max_body_bytes",
            "max_pixels",
            "max_source_s",
            "max_duration_s",
            "max_song_s",
            "max_sections",
            "max_jobs",
            "task_s",
        )
        return {
            **self.for_clients(),
            **{name: getattr(self, name) for name in (*names, "task_s")},
        }


def default_data_folder() -> Path:
    """Default folder for riffs."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "sonoriff"


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Settings of one server process.

    Attributes
    ----------
    host, port : listening address
    model : name or folder; None is the bundled model
    prediction : prediction type of a Stable Diffusion checkpoint; None reads it from its files
    devices : one stream worker is started on each
    max_workers : of streams, as many as may be added on the last device while listeners wait; None
        adds none
    ray : address of a Ray cluster whose nodes run the workers, see `workers.ray_process.connect`;
        None runs them on this machine
    worker_cpus : processors that Ray sets aside for each worker of streams
    data_folder : pictures, sounds and, by default, the database
    database : SQLAlchemy URL; None is an SQLite file in the data folder
    files : URL of where pictures and sounds are kept, see `remote_files.RemoteFiles`; None is the
        data folder
    link_files : send clients to the store of files, where it signs links
    keys : API keys; without any, access is open
    private : each key sees only the riffs made with it
    allowed_origins : other origins whose pages may use this server; "*" allows all
    allowed_hosts : host names besides loopback; checked only when listening on loopback, where a
        foreign name indicates DNS rebinding
    seed_images : folder with Riffusion's seed and mask images
    grace_s : time the current riff gets to finish at shutdown
    riff_nice : niceness of the riff worker relative to the stream workers
    worker_bytes : memory a worker may use beyond its model; None is half of the machine's, within
        2 to 8 GiB
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    model: str | None = None
    prediction: str | None = None
    devices: tuple[str, ...] = ("auto",)
    max_workers: int | None = None
    ray: str | None = None
    worker_cpus: float = 1.0
    data_folder: Path = field(default_factory=default_data_folder)
    database: str | None = None
    files: str | None = None
    link_files: bool = False
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
        """Whether the server is reachable from this machine only."""
        return self.host in ("localhost", "127.0.0.1", "::1")

    @property
    def shares_riffs(self) -> bool:
        """Whether another server may take up riffs of this one: their database is not its own."""
        return self.database is not None

    @property
    def work_folder(self) -> Path:
        """Folder for uploads that are being processed."""
        return self.data_folder / "work"

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the history."""
        return self.database or f"sqlite:///{self.data_folder / 'riffs.sqlite'}"
