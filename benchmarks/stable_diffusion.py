"""Seconds a step of a full-size Stable Diffusion v1.5 UNet, plain and as Sonoriff runs it.

Usage: python -m benchmarks.stable_diffusion [--steps 2] [--columns 64] [--ways plain,sonoriff,...]

The weights are random: they cost what trained ones cost, and the distance between two ways says
little of what trained ones would do. Only the denoising loop is timed, with guidance, on latents of
64 rows and `--columns` columns; every way starts from the same noise. A row is printed as soon as
its way is done. Two quiet cores take about two minutes for the ways that are run without `--ways`;
on a busy machine OMP_NUM_THREADS=1 and the column of processor seconds tell the truth.

The ways: plain is diffusers' own pipeline; float32 is ours at the same precision; sonoriff is what
the verbs run, in bfloat16 where the processor multiplies it; reuse-2 and reuse-3 are `--reuse 2`
and 3 on top; interval is `--guidance-interval 0:0.6`. Of two steps one is whole with reuse-2
and one is guided with interval; reuse-3 needs `--steps 3`. The rest was tried and is not kept
(docs/research/experiments.md): channels-last alone, compile and compile-max (torch.compile), int8
(torch's dynamic quantisation of the linear layers, on top of sonoriff), and openvino and
openvino-bf16 (to be installed by hand).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from sonoriff.diffusion.schedule import scaled_linear_schedule
from sonoriff.models.protocol import Term
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.models.stable_diffusion.winograd import quicken
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.guidance import Guidance
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.settings import Sampling
from sonoriff.precision import fastest_dtype

GUIDANCE = 7.0
INTERVAL = (0.0, 0.6)
USUAL = ("plain", "float32", "sonoriff", "reuse-2", "interval")
EXACT = ("channels-last", "compile", "compile-max", "float32", "int8", "openvino", "openvino-bf16")
WAYS = ("plain", *EXACT, "sonoriff", "reuse-2", "reuse-3", "interval")


def random_unet() -> Any:
    """The UNet of Stable Diffusion v1.5 with weights that are drawn quickly."""
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    unet.to_empty(device="cpu")
    drawn = torch.rand(1 << 24, generator=torch.Generator().manual_seed(0)) * 3.4 - 1.7
    for name, parameter in unet.named_parameters():
        if parameter.ndim < 2:
            parameter.data.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
            continue
        count = parameter.numel()
        again = drawn.repeat(-(-count // len(drawn)))[:count].view_as(parameter)
        torch.mul(again, parameter[0].numel() ** -0.5, out=parameter.data)
    return unet.eval().requires_grad_(False)


def tiny_vae() -> Any:
    """An autoencoder with the real one's cells; the benchmark does not run it."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(block_out_channels=(32,) * 4, down_block_types=("DownEncoderBlock2D",) * 4)


