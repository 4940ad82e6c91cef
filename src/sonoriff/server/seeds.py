"""Seed and mask images of `/run_inference/`, by their ids."""

from __future__ import annotations

from pathlib import Path

from sonoriff.errors import ParameterError

# Riffusion's ids; unless the operator provides Riffusion's images, our own riffs are used
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
    """Pictures by id. Ids are looked up in a table built at startup, never turned into paths.

    Parameters
    ----------
    folder : with Riffusion's or other images; None uses the bundled ones only
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
        """All known ids."""
        return sorted(self._paths)

    def read(self, image_id: str) -> bytes | None:
        """Path of a picture; None for an unknown id."""
        path = self._paths.get(image_id)
        return None if path is None else path.read_bytes()


def _pictures(folder: Path) -> dict[str, Path]:
    return {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in _SUFFIXES}
