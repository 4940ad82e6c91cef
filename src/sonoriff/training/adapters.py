"""Low-rank adapters (LoRA): put into a network to train them, and written to files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor, nn

from sonoriff.errors import ParameterError
from sonoriff.files import atomic_path
from sonoriff.models.lora import GUIDANCE_NOTE

# All of the denoiser that makes sound: the transformer, the convolutions around it, and what joins
# them. What reads time, tempo, key and text stays.
DENOISER_LAYERS = (
    r"blocks\.\d+\.(attention\.(qkv|out)|text_attention\.(q|kv|out)|rise|fall)"
    r"|(before|after)\.\d+\.(conv1|conv2|modulate)"
    r"|enter|down|modulate\.1|up|leave_modulate|leave"
)
UNET_LAYERS = ("to_q", "to_k", "to_v", "to_out.0")
TEXT_LAYERS = ("q_proj", "k_proj", "v_proj", "out_proj")


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    """Shape of the adapters.

    Attributes
    ----------
    rank : r; also alpha, so that an adapter's scale is 1
    dropout : of an adapter's input while it is trained
    """

    rank: int = 16
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.rank <= 512 or not 0 <= self.dropout < 1:
            raise ParameterError("need 1 <= rank <= 512 and 0 <= dropout < 1")

    def to_dict(self) -> dict[str, Any]:
        """Every field, for JSON."""
        return asdict(self)


def add_adapters(module: nn.Module, config: LoraConfig, layers: str | tuple[str, ...]) -> None:
    """Freeze a network and put trainable adapters into the named layers, in place.

    Parameters
    ----------
    layers : a regular expression for whole names, or ends of names

    References
    ----------
    Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2021).
    """
    import peft

    module.requires_grad_(False)
    peft.inject_adapter_in_model(_peft_config(config, layers), module)


def adapter_tensors(module: nn.Module) -> dict[str, Tensor]:
    """The adapters' weights by name, ``...lora_A.weight`` and ``...lora_B.weight``."""
    return {
        name.replace(".default.", "."): tensor.detach().float().cpu().contiguous()
        for name, tensor in module.state_dict().items()
        if ".lora_A." in name or ".lora_B." in name
    }


def save_peft_folder(
    folder: Path,
    module: nn.Module,
    config: LoraConfig,
    layers: str | tuple[str, ...],
    *,
    guidance: float,
) -> None:
    """Write adapters in peft's layout: adapter_model.safetensors and adapter_config.json.

    Parameters
    ----------
    guidance : what the adapted model is played with where none is asked for
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"base_model.model.{name}": t for name, t in adapter_tensors(module).items()}
    with atomic_path(folder / "adapter_model.safetensors") as partial:
        noted = {"format": "pt", GUIDANCE_NOTE: f"{guidance:g}"}
        save_file(tensors, partial, metadata=noted)
    _peft_config(config, layers).save_pretrained(str(folder))


def _peft_config(config: LoraConfig, layers: str | tuple[str, ...]) -> Any:
    import peft

    return peft.LoraConfig(
        r=config.rank,
        lora_alpha=config.rank,
        lora_dropout=config.dropout,
        target_modules=layers if isinstance(layers, str) else list(layers),
    )
