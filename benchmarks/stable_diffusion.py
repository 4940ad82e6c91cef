"""Seconds a step of a full-size Stable Diffusion v1.5 UNet, plain and as Sonoriff runs it.

Usage: python -m benchmarks.stable_diffusion [--steps 2] [--columns 64] [--ways plain,sonoriff,...]

The weights are random: they cost what trained ones cost. Only the denoising loop is timed, with
guidance, on latents of 64 rows and `--columns` columns; every way starts from the same noise. The
seconds are those of the processor, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch

from sonoriff.diffusion.schedule import scaled_linear_schedule
from sonoriff.models.protocol import Term
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.pipeline.paint import Canvas, Guide, paint
from sonoriff.pipeline.settings import Sampling

GUIDANCE = 7.0
WAYS = ("plain", "sonoriff", "channels-last", "int8", "compile")


def random_unet() -> Any:
    """The UNet of Stable Diffusion v1.5 with weights that are drawn quickly."""
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    unet.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    for parameter in unet.parameters():
        spread = 0.5 / max(1, parameter[0].numel()) ** 0.5
        parameter.data.normal_(0.0, spread, generator=generator)
    return unet.eval().requires_grad_(False)


def plain_way(unet: Any, texts: torch.Tensor, noise: torch.Tensor, steps: int) -> torch.Tensor:
    """diffusers' own pipeline with DDIM."""
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline

    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(32,) * 4, down_block_types=("DownEncoderBlock2D",) * 4
        ),
        text_encoder=None,
        tokenizer=None,
        unet=unet,
        scheduler=DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            steps_offset=1,
            timestep_spacing="trailing",
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    result: torch.Tensor = pipeline(
        prompt_embeds=texts[:1],
        negative_prompt_embeds=texts[1:],
        height=8 * noise.shape[2],
        width=8 * noise.shape[3],
        latents=noise,
        num_inference_steps=steps,
        guidance_scale=GUIDANCE,
        output_type="latent",
    ).images
    return result


def our_way(unet: Any, texts: torch.Tensor, noise: torch.Tensor, steps: int) -> torch.Tensor:
    """The loop that all verbs share; its latents have low frequencies first."""
    from types import SimpleNamespace

    from diffusers import AutoencoderKL

    vae = AutoencoderKL(block_out_channels=(32,) * 4, down_block_types=("DownEncoderBlock2D",) * 4)
    model = StableDiffusionModel(
        unet=unet,
        vae=vae,
        text_encoder=SimpleNamespace(),
        tokenizer=None,
        schedule=scaled_linear_schedule(prediction="noise"),
        title="random",
    )
    guide = Guide((Term(1.0, texts[:1]),), (Term(1.0, texts[1:]),), GUIDANCE)
    sampling = Sampling(num_inference_steps=steps, guidance_scale=GUIDANCE, sampler="ddim")
    return paint(model, Canvas(noise.flip(2), lambda _middle: guide), sampling).flip(2)


def prepared(unet: Any, way: str) -> Any:
    """The UNet as a way wants it; the same one is used again where it can be."""
    if way == "channels-last":
        return unet.to(memory_format=torch.channels_last)
    if way == "int8":
        from torch.ao.quantization import quantize_dynamic

        return quantize_dynamic(unet, {torch.nn.Linear}, dtype=torch.qint8)
    return torch.compile(unet) if way == "compile" else unet


def timed(call: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, float]:
    """Result and processor seconds of a call."""
    start = time.process_time()
    result = call()
    return result, time.process_time() - start


def main() -> None:
    """Print a row for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--columns", type=int, default=64)
    parser.add_argument("--ways", default="plain,sonoriff,channels-last")
    options = parser.parse_args()
    unknown = set(options.ways.split(",")) - set(WAYS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(WAYS)}")
    torch.manual_seed(0)
    texts, noise = torch.randn(2, 77, 768), torch.randn(1, 4, 64, options.columns)
    unet, first, base = random_unet(), None, 0.0
    print("| way | seconds a step | times plain's speed | difference of the latents |")
    print("|---|---|---|---|")
    for way in options.ways.split(","):
        used = prepared(unet, way)
        run = plain_way if way == "plain" else our_way
        with torch.inference_mode():
            used(noise[..., :8], torch.tensor(1.0), encoder_hidden_states=texts[:1])  # warm
        latents, seconds = timed(lambda: run(used, texts, noise, options.steps))  # noqa: B023
        first, base = (latents, seconds) if first is None else (first, base)
        apart = float((latents - first).abs().max())
        print(f"| {way} | {seconds / options.steps:.2f} | {base / seconds:.2f} | {apart:.1e} |")


if __name__ == "__main__":
    main()
