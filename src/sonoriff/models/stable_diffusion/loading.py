"""Stable Diffusion checkpoints from a folder or a single file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from sonoriff.diffusion.schedule import NoiseSchedule, scaled_linear_schedule
from sonoriff.errors import CheckpointError
from sonoriff.models.stable_diffusion.hub import CONFIG_REPOSITORY, config_folder
from sonoriff.models.stable_diffusion.layout import (
    NETWORKS,
    PICKLES,
    check_configs,
    check_single_file,
    check_tokenizer,
    check_weights,
    config_of,
    pickle_refused,
    variant_of,
)
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.models.stable_diffusion.prediction import (
    PREDICTIONS,
    Said,
    prediction_named,
    said_by_file,
    said_by_folder,
)
from sonoriff.models.stable_diffusion.winograd import quicken
from sonoriff.precision import fastest_dtype

# What a schedule that ends in pure noise is read as, so that every level keeps some of the data.
_LEAST_DATA = 2.0**-24
# Two prompts that no tokenizer of words may take for the same.
_UNLIKE = ("slow piano", "loud drums")


def load_stable_diffusion(
    place: Path | str,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
    prediction: str | None = None,
    title: str | None = None,
) -> StableDiffusionModel:
    """Load a checkpoint. Nothing is fetched but, once, the configuration of a single file.

    Parameters
    ----------
    place : a folder in diffusers layout, or a .safetensors file
    dtype : None for the device's fastest
    prediction : "epsilon", "v_prediction" or "sample"; None for what the checkpoint says
    title : None for the folder's or file's name

    Raises
    ------
    ParameterError
        there is no such prediction
    CheckpointError
        there is no such checkpoint, it is damaged, incomplete, of another kind or a pickle,
        diffusers is not installed, or two prompts are the same to it
    """
    given = None if prediction is None else prediction_named(prediction)
    _need_diffusers()
    chosen = dtype or fastest_dtype(device)
    path = Path(place).resolve()
    if path.suffix.lower() in PICKLES:
        raise CheckpointError(pickle_refused(Path(place)))
    if path.is_file():
        parts, name = _parts_of_file(path, chosen), path.stem
    else:
        parts, name = _parts_of_folder(path, chosen, str(place)), path.name
    for part in NETWORKS:
        parts[part].eval().requires_grad_(False).to(device)
    for part in ("unet", "vae"):
        parts[part].to(memory_format=torch.channels_last)
        quicken(parts[part])
    _check_words(parts["tokenizer"], parts["text_encoder"], str(place))
    said, config = parts.pop("said"), parts.pop("scheduler")
    if given is not None:
        said = replace(said, prediction=given, source="--prediction")
    origins = {"prediction": f"{said.prediction} ({said.source})", **parts.pop("origins")}
    schedule = schedule_from_config(_with_prediction(config, said))
    return StableDiffusionModel(
        **parts, schedule=schedule, title=title or name, origins=origins, prediction=given
    )


def _with_prediction(config: dict[str, Any], said: Said) -> dict[str, Any]:
    if said.prediction == "epsilon" and not config:
        return config
    more = {"rescale_betas_zero_snr": True} if said.zero_snr else {}
    base = config or {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "num_train_timesteps": 1000,
    }
    return {**base, "prediction_type": said.prediction, **more}


def schedule_from_config(config: dict[str, Any]) -> NoiseSchedule:
    """The noise levels of a scheduler's configuration; an empty one is Stable Diffusion's."""
    from diffusers import DDIMScheduler

    said = config.get("prediction_type", "epsilon")
    if said not in PREDICTIONS:
        raise CheckpointError(
            f"the model predicts {said!r}, expected one of {', '.join(PREDICTIONS)}: say it with "
            "--prediction"
        )
    if not config:
        return scaled_linear_schedule(prediction="noise")
    scheduler: Any = DDIMScheduler
    levels = scheduler.from_config(config).alphas_cumprod.double()
    return NoiseSchedule(tuple(levels.clamp_min(_LEAST_DATA).tolist()), PREDICTIONS[said])


def _check_words(tokenizer: Any, text_encoder: Any, name: str) -> None:
    """CheckpointError where prompts cannot be told apart, or words have no place in the encoder."""
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in _UNLIKE]
    most = int(text_encoder.config.vocab_size)
    if ids[0] == ids[1] or not all(len(set(each)) > 1 for each in ids):
        raise CheckpointError(
            f"the tokenizer of {name} reads different prompts as the same: it is damaged, copy "
            "that of its base model"
        )
    if max(max(each) for each in ids) >= most or len(tokenizer) > most:
        raise CheckpointError(
            f"the tokenizer of {name} knows {len(tokenizer)} words, its text encoder {most}: they "
            "belong to different models"
        )


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


def _parts_of_folder(folder: Path, dtype: torch.dtype, name: str) -> dict[str, Any]:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel

    if not folder.is_dir():
        raise CheckpointError(f"there is no folder {folder}")
    check_weights(folder, name)
    check_configs(folder, name)
    check_tokenizer(folder, name)
    classes = {"unet": UNet2DConditionModel, "vae": AutoencoderKL, "text_encoder": CLIPTextModel}
    parts = {part: _network(classes[part], folder, part, dtype) for part in NETWORKS}
    config = config_of(folder / "scheduler" / "scheduler_config.json")
    variants = {variant_of(folder, part) or "plain" for part in NETWORKS}
    return {
        **parts,
        "tokenizer": _tokenizer(folder),
        "scheduler": config,
        "said": said_by_folder(folder),
        "origins": {
            "weights": f"{' and '.join(sorted(variants))} safetensors of the folder",
            "tokenizer": "its own folder",
            "noise levels": "scheduler_config.json" if config else "those of Stable Diffusion v1.5",
        },
    }


def _tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer

    place = folder / "tokenizer"
    return _read(place, lambda: CLIPTokenizer.from_pretrained(place, local_files_only=True))


def _network(kind: Any, folder: Path, part: str, dtype: torch.dtype) -> Any:
    """A network of which every weight was in the file."""

    def load() -> Any:
        network, report = kind.from_pretrained(
            folder / part,
            torch_dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            variant=variant_of(folder, part) or None,
        )
        missing = sorted(report["missing_keys"])
        if missing:
            raise ValueError(f"{len(missing)} weights are missing, {missing[0]} among them")
        return network

    return _read(folder / part, load)


def _parts_of_file(path: Path, dtype: torch.dtype) -> dict[str, Any]:
    """Parts of a file in the layout that Stable Diffusion was first published in."""
    if path.suffix.lower() != ".safetensors":
        raise CheckpointError(f"{path.name} is no .safetensors file")
    channels = check_single_file(path)
    beside = (path.parent / "model_index.json").is_file()
    config = path.parent if beside else config_folder()
    check_tokenizer(config, path.name)
    scheduler = config_of(config / "scheduler" / "scheduler_config.json")
    said = said_by_file(path, scheduler if beside else {})
    pipeline = _read(path, lambda: _pipeline_of_file(path, config, channels, dtype))
    where = "the folder that it lies in" if beside else CONFIG_REPOSITORY
    return {
        **{name: getattr(pipeline, name) for name in NETWORKS},
        "tokenizer": _tokenizer(config),
        "scheduler": scheduler,
        "said": said,
        "origins": {
            "weights": "a single file",
            "tokenizer": where,
            "noise levels": where + (", ending without data" if said.zero_snr else ""),
        },
    }


def _pipeline_of_file(path: Path, config: Path, channels: int, dtype: torch.dtype) -> Any:
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel
    from diffusers.loaders.single_file_utils import SingleFileComponentError

    common = {"config": str(config), "local_files_only": True, "torch_dtype": dtype}
    more: dict[str, Any] = {}
    try:
        if channels and channels != config_of(config / "unet" / "config.json").get(
            "in_channels", 4
        ):
            kind: Any = UNet2DConditionModel
            more["unet"] = kind.from_single_file(
                str(path), subfolder="unet", in_channels=channels, **common
            )
        return StableDiffusionPipeline.from_single_file(
            str(path), safety_checker=None, **common, **more
        )
    except (NotImplementedError, SingleFileComponentError) as error:
        # A weight, or a whole network, that never came.
        raise ValueError("weights are missing, it is no whole checkpoint") from error


def _read(path: Path, load: Callable[[], Any]) -> Any:
    """Load, with one kind of error for all that a damaged or foreign file may cause."""
    from safetensors import SafetensorError

    try:
        return load()
    except (
        *(OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError),
        *(IndexError, SafetensorError),
    ) as error:
        raise CheckpointError(f"cannot load {path}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