def plain_way(unet: Any, texts: torch.Tensor, noise: torch.Tensor, steps: int) -> torch.Tensor:
    """diffusers' own pipeline with DDIM."""
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    pipeline = StableDiffusionPipeline(
        vae=tiny_vae(),
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


def our_way(
    unet: Any,
    texts: torch.Tensor,
    noise: torch.Tensor,
    steps: int,
    *,
    reuse: int = 1,
    interval: tuple[float, float] = (0.0, 1.0),
) -> torch.Tensor:
    """The loop that all verbs share; its latents have low frequencies first."""
    from types import SimpleNamespace

    model = StableDiffusionModel(
        unet=unet,
        vae=tiny_vae(),
        text_encoder=SimpleNamespace(),
        tokenizer=None,
        schedule=scaled_linear_schedule(prediction="noise"),
        title="random",
        reuse=reuse,
    )
    texts = texts.to(unet.dtype)
    guide = Guidance((Term(1.0, texts[:1]),), (Term(1.0, texts[1:]),), GUIDANCE)
    sampling = Sampling(num_inference_steps=steps, guidance_scale=GUIDANCE, sampler="ddim")
    sampling = replace(sampling, guidance_interval=interval, shift=1.0)
    return paint(model, Canvas(noise.flip(2), lambda _middle: guide), sampling).flip(2)


class _OpenVino:
    """A UNet compiled by OpenVINO for one shape, called as diffusers' own is."""

    def __init__(self, unet: Any, inputs: tuple[torch.Tensor, ...], precision: str) -> None:
        import openvino

        class Plain(torch.nn.Module):
            def forward(self, x: torch.Tensor, time: torch.Tensor, states: torch.Tensor) -> Any:
                return unet(x, time, encoder_hidden_states=states, return_dict=False)[0]

        converted = openvino.convert_model(Plain().eval(), example_input=inputs)
        converted.reshape({i: list(tensor.shape) for i, tensor in enumerate(inputs)})
        hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        self.compiled = openvino.compile_model(converted, "CPU", hints)
        self.device, self.dtype, self.config = torch.device("cpu"), torch.float32, unet.config

    def __call__(
        self, x: torch.Tensor, time: torch.Tensor, *, encoder_hidden_states: torch.Tensor, **_: Any
    ) -> tuple[torch.Tensor]:
        given = (x.contiguous().numpy(), time.float().numpy(), encoder_hidden_states.numpy())
        return (torch.from_numpy(next(iter(self.compiled(given).values()))),)


def prepared(unet: Any, way: str, noise: torch.Tensor, texts: torch.Tensor) -> Any:
    """The UNet as a way wants it; the same one is used again where it can be."""
    if way == "plain":
        return unet
    if way.startswith("openvino"):
        precision = "bf16" if way.endswith("bf16") else "f32"
        return _OpenVino(unet, (torch.cat([noise, noise]), torch.tensor(1.0), texts), precision)
    unet = unet.to(memory_format=torch.channels_last)
    if way in ("compile", "compile-max"):
        return torch.compile(unet, mode="max-autotune" if way == "compile-max" else None)
    if way == "channels-last":
        return unet
    quicken(unet)
    if way not in EXACT:
        return unet.to(fastest_dtype("cpu"))
    if way == "int8":
        from torch.ao.quantization import quantize_dynamic

        return quantize_dynamic(unet, {torch.nn.Linear}, dtype=torch.qint8)
    return unet


def run(way: str, unet: Any, texts: torch.Tensor, noise: torch.Tensor, steps: int) -> torch.Tensor:
    """Latents of a way."""
    if way == "plain":
        return plain_way(unet, texts, noise, steps)
    reuse = {"reuse-2": 2, "reuse-3": 3}.get(way, 1)
    interval = INTERVAL if way == "interval" else (0.0, 1.0)
    return our_way(unet, texts, noise, steps, reuse=reuse, interval=interval)


def timed(call: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, float, float]:
    """Result, seconds by the clock, and those of all processors together, of a call."""
    start, worked = time.perf_counter(), time.process_time()
    result = call()
    return result, time.perf_counter() - start, time.process_time() - worked


def main() -> None:
    """Print a row for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--columns", type=int, default=64)
    parser.add_argument("--ways", default=",".join(USUAL))
    options = parser.parse_args()
    ways = options.ways.split(",")
    if unknown := set(ways) - set(WAYS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(WAYS)}")
    torch.manual_seed(0)
    texts, noise = torch.randn(2, 77, 768), torch.randn(1, 4, 64, options.columns)
    unet, first, base = random_unet(), None, (0.0, 0.0)
    print("| way | s a step | times plain's speed | processor s | times | other latents, % |")
    print("|---|---|---|---|---|---|", flush=True)
    # Plain comes first, where it is asked for, and bfloat16 last: the others change the network.
    for way in sorted(ways, key=WAYS.index):
        used = prepared(unet, way, noise, texts)
        with torch.inference_mode():  # warm: transformed and compiled before the clock starts
            both = torch.cat([noise, noise]) if way.startswith(("compile", "openvino")) else noise
            narrow = both if len(both) == 2 else noise[..., :8]
            kind = used.dtype
            states = texts[: len(narrow)].to(kind)
            used(narrow.to(kind), torch.tensor(1.0), encoder_hidden_states=states)
        latents, *seconds = timed(lambda: run(way, used, texts, noise, options.steps))  # noqa: B023
        first, base = (latents, seconds) if first is None else (first, base)
        apart = 100.0 * float((latents - first).norm() / first.norm())
        cells = " | ".join(
            f"{s / options.steps:.2f} | {b / s:.2f}" for s, b in zip(seconds, base, strict=True)
        )
        print(f"| {way} | {cells} | {apart:.2g} |", flush=True)


if __name__ == "__main__":
    main()
