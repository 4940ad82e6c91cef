"""Ask a server for a riff, wait for it, and save its sound.

Usage: python make_a_riff.py "smooth tropical dance jazz" riff.mp3 [http://127.0.0.1:3013]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from sonoriff_client import Client
from sonoriff_client.api.riffs import riffs_generate, riffs_record
from sonoriff_client.models import GenerateBody

UNDONE = ("queued", "running")


def main(prompt: str, target: str, server: str = "http://127.0.0.1:3013") -> None:
    """Save a riff as the file `target`, whose ending is the format."""
    client = Client(base_url=server, raise_on_unexpected_status=True)
    riff = riffs_generate.sync(client=client, body=GenerateBody(prompt=prompt, duration_s=4.0))
    while riff.state in UNDONE:
        time.sleep(0.3)
        riff = riffs_record.sync(riff.id, client=client)
    if riff.state != "done":
        raise SystemExit(f"{riff.state}: {riff.error}")
    kind = Path(target).suffix.removeprefix(".")
    answer = client.get_httpx_client().get(riff.files[kind]).raise_for_status()
    Path(target).write_bytes(answer.content)
    print(f"{target}: {riff.duration_s:.2f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
