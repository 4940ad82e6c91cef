"""The one training loop. A recipe says what is trained; the loop does the rest.

It warms up, averages, clips, validates, draws sample sheets, writes checkpoints, resumes, and
stops cleanly on Ctrl-C, on SIGTERM, or when its time is over.
"""

from __future__ import annotations

import dataclasses
import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from sonoriff.errors import ParameterError, TrainingError
from sonoriff.precision import multiplies_bfloat16
from sonoriff.threads import keep_threads
from sonoriff.training.best import Best
from sonoriff.training.checkpoint import find_checkpoint, load_checkpoint, save_checkpoint
from sonoriff.training.config import LoopConfig
from sonoriff.training.curves import save_curves
from sonoriff.training.ema import AveragedModel
from sonoriff.training.optimizer import make_optimizer


class Recipe(Protocol):
    """What a training run trains."""

    name: str

    def build(self) -> nn.Module:
        """The model with fresh weights; called after the seed is set."""

    def facts(self) -> dict[str, Any]:
        """What must be the same when a run is resumed: shapes, data."""

    def loss(
        self, model: nn.Module, generator: torch.Generator, batch_size: int
    ) -> tuple[Tensor, dict[str, float]]:
        """Loss of one random batch, and figures for the log."""

    def before_save(self, model: nn.Module) -> None:
        """Bring what belongs to the averaged weights up to date, in place."""

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures on held-out clips, the same clips and noise each time."""

    def sample(self, model: nn.Module, folder: Path, step: int) -> None:
        """Write pictures and sounds that a person can judge."""


def train(
    recipe: Recipe,
    config: LoopConfig,
    run: Path,
    *,
    on_step: Callable[[int, dict[str, float]], None] | None = None,
) -> nn.Module:
    """Train until `config.steps`; returns the averaged model, that of the best check if wished.

    Starts from ``run/checkpoint`` where there is one. Figures go to ``run/log.jsonl``; with each
    sample sheet they are drawn as ``run/curves.png``. On several processes (`accelerate launch`)
    each draws its own batches and gradients are averaged: P processes do what one does that
    accumulates P times as many batches.

    Raises
    ------
    CheckpointError
        the folder holds a run with another recipe or other data, or the disk is full
    TrainingError
        the memory does not suffice, or the loss is no longer a number; what was saved is kept
    """
    accelerator = _accelerator(config)
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    model = recipe.build()
    ema = AveragedModel(model, config.ema_decay)
    optimizer: Any = make_optimizer(model, config)
    step = _resume(recipe, run, model, ema, optimizer)
    best = Best(run, fresh=step == 0) if config.keep_best else None
    ema.model.to(accelerator.device)
    model, optimizer = accelerator.prepare(model, optimizer)
    facts = {**recipe.facts(), "config": dataclasses.asdict(config)}

    def save() -> None:
        recipe.before_save(ema.model)
        if accelerator.is_main_process:
            save_checkpoint(
                run,
                step=step,
                model=accelerator.unwrap_model(model),
                ema=ema,
                optimizer=optimizer.optimizer,
                facts=facts,
            )

    def draw() -> None:
        recipe.sample(ema.model, run / "samples", step)
        save_curves(run / "log.jsonl", run / "curves.png")

    keep_threads()
    log = _Log(run / "log.jsonl", enabled=accelerator.is_main_process)
    if best and step == 0:
        with accelerator.autocast():
            figures = recipe.validate(ema.model)
        best.before = figures.get("validation")
        if figures:
            log.write(0, figures)
    started = saved = sampled = time.monotonic()
    with _stop_signals() as stopped:
        while step < config.steps and not _any(accelerator, stopped()):
            for group in optimizer.param_groups:
                group["lr"] = config.rate(step) * group.get("rate_scale", 1.0)
            with _memory_in_words(config):
                figures = _step(recipe, config, accelerator, model, optimizer, step)
            step += 1
            ema.update(accelerator.unwrap_model(model))
            now = time.monotonic()
            if step % config.validate_steps == 0 or step == config.steps:
                with accelerator.autocast():
                    figures |= recipe.validate(ema.model)
                if best and "validation" in figures and accelerator.is_main_process:
                    recipe.before_save(ema.model)
                    held_out, trained = figures["validation"], accelerator.unwrap_model(model)
                    best.offer(step, held_out, ema.model, trained)
            log.write(step, figures | {"rate": config.rate(step - 1), "time_s": now - started})
            if on_step:
                on_step(step, figures)
            if now - sampled > 60 * config.sample_minutes and accelerator.is_main_process:
                draw()
                sampled = time.monotonic()
            if _any(accelerator, now - saved > 60 * config.save_minutes):
                save()
                saved = time.monotonic()
            late = bool(config.max_minutes) and now - started > 60 * config.max_minutes
            if _any(accelerator, late):
                break
    save()
    if accelerator.is_main_process:
        draw()
    # A process that ends while its group's threads still run is aborted now and then.
    accelerator.end_training()
    if best and step >= config.steps:
        best.restore(ema.model)
    return ema.model


def _accelerator(config: LoopConfig) -> Any:
    try:
        from accelerate import Accelerator
        from accelerate.state import AcceleratorState
    except ImportError as error:
        raise TrainingError("training needs accelerate: pip install 'sonoriff[train]'") from error
    precision = _precision(config.precision)
    # Accelerate keeps the precision of a process's first run; the next one may want another.
    AcceleratorState._reset_state(reset_partial_state=True)
    try:
        return Accelerator(mixed_precision=precision, gradient_accumulation_steps=config.accumulate)
    except ValueError as error:
        raise ParameterError(f"precision {precision} does not work here: {error}") from error


def _any(accelerator: Any, mine: bool) -> bool:
    """Whether a process wants it: all of them must take the same turn."""
    if accelerator.num_processes == 1:
        return mine
    votes = torch.tensor(float(mine), device=accelerator.device)
    return bool(accelerator.reduce(votes) > 0)


@contextmanager
def _memory_in_words(config: LoopConfig) -> Iterator[None]:
    """Say what to lower where the memory does not suffice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error)
        short = isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
            words in text for words in ("can't allocate memory", "out of memory")
        )
        if not short:
            raise
        raise TrainingError(
            f"the memory does not suffice for batches of {config.batch_size}: lower the batch "
            "size (and raise --accumulate by as much), or turn on gradient checkpointing, 8-bit "
            "Adam or bf16; what was saved is kept"
        ) from error


