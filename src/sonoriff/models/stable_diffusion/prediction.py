"""What a checkpoint predicts: noise, velocity or the picture itself, and who says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from sonoriff.diffusion.schedule import Prediction
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.stable_diffusion.layout import config_of

PREDICTIONS: dict[str, Prediction] = {
    "epsilon": "noise",
    "v_prediction": "velocity",
    "sample": "sample",
}
_SPELLED = {"v": "v_prediction", "eps": "epsilon", "velocity": "v_prediction", "x0": "sample"}


@dataclass(frozen=True)
class Said:
    """A prediction type of diffusers, who says so, and whether the noise ends without any data."""

    prediction: str
    source: str
    zero_snr: bool = False


def prediction_named(text: str) -> str:
    """A name that a user may give; ParameterError for another."""
    name = _SPELLED.get(text.lower(), text.lower())
    if name not in PREDICTIONS:
        raise ParameterError(f"a prediction is one of {', '.join(PREDICTIONS)}, got {text!r}")
    return name


def said_by_folder(folder: Path) -> Said:
    """By the scheduler's configuration."""
    config = config_of(folder / "scheduler" / "scheduler_config.json")
    if "prediction_type" in config:
        return Said(str(config["prediction_type"]), "scheduler_config.json")
    return Said("epsilon", "nothing: taken for granted")


def said_by_file(path: Path, config: dict[str, Any]) -> Said:
    """By the keys and the metadata of a single file, a .yaml beside it, or a configuration.

    Parameters
    ----------
    config : of the scheduler in the folder in which the file lies; {} where there is none
    """
    try:
        with safe_open(path, framework="pt") as opened:
            names, metadata = set(opened.keys()), dict(opened.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot load {path}: {error}") from error
    zero = bool({"ztsnr", "zsnr"} & names) or metadata.get("ss_zero_terminal_snr") == "True"
    if "v_pred" in names:
        return Said("v_prediction", "the key v_pred", zero)
    noted = metadata.get("modelspec.prediction_type", "").lower()
    if _SPELLED.get(noted, noted) in PREDICTIONS:
        return Said(_SPELLED.get(noted, noted), "modelspec.prediction_type", zero)
    if metadata.get("ss_v_parameterization", "").lower() in ("true", "1"):
        return Said("v_prediction", "ss_v_parameterization", zero)
    beside = path.with_suffix(".yaml")
    if beside.is_file():
        text = beside.read_text(encoding="utf-8", errors="replace")
        match = re.search(r"parameterization:\s*[\"']?(v|eps)\b", text)
        if match:
            return Said(_SPELLED[match[1]], beside.name, zero)
    if "prediction_type" in config:
        return Said(str(config["prediction_type"]), "scheduler_config.json beside it", zero)
    return Said("epsilon", "nothing: taken for granted", zero)
