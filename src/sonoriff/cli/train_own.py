"""`sonoriff train lora` and `train finetune`: fine-tune a model on the user's own music."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.cli.progress import shown
from sonoriff.cli.train_options import (
    WORK,
    Accumulate,
    Precision,
    Save,
    Seed,
    Work,
    main_first,
    run_loop,
)
from sonoriff.errors import CheckpointError, CorpusError, ParameterError

if TYPE_CHECKING:
    from sonoriff.evaluation.personal.memorisation import Memorisation
    from sonoriff.training.config import LoopConfig
    from sonoriff.training.personal.music import OwnMusic

# Minimum number of checks on the held-out clips per run.
CHECKS = 8
ALIASES = {"stable-diffusion-v1-5": "stable-diffusion-v1-5/stable-diffusion-v1-5"}

Folder = Annotated[
    Path, typer.Argument(help="Folder of your music, and folders in it.", metavar="MUSIC")
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", help="Folder of the result.", metavar="FOLDER", file_okay=False),
]
Base = Annotated[
    str | None,
    typer.Option(
        help="The model to begin with: a folder, a .safetensors file, OWNER/NAME of the Hugging "
        "Face hub, or stable-diffusion-v1-5; without it the bundled model.",
        metavar="MODEL",
    ),
]
Caption = Annotated[
    str | None,
    typer.Option(
        help="One caption for everything, or auto: what is heard (tags, tempo, key) is added to "
        "what the folder says.",
        metavar="TEXT|auto",
    ),
]
Steps = Annotated[int | None, typer.Option(help="Steps; without it by the number of clips.", min=1)]
Batch = Annotated[int | None, typer.Option(help="Clips a step and process.", min=1)]
Rate = Annotated[float | None, typer.Option(help="Learning rate.", min=1e-8)]
Ema = Annotated[
    float, typer.Option(help="Decay of the averaged weights; 0: no average.", min=0, max=0.99999)
]
Hours = Annotated[float, typer.Option(help="Stop, resumable, after this time; 0: never.", min=0)]
Dropout = Annotated[
    float, typer.Option(help="Share of clips that lose their caption.", min=0, max=0.99)
]
EightBit = Annotated[
    bool, typer.Option("--eight-bit-adam", help="Moments in 8 bits; needs bitsandbytes and a GPU.")
]
Workers = Annotated[int, typer.Option(help="Processes that read the music.", min=1, max=256)]
Samples = Annotated[int, typer.Option(help="Riffs made at the end.", min=1, max=1000)]
SampleSteps = Annotated[int | None, typer.Option(help="Sampler steps of these riffs.", min=1)]
Prediction = Annotated[
    str, typer.Option(help="Stable Diffusion: noise (epsilon), velocity, or base: as it does.")
]
MinSnr = Annotated[
    float, typer.Option(help="Stable Diffusion: gamma of min-SNR weighting; 0: off.", min=0)
]
NoiseOffset = Annotated[float, typer.Option(help="Stable Diffusion: noise offset.", min=0)]
TextRate = Annotated[
    float,
    typer.Option(
        help="Stable Diffusion: share of the rate for the text encoder; 0: frozen.", min=0, max=1
    ),
]
Checkpointing = Annotated[
    bool,
    typer.Option("--gradient-checkpointing", help="Stable Diffusion: less memory, more time."),
]
PriorPrompt = Annotated[
    str,
    typer.Option(
        help="Stable Diffusion: keep what the base makes of this prompt (prior preservation).",
        metavar="TEXT",
    ),
]
PriorClips = Annotated[int, typer.Option(help="Clips that the base makes for that.", min=1)]
PriorWeight = Annotated[float, typer.Option(help="Weight of their loss.", min=0)]


def lora(
    folder: Folder,
    output: Output,
    base: Base = None,
    caption: Caption = None,
    rank: Annotated[int, typer.Option(help="Rank of the adapters.", min=1, max=512)] = 16,
    steps: Steps = None,
    batch_size: Batch = None,
    accumulate: Accumulate = 1,
    learning_rate: Rate = None,
    ema_decay: Ema = 0.995,
    hours: Hours = 0.0,
    precision: Precision = "auto",
    caption_dropout: Dropout = 0.1,
    eight_bit: EightBit = False,
    prediction: Prediction = "base",
    min_snr: MinSnr = 5.0,
    noise_offset: NoiseOffset = 0.0,
    text_rate: TextRate = 0.0,
    gradient_checkpointing: Checkpointing = False,
    prior_prompt: PriorPrompt = "",
    prior_clips: PriorClips = 50,
    prior_weight: PriorWeight = 1.0,
    samples: Samples = 8,
    sample_steps: SampleSteps = None,
    workers: Workers = 1,
    save_minutes: Save = 5.0,
    work: Work = WORK,
    seed: Seed = 0,
) -> None:
    """Teach a small addition (LoRA) your own music.

    \b
    Examples:
      sonoriff train lora ~/Music/mine -o my-style
      sonoriff generate "slow piano" --lora my-style -o riff.wav
      sonoriff train lora ~/Music/mine --base stable-diffusion-v1-5 --caption auto -o my-style

    Captions come from metadata.csv or metadata.jsonl (file_name, text), from a .txt beside each
    file, from its tags, or from its name. Ctrl-C keeps a checkpoint; the same command goes on.
    """
    _teach(_Wish(**{**locals(), "lora": True}))


def finetune(
    folder: Folder,
    output: Output,
    base: Base = None,
    caption: Caption = None,
    steps: Steps = None,
    batch_size: Batch = None,
    accumulate: Accumulate = 1,
    learning_rate: Rate = None,
    ema_decay: Ema = 0.999,
    hours: Hours = 0.0,
    precision: Precision = "auto",
    caption_dropout: Dropout = 0.1,
    eight_bit: EightBit = False,
    prediction: Prediction = "base",
    min_snr: MinSnr = 5.0,
    noise_offset: NoiseOffset = 0.0,
    text_rate: TextRate = 0.0,
    gradient_checkpointing: Checkpointing = False,
    prior_prompt: PriorPrompt = "",
    prior_clips: PriorClips = 50,
    prior_weight: PriorWeight = 1.0,
    samples: Samples = 8,
    sample_steps: SampleSteps = None,
    workers: Workers = 1,
    save_minutes: Save = 5.0,
    work: Work = WORK,
    seed: Seed = 0,
) -> None:
    """Teach a whole model your own music.

    \b
    Examples:
      sonoriff train finetune ~/Music/mine -o my-model
      sonoriff generate "slow piano" --model my-model -o riff.wav
      sonoriff train finetune ~/Music/mine --base stable-diffusion-v1-5 -o my-model
      accelerate launch -m sonoriff train finetune ~/Music/mine --base my-sd -o my-model

    Captions come from metadata.csv or metadata.jsonl (file_name, text), from a .txt beside each
    file, from its tags, or from its name. Ctrl-C keeps a checkpoint; the same command goes on.
    """
    _teach(_Wish(**{**locals(), "lora": False, "rank": 0}))


@dataclass(frozen=True)
class _Wish:
    """Arguments of `train lora` and `train finetune`."""

    folder: Path
    output: Path
    base: str | None
    caption: str | None
    lora: bool
    rank: int
    steps: int | None
    batch_size: int | None
    accumulate: int
    learning_rate: float | None
    ema_decay: float
    hours: float
    precision: str
    caption_dropout: float
    eight_bit: bool
    prediction: str
    min_snr: float
    noise_offset: float
    text_rate: float
    gradient_checkpointing: bool
    prior_prompt: str
    prior_clips: int
    prior_weight: float
    samples: int
    sample_steps: int | None
    workers: int
    save_minutes: float
    work: Path
    seed: int

    @property
    def run(self) -> Path:
        return self.output / "run"

    @property
    def base_name(self) -> str | None:
        return ALIASES.get(self.base, self.base) if self.base else None


def _teach(wish: _Wish) -> None:
    from sonoriff.models.small.model import SmallModel

    _check_output(wish)
    base = _base(wish)
    small = isinstance(base, SmallModel)
    music = _gathered(wish)
    recipe = _small_recipe(wish, music, base) if small else _diffusion_recipe(wish, music, base)
    config = _config(wish, music.n_trained, small=small)
    averaged = run_loop(recipe, config, wish.run)
    if not _is_main():
        return
    step = json.loads((wish.run / "checkpoint" / "state.json").read_text("utf-8"))["step"]
    if step < config.steps:
        _say(f"stopped at step {step} of {config.steps}; the same command goes on from there")
        raise typer.Exit(130)
    _finish(wish, recipe, averaged, music, config)


def _check_output(wish: _Wish) -> None:
    """Check before hours of work that the result can be written."""
    if wish.output.exists() and any(wish.output.iterdir()) and not wish.run.is_dir():
        raise ParameterError(f"{wish.output} is not empty and holds no run: name a new folder")
    if not wish.folder.is_dir():
        raise ParameterError(f"{wish.folder} is not a folder: name the folder with your music")
    music = wish.folder.resolve()
    for place, option in ((wish.output, "-o"), (wish.work, "--work")):
        if place.resolve().is_relative_to(music):
            raise ParameterError(
                f"{place} is inside {wish.folder}, so that its sounds would be taken for your "
                f"music: name another place with {option}"
            )


def _base(wish: _Wish) -> Any:
    from sonoriff.models.registry import load_model
    from sonoriff.models.small.model import SmallModel

    base: Any = load_model(wish.base_name, dtype="float32", backend="torch")
    if isinstance(base, SmallModel):
        return base
    if not hasattr(base, "vae"):
        raise CheckpointError(f"{wish.base} is of a kind that cannot be taught")
    from accelerate import PartialState

    for network in (base.unet, base.vae, base.text_encoder):
        network.to(PartialState().device)
    return base


def _gathered(wish: _Wish) -> OwnMusic:
    from sonoriff.training.personal.music import AUTO, gather

    listener = None
    if wish.caption == AUTO:
        from sonoriff.evaluation.judges.musicnn import INSTALL
        from sonoriff.evaluation.personal.listening import can_hear_tags, listened

        listener = listened
        if not can_hear_tags():
            _say(f"note: captions get tempo and key but no tags; for these: {INSTALL}")
    with main_first(), _room(wish.work), shown("reading the music") as progress:
        music = gather(
            wish.folder, wish.work, caption=wish.caption, listener=listener,
            workers=wish.workers, progress=progress,
        )  # fmt: skip
    held_out = len(music.clips) - music.n_trained
    _say(
        f"{len(music.clips)} clips ({60 * music.hours:.1f} minutes) from {music.n_files} files, "
        f"{held_out} held out"
    )
    for warning in music.warnings:
        _say(f"warning: {warning}")
    return music


def _adapters(wish: _Wish) -> Any:
    from sonoriff.training.adapters import LoraConfig

    return LoraConfig(rank=wish.rank) if wish.lora else None


def _small_recipe(wish: _Wish, music: OwnMusic, base: Any) -> Any:
    from sonoriff.training.personal.small import own_small_recipe

    if wish.prior_prompt or wish.text_rate or wish.prediction != "base" or wish.noise_offset:
        raise ParameterError(
            "--prior-prompt, --text-rate, --prediction and --noise-offset are for Stable "
            "Diffusion: name such a model with --base, or leave them out"
        )
    with main_first(), _room(wish.work), shown("pictures and latents") as progress:
        return own_small_recipe(
            music, base, wish.work, adapters=_adapters(wish),
            caption_dropout=wish.caption_dropout, progress=progress,
        )  # fmt: skip


def _diffusion_recipe(wish: _Wish, music: OwnMusic, base: Any) -> Any:
    from sonoriff.training.recipes.stable_diffusion import DiffusionConfig, stable_diffusion_recipe

    config = DiffusionConfig(
        prediction=wish.prediction,
        min_snr=wish.min_snr,
        noise_offset=wish.noise_offset,
        caption_dropout=wish.caption_dropout,
        text_rate=wish.text_rate,
        gradient_checkpointing=wish.gradient_checkpointing,
        prior_prompt=wish.prior_prompt,
        prior_clips=wish.prior_clips,
        prior_weight=wish.prior_weight,
    )
    with main_first(), _room(wish.work), shown("latents and captions") as progress:
        return stable_diffusion_recipe(
            music, base, wish.work, config, adapters=_adapters(wish), progress=progress
        )


def _config(wish: _Wish, n_clips: int, *, small: bool) -> LoopConfig:
    from sonoriff.training.personal.defaults import own_defaults

    defaults = own_defaults(n_clips, small=small, lora=wish.lora, accumulate=wish.accumulate)
    chosen = {
        name: getattr(wish, name)
        for name in ("steps", "batch_size", "learning_rate")
        if getattr(wish, name) is not None
    }
    config = replace(
        defaults,
        **chosen,
        ema_decay=wish.ema_decay,
        max_minutes=60 * wish.hours,
        precision=wish.precision,
        eight_bit=wish.eight_bit,
        save_minutes=wish.save_minutes,
        seed=wish.seed,
        rate_scales=(("text_encoder.", wish.text_rate),) if wish.text_rate else (),
    )
    return replace(
        config,
        warmup_steps=max(1, min(100, config.steps // 10)),
        cooldown_steps=config.steps // 5,
        validate_steps=min(250, -(-config.steps // CHECKS)),
    )


def _finish(wish: _Wish, recipe: Any, averaged: Any, music: OwnMusic, config: LoopConfig) -> None:
    """Write the model, sample sounds and a model card."""
    from sonoriff.training.personal.card import TaughtModel, write_card
    from sonoriff.training.personal.output import last_figures, placed

    name = wish.output.resolve().name
    before = recipe.start.facts.get("denoiser_steps", 0) if hasattr(recipe, "start") else 0
    with placed(wish.output) as partial:
        recipe.save(averaged, partial, {"name": name, "denoiser_steps": before + config.steps})
    _say_best(wish.run, config)
    found = _first_sounds(wish, music)
    options = f"--lora {name}" if wish.lora else f"--model {name}"
    options += f" --model {wish.base}" if wish.lora and wish.base else ""
    write_card(
        wish.output,
        TaughtModel(
            name=name,
            kind="LoRA" if wish.lora else "fine-tuned model",
            base=wish.base_name or "sonoriff-small",
            use=f'sonoriff generate "{music.captions(1)[0]}" {options} -o riff.wav',
            figures=last_figures(wish.run / "log.jsonl"),
            copying=found.in_words(),
        ),
        music,
        config,
    )
    _say(found.in_words())
    _say(f"{wish.output}: the model, README.md, samples/; run/ may be removed")


def _say_best(run: Path, config: LoopConfig) -> None:
    """The held-out loss before and after, and whose weights are kept if not the last."""
    from sonoriff.training.best import Best

    best = Best(run, fresh=False)
    if not best.step:
        return
    kept = f"at step {best.step}"
    if best.step < config.steps:
        kept += f", whose weights are kept: it rose until step {config.steps}"
    if best.before is None:
        _say(f"the loss on held-out music was lowest, {best.loss:.4f}, {kept}")
        return
    _say(f"the loss on held-out music was {best.before:.4f} before and {best.loss:.4f} {kept}")
    if best.loss >= best.before:
        _say("so nothing was learned that holds for music outside of the folder: try fewer passes")


def _first_sounds(wish: _Wish, music: OwnMusic) -> Memorisation:
    """Use the model as written, loaded as a user would."""
    from sonoriff.evaluation.personal.model import first_sounds
    from sonoriff.models.lora import Lora
    from sonoriff.models.registry import load_model

    if wish.lora:
        model = load_model(wish.base_name, loras=[Lora(wish.output)])
    else:
        model = load_model(wish.output)
    with shown("first sounds") as progress:
        return first_sounds(
            model, music, wish.output / "samples", wish.work, count=wish.samples,
            steps=wish.sample_steps, progress=progress,
        )  # fmt: skip


def _is_main() -> bool:
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Report a full disk; NumPy raises its own error without an errno."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC and "requested and" not in str(error):
            raise
        raise CorpusError(
            f"the disk of {folder} is full ({error}): make room and give the same command again, "
            "what was done is kept; or name another folder with --work"
        ) from error


def _say(text: str) -> None:
    if _is_main():
        typer.echo(text, err=True)
