"""`sonoriff evaluate pipeline`: measures of the verbs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from sonoriff.cli import painting
from sonoriff.errors import ParameterError


@painting.with_options
def evaluate_pipeline_command(
    chosen: painting.ModelOptions,
    *,
    prompt: Annotated[
        list[str] | None,
        typer.Option(help="May be given again [default: three of different styles]."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="For each prompt, from 0 on.", min=1)] = 1,
    steps: painting.Steps = None,
    samplers: Annotated[
        bool, typer.Option("--samplers", help="Compare samplers with 200 steps of DDIM too.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write every figure as JSON too.")
    ] = None,
) -> None:
    """Print how the verbs keep what they promise: seams, masks, strengths, seeds, ways.

    Each row is printed as soon as it is done; docs/pipeline.md says what the figures mean.

    \b
    Examples:
      sonoriff evaluate pipeline
      sonoriff evaluate pipeline --model my-model --seeds 1 --samplers -o figures.json
    """
    from sonoriff.evaluation import verbs as figures
    from sonoriff.files import write_text

    if output is not None and not output.parent.is_dir():
        raise ParameterError(f"the folder {output.parent} does not exist: make it first")
    settings = figures.PipelineSettings(
        prompts=tuple(prompt or figures.PROMPTS), seeds=seeds, num_inference_steps=steps
    )
    loaded = chosen.load()
    measures: list[figures.Measure] = []
    with painting.progress() as on_progress:
        found = figures.evaluate_pipeline(loaded, settings, on_progress=on_progress)
        _print(figures.measure_lines(_kept(found, measures)))
    rows: list[figures.SamplerRow] = []
    if samplers:
        typer.echo("")
        with painting.progress() as on_progress:
            compared = figures.evaluate_samplers(loaded, settings, on_progress=on_progress)
            _print(figures.sampler_lines(_kept(compared, rows)))
    if output is not None:
        write_text(output, figures.figures_json(loaded, measures, rows))


def _kept(values: Iterable[Any], kept: list[Any]) -> Iterator[Any]:
    """Yield the values and append them to `kept`."""
    for value in values:
        kept.append(value)
        yield value


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
        sys.stdout.flush()
