"""``<lora:name:0.8>`` in a prompt, as the web UIs for Stable Diffusion write it."""

from __future__ import annotations

import re
import warnings

from sonoriff.errors import SonoriffWarning

_TAG = re.compile(r"<(lora|lyco|hypernet):([^<>:]*)(?::([^<>]*))?>", re.IGNORECASE)


def without_tags(text: str) -> str:
    """A prompt without such tags: they are no words."""
    return _TAG.sub("", text) if "<" in text else text


def warn_of_tags(text: str, loras: tuple[str, ...]) -> None:
    """Say what a tag does not do.

    Parameters
    ----------
    loras : what the model was given, each as NAME:SCALE; a tag that says just that is fulfilled
    """
    given = dict(each.rsplit(":", 1) for each in loras)
    for match in _TAG.finditer(text):
        kind, name, scale = match[1].lower(), match[2], match[3] or "1"
        if kind != "hypernet" and name in given and _equal(given[name], scale):
            continue
        where = f"it is given with a scale of {given[name]}" if name in given else "it is left out"
        warnings.warn(
            f"{match[0]} in a prompt loads nothing, {where}: give --lora PATH:{scale} instead",
            SonoriffWarning,
            stacklevel=4,
        )


def _equal(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False
