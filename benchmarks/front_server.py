"""One front server of `benchmarks.jobs`: `sonoriff serve` with limits that no option sets."""

from __future__ import annotations

import argparse
from pathlib import Path

from sonoriff.server.config import Limits, ServerConfig
from sonoriff.server.run import serve


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "model", "data", "database", "files", "lease"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    limits = Limits(
        lease_s=float(given.lease),
        max_jobs_per_client=Limits().max_jobs,
        requests_per_minute=1e6,
        max_riffs=10**6,
        max_stored_bytes=2**40,
    )
    serve(
        ServerConfig(
            port=int(given.port),
            model=given.model,
            data_folder=Path(given.data),
            database=given.database,
            files=given.files,
            grace_s=1.0,
            limits=limits,
        )
    )


if __name__ == "__main__":
    main()
