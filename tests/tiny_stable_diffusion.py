"""A checkpoint of Stable Diffusion's kind, made of diffusers' own classes, with random weights."""

from __future__ import annotations

import json
from pathlib import Path

WINDOW_CELLS = 16
TEXT_WIDTH = 16
_BEGIN, _END = "<|startoftext|>", "<|endoftext|>"


def save(folder: Path, *, seed: int = 0, prediction_type: str = "epsilon") -> None:
    """Write all components in diffusers layout.

    Parameters
    ----------
    prediction_type : "epsilon", "v_prediction" or "sample"
    """
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(seed)
    vocabulary = _vocabulary()
    parts = {
        "unet": UNet2DConditionModel(
            sample_size=(64, WINDOW_CELLS),
            block_out_channels=(8, 16),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=TEXT_WIDTH,
            attention_head_dim=2,
            norm_num_groups=4,
        ),
        "vae": AutoencoderKL(
            block_out_channels=(4, 4, 4, 8),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            sample_size=512,
            norm_num_groups=2,
            mid_block_add_attention=False,
        ),
        "text_encoder": CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(vocabulary),
                hidden_size=TEXT_WIDTH,
                intermediate_size=TEXT_WIDTH,
                num_hidden_layers=1,
                num_attention_heads=2,
                bos_token_id=vocabulary[_BEGIN],
                eos_token_id=vocabulary[_END],
                pad_token_id=vocabulary[_END],
            )
        ),
        "tokenizer": CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77),
        "scheduler": DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
            prediction_type=prediction_type,
        ),
    }
    index: dict[str, object] = {"_class_name": "StableDiffusionPipeline"}
    for name, part in parts.items():
        part.save_pretrained(folder / name)
        library = "transformers" if name in ("text_encoder", "tokenizer") else "diffusers"
        index[name] = [library, type(part).__name__]
    (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")


def _vocabulary() -> dict[str, int]:
    """Every byte as the letter that CLIP's tokenizer writes for it, inside and at a word's end."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    letters = [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]
    words = [*letters, *(letter + "</w>" for letter in letters), _BEGIN, _END]
    return {word: i for i, word in enumerate(words)}
