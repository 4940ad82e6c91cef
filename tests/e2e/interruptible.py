"""A command that is slow, for tests that stop it: half-writes a file for each job and waits.

Usage: interruptible.py FOLDER N_JOBS N_PROCESSES
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from sonoriff.cli.batch import Job, run_jobs
from sonoriff.cli.main import exit_code_of_call
from sonoriff.files import atomic_path


def write_slowly(job: Job) -> str:
    """Begin a file, say so, and wait to be stopped."""
    with atomic_path(job.target) as temporary:
        temporary.write_text("half", encoding="utf-8")
        job.target.with_suffix(".begun").touch()
        time.sleep(60)
    return "never"


def main() -> int:
    """Run the slow jobs as the command line would."""
    folder, n_jobs, n_processes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    jobs = [Job(folder / "in", folder / f"{i}.txt") for i in range(n_jobs)]
    return exit_code_of_call(lambda: run_jobs(write_slowly, jobs, n_processes=n_processes))


if __name__ == "__main__":
    sys.exit(main())
