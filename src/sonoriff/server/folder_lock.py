"""One server for each data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from sonoriff.errors import ParameterError

try:
    import fcntl
except ImportError:  # Windows locks open files by itself
    fcntl = None  # type: ignore[assignment]


class FolderLock:
    """Lock held while a server runs; the operating system releases it however the server ends.

    Parameters
    ----------
    folder : the data folder; created if missing

    Attributes
    ----------
    server : id of the server that owns this folder; stable across restarts

    Raises
    ------
    ParameterError
        another server holds the lock, or the folder is not writable
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: Any = (folder / "server.lock").open("a+")
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise ParameterError(
                f"another server uses {folder}: end it, or give this one a folder with --data"
            ) from error
        except OSError as error:
            raise ParameterError(f"cannot write to {folder}: {error.strerror}") from error
        self._file.seek(0)
        self.server = self._file.read(32).strip() or self._named()

    def _named(self) -> str:
        name = secrets.token_hex(8)
        self._file.write(name)
        self._file.flush()
        os.fsync(self._file.fileno())
        return name

    def release(self) -> None:
        """Release the lock."""
        self._file.close()
