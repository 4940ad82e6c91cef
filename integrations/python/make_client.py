"""Make the typed Python client of a server from what the server says of itself.

Usage: python make_client.py [http://127.0.0.1:3013] [-o FOLDER]

Writes the package `sonoriff_client`, which needs httpx and attrs. It is made by
openapi-python-client (`pip install openapi-python-client`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

# Files come as bytes.
_FILES = (
    *("image/png", "audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "audio/midi"),
    *("application/toml", "text/event-stream"),
)
CONFIG = {
    "post_hooks": [],
    "content_type_overrides": dict.fromkeys(_FILES, "application/octet-stream"),
}


def main() -> int:
    """Write the package; the exit code of the generator."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("server", nargs="?", default="http://127.0.0.1:3013")
    parser.add_argument("-o", "--output", type=Path, default=Path(), help="where the package goes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.yml")
        config.write_text(json.dumps(CONFIG))
        url, target = f"{given.server.rstrip('/')}/openapi.json", given.output / "sonoriff_client"
        run = [sys.executable, "-m", "openapi_python_client", "generate", "--url", url]
        more = ["--output-path", str(target), "--meta", "none", "--overwrite"]
        return subprocess.run([*run, *more, "--config", str(config)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
