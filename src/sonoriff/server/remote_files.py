"""Pictures and sounds of riffs in an object store: S3, Google's, Azure's, or a shared folder."""

from __future__ import annotations

import datetime
import logging
import mimetypes
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonoriff.errors import ParameterError
from sonoriff.files import atomic_path
from sonoriff.server.riff_files import (
    NoRoomError,
    RefusedError,
    StoreError,
    check_disk,
    remove_file,
    room_needed,
    stem_of_name,
)

if TYPE_CHECKING:
    from obstore.store import ObjectStore

log = logging.getLogger(__name__)
# What a store may take for a connection, an attempt, and a request with all its attempts.
_CONNECT_S, _ATTEMPT_S, _REQUEST_S, _RETRIES = 5.0, 15.0, 30.0, 3
# Codes of S3's servers where a bucket, a quota or a disk is full.
_FULL = ("StorageFull", "QuotaExceeded", "QuotaFull", "InsufficientStorage", "507 Insufficient")
_MARKER = "sonoriff"
# Files of attempts that do not count are removed after this, and fetched ones are not before.
_LEFT_S, _HELD_S = 3600.0, 600.0
_LINK_S = 600.0


class RemoteFiles:
    """Files of riffs in an object store, each whole or absent; those that are read are fetched.

    Parameters
    ----------
    url : ``s3://bucket/prefix``, ``gs://``, ``az://`` or ``file:///folder``; credentials and
        endpoint come from the environment, as the programs of these stores have them
    cache : folder for what was fetched; created if missing
    cache_bytes : size beyond which what was not read for longest is removed from it
    reserve_bytes : free disk space below which nothing is begun
    clock : seconds, for what was read last

    Raises
    ------
    ParameterError
        the URL is wrong, or nothing can be stored there
    ImportError
        obstore is not installed; says what to install

    Notes
    -----
    A put is one request or a multipart upload that is completed at its end, so readers see a whole
    file or none. Methods are those of `LocalFiles`; all block, and raise StoreError where the store
    does not answer, RefusedError where it denies, NoRoomError where it is full.
    """

    def __init__(
        self,
        url: str,
        cache: Path,
        *,
        cache_bytes: int,
        reserve_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cache, self._cache_bytes, self._reserve_bytes = cache, cache_bytes, reserve_bytes
        self._clock = clock
        self._store = store_of_url(url)
        self.make_folder()
        try:
            self._put(_MARKER, b"files of Sonoriff's riffs\n")
        except (StoreError, NoRoomError) as error:
            raise ParameterError(f"nothing can be stored in {url}: {error}") from error

    def make_folder(self) -> None:
        """Create the folder of what was fetched where it is missing."""
        self._cache.mkdir(parents=True, exist_ok=True)

    def check(self) -> None:
        """Raise StoreError or NoRoomError if files cannot be stored or fetched."""
        with _errors_in_words():
            self._store.head(_MARKER)
        self.check_room()

    def check_room(self) -> None:
        """Raise NoRoomError if less disk space is free for fetched files than the reserve."""
        check_disk(self._cache.parent, self._reserve_bytes)

    def write(self, name: str, data: bytes) -> None:
        """Store a file."""
        self._put(_key(name), data)

    def add(self, name: str, save: Callable[[Path], None]) -> Path:
        """Store a file that `save` writes to a path; returns where it can be read."""
        path = self._cache / name
        with room_needed():
            self.make_folder()
            save(path)
        try:
            self._put(_key(name), path.read_bytes())
        except BaseException:
            remove_file(path)
            raise
        self._shrink()
        return path

    def find(self, name: str) -> Path | None:
        """Where a file can be read; None if it is missing."""
        path = self._cache / name
        with suppress(OSError):
            os.utime(path, (self._clock(),) * 2)
            return path
        try:
            with _errors_in_words():
                data = self._store.get(_key(name)).bytes()
        except FileNotFoundError:
            return None
        with room_needed():
            self.make_folder()
            with atomic_path(path) as temporary:
                temporary.write_bytes(data)
        self._shrink()
        return path

    def link(self, name: str) -> str | None:
        """Address of a file that needs no key for ten minutes; None if the store gives none."""
        import obstore
        from obstore.store import AzureStore, GCSStore, S3Store

        if not isinstance(self._store, S3Store | GCSStore | AzureStore):
            return None
        with _errors_in_words():
            valid = datetime.timedelta(seconds=_LINK_S)
            return obstore.sign(self._store, "GET", _key(name), valid)

    def remove(self, riff_id: str) -> None:
        """Remove all files of a riff."""
        with _logged():
            self._delete([file["path"] for file in self._listed(riff_id)])
        for path in self._cache.glob(f"{riff_id}.*"):
            remove_file(path)

    def remove_one(self, name: str) -> None:
        """Remove a file."""
        with _logged():
            self._delete([_key(name)])
        remove_file(self._cache / name)

    def clean(self, stems: Mapping[str, str | None]) -> None:
        """Remove old files of attempts that do not count, as of servers that were killed.

        Parameters
        ----------
        stems : by riff, the stem that counts; None where none does. Files of others are left.
        """
        for path in self._cache.glob(".*.tmp*"):
            remove_file(path)
        with _logged(), _errors_in_words():
            now: datetime.datetime = self._store.head(_MARKER)["last_modified"]
            before, left = now - datetime.timedelta(seconds=_LEFT_S), []
            for file in self._listed(None):
                riff_id, _, name = file["path"].partition("/")
                counts = riff_id not in stems or stem_of_name(name) == stems[riff_id]
                if name and not counts and file["last_modified"] < before:
                    left.append(file["path"])
            self._delete(left)

    def path(self, name: str) -> Path:
        """Path of a file where it was fetched."""
        return self._cache / name

    def _put(self, key: str, data: bytes) -> None:
        kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
        attributes: Any = {} if self._is_folder else {"Content-Type": kind}
        with _errors_in_words():
            try:
                self._store.put(key, data, attributes=attributes)
            except FileNotFoundError as error:
                raise RefusedError("there is no such bucket or container: make it first") from error

    @property
    def _is_folder(self) -> bool:
        from obstore.store import LocalStore

        return isinstance(self._store, LocalStore)

    def _listed(self, prefix: str | None) -> Iterator[Any]:
        with _errors_in_words():
            for some in self._store.list(prefix):
                yield from some

    def _delete(self, keys: list[str]) -> None:
        with _errors_in_words(), suppress(FileNotFoundError):
            if self._is_folder:
                for key in keys:
                    with suppress(FileNotFoundError):
                        self._store.delete(key)
            elif keys:
                self._store.delete(keys)

    def _shrink(self) -> None:
        """Remove from the folder what was not read for longest, but nothing that may be read."""
        found = []
        for path in self._cache.iterdir():
            with suppress(OSError):  # another thread may have removed it
                about = path.stat()
                found.append((about.st_mtime, about.st_size, path))
        total, now = sum(size for _, size, _ in found), self._clock()
        for read, size, path in sorted(found):
            if total <= self._cache_bytes or now - read < _HELD_S:
                return
            remove_file(path)
            total -= size


def store_of_url(url: str) -> ObjectStore:
    """The object store of a URL; ParameterError or ImportError as of `RemoteFiles`."""
    try:
        from obstore import exceptions
        from obstore.store import from_url
    except ImportError as error:
        raise ImportError("--files needs obstore: pip install 'sonoriff[cluster]'") from error
    scheme = url.partition("://")[0]
    options: dict[str, Any] = {}
    if scheme == "file" and url.rstrip("/") != "file:":
        options = {"mkdir": True}
    elif scheme in ("s3", "gs", "az"):
        second = datetime.timedelta(seconds=1)
        client = {"connect_timeout": _CONNECT_S * second, "timeout": _ATTEMPT_S * second}
        # Whoever names an endpoint without TLS wants it.
        plain = any(
            os.environ.get(name, "").startswith("http://")
            for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")
        )
        retry = {"max_retries": _RETRIES, "retry_timeout": _REQUEST_S * second}
        options = {"client_options": {**client, "allow_http": plain}, "retry_config": retry}
    else:
        raise ParameterError(
            f"files are kept in s3://bucket/prefix, gs://, az:// or file:///folder, got {url!r}"
        )
    try:
        return from_url(url, **options)
    except (exceptions.BaseError, ValueError, OSError) as error:
        raise ParameterError(f"{url} is no place for files: {_first_line(error)}") from error


def _key(name: str) -> str:
    """Key of a file: all of a riff have one prefix, by which stores list."""
    return f"{name.partition('.')[0]}/{name}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0]


@contextmanager
def _errors_in_words() -> Iterator[None]:
    """Errors of the store as ours; FileNotFoundError stays. No name or answer of the store is told.

    The log has it all.
    """
    from obstore import exceptions

    try:
        yield
    except FileNotFoundError:
        raise
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        log.error("files", exc_info=error)
        raise RefusedError("the store of files denies it: check its credentials") from error
    except (exceptions.BaseError, OSError) as error:
        log.error("files", exc_info=error)
        if any(word in str(error) for word in _FULL):
            raise NoRoomError("the store of files is full: delete riffs, or make room") from error
        raise StoreError("the store of files cannot be reached: try again soon") from error


@contextmanager
def _logged() -> Iterator[None]:
    """Failures to remove files are logged by now, and otherwise ignored."""
    with suppress(StoreError, NoRoomError):
        yield
