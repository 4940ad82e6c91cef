"""Seed and mask images of `/run_inference/`, by their ids."""

from __future__ import annotations

from pathlib import Path

from sonoriff.errors import ParameterError

# Riffusion's ids; where the operator names no folder with its images, riffs of ours stand in
# (scripts/make_seed_riffs.py).
STAND_INS = {
    "og_beat": "steady_beat",
    "agile": "fast_bass",
    "marim": "mallets",
    "motorway": "broken_beat",
    "vibes": "slow_bells",
}
_BUNDLED = Path(__file__).parent / "seeds"
_SUFFIXES = (".png", ".jpg", ".jpeg")


class SeedImages:
    """Pictures by id. An id is looked up among those found at the start, never made into a path.

    Parameters
    ----------
    folder : with Riffusion's images, or others; None for the bundled ones only
    """

    def __init__(self, folder: Path | None) -> None:
        if folder is not None and not folder.is_dir():
            raise ParameterError(f"there is no folder {folder} with seed images")
        self._paths = _pictures(_BUNDLED)
        self._paths |= {name: self._paths[own] for name, own in STAND_INS.items()}
        if folder is not None:
            self._paths |= _pictures(folder)

    @property
    def ids(self) -> list[str]:
        """All that are known."""
        return sorted(self._paths)

    def read(self, image_id: str) -> bytes | None:
        """A picture's file; None for an unknown id."""
        path = self._paths.get(image_id)
        return None if path is None else path.read_bytes()


def _pictures(folder: Path) -> dict[str, Path]:
    return {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in _SUFFIXES}
