"""Compile the engine's loops for web pages; `--check` says whether they are of the sources.

python scripts/make_engine_wasm.py [--check]

Needs Zig: pip install ziglang.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    ROOT / "src" / "sonoriff" / "sonogram" / "native" / "codec.c",
    ROOT / "web" / "engine" / "native" / "engine.c",
)
COMPILED = ROOT / "web" / "engine" / "native" / "engine.wasm"
# The sources that it was compiled from.
STAMP = COMPILED.with_suffix(".sha256")
EXPORTS = (
    *("magnitude_from_mel", "mel_columns", "consistency_step", "overlap_add", "spread_phase"),
    *("uniform", "heap"),
)
FLAGS = (
    *("-target", "wasm32-freestanding", "-O3", "-msimd128", "-mbulk-memory", "-nostdlib"),
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wl,--no-entry"),
    *(f"-Wl,--export={name}" for name in EXPORTS),
    *("-Wl,--strip-all", "-Wl,-z,stack-size=65536"),
)


def stamp() -> str:
    """SHA-256 of the sources, one after the other."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()


def main() -> int:
    if "--check" in sys.argv[1:]:
        fresh = STAMP.is_file() and STAMP.read_text().strip() == stamp()
        if not fresh:
            print(f"{COMPILED.name} is not of these sources; run python {sys.argv[0]}")
        return 0 if fresh else 1
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, str(SOURCES[-1]), "-o", str(COMPILED)]
    subprocess.run(command, check=True)
    STAMP.write_text(f"{stamp()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
