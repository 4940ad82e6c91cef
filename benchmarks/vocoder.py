"""Codec against neural vocoder: from the same sonograms to sound, in one run.

    python -m benchmarks.vocoder train CORPUS -o vocoder.safetensors --minutes 40
    python -m benchmarks.vocoder compare CORPUS vocoder.safetensors

The vocoder is Vocos's kind: ConvNeXt blocks at frame rate, and magnitudes and phases of an inverse
transform; two million weights. It is taught on sonograms of real clips and on what the bundled
autoencoder makes of them, so that it may mend what that loses. `compare` prints, for the test
clips, what `sonoriff evaluate model` prints of distance and sharpness, with and without the
autoencoder, and how long each takes. It needs `make evaluation`.

References
----------
Siuzdak, Vocos (2023); Ai & Ling, APNet (2023) for the losses on the phase's differences in time
and frequency; Liu et al., A ConvNet for the 2020s (2022).
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from sonoriff.cli.train_options import WORK
from sonoriff.evaluation.judges.measures import load_judges, measure_clip
from sonoriff.evaluation.model.held_out import held_out_clips
from sonoriff.evaluation.model.scores import distance_figures
from sonoriff.files import atomic_path
from sonoriff.models.registry import load_model
from sonoriff.models.small.model import SmallModel
from sonoriff.precision import multiplies_bfloat16
from sonoriff.sonogram import HIFI, Sonogram, decode, encode
from sonoriff.sonogram.filter_bank import row_frequencies
from sonoriff.training.data.caches import pictures_folder
from sonoriff.training.data.pictures import (
    PictureSet,
    floats_from_bytes,
    load_pictures,
    mel_from_picture,
    picture_from_mel,
    prepare_pictures,
)
from sonoriff.training.mel import log_mel

HOP, N_FFT = HIFI.hop_length, HIFI.n_fft
BINS = 1 + N_FFT // 2
WIDTH, BLOCKS, EXPANSION = 256, 5, 2
CROP, BATCH, TAUGHT_CLIPS = 64, 16, 1500
Waveform = npt.NDArray[np.float32]


class Block(nn.Module):
    """x + scale * MLP(norm(depthwise convolution over 7 frames)) on (B, C, N)."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv1d(WIDTH, WIDTH, 7, padding=3, groups=WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.rise = nn.Linear(WIDTH, EXPANSION * WIDTH)
        self.fall = nn.Linear(EXPANSION * WIDTH, WIDTH)
        self.scale = nn.Parameter(torch.full((WIDTH,), 1 / BLOCKS))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.mix(x).transpose(1, 2))
        return x + (self.scale * self.fall(F.gelu(self.rise(h)))).transpose(1, 2)


