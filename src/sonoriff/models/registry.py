"""Model registry: bundled, local and downloaded models."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.digest import digest_of_model, with_more
from sonoriff.models.lora import GUIDANCE_NOTE, Lora, guidance_of, merge_changes
from sonoriff.models.lora_file import file_of_lora, read_lora
from sonoriff.models.protocol import Model
from sonoriff.models.small.model import Backend, SmallModel
from sonoriff.precision import NEED_TORCH, device_named, has_torch, precision_named

if TYPE_CHECKING:
    from sonoriff.models.stable_diffusion.model import StableDiffusionModel
    from sonoriff.models.stable_diffusion.styles import Style

BUNDLED = "sonoriff-small"
_BUNDLED_FOLDER = Path(__file__).parent / "bundled"
_INDEX = "model_index.json"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_WEIGHT_FILES = (".safetensors", ".ckpt", ".bin", ".pt", ".pth")
MAX_REUSE = 10
Origin = Literal["bundled", "downloaded", "local"]


@dataclass(frozen=True)
class KnownModel:
    """A model available on this machine.

    Attributes
    ----------
    name : what `load_model` takes
    kind : "small" or "stable diffusion"
    n_bytes : of all its files
    prediction : what it predicts, as far as its files say; "" where they cannot be read
    """

    name: str
    kind: str
    origin: Origin
    folder: Path
    n_bytes: int
    prediction: str = ""


def bundled_folder() -> Path:
    """Folder of the model that the package ships."""
    return _BUNDLED_FOLDER / BUNDLED


def models_folder() -> Path:
    """Folder whose models are known by their names: SONORIFF_MODELS, or below ~/.cache."""
    given = os.environ.get("SONORIFF_MODELS")
    return Path(given) if given else Path.home() / ".cache" / "sonoriff" / "models"


def list_models() -> list[KnownModel]:
    """All models on this machine: bundled, of the models' folder, of the hub's cache."""
    found = [*_found_in(bundled_folder().parent, "bundled"), *_found_in(models_folder(), "local")]
    return [*found, *_downloaded()]


def load_model(
    name: str | Path | None = None,
    *,
    device: Any = "cpu",
    dtype: Any = None,
    loras: Sequence[Lora] = (),
    styles: Sequence[Style] = (),
    reuse: int = 1,
    prediction: str | None = None,
    backend: Backend | None = None,
) -> Model:
    """Load a model.

    Parameters
    ----------
    name : None or "sonoriff-small" for the bundled model; a folder; a .safetensors file of Stable
        Diffusion; a name that `list_models` gives, OWNER/NAME of the Hugging Face hub among them
    device : "cpu", "cuda", "mps", or "auto" for the best that is there
    dtype : "float32", "int8", "bfloat16", "float16" or a torch.dtype; None for the device's fastest
    loras : merged into the weights, in this order
    styles : words that a text encoder of Stable Diffusion is taught
    reuse : of Stable Diffusion: 1 computes all layers at every step, 2 the inner ones at every
        second step, and so on; see `sonoriff.models.stable_diffusion.reuse`
    prediction : of Stable Diffusion: "epsilon", "v_prediction" or "sample", None for what the
        checkpoint says
    backend : of the small model: None is onnxruntime on the processor and PyTorch on all else

    Raises
    ------
    ParameterError
        reuse, styles, a dtype or a prediction that the model cannot have
    CheckpointError
        no such model, no such device, its files are damaged, pickled or of another version, or
        PyTorch is needed and not installed
    """
    place = device_named(str(device))
    model = _loaded(str(name or BUNDLED), place, precision_named(dtype), prediction, backend)
    for lora in loras:
        _add_lora(model, lora)
    model.weights = with_more(model.weights, [file_of_lora(lora.path)[0] for lora in loras])
    if not 1 <= reuse <= MAX_REUSE:
        raise ParameterError(f"reuse must be in [1, {MAX_REUSE}], got {reuse}")
    if isinstance(model, SmallModel):
        _check_small(model, styles, reuse)
        noted = [model.facts.get(GUIDANCE_NOTE), *map(guidance_of, loras)]
        wanted = [float(each) for each in noted if isinstance(each, int | float)]
        if wanted:
            model.defaults = replace(model.defaults, guidance_scale=min(wanted))
        return model
    from sonoriff.models.stable_diffusion.styles import add_style

    model.styles = (*model.styles, *(add_style(model, style) for style in styles))
    model.weights = with_more(model.weights, [style.path for style in styles])
    model.reuse = reuse
    return model


def _loaded(
    name: str,
    device: str,
    precision: str | None,
    prediction: str | None,
    backend: Backend | None,
) -> SmallModel | StableDiffusionModel:
    place = find_model(name)
    if place.is_dir() and not _is_stable_diffusion(place):
        if prediction is not None:
            raise ParameterError(
                f"{name} predicts what it was trained for: leave out the prediction, or take a "
                "checkpoint of Stable Diffusion"
            )
        small = SmallModel.from_pretrained(
            place, device=device, precision=precision, backend=backend
        )
        small.weights = digest_of_model(place)
        return small
    if not has_torch():
        raise CheckpointError(NEED_TORCH)
    from sonoriff.models.stable_diffusion.loading import load_stable_diffusion
    from sonoriff.precision import dtype_named

    title = None if Path(name).exists() else name.removesuffix(".safetensors")
    model = load_stable_diffusion(
        place,
        device=device,
        dtype=dtype_named(precision, device),
        prediction=prediction,
        title=title,
    )
    model.weights = digest_of_model(place)
    return model


def find_model(name: str) -> Path:
    """The folder or file of a model; nothing is fetched.

    Raises
    ------
    CheckpointError
        it is not on this machine; the message says how to get it
    """
    own = models_folder() / name
    places = [bundled_folder() if name == BUNDLED else Path(name), own]
    places += [own.with_name(f"{own.name}.safetensors")]
    place = next((p for p in places if p.exists()), None)
    if place is not None:
        return place
    if not _HUB_NAME.fullmatch(name):
        raise CheckpointError(_no_such_model(name))
    try:
        from sonoriff.models.stable_diffusion.hub import cached

        place = cached(name)
    except ImportError:
        place = None
    if place is None:
        raise CheckpointError(
            f"{name} is not on this machine; to get it: sonoriff models fetch {name}"
        )
    return place


def _add_lora(model: SmallModel | StableDiffusionModel, lora: Lora) -> None:
    """Merge a LoRA; the words that it brings are taught too."""
    read = read_lora(lora.path)
    if read.embeddings and isinstance(model, SmallModel):
        raise CheckpointError(
            f"{lora.path} brings words for a text encoder of Stable Diffusion "
            f"({', '.join(read.embeddings)}): {model.name} has none"
        )
    merge_changes(model.layers(), read.changes, lora)
    model.loras = (*model.loras, lora.name)
    if not isinstance(model, SmallModel):
        import torch

        from sonoriff.models.stable_diffusion.styles import add_word

        for word, vectors in read.embeddings.items():
            model.styles = (
                *model.styles,
                add_word(model, word, torch.from_numpy(vectors), lora.path),
            )


def _check_small(model: SmallModel, styles: Sequence[Style], reuse: int) -> None:
    """ParameterError for what only a checkpoint of Stable Diffusion can do."""
    if styles:
        raise ParameterError(
            f"{model.name} takes no textual styles, its text encoder is never trained: "
            "give a LoRA (--lora), or take a checkpoint of Stable Diffusion"
        )
    if reuse > 1:
        raise ParameterError(
            f"{model.name} has no inner layers to reuse: leave out reuse, or take a checkpoint of "
            "Stable Diffusion"
        )


def _no_such_model(name: str) -> str:
    if name == BUNDLED:
        return (
            "this installation comes without the bundled model: name another one, a folder that "
            "`sonoriff train export` wrote or OWNER/NAME of the Hugging Face hub"
        )
    if Path(name).suffix.lower() in _WEIGHT_FILES:
        return f"there is no file {name}"
    return (
        f"there is no model {name!r}: expected a folder, a .safetensors file, OWNER/NAME of the "
        "Hugging Face hub, or a name that `sonoriff models` lists"
    )


def _class_name(folder: Path) -> str:
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        return str(index.get("_class_name", ""))
    except (OSError, ValueError, AttributeError, RecursionError):
        return ""


def _is_stable_diffusion(folder: Path) -> bool:
    return "StableDiffusion" in _class_name(folder) or (folder / "unet").is_dir()


def _found_in(parent: Path, origin: Origin) -> Iterator[KnownModel]:
    if not parent.is_dir():
        return
    # OWNER/NAME, as `sonoriff models fetch` lays them, are one level deeper.
    for path in sorted([*parent.glob("[!.]*"), *parent.glob("[!.]*/[!.]*")]):
        name = path.relative_to(parent).as_posix()
        if path.is_dir() and (path / _INDEX).is_file():
            yield _known(name, path, origin)
        elif path.suffix == ".safetensors" and not (path.parent / _INDEX).is_file():
            size = path.stat().st_size
            said = _prediction(path)
            yield KnownModel(name, "stable diffusion", origin, path, size, said)


def _known(name: str, folder: Path, origin: Origin) -> KnownModel:
    kind = "stable diffusion" if _is_stable_diffusion(folder) else "small"
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    said = _prediction(folder) if kind == "stable diffusion" else "flow"
    return KnownModel(name, kind, origin, folder, size, said)


def _prediction(place: Path) -> str:
    from sonoriff.models.stable_diffusion.prediction import said_by_file, said_by_folder

    try:
        return (said_by_folder(place) if place.is_dir() else said_by_file(place, {})).prediction
    except CheckpointError:
        return ""


def need_hub() -> None:
    """CheckpointError where the hub's client is not installed."""
    try:
        import huggingface_hub  # noqa: F401
    except ImportError as error:
        raise CheckpointError(
            "the hub needs a package more: pip install 'sonoriff[stable-diffusion]'"
        ) from error
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()


def _downloaded() -> Iterator[KnownModel]:
    """Text-to-image models in the hub's cache."""
    try:
        from huggingface_hub import constants
    except ImportError:
        return
    for index in sorted(Path(constants.HF_HUB_CACHE).glob(f"models--*/snapshots/*/{_INDEX}")):
        folder = index.parent
        if _is_stable_diffusion(folder):
            name = folder.parents[1].name.removeprefix("models--").replace("--", "/")
            yield _known(name, folder, "downloaded")
