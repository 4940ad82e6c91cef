"""Typed replies of workers: their model, and the windows they made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# Fields that listeners do not need.
_INNER = (
    "params",
    "window_samples",
    "cell_samples",
    "lag_samples",
    "context_samples",
    "column_lead",
)


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """Properties of a worker's model that the server needs.

    Attributes
    ----------
    model, weights : name, and digest of the weights
    sample_rate, channels, hop_length, n_mels : format of its sound and columns
    f_min_hz, f_max_hz, db_min, db_max : range of its columns
    params : `SonogramParams.to_dict` of its sonograms
    window_samples, cell_samples, lag_samples, context_samples, column_lead : geometry of its
        streams, see `sonoriff.stream.engine.RiffStream`
    """

    model: str
    weights: str
    sample_rate: int
    channels: int
    hop_length: int
    n_mels: int
    f_min_hz: float
    f_max_hz: float
    db_min: float
    db_max: float
    params: dict[str, Any]
    window_samples: int
    cell_samples: int
    lag_samples: int
    context_samples: int
    column_lead: int

    def to_dict(self) -> dict[str, Any]:
        """Every field, for JSON."""
        return asdict(self)

    def for_listeners(self) -> dict[str, Any]:
        """Fields of the message `ready` of a stream."""
        return {name: value for name, value in vars(self).items() if name not in _INNER}


@dataclass(frozen=True, kw_only=True)
class WindowMessage:
    """The message `window` of a stream; docs/protocol.md describes its fields."""

    index: int
    first_sample: int
    end_sample: int
    mode: str
    prompts: list[dict[str, Any]]
    negative_prompt: str
    seed: int
    alpha: float
    bpm: float | None
    key: str | None
    strength: float
    bar: float | None
    first_bar_sample: int | None
    scene: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The message as sent on the wire."""
        return {"type": "window", **vars(self)}

    @classmethod
    def from_dict(cls, message: Mapping[str, Any]) -> WindowMessage:
        """Inverse of `to_dict`."""
        return cls(**{name: value for name, value in message.items() if name != "type"})