def _precision(wanted: str) -> str:
    if wanted == "fp16" and not torch.cuda.is_available():
        raise ParameterError("precision fp16 needs a GPU: choose bf16 or no")
    if wanted != "auto":
        return wanted
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return "bf16" if multiplies_bfloat16(device) else "no"


def _step(
    recipe: Recipe,
    config: LoopConfig,
    accelerator: Any,
    model: nn.Module,
    optimizer: Any,
    step: int,
) -> dict[str, float]:
    totals: dict[str, float] = {}
    for part in range(config.accumulate):
        place = part * accelerator.num_processes + accelerator.process_index
        generator = torch.Generator().manual_seed(batch_seed(config.seed, step, place))
        with accelerator.accumulate(model):
            with accelerator.autocast():
                loss, figures = recipe.loss(model, generator, config.batch_size)
            # The optimizer multiplies matrices too, and must do so in float32.
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                norm = accelerator.clip_grad_norm_(model.parameters(), config.clip_norm)
                totals["grad_norm"] = float(norm)
            optimizer.step()
            optimizer.zero_grad()
        for name, value in (figures | {"loss": float(loss.detach())}).items():
            totals[name] = totals.get(name, 0.0) + value / config.accumulate
    totals = _mean(accelerator, totals)
    if not math.isfinite(totals["loss"]):
        raise TrainingError(
            f"the loss of step {step} is {totals['loss']}: lower the learning rate, or train in "
            "bf16 or without autocast; the last checkpoint is kept"
        )
    return totals


def _mean(accelerator: Any, totals: dict[str, float]) -> dict[str, float]:
    """Figures averaged over the processes."""
    if accelerator.num_processes == 1:
        return totals
    values = torch.tensor(list(totals.values()), device=accelerator.device)
    return dict(zip(totals, accelerator.reduce(values, "mean").tolist(), strict=True))


def batch_seed(seed: int, step: int, part: int) -> int:
    """The same batch for the same place in a run, whenever it is resumed."""
    return (((seed * 1_000_003 + step) * 1009 + part) * 4099) % (2**63)


def _resume(
    recipe: Recipe,
    run: Path,
    model: nn.Module,
    ema: AveragedModel,
    optimizer: torch.optim.Optimizer,
) -> int:
    checkpoint = find_checkpoint(run)
    if checkpoint is None:
        return 0
    state = load_checkpoint(
        checkpoint, model=model, ema=ema, optimizer=optimizer, facts=recipe.facts()
    )
    return int(state["step"])


class _Log:
    def __init__(self, path: Path, *, enabled: bool) -> None:
        self.path, self.enabled = path, enabled

    def write(self, step: int, figures: dict[str, float]) -> None:
        if self.enabled:
            line = json.dumps({"step": step} | {k: float(f"{v:.6g}") for k, v in figures.items()})
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Ask for a stop after the current step on SIGINT or SIGTERM; the second time at once."""
    hits: list[int] = []
    before: dict[signal.Signals, Any] = {}

    def handle(number: int, _frame: Any) -> None:
        hits.append(number)
        if len(hits) > 1:
            raise KeyboardInterrupt

    try:
        for each in (signal.SIGINT, signal.SIGTERM):
            before[each] = signal.signal(each, handle)
    except ValueError:  # not in the main thread: signals belong to somebody else
        pass
    try:
        yield lambda: bool(hits)
    finally:
        for each, old in before.items():
            signal.signal(each, old)
