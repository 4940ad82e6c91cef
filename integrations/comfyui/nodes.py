"""Text to music, remix and inpainting as nodes, and the way from AUDIO to IMAGE and back.

ComfyUI's AUDIO is a dictionary of a waveform (B, C, T) and its rate, its IMAGE float32
(B, H, W, 3) in [0, 1], its MASK (B, H, W), 1 where it applies. An IMAGE of a sonogram has its low
notes at the bottom; it may be edited by any node that keeps its size.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import sonoriff
from sonoriff.sonogram.picture import image_from_sonogram, sonogram_from_image

_MODEL = "SONORIFF_MODEL"
_CATEGORY = "audio/sonoriff"
_PROMPT = ("STRING", {"multiline": True, "default": "smooth tropical dance jazz"})
_WISHES = {
    "negative": ("STRING", {"default": ""}),
    "bpm": (
        "FLOAT",
        {"default": 0.0, "min": 0.0, "max": 400.0, "tooltip": "0: the prompt says"},
    ),
    "key": ("STRING", {"default": "", "tooltip": "such as D minor"}),
    "energy": ("INT", {"default": 0, "min": 0, "max": 5, "tooltip": "1 calm, 5 full; 0: open"}),
    "chords": ("STRING", {"default": "", "tooltip": "such as Am F C G, a bar each"}),
    "steps": ("INT", {"default": 0, "min": 0, "max": 100, "tooltip": "0: the model's own"}),
}
_SEED = ("INT", {"default": 0, "min": 0, "max": 2**53 - 1})


class _Node:
    CATEGORY = _CATEGORY
    FUNCTION = "run"
    RETURN_TYPES: tuple[str, ...] = ("AUDIO", "IMAGE")
    RETURN_NAMES: tuple[str, ...] = ("audio", "sonogram")


class LoadModel(_Node):
    """The bundled model, or the folder or name of another."""

    RETURN_TYPES = (_MODEL,)
    RETURN_NAMES = ("model",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {"name": ("STRING", {"default": "", "tooltip": "empty: the bundled one"})},
            "optional": {"lora": ("STRING", {"default": "", "tooltip": "FILE or FILE:SCALE"})},
        }

    def run(self, name: str, lora: str = "") -> tuple[sonoriff.Sonoriff]:
        more = {"lora": lora} if lora.strip() else {}
        return (sonoriff.load(name.strip() or None, **more),)


class Generate(_Node):
    """Music from words."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        length = ("FLOAT", {"default": 5.94, "min": 0.5, "max": 600.0})
        required = {"model": (_MODEL,), "prompt": _PROMPT, "seed": _SEED, "duration_s": length}
        return {"required": required, "optional": _WISHES}

    def run(self, model: Any, prompt: str, seed: int, duration_s: float, **wishes: Any) -> Any:
        made = model.generate(prompt, seed=seed, duration_s=duration_s, **_settings(wishes))
        return _outputs(made)


class Remix(_Node):
    """A sound played another way."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        strength = ("FLOAT", {"default": 0.6, "min": 0.0, "max": 1.0, "step": 0.01})
        required = {"model": (_MODEL,), "audio": ("AUDIO",), "prompt": _PROMPT}
        return {
            "required": {**required, "strength": strength, "seed": _SEED},
            "optional": _WISHES,
        }

    def run(
        self, model: Any, audio: Any, prompt: str, strength: float, seed: int, **wishes: Any
    ) -> Any:
        chosen = {"prompt": prompt, "strength": strength, "seed": seed, **_settings(wishes)}
        return _outputs(model.remix(_sound(audio), **chosen))


class Inpaint(_Node):
    """A part of a sound painted anew: a band, a span of time, a mask, or where all of them are."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        hertz = {"default": 0.0, "min": 0.0, "max": 20000.0}
        seconds = {"default": 0.0, "min": 0.0, "max": 600.0, "step": 0.01}
        area = {
            "mask": ("MASK",),
            "low_hz": ("FLOAT", hertz),
            "high_hz": ("FLOAT", {**hertz, "tooltip": "0: no band"}),
            "from_s": ("FLOAT", seconds),
            "to_s": ("FLOAT", {**seconds, "tooltip": "0: no span"}),
        }
        required = {"model": (_MODEL,), "audio": ("AUDIO",), "prompt": _PROMPT, "seed": _SEED}
        return {"required": required, "optional": {**area, **_WISHES}}

    def run(
        self,
        model: Any,
        audio: Any,
        prompt: str,
        seed: int,
        mask: torch.Tensor | None = None,
        low_hz: float = 0.0,
        high_hz: float = 0.0,
        from_s: float = 0.0,
        to_s: float = 0.0,
        **wishes: Any,
    ) -> Any:
        chosen = {"prompt": prompt, "seed": seed, **_settings(wishes)}
        if high_hz > 0:
            chosen["bands"] = ((low_hz, high_hz),)
        if to_s > 0:
            chosen["times"] = ((from_s, to_s),)
        if mask is None:
            return _outputs(model.inpaint(_sound(audio), **chosen))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "mask.png")
            Image.fromarray(_bytes(mask[0] if mask.ndim == 3 else mask)).save(path)
            return _outputs(model.inpaint(_sound(audio), mask=str(path), **chosen))


