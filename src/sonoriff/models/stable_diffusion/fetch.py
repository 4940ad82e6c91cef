"""A model of the Hugging Face hub onto this machine: the least that is needed, no pickle."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonoriff.errors import CheckpointError, SonoriffError
from sonoriff.models.convert import convert
from sonoriff.models.stable_diffusion.layout import NETWORKS, STEMS, check_single_file

_CONFIG = re.compile(
    rf"model_index\.json|({'|'.join(NETWORKS)})/config\.json|scheduler/[^/]+\.json|tokenizer/[^/]+"
)
# What a single file is not by its name: parts and additions lie beside checkpoints.
_NOT_WHOLE = re.compile(r"lora|vae|embedding|control|hypernet|adapter|clip|text_encoder|unet", re.I)
_VARIANTS = ("", "fp16", "bf16")


@dataclass(frozen=True)
class FetchPlan:
    """What will be fetched of a repository.

    Attributes
    ----------
    files : paths in the repository and their sizes in bytes
    pickles : those of them that are converted and thrown away
    single : whether it is one file instead of a folder
    commit : of the repository
    """

    name: str
    commit: str
    files: tuple[tuple[str, int], ...]
    pickles: tuple[str, ...]
    single: bool

    @property
    def n_bytes(self) -> int:
        """To fetch in all."""
        return sum(size for _, size in self.files)


def plan_fetch(name: str) -> FetchPlan:
    """Ask the hub what is there, and choose.

    Raises
    ------
    CheckpointError
        no such repository, none that can be read, the hub cannot be reached, or no Stable
        Diffusion in it
    """
    from huggingface_hub import HfApi

    with _hub_errors(name):
        info = HfApi().model_info(name, files_metadata=True)
    sizes = {file.rfilename: int(file.size or 0) for file in info.siblings or ()}
    chosen = _of_folder(sizes) if any(path.startswith("unet/") for path in sizes) else None
    single = chosen is None
    weights = chosen if chosen is not None else _of_single_file(sizes)
    if not weights:
        raise CheckpointError(
            f"{name} holds no weights of Stable Diffusion: expected a unet, vae and text_encoder "
            "in the layout of diffusers, or one .safetensors or .ckpt file"
        )
    configs = [] if single else [path for path in sizes if _CONFIG.fullmatch(path)]
    pickles = tuple(path for path in weights if not path.endswith((".safetensors", ".json")))
    files = tuple((path, sizes[path]) for path in sorted({*weights, *configs}))
    return FetchPlan(name, str(info.sha), files, pickles, single)


def fetch(
    plan: FetchPlan, folder: Path, on_file: Callable[[str, int], None] = lambda _path, _size: None
) -> Path:
    """Fetch what was planned, and convert what are pickles; the model's folder or file.

    Begun again, it goes on where it was. Only a reader that makes tensors opens a pickle.

    Parameters
    ----------
    folder : the models' folder; what comes out lies in it under the repository's name
    on_file : called with each file's path and size before it is fetched

    Raises
    ------
    CheckpointError
        there is no room, the hub breaks off, or a pickle holds more than weights
    """
    from huggingface_hub import hf_hub_download

    target = folder / (f"{plan.name}.safetensors" if plan.single else plan.name)
    partial = folder / ".fetching" / plan.name.replace("/", "--")
    _check_room(plan, folder)
    for path, size in plan.files:
        on_file(path, size)
        with _hub_errors(plan.name):
            hf_hub_download(plan.name, path, revision=plan.commit, local_dir=partial)
    for path in plan.pickles:
        convert(partial / path)
        (partial / path).unlink()
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    made = partial
    if plan.single:
        (made,) = partial.rglob("*.safetensors")
        check_single_file(made)
    _replace(made, target)
    shutil.rmtree(partial, ignore_errors=True)
    return target


def _of_folder(sizes: dict[str, int]) -> list[str] | None:
    """The weights of all networks in the layout of diffusers; None where one has none."""
    weights: list[str] = []
    for part in NETWORKS:
        found = _of_network(list(sizes), part)
        if not found:
            return None
        weights += found
    return weights


def _of_network(paths: Sequence[str], part: str) -> list[str]:
    """Safetensors before pickles, plain ones before those of half precision."""
    old = "pytorch_model" if part == "text_encoder" else STEMS[part]
    for stem, suffix in ((STEMS[part], "safetensors"), (old, "bin")):
        kinds: dict[str, list[str]] = {}
        pattern = rf"{part}/{stem}(?:\.([A-Za-z0-9_]+))?(-\d{{5}}-of-\d{{5}})?\.{suffix}"
        for path in paths:
            match = re.fullmatch(pattern, path)
            if match and not (suffix == "bin" and match[2]):
                kinds.setdefault(match[1] or "", []).append(path)
        kind = next((k for k in (*_VARIANTS, *sorted(kinds)) if k in kinds), None)
        if kind is not None:
            indices = (f"{part}/{stem}.{suffix}.index{f'.{kind}' if kind else ''}.json",)
            return [*kinds[kind], *(index for index in indices if index in paths)]
    return []


def _of_single_file(sizes: dict[str, int]) -> list[str]:
    """The smallest whole checkpoint at the top, safetensors before pickles."""
    for suffixes in ((".safetensors",), (".ckpt", ".pt", ".pth", ".bin")):
        found = [path for path in sizes if "/" not in path and path.endswith(suffixes)]
        whole = [path for path in found if not _NOT_WHOLE.search(path)] or found
        if whole:
            return [min(whole, key=lambda path: ("inpaint" in path.lower(), sizes[path]))]
    return []


def _check_room(plan: FetchPlan, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    converted = sum(size for path, size in plan.files if path in plan.pickles)
    needed, free = plan.n_bytes + converted, shutil.disk_usage(folder).free
    if free < needed:
        raise CheckpointError(
            f"{folder} has room for {free / 1e9:.1f} GB, {needed / 1e9:.1f} GB are needed: make "
            "room, or name another folder in SONORIFF_MODELS"
        )


def _replace(made: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        shutil.rmtree(target)
    made.replace(target)


@contextmanager
def _hub_errors(name: str) -> Iterator[None]:
    """What goes wrong with the hub, in words."""
    from huggingface_hub import errors

    missing: Any = (errors.RepositoryNotFoundError, errors.GatedRepoError)
    try:
        yield
    except SonoriffError:
        raise
    except missing as error:
        raise CheckpointError(
            f"the hub gives no {name}: there is none of that name, or it wants you to sign in "
            "and agree to its terms (hf auth login)"
        ) from error
    except errors.HFValidationError as error:
        raise CheckpointError(f"{name!r} is no name of the hub: expected OWNER/NAME") from error
    except errors.HfHubHTTPError as error:
        reason = (str(error).strip() or "an error").splitlines()[0]
        raise CheckpointError(f"the hub does not give {name}: {reason}") from error
    except Exception as error:  # of whichever library its client speaks HTTP with
        raise CheckpointError(
            f"the hub cannot be reached for {name} ({type(error).__name__}): connect to the "
            "network and give the same command again, what is there is kept"
        ) from error