class Vocoder(nn.Module):
    """Pictures (B, M, N) in [-1, 1] -> spectra complex64 (B, F, N), centred as the codec's columns.

    The magnitude corrects an interpolation of the picture; the phase is free.
    """

    between: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv1d(HIFI.n_mels, WIDTH, 3, padding=1)
        self.enter_norm = nn.LayerNorm(WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.leave_norm = nn.LayerNorm(WIDTH)
        self.leave = nn.Linear(WIDTH, 2 * BINS)
        hz = np.linspace(0, HIFI.sample_rate / 2, BINS)
        rows = np.stack([np.interp(hz, row_frequencies(HIFI), row) for row in np.eye(HIFI.n_mels)])
        self.register_buffer("between", torch.from_numpy(rows.astype(np.float32)), persistent=False)

    def forward(self, picture: Tensor) -> Tensor:
        x = self.enter_norm(self.enter(picture).transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        level, phase = self.leave(self.leave_norm(x.transpose(1, 2))).float().chunk(2, dim=-1)
        with torch.autocast("cpu", enabled=False):
            db = mel_from_picture(picture.float()).transpose(1, 2) @ self.between
        # 0 dB is a sine of full scale, whose bin is half the window's sum.
        magnitude = (db * (math.log(10) / 20) + level).clamp(max=2.0).exp() * (N_FFT / 4)
        return torch.polar(magnitude, phase).transpose(1, 2)


def waveform_from_spectrum(spectrum: Tensor) -> Tensor:
    """(B, F, N) -> (B, N * hop); column n is centred on sample (n + 1/2) hop."""
    window = torch.hann_window(N_FFT)
    frames = torch.fft.irfft(spectrum.transpose(1, 2), N_FFT) * window
    n = frames.shape[1]
    length = (n - 1) * HOP + N_FFT

    def fold(columns: Tensor) -> Tensor:
        size, kernel = (1, length), (1, N_FFT)
        return F.fold(columns.transpose(1, 2), size, kernel, stride=(1, HOP))[:, 0, 0]

    power = fold((window**2).expand(1, n, -1))
    start = (N_FFT - HOP) // 2
    total = fold(frames) / power.clamp_min(1e-3)
    return total[:, start : start + n * HOP]


def columns_of(waveform: Tensor, n_fft: int = N_FFT, hop: int = HOP) -> Tensor:
    """(B, T) -> complex (B, F, N), column n centred on sample (n + 1/2) hop."""
    pad = (n_fft - hop) // 2
    return torch.stft(
        F.pad(waveform, (pad, pad)), n_fft, hop, window=torch.hann_window(n_fft), center=False,
        return_complex=True,
    )  # fmt: skip


def wrapped(angle: Tensor) -> Tensor:
    """Distance of an angle from a whole number of turns, [0, pi]."""
    return (angle - 2 * math.pi * torch.round(angle / (2 * math.pi))).abs()


def loss_of(spectrum: Tensor, target: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Of a predicted spectrum (B, F, N) to a waveform (B, N * hop)."""
    wanted = columns_of(target)
    weight = wanted.abs().sqrt()
    weight = weight / weight.mean(dim=(1, 2), keepdim=True).clamp_min(1e-6)
    off = spectrum.angle() - wanted.angle()
    in_time = (wrapped(off.diff(dim=2)) * weight[:, :, 1:]).mean()
    in_frequency = (wrapped(off.diff(dim=1)) * weight[:, 1:]).mean()
    sound = waveform_from_spectrum(spectrum)
    terms = {"time": in_time, "frequency": in_frequency}
    # The ends of a crop have no neighbours.
    inner = slice(4 * HOP, -4 * HOP)
    for n_fft in (512, 1024, 2048, 4096):
        ours = columns_of(sound[:, inner], n_fft, n_fft // 4).abs()
        theirs = columns_of(target[:, inner], n_fft, n_fft // 4).abs()
        floor = 1e-3 * n_fft / 4
        log = ((ours + floor).log() - (theirs + floor).log()).abs().mean()
        terms[f"log {n_fft}"] = log
        terms[f"linear {n_fft}"] = 0.5 * (ours - theirs).norm() / theirs.norm().clamp_min(1e-3)
    mel = (log_mel(sound, HIFI) - log_mel(target, HIFI)).abs()
    terms["mel"] = 0.1 * mel[..., 4:-4].mean()
    total = torch.stack(list(terms.values())).sum()
    return total, {name: float(value.detach()) for name, value in terms.items()}


def through_autoencoder(model: SmallModel, picture: Tensor) -> Tensor:
    """Pictures (B, M, N) to pictures of the same shape."""
    coded = model.decode(model.encode(picture[:, None].numpy()))
    return torch.from_numpy(coded[:, 0])


def sounds_of(corpus: Path, pictures: PictureSet, indices: list[int]) -> list[Waveform]:
    """Mono clips."""
    files = [corpus / pictures.entries[i]["file_name"] for i in indices]
    read = (soundfile.read(f, dtype="float32", always_2d=True)[0] for f in files)
    return [samples.mean(axis=1) for samples in read]


def train(corpus: Path, output: Path, minutes: float) -> None:
    """Teach a vocoder for some minutes; writes its weights."""
    pictures, model = pictures_of(corpus), small_model()
    every = pictures.subset("train")
    indices = every[np.linspace(0, len(every) - 1, min(TAUGHT_CLIPS, len(every))).astype(int)]
    sounds = sounds_of(corpus, pictures, indices.tolist())
    real = np.stack([pictures.picture(int(i)) for i in indices])
    coded = np.empty_like(real)
    for i in range(0, len(real), 4):
        coded_floats = through_autoencoder(model, floats_from_bytes(real[i : i + 4]))
        coded[i : i + 4] = ((coded_floats + 1) * 127.5).round().numpy().astype(np.uint8)
    print(f"{len(real)} clips", flush=True)
    vocoder = Vocoder()
    print(f"{sum(p.numel() for p in vocoder.parameters()) / 1e6:.2f} M weights", flush=True)
    optimizer = torch.optim.AdamW(vocoder.parameters(), lr=1e-3, betas=(0.8, 0.99))
    dice = np.random.default_rng(0)
    began, step, means = time.monotonic(), 0, []
    while (share := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 1.5e-3 * min(1, (step + 1) / 100) * min(1.0, 2.5 * (1 - share)) + 1e-6
        picks = dice.integers(len(real), size=BATCH)
        starts = dice.integers(real.shape[2] - CROP + 1, size=BATCH)
        kinds = dice.random(BATCH) < 0.6
        crops = [
            (coded if kind else real)[p, :, s : s + CROP]
            for p, s, kind in zip(picks, starts, kinds, strict=True)
        ]
        target = torch.from_numpy(
            np.stack(
                [sounds[p][s * HOP : (s + CROP) * HOP] for p, s in zip(picks, starts, strict=True)]
            )
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bfloat16()):
            spectrum = vocoder(floats_from_bytes(np.stack(crops)))
        loss, terms = loss_of(spectrum, target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(vocoder.parameters(), 10.0)
        optimizer.step()
        step += 1
        means.append(terms)
        if step % 100 == 0:
            shown = {name: round(float(np.mean([m[name] for m in means])), 3) for name in terms}
            print(step, f"{time.monotonic() - began:.0f} s", json.dumps(shown), flush=True)
            means = []
    with atomic_path(output) as partial:
        save_file(vocoder.state_dict(), partial)


def compare(corpus: Path, weights: Path, n_clips: int) -> None:
    """Print a row for each way from sonogram to sound."""
    pictures, model = pictures_of(corpus), small_model()
    vocoder = Vocoder().eval().requires_grad_(False)
    vocoder.load_state_dict(load_file(weights))
    held_out = held_out_clips(pictures.entries, split="test", n_prompts=n_clips, seed=0)
    places = {entry["file_name"]: i for i, entry in enumerate(pictures.entries)}
    judges = load_judges()

    def of(entries: list[dict[str, object]]) -> list[Waveform]:
        return sounds_of(corpus, pictures, [places[str(e["file_name"])] for e in entries])

    def neural(picture: Tensor) -> Waveform:
        with torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bfloat16()):
            spectrum = vocoder(picture)
        return waveform_from_spectrum(spectrum)[0].numpy()

    def codec(picture: Tensor) -> Waveform:
        values = np.ascontiguousarray(mel_from_picture(picture).numpy())
        return decode(Sonogram(values, HIFI), quality="fast")[0]

    def same(picture: Tensor) -> Tensor:
        return picture

    def coded(picture: Tensor) -> Tensor:
        return through_autoencoder(model, picture)

    ways: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Waveform]]] = {
        "codec": (same, codec),
        "vocoder": (same, neural),
        "autoencoder, codec": (coded, codec),
        "autoencoder, vocoder": (coded, neural),
    }
    reference = measures_of(of(held_out.reference), judges)
    tested = of(held_out.tested)
    print(f"{len(tested)} test clips, {len(held_out.reference)} in the reference")
    print("| | FAD MTT | FAD MSD | KAD MTT | KAD MSD | onsets | lines, dB | LUFS | mel, dB | s |")
    print("| --- " + "| ---: " * 9 + "|")
    row("real", tested, reference, judges, math.nan, math.nan)
    for name, (before, make) in ways.items():
        sounds, errors, seconds = [], [], []
        for clip in tested:
            wanted = encode(clip[None], HIFI.sample_rate).values
            picture = picture_from_mel(torch.from_numpy(wanted))
            with torch.inference_mode():
                shown = before(picture)
                began = time.perf_counter()
                sounds.append(make(shown))
                seconds.append(time.perf_counter() - began)
            again = encode(sounds[-1][None], HIFI.sample_rate).values
            away = np.abs(again - wanted)
            errors.append(float(away[..., 4:-4].mean()))
        row(name, sounds, reference, judges, float(np.mean(errors)), float(np.median(seconds)))


Measures = dict[str, npt.NDArray[np.float32]]


def measures_of(sounds: list[Waveform], judges: object) -> Measures:
    """Measures of clips, stacked."""
    found = [measure_clip(sound, HIFI.sample_rate, judges) for sound in sounds]  # type: ignore[arg-type]
    return {name: np.stack([m[name] for m in found]) for name in found[0]}


def row(
    name: str,
    sounds: list[Waveform],
    reference: Measures,
    judges: object,
    error_db: float,
    seconds: float,
) -> None:
    """Print one."""
    m = measures_of(sounds, judges)
    d = distance_figures(m, reference)
    cells = [
        *(f"{d[f'fad_{n}']:.1f}" for n in ("MTT", "MSD")),
        *(f"{d[f'kad_{n}']:.2f}" for n in ("MTT", "MSD")),
        *(f"{m['onsets'].mean():.3f}", f"{m['lines'].mean():.2f}"),
        *(f"{np.median(m['lufs']):.1f}", f"{error_db:.2f}", f"{seconds:.3f}"),
    ]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def pictures_of(corpus: Path) -> PictureSet:
    """The corpus's pictures, made where they are missing."""
    folder = pictures_folder(corpus, WORK)
    prepare_pictures(corpus, folder)
    return load_pictures([folder])


def small_model() -> SmallModel:
    """The bundled one."""
    model = load_model()
    assert isinstance(model, SmallModel)
    return model


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    taught = commands.add_parser("train", help="Teach a vocoder.")
    taught.add_argument("corpus", type=Path)
    taught.add_argument("-o", "--output", type=Path, required=True)
    taught.add_argument("--minutes", type=float, default=40.0)
    compared = commands.add_parser("compare", help="Codec and vocoder, side by side.")
    compared.add_argument("corpus", type=Path)
    compared.add_argument("weights", type=Path)
    compared.add_argument("--clips", type=int, default=200)
    given = parser.parse_args()
    if given.command == "train":
        train(given.corpus, given.output, given.minutes)
    else:
        compare(given.corpus, given.weights, given.clips)
