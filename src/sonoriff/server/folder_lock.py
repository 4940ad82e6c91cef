"""One server for each data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from sonoriff.errors import ParameterError

try:
    import fcntl
except ImportError:  # Windows keeps an open file to itself
    fcntl = None  # type: ignore[assignment]


class FolderLock:
    """Held while a server runs; the system lets go of it however the server ends.

    Parameters
    ----------
    folder : the data folder; made where it is missing

    Attributes
    ----------
    server : the folder's name for its server, the same after a restart

    Raises
    ------
    ParameterError
        another server holds it, or the folder cannot be written
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
        """Let another have it."""
        self._file.close()
