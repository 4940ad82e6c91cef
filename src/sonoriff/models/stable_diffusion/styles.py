"""Textual styles: words whose vectors were learned (textual inversion).

Two layouts of safetensors files are read: that of diffusers, one tensor under the word's own name,
and ``emb_params`` of the web UIs, where the file's name is the word.

References
----------
Gal et al., An Image is Worth One Word (2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sonoriff.errors import CheckpointError, ParameterError

if TYPE_CHECKING:
    from sonoriff.models.stable_diffusion.model import StableDiffusionModel

_OF_WEB_UIS = "emb_params"
# Names under which files for models with two text encoders keep their tensors.
_OF_OTHERS = ("clip_l", "clip_g")


@dataclass(frozen=True)
class Style:
    """A file with the vectors of a word, and the word; None takes the file's own."""

    path: Path
    token: str | None = None


def parse_style(text: str) -> Style:
    """``PATH`` or ``PATH:TOKEN``.

    Raises
    ------
    ParameterError
        there is no such file, or the token is empty or has spaces or brackets in it
    """
    path, token = Path(text), None
    if not path.is_file():
        front, _, token = text.rpartition(":")
        path = Path(front)
    if not path.is_file():
        raise ParameterError(f"there is no style {text}: expected PATH or PATH:TOKEN")
    if token is not None:
        _check_token(token)
    return Style(path, token)


def add_style(model: StableDiffusionModel, style: Style) -> str:
    """Teach a model's tokenizer and text encoder a word; the word.

    Raises
    ------
    CheckpointError
        damaged, a pickle, or made for another model
    ParameterError
        the model knows the word already
    """
    word, vectors = _read(style)
    return add_word(model, word, vectors, style.path)


def add_word(model: StableDiffusionModel, word: str, vectors: Tensor, path: Path) -> str:
    """`add_style` of vectors (n, D) that stand in a file."""
    from tokenizers import AddedToken

    _check_token(word)
    table = model.text_encoder.get_input_embeddings()
    if vectors.shape[1] != table.embedding_dim:
        raise CheckpointError(
            f"{path} was made for another model: its vectors have {vectors.shape[1]} "
            f"numbers, {table.embedding_dim} are expected"
        )
    names = [word, *(f"{word}_{i}" for i in range(1, len(vectors)))]
    known = model.tokenizer.get_vocab()
    if any(name in known for name in names):
        raise ParameterError(
            f"{word!r} is a word already: give another one, {path}:TOKEN, for example "
            f"{path}:<{word.strip('<>')}-2>"
        )
    model.tokenizer.add_tokens([AddedToken(n, normalized=False, single_word=True) for n in names])
    ids = model.tokenizer.convert_tokens_to_ids(names)
    _grow(model, max(ids) + 1)
    weight = model.text_encoder.get_input_embeddings().weight
    with torch.no_grad():
        weight[ids] = vectors.to(weight)
    model.words[ids[0]] = tuple(ids)
    return word


def _grow(model: StableDiffusionModel, count: int) -> None:
    """Make room for `count` words in all."""
    table = model.text_encoder.get_input_embeddings()
    missing = count - table.num_embeddings
    if missing > 0:
        more = table.weight.new_zeros(missing, table.embedding_dim)
        grown = torch.nn.Embedding(
            count, table.embedding_dim, _weight=torch.cat([table.weight, more])
        )
        grown.requires_grad_(False)
        model.text_encoder.set_input_embeddings(grown)


def _read(style: Style) -> tuple[str, Tensor]:
    """The word, and its vectors (n, D), float32."""
    if style.path.suffix.lower() != ".safetensors":
        raise CheckpointError(
            f"{style.path.name} is no .safetensors file; pickles (.pt, .bin) are not read"
        )
    try:
        tensors = load_file(style.path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot read {style.path}: {error}") from error
    if any(name in tensors for name in _OF_OTHERS):
        raise CheckpointError(f"{style.path} was made for a model with two text encoders")
    if len(tensors) != 1:
        raise CheckpointError(
            f"{style.path} holds {len(tensors)} tensors, a style is one: is it a LoRA (--lora)?"
        )
    ((name, vectors),) = tensors.items()
    own = style.path.stem if name == _OF_WEB_UIS else name
    vectors = vectors.float()[None] if vectors.ndim == 1 else vectors.float()
    if vectors.ndim != 2 or not bool(torch.isfinite(vectors).all()):
        raise CheckpointError(f"{style.path} holds no vectors of a word")
    return style.token or own, vectors


def _check_token(token: str) -> None:
    if not token or any(c.isspace() or c in "()[]\\:" for c in token):
        raise ParameterError(
            f"a style's word is without spaces, brackets and colons, got {token!r}: give one, "
            "PATH:TOKEN"
        )
