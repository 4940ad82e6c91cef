"""What is installed only where it is asked for, and how to get it."""

from __future__ import annotations

_EXTRAS = {
    "torch": ("PyTorch", "train"),
    "accelerate": ("accelerate", "train"),
    "peft": ("peft", "train"),
    "onnx": ("onnx", "train"),
    "diffusers": ("diffusers", "stable-diffusion"),
    "transformers": ("transformers", "stable-diffusion"),
    "huggingface_hub": ("huggingface-hub", "stable-diffusion"),
    "torchaudio": ("torchaudio", "torchaudio"),
    "mcp": ("the MCP SDK", "mcp"),
    "mcp_types": ("the MCP SDK", "mcp"),
    "pythonosc": ("python-osc", "control"),
    "rtmidi": ("python-rtmidi", "control"),
}


def how_to_install(error: ImportError) -> str | None:
    """A line for a package of an extra that is missing; None where it is of none."""
    name = (error.name or "").partition(".")[0]
    if name not in _EXTRAS:
        return None
    package, extra = _EXTRAS[name]
    return f"this needs {package}, which is not installed: pip install 'sonoriff[{extra}]'"
