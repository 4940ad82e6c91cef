"""Where models are found: in the package, or in a folder."""

from __future__ import annotations

from pathlib import Path

import torch

from sonoriff.errors import CheckpointError
from sonoriff.models.small.model import SmallModel

BUNDLED = "sonoriff-small"
_BUNDLED_FOLDER = Path(__file__).parent / "bundled"


def bundled_folder() -> Path:
    """Folder of the model that the package ships."""
    return _BUNDLED_FOLDER / BUNDLED


def load_model(
    name: str | Path | None = None,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
) -> SmallModel:
    """Load a model.

    Parameters
    ----------
    name : None or "sonoriff-small" for the bundled model, else a folder
    device : "cpu", "cuda", "mps"
    dtype : None for the device's fastest

    Raises
    ------
    CheckpointError
        no such model, or its files are damaged or of another version
    """
    folder = bundled_folder() if name in (None, BUNDLED) else Path(str(name))
    if not folder.is_dir():
        raise CheckpointError(
            f"there is no model {name or BUNDLED!r}: "
            "give a folder that `sonoriff train export` wrote"
        )
    return SmallModel.from_pretrained(folder, device=device, dtype=dtype)