class Encode(_Node):
    """The sonogram of a sound."""

    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("sonogram",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"audio": ("AUDIO",)}}

    def run(self, audio: Any) -> tuple[torch.Tensor]:
        return (_image(sonoriff.encode(*_sound(audio))),)


class Decode(_Node):
    """The sound of a sonogram: a picture 256 pixels high."""

    RETURN_TYPES = ("AUDIO",)
    RETURN_NAMES = ("audio",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"sonogram": ("IMAGE",)}}

    def run(self, sonogram: torch.Tensor) -> tuple[dict[str, Any]]:
        picture = Image.fromarray(_bytes(sonogram[0, ..., :3]))
        with warnings.catch_warnings():
            # An IMAGE carries no facts beside its pixels: those of the usual format stand in.
            warnings.simplefilter("ignore", sonoriff.errors.SonoriffWarning)
            known = sonogram_from_image(picture)
        return (_audio(sonoriff.decode(known), known.params.sample_rate),)


def _settings(wishes: dict[str, Any]) -> dict[str, Any]:
    """Names and values of the front door; what was left empty is left out."""
    names = {"negative": "negative_prompt", "steps": "num_inference_steps"}
    return {names.get(name, name): value for name, value in wishes.items() if value}


def _sound(audio: dict[str, Any]) -> tuple[np.ndarray, int]:
    """The first of a batch."""
    return audio["waveform"][0].cpu().numpy().astype(np.float32), int(audio["sample_rate"])


def _audio(waveform: np.ndarray, sample_rate: int) -> dict[str, Any]:
    return {"waveform": torch.from_numpy(waveform)[None], "sample_rate": sample_rate}


def _image(sonogram: Any) -> torch.Tensor:
    pixels = np.asarray(image_from_sonogram(sonogram).convert("RGB"), np.float32)
    return torch.from_numpy(pixels / 255.0)[None]


def _bytes(levels: torch.Tensor) -> np.ndarray:
    return np.asarray(np.rint(levels.cpu().numpy().clip(0.0, 1.0) * 255.0), np.uint8)


def _outputs(clip: Any) -> tuple[dict[str, Any], torch.Tensor]:
    return _audio(clip.waveform, clip.sample_rate), _image(clip.sonogram)


_NODES = {
    "SonoriffLoadModel": (LoadModel, "Sonoriff: Load Model"),
    "SonoriffGenerate": (Generate, "Sonoriff: Generate"),
    "SonoriffRemix": (Remix, "Sonoriff: Remix"),
    "SonoriffInpaint": (Inpaint, "Sonoriff: Inpaint"),
    "SonoriffEncode": (Encode, "Sonoriff: Encode"),
    "SonoriffDecode": (Decode, "Sonoriff: Decode"),
}
NODE_CLASS_MAPPINGS = {name: node for name, (node, _) in _NODES.items()}
NODE_DISPLAY_NAME_MAPPINGS = {name: title for name, (_, title) in _NODES.items()}
