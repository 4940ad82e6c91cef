"""Pictures and sounds of riffs in a folder of this machine."""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sonoriff.errors import BusyError
from sonoriff.files import write_bytes

log = logging.getLogger(__name__)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StoreError(BusyError):
    """The history is currently unreachable."""


class RefusedError(StoreError):
    """The store of files denies what is asked: asking again does not help."""


class NoRoomError(BusyError):
    """There is no room for another riff."""


class LocalFiles:
    """Files of riffs in one folder, each whole or absent. Methods block.

    Parameters
    ----------
    folder : created if missing
    reserve_bytes : free disk space below which nothing is begun

    Notes
    -----
    The name of a file is the riff's stem, a dot, and a kind. A riff's id is its stem, or the part
    of it before the first dot. Only stems from the database are passed.
    """

    def __init__(self, folder: Path, reserve_bytes: int) -> None:
        self._folder, self._reserve_bytes = folder, reserve_bytes
        self.make_folder()

    def make_folder(self) -> None:
        """Create the folder where it is missing."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def check(self) -> None:
        """Raise NoRoomError if less disk space is free than the reserve."""
        self.check_room()

    def check_room(self) -> None:
        """Raise NoRoomError if less disk space is free than the reserve."""
        check_disk(self._folder.parent, self._reserve_bytes)

    def write(self, name: str, data: bytes) -> None:
        """Store a file."""
        with room_needed():
            self.make_folder()
            write_bytes(self.path(name), data)

    def add(self, name: str, save: Callable[[Path], None]) -> Path:
        """Store a file that `save` writes to a path; returns where it can be read."""
        path = self.path(name)
        with room_needed():
            save(path)
        return path

    def find(self, name: str) -> Path | None:
        """Where a file can be read; None if it is missing. Links are not followed."""
        path = self.path(name)
        return path if path.is_file() and not path.is_symlink() else None

    def remove(self, riff_id: str) -> None:
        """Remove all files of a riff."""
        for path in self._folder.glob(f"{riff_id}.*"):
            remove_file(path)

    def remove_one(self, name: str) -> None:
        """Remove a file."""
        remove_file(self.path(name))

    def link(self, name: str) -> None:
        """Address of a file that needs no server: there is none."""

    def clean(self, stems: Mapping[str, str | None]) -> None:
        """Remove what a killed server has left: half files, and attempts that do not count.

        Parameters
        ----------
        stems : by riff, the stem that counts; None where none does. Files of others are left.
        """
        for path in self._folder.iterdir():
            if path.name.startswith("."):
                stale = ".tmp" in path.name
            else:
                riff_id = path.name.split(".")[0]
                stale = riff_id in stems and stem_of_name(path.name) != stems[riff_id]
            if stale:
                remove_file(path)

    def path(self, name: str) -> Path:
        """Path of a file."""
        return self._folder / name


def stem_of_name(name: str) -> str:
    """The stem in the name of a file: the riff's id, and the attempt from the second on."""
    riff_id, attempt, *_ = f"{name}..".split(".")
    return f"{riff_id}.{attempt}" if attempt.isdigit() else riff_id


def check_disk(folder: Path, reserve_bytes: int) -> None:
    """Raise NoRoomError if less disk space is free than the reserve."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StoreError("the data folder cannot be reached") from error
    if free < reserve_bytes:
        raise NoRoomError("the server's disk is full: delete riffs, or make room elsewhere")


def remove_file(path: Path) -> None:
    """Remove a file; failures are logged and otherwise ignored."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.error("file not removed", exc_info=error, extra={"facts": {"file": path.name}})


@contextmanager
def room_needed() -> Iterator[None]:
    """Raise NoRoomError instead of the operating system's error for a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoomError("the server's disk is full: delete riffs, or make room") from error
