"""Front servers that are killed while riffs wait: `python -m benchmarks.jobs`, short."""

from __future__ import annotations

from pathlib import Path

from benchmarks.jobs import trial

from postgresql_server import PostgresqlServer
from s3_server import S3Server


def test_each_riff_is_made_once_or_fails_with_a_reason(
    postgresql: PostgresqlServer, s3: S3Server, model_folder: Path, tmp_path: Path
) -> None:
    outcome = trial(
        riffs=20,
        kill_every=8,
        seed=1,
        database=postgresql.database(),
        files=s3.make_bucket("killed-servers"),
        environment=s3.environment,
        model=model_folder,
        folder=tmp_path,
        lease_s=3.0,
    )
    assert outcome.is_good, str(outcome)
    assert outcome.asked == 20
    assert outcome.kills.total() == 2
    assert outcome.taken > 0
