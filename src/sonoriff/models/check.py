"""Check a model: what it is, and whether prompts reach it."""

from __future__ import annotations

from sonoriff.errors import CheckpointError
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import Conditioning, Model, MusicAttributes
from sonoriff.models.registry import load_model

_PROMPTS = ("slow piano", "loud drums", "")


def check_model(name: str | None = None, *, prediction: str | None = None) -> dict[str, str]:
    """Load a model and ask it for conditioning.

    Returns
    -------
    dict
        what was recognised, and what was taken from where, in words

    Raises
    ------
    CheckpointError
        it cannot be loaded, or different prompts give the same conditioning
    """
    model = load_model(name, prediction=prediction)
    check_conditioning(model)
    cell, origins = model.cell, getattr(model, "origins", {})
    kind = "stable diffusion" if origins else "small"
    return {
        "name": model.name,
        "kind": f"{kind}{', of inpainting' if origins and model.supports_inpainting else ''}",
        "prediction": model.schedule.prediction,
        **origins,
        "sonograms": f"{model.params.name}, {model.window_frames} columns a window, "
        f"cells of {cell[0]} x {cell[1]}",
        "digest": getattr(model, "weights", ""),
        "prompts": "different ones are heard as different",
    }


def check_conditioning(model: Model) -> None:
    """CheckpointError if different prompts give the same conditioning, or none."""
    rows = [
        _numbers(model.encode_prompt(parse_prompt(text), MusicAttributes())) for text in _PROMPTS
    ]
    for place, row in enumerate(rows):
        if any(row == other for other in rows[:place]):
            raise CheckpointError(
                f"{model.name} hears {_PROMPTS[place]!r} as it hears another prompt: its tokenizer "
                "or its text encoder is damaged"
            )
        if "nan" in row:
            raise CheckpointError(f"the text encoder of {model.name} gives no numbers: damaged")


def _numbers(condition: Conditioning) -> str:
    """The conditioning as comparable text."""
    row = condition[0].embedding
    states = getattr(row, "text", row)
    # Of NumPy or of PyTorch.
    return str(states.flatten().tolist())
