"""Stable Diffusion checkpoints from a folder, a single file, or the Hugging Face hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sonoriff.diffusion.schedule import NoiseSchedule, Prediction, scaled_linear_schedule
from sonoriff.errors import CheckpointError
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.models.stable_diffusion.winograd import quicken
from sonoriff.precision import fastest_dtype

# Whose configuration and tokenizer a single file is read with; the weights are not fetched.
CONFIG_REPOSITORY = "stable-diffusion-v1-5/stable-diffusion-v1-5"
_NETWORKS = ("unet", "vae", "text_encoder")
_PICKLES = (".bin", ".ckpt", ".pt", ".pth")
_CONFIGS = ("model_index.json", "*/config.json", "scheduler/*.json", "tokenizer/*")
_WEIGHTS = tuple(
    f"{part}/{name}"
    for part in _NETWORKS
    for name in (
        *("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model-0*.safetensors"),
        *("model.safetensors", "model-0*.safetensors", "*.safetensors.index.json"),
    )
)
_PREDICTIONS: dict[str, Prediction] = {
    "epsilon": "noise",
    "v_prediction": "velocity",
    "sample": "sample",
}
# What a schedule that ends in pure noise is read as, so that every level keeps some of the data.
_LEAST_DATA = 2.0**-24


def load_stable_diffusion(
    place: Path | str,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
) -> StableDiffusionModel:
    """Load a checkpoint.

    Parameters
    ----------
    place : a folder in diffusers layout, a .safetensors file, or a name on the hub (OWNER/NAME),
        which is fetched once and then read from the hub's cache
    dtype : None for the device's fastest

    Raises
    ------
    CheckpointError
        there is no such checkpoint, it is damaged, incomplete or a pickle, diffusers is not
        installed, or the hub cannot be reached
    """
    _need_diffusers()
    chosen = dtype or fastest_dtype(device)
    path = Path(place)
    if path.suffix.lower() in _PICKLES:
        raise CheckpointError(pickle_refused(path))
    if path.is_file():
        parts, name = _parts_of_file(path, chosen), path.stem
    elif path.is_dir():
        parts, name = _parts_of_folder(path, chosen), path.resolve().name
    else:
        name = str(place)
        parts = _parts_of_folder(fetched(name), chosen, name)
    for part in _NETWORKS:
        parts[part].eval().requires_grad_(False).to(device)
    for part in ("unet", "vae"):
        parts[part].to(memory_format=torch.channels_last)
        quicken(parts[part])
    schedule = schedule_from_config(parts.pop("scheduler"))
    return StableDiffusionModel(**parts, schedule=schedule, title=name)


def pickle_refused(path: Path) -> str:
    """Why a pickle is not read, and what to do."""
    return (
        f"{path.name} is a pickle, which can run any program when it is read; write it as "
        f"safetensors first: sonoriff models convert {path}"
    )


def fetched(name: str) -> Path:
    """Folder of a model of the hub in its cache, fetched where it is not there yet."""
    return _snapshot(name, [*_CONFIGS, *_WEIGHTS], complete=is_complete)


def is_complete(folder: Path) -> bool:
    """Whether a folder in diffusers layout has the weights of all networks as safetensors."""
    return all(any((folder / part).glob("*.safetensors")) for part in _NETWORKS)


def schedule_from_config(config: dict[str, Any]) -> NoiseSchedule:
    """The noise levels of a scheduler's configuration; an empty one is Stable Diffusion's."""
    from diffusers import DDIMScheduler

    said = config.get("prediction_type", "epsilon")
    if said not in _PREDICTIONS:
        raise CheckpointError(
            f"the model predicts {said!r}, expected one of {', '.join(_PREDICTIONS)}"
        )
    if not config:
        return scaled_linear_schedule(prediction="noise")
    scheduler: Any = DDIMScheduler
    levels = scheduler.from_config(config).alphas_cumprod.double()
    return NoiseSchedule(tuple(levels.clamp_min(_LEAST_DATA).tolist()), _PREDICTIONS[said])


def _need_diffusers() -> None:
    """Find the libraries, and tell them to be silent: what they warn of becomes an error here."""
    try:
        import diffusers
        import transformers
    except ImportError as error:
        raise CheckpointError(
            "Stable Diffusion needs the package diffusers: pip install 'sonoriff[stable-diffusion]'"
        ) from error
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()


def _parts_of_folder(folder: Path, dtype: torch.dtype, name: str = "") -> dict[str, Any]:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    _check_folder(folder, name or str(folder))
    classes = {"unet": UNet2DConditionModel, "vae": AutoencoderKL, "text_encoder": CLIPTextModel}
    parts = {part: _network(classes[part], folder, part, dtype) for part in _NETWORKS}
    parts["tokenizer"] = _read(
        folder / "tokenizer", lambda: CLIPTokenizer.from_pretrained(folder / "tokenizer")
    )
    parts["scheduler"] = _scheduler_config(folder)
    return parts


def _check_folder(folder: Path, name: str) -> None:
    """Refuse what is no checkpoint, and pickles, with a line that says what to do."""
    if is_complete(folder):
        return
    if any(file.suffix in _PICKLES for part in _NETWORKS for file in (folder / part).glob("*")):
        raise CheckpointError(pickle_refused(folder))
    missing = [part for part in _NETWORKS if not any((folder / part).glob("*.safetensors"))]
    where = f"{name} has no safetensors of its {', '.join(missing)}"
    if name == str(folder):
        raise CheckpointError(f"{where}: expected a folder in the layout of diffusers")
    raise CheckpointError(
        f"{where}; if it holds pickles (.bin), fetch and convert it: "
        f"hf download {name} --local-dir model && sonoriff models convert model"
    )


def _network(kind: Any, folder: Path, part: str, dtype: torch.dtype) -> Any:
    """A network of which every weight was in the file."""

    def load() -> Any:
        network, report = kind.from_pretrained(
            folder / part,
            torch_dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
        missing = sorted(report["missing_keys"])
        if missing:
            raise ValueError(f"{len(missing)} weights are missing, {missing[0]} among them")
        return network

    return _read(folder / part, load)


def _scheduler_config(folder: Path) -> dict[str, Any]:
    path = folder / "scheduler" / "scheduler_config.json"
    if not path.is_file():
        return {}
    config: dict[str, Any] = _read(path, lambda: dict(json.loads(path.read_text(encoding="utf-8"))))
    return config


def _parts_of_file(path: Path, dtype: torch.dtype) -> dict[str, Any]:
    """Parts of a file in the layout that Stable Diffusion was first published in."""
    from diffusers import StableDiffusionPipeline
    from diffusers.loaders.single_file_utils import SingleFileComponentError

    if path.suffix.lower() != ".safetensors":
        raise CheckpointError(f"{path.name} is no .safetensors file")
    beside = path.parent
    config = beside if (beside / "model_index.json").is_file() else _config_folder()

    def load() -> Any:
        try:
            return StableDiffusionPipeline.from_single_file(
                str(path),
                config=str(config),
                local_files_only=True,
                safety_checker=None,
                torch_dtype=dtype,
            )
        except (NotImplementedError, SingleFileComponentError) as error:
            # A weight, or a whole network, that never came.
            raise ValueError("weights are missing, it is no whole checkpoint") from error

    pipeline = _read(path, load)
    parts = {name: getattr(pipeline, name) for name in (*_NETWORKS, "tokenizer")}
    return {**parts, "scheduler": _scheduler_config(config)}


def _config_folder() -> Path:
    return _snapshot(
        CONFIG_REPOSITORY, [*_CONFIGS], complete=lambda folder: (folder / "tokenizer").is_dir()
    )


def _snapshot(name: str, patterns: list[str], *, complete: Callable[[Path], bool]) -> Path:
    """Files of a repository of the hub; those in the cache are taken without asking."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        folder = Path(snapshot_download(name, allow_patterns=patterns, local_files_only=True))
        if complete(folder):
            return folder
    except (OSError, ValueError):
        pass  # not in the cache
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except HFValidationError as error:
        raise CheckpointError(f"{name!r} is no name of the hub: {error}") from error
    except HfHubHTTPError as error:
        raise CheckpointError(f"the hub does not give {name}: {_first_line(error)}") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{name} is neither a folder nor in the cache, and the hub cannot be reached: connect "
            "to the network once, or give the folder of a model that was copied here"
        ) from error


def _read(path: Path, load: Callable[[], Any]) -> Any:
    """Load, with one kind of error for all that a damaged or foreign file may cause."""
    from safetensors import SafetensorError

    try:
        return load()
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"cannot load {path}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
