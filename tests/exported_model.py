"""An exported model computed in Python: what the engine in a page is held against."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from sonoriff.export.engine import export_engine
from sonoriff.export.packed import read_packed
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.onnx.networks import OnnxNetworks

FloatArray = npt.NDArray[np.float32]


class Part:
    """One of the exported networks, from its two files alone."""

    def __init__(self, folder: Path, name: str) -> None:
        about = json.loads((folder / "model.json").read_text())
        self.tensors = read_packed(folder / f"{name}.safetensors")
        names = list(about["graphs"][name]["places"])
        # Held for as long as the session is.
        self._values = [
            onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(self.tensors[n]))
            for n in names
        ]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_external_initializers(names, self._values)
        self._session = onnxruntime.InferenceSession(
            (folder / f"{name}.onnx").read_bytes(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, **inputs: npt.NDArray[Any]) -> FloatArray:
        result: FloatArray = self._session.run(None, inputs)[0]
        return result


class ExportedModel(SmallModel):
    """A model whose networks are those of an export."""

    def computing_from(self, folder: Path) -> ExportedModel:
        """The same, with the files of an export."""
        assert isinstance(self.networks, OnnxNetworks)
        for name in ("denoiser", "decoder", "encoder"):
            self.networks._sessions[name] = Part(folder, name)  # type: ignore[assignment]
        self._text = Part(folder, "text")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        return self

    def decode(self, latents: FloatArray) -> FloatArray:
        """The picture of the middle: the engine has no sides yet."""
        return super().decode(latents)[:, :1]

    def encode_text(self, texts: Sequence[str]) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """See `SmallModel`."""
        (text,) = texts
        ids = np.array([self._tokenizer.encode(text).ids])
        tables = self._text.tensors
        embedded = tables["words.weight"][ids] + tables["places"][: ids.shape[1]]
        present = np.ones(ids.shape, np.bool_)
        return self._text(embedded=embedded, present=present), present & bool(text.strip())


def exported(model_folder: Path, folder: Path, storage: str) -> ExportedModel:
    """Export a model, and read the export back."""
    model = ExportedModel.from_pretrained(model_folder)
    export_engine(model, folder, storage)
    return model.computing_from(folder)
