"""`sonoriff serve`: the web player and the API."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Annotated

import typer

from sonoriff.cli import painting
from sonoriff.errors import ParameterError, SonoriffWarning

KEYS_VARIABLE = "SONORIFF_API_KEYS"


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 is every one of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 3013,
    model: Annotated[
        str | None, typer.Option(help="Model folder [default: the bundled model].")
    ] = None,
    prediction: painting.Prediction = None,
    device: Annotated[
        list[str] | None,
        typer.Option(
            help="cpu, cuda, cuda:1 or mps; again for one more [default: auto, the best of them "
            "that is there]."
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Run the workers on a Ray cluster: HOST:PORT of its head, auto for the one that "
            "this machine is in, local for one of this machine alone.",
            metavar="ADDRESS",
        ),
    ] = None,
    max_workers: Annotated[
        int | None,
        typer.Option(
            help="Add workers for streams while listeners wait, up to so many, and let them go "
            "again [default: one a --device].",
            min=1,
        ),
    ] = None,
    worker_cpus: Annotated[
        float, typer.Option(help="Processors that Ray sets aside for each of them.", min=0.0)
    ] = 1.0,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder for riffs [default: ~/.local/share/sonoriff].", file_okay=False),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="Of the history, as SQLAlchemy writes it [default: SQLite in --data]."),
    ] = None,
    files: Annotated[
        str | None,
        typer.Option(
            help="Where pictures and sounds are kept: s3://bucket/prefix, gs://, az:// or "
            "file:///folder [default: in --data].",
            metavar="URL",
        ),
    ] = None,
    link_files: Annotated[
        bool,
        typer.Option("--link-files", help="Send clients there with signed links, not through us."),
    ] = False,
    keys: Annotated[
        Path | None,
        typer.Option(
            help=f"File with API keys, one a line; or set {KEYS_VARIABLE}.", dir_okay=False
        ),
    ] = None,
    private: Annotated[
        bool,
        typer.Option("--private", help="Each key sees only the riffs that were made with it."),
    ] = False,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(help="Origin of a page elsewhere that may use this server.", metavar="URL"),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Another name that a proxy calls this server by.", metavar="NAME"),
    ] = None,
    seed_images: Annotated[
        Path | None,
        typer.Option(help="Folder with Riffusion's seed images, for /run_inference/."),
    ] = None,
    max_streams: Annotated[int, typer.Option(help="Listeners at a time.", min=1)] = 16,
    max_riffs: Annotated[int, typer.Option(help="Riffs that the history keeps.", min=1)] = 1000,
    max_days: Annotated[
        float | None, typer.Option(help="Days that the history keeps them.", min=0.0)
    ] = None,
) -> None:
    """Run the web player and the API, docs/server.md, until Ctrl-C.

    \b
    Examples:
      sonoriff serve                             then open http://127.0.0.1:3013
      sonoriff serve --host 0.0.0.0 --keys keys.txt
      sonoriff serve --model my-model --device cuda --device cuda:1
      sonoriff serve --ray 10.0.0.5:6379 --max-workers 20
      sonoriff serve --database postgresql+psycopg://sonoriff@db/sonoriff --files s3://riffs
    """
    from sonoriff.server.config import Limits, ServerConfig, default_data_folder

    config = ServerConfig(
        host=host,
        port=port,
        model=model,
        prediction=prediction,
        devices=tuple(device or ["auto"]),
        ray=ray,
        max_workers=max_workers,
        worker_cpus=worker_cpus,
        data_folder=_made(data or default_data_folder()),
        database=database,
        files=files,
        link_files=link_files,
        keys=_keys(keys),
        private=private,
        allowed_origins=tuple(allow_origin or ()),
        allowed_hosts=tuple(allow_host or ()),
        seed_images=seed_images,
        limits=Limits(max_streams=max_streams, max_riffs=max_riffs, max_age_days=max_days),
    )
    from sonoriff.server.run import serve as run

    run(config)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(f"cannot make the folder {folder}: {error.strerror}") from error
    return folder


def _keys(path: Path | None) -> tuple[str, ...]:
    """Read API keys from a file or the environment; options would be visible to all users.

    Lines starting with # are comments.
    """
    if path is None:
        text = os.environ.get(KEYS_VARIABLE, "").replace(",", "\n")
    elif path.is_file():
        text = _key_file(path)
    else:
        raise ParameterError(f"there is no file {path} with API keys")
    lines = (line.strip() for line in text.splitlines())
    keys = tuple(line for line in lines if line and not line.startswith("#"))
    if path is not None and not keys:
        raise ParameterError(f"{path} holds no API key: write one a line")
    return keys


def _key_file(path: Path) -> str:
    """Read the key file, and warn if other users can read it too."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path} is not UTF-8: save the API keys as UTF-8 text") from error
    except OSError as error:
        raise ParameterError(f"cannot read {path}: {error.strerror}") from error
    if os.name == "posix" and path.stat().st_mode & 0o077:
        warnings.warn(
            f"other users can read the API keys in {path}: chmod 600 {path}",
            SonoriffWarning,
            stacklevel=2,
        )
    return text
