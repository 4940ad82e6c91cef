"""The frozen text encoder, all-MiniLM-L6-v2, run without transformers.

Importing transformers costs more than everything else that `sonoriff generate` does before its
first step; a test holds what is said here against transformers' own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from sonoriff.errors import CheckpointError
from sonoriff.models.tensors import TensorFile

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FloatArray = npt.NDArray[np.float32]
Presence = npt.NDArray[np.bool_]

TEXT_WIDTH = 384
MAX_TOKENS = 64
TEXT_LAYERS, TEXT_HEADS, TEXT_EPSILON = 6, 12, 1e-12


def text_encoder_folder() -> Path:
    """Where its files are, which the installation fetches; CheckpointError without them."""
    folder = Path(__file__).with_name("text-encoder")
    if not (folder / "model.safetensors").is_file():
        raise CheckpointError(
            f"the text encoder's files are missing in {folder}: install Sonoriff again"
        )
    return folder


@lru_cache(maxsize=1)
def load_tokenizer() -> Tokenizer:
    """The encoder's tokenizer; it cuts a text at `MAX_TOKENS` tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(text_encoder_folder() / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    return tokenizer


def text_parameter(name: str) -> str | None:
    """Our name of a tensor of the published checkpoint; None if it is not used."""
    if name.startswith("pooler") or name == "embeddings.position_ids":
        return None
    table = (
        ("embeddings.word_embeddings", "words"),
        ("embeddings.position_embeddings", "places"),
        ("embeddings.token_type_embeddings.weight", "segment"),
        ("embeddings.LayerNorm", "norm"),
        ("encoder.layer", "layers"),
        ("attention.self.", ""),
        ("attention.output.dense", "attended"),
        ("attention.output.LayerNorm", "attended_norm"),
        ("intermediate.dense", "rise"),
        ("output.dense", "fall"),
        ("output.LayerNorm", "fall_norm"),
    )
    for theirs, ours in table:
        name = name.replace(theirs, ours)
    return name


class _Published(Mapping[str, FloatArray]):
    """The published checkpoint's tensors by our names, each read when it is asked for."""

    def __init__(self, file: TensorFile) -> None:
        self._file = file
        theirs = {text_parameter(name): name for name in file}
        self._theirs = {ours: name for ours, name in theirs.items() if ours is not None}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """By our names."""
        return {ours: self._file.shapes[theirs] for ours, theirs in self._theirs.items()}

    def __getitem__(self, name: str) -> FloatArray:
        return self._file[self._theirs[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._theirs)

    def __len__(self) -> int:
        return len(self._theirs)


def text_tensors(folder: Path | None = None) -> _Published:
    """The encoder's tensors by our names; `folder` is another place than the package's.

    Raises
    ------
    OSError, SafetensorError
        the file is damaged
    """
    return _Published(TensorFile((folder or text_encoder_folder()) / "model.safetensors"))


class TextEncoder:
    """Words to vectors.

    References
    ----------
    Wang et al., MiniLM (2020); sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).
    """

    def __init__(self, folder: Path, tokenizer: Tokenizer) -> None:
        from sonoriff.models.small.onnx.session import Session
        from sonoriff.models.small.onnx.stored import graph_of

        self.tokenizer = tokenizer
        try:
            tensors = text_tensors(folder)
            graph = graph_of("text", None)
            graph.check(tensors.shapes)
            self._places = tensors["places.weight"] + tensors["segment"][0]
            self._run = Session(graph, tensors, small=True)
        except (OSError, SafetensorError, KeyError) as error:
            raise CheckpointError(f"cannot load the text encoder in {folder}: {error}") from error
        # Of the table of words, half of all weights, a text needs a few rows.
        self._words = (folder / "model.safetensors", "embeddings.word_embeddings.weight")

    def __call__(self, texts: Sequence[str]) -> tuple[FloatArray, Presence]:
        """Encode texts, each cut at `MAX_TOKENS` tokens.

        Returns
        -------
        float32 (B, L, 384) states of the tokens, bool (B, L) true where there is a token
        """
        encoded = self.tokenizer.encode_batch(list(texts))
        ids = np.array([e.ids for e in encoded])
        present = np.array([e.attention_mask for e in encoded], np.bool_)
        embedded = self._vectors(ids) + self._places[: ids.shape[1]]
        return self._run(embedded=embedded, present=present), present

    def _vectors(self, ids: npt.NDArray[Any]) -> FloatArray:
        """(B, L) -> (B, L, 384), read from the file."""
        path, name = self._words
        unique, places = np.unique(ids, return_inverse=True)
        with safe_open(path, framework="np") as opened:
            table = opened.get_slice(name)
            rows: FloatArray = np.concatenate([table[int(i) : int(i) + 1] for i in unique])
        return rows.astype(np.float32, copy=False)[places.reshape(ids.shape)]


@lru_cache(maxsize=1)
def load_text_encoder() -> TextEncoder:
    """The encoder with its published weights."""
    return TextEncoder(text_encoder_folder(), load_tokenizer())


@lru_cache(maxsize=256)
def states_of_text(text: str) -> tuple[FloatArray, Presence]:
    """What the encoder says of one text, (1, L, 384) and (1, L): the same text is met again and
    again, as prompt, with other facts, and window after window of a stream."""
    return load_text_encoder()([text])
