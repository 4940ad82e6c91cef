"""A checkpoint's tensors in the forms that a graph asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def stored_weight(
    name: str, tensors: Mapping[str, npt.NDArray[Any]], largest: int
) -> npt.NDArray[Any]:
    """What a graph calls `name`, C-contiguous.

    Parameters
    ----------
    name : of a tensor (out, in); with ``|T`` (in, out); with ``|q`` the same as int8, column by
        column; with ``|s`` what 1 stands for in each column, float32 (out,)
    tensors : by name, of any float type
    largest : the largest of the whole numbers

    Raises
    ------
    KeyError
        there is no such tensor
    """
    plain, _, form = name.partition("|")
    tensor = tensors[plain].astype(np.float32)
    if form == "":
        return np.ascontiguousarray(tensor)
    if form == "T":
        return np.ascontiguousarray(tensor.T)
    scale = np.maximum(np.abs(tensor).max(axis=1), np.float32(1e-12)) / np.float32(largest)
    if form == "s":
        return np.asarray(scale, np.float32)
    whole: npt.NDArray[Any] = np.rint(tensor / scale[:, None]).astype(np.int8)
    return np.ascontiguousarray(whole.T)
