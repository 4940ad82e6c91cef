"""A server on a file system of its own of a few megabytes, in a mount namespace of its own.

Run as a program, it is that server: ``small_disk.py FOLDER MEBIBYTES MODEL PORT RESERVE_BYTES``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from sonoriff.server.config import Limits, ServerConfig
from sonoriff.server.run import serve

_UNSHARED = (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"])


def namespace(folder: Path) -> list[str] | None:
    """Beginning of a command that may mount what only it sees; None where that is not permitted."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    for command in _UNSHARED:
        if (
            shutil.which("unshare")
            and subprocess.run([*command, *mount], capture_output=True).returncode == 0
        ):
            return command
    return None


def seen_by(process: subprocess.Popen[bytes], folder: Path) -> Path:
    """A folder as another process sees it."""
    return Path(f"/proc/{process.pid}/root") / folder.relative_to("/")


def main() -> None:
    """Mount, and serve."""
    folder, mebibytes, model, port, reserve_bytes = sys.argv[1:]
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "none", folder]
    subprocess.run(mount, check=True)
    limits = Limits(reserve_bytes=int(reserve_bytes))
    serve(
        ServerConfig(
            port=int(port), model=model, data_folder=Path(folder), grace_s=0.1, limits=limits
        )
    )


if __name__ == "__main__":
    main()
