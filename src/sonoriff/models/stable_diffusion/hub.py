"""The Hugging Face hub's cache, and the one thing that is fetched without being asked for."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

from sonoriff.errors import CheckpointError
from sonoriff.models.stable_diffusion.layout import is_complete

# Whose configuration and tokenizer a single file is read with; the weights are not fetched.
CONFIG_REPOSITORY = "stable-diffusion-v1-5/stable-diffusion-v1-5"
CONFIGS = ("model_index.json", "*/config.json", "scheduler/*.json", "tokenizer/*")


def cached(name: str) -> Path | None:
    """Folder of a whole model of the hub in its cache; None where it is not there."""
    return _cached(name, ["*"], is_complete)


def has_configuration(folder: Path) -> bool:
    """Whether the configuration that single files are read with is there."""
    return (folder / "tokenizer").is_dir() and (folder / "model_index.json").is_file()


def config_folder() -> Path:
    """Configuration and tokenizer of Stable Diffusion v1.5, fetched where they are not there yet.

    Raises
    ------
    CheckpointError
        the hub does not give them, or cannot be reached
    """
    from huggingface_hub.errors import HfHubHTTPError

    name, patterns = CONFIG_REPOSITORY, list(CONFIGS)
    folder = _cached(name, patterns, has_configuration)
    if folder is not None:
        return folder
    try:
        return _fetched(name, patterns)
    except HfHubHTTPError as error:
        raise CheckpointError(f"the hub does not give {name}: {_first_line(error)}") from error
    except Exception as error:  # of whichever library its client speaks HTTP with
        raise CheckpointError(
            f"a single file needs configuration and tokenizer of {name}, which are not in the "
            "cache, and the hub cannot be reached: connect to the network once, or lay the file "
            "into the folder of a model in the layout of diffusers"
        ) from error


def _fetched(name: str, patterns: list[str]) -> Path:
    """Files of a repository that fit a pattern, in the hub's cache; the folder of its top."""
    from huggingface_hub import HfApi, hf_hub_download

    paths = [file.rfilename for file in HfApi().model_info(name).siblings or ()]
    wanted = [path for path in paths if any(fnmatch(path, pattern) for pattern in patterns)]
    places = {path: Path(hf_hub_download(name, path)) for path in wanted}
    return places["model_index.json"].parent


def _cached(name: str, patterns: list[str], complete: Callable[[Path], bool]) -> Path | None:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, allow_patterns=patterns, local_files_only=True))
    except (OSError, ValueError):
        return None
    return folder if complete(folder) else None


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
