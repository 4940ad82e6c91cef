"""Seed and mask images of `/run_inference/`, by their ids."""

from __future__ import annotations

from pathlib import Path

from sonoriff.errors import ParameterError

# Riffusion's own; where the operator names no folder with them, riffs of ours stand in.
RIFFUSION_IDS = ("og_beat", "agile", "marim", "motorway", "vibes")
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
        bundled = _pictures(_BUNDLED)
        self._paths = dict(bundled)
        if bundled:
            own = list(bundled.values())
            self._paths |= {name: own[i % len(own)] for i, name in enumerate(RIFFUSION_IDS)}
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
    if not folder.is_dir():
        return {}
    return {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in _SUFFIXES}
