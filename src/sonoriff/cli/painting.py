"""What the commands that make music share: options, the model, progress, files."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.cli.progress import shown
from sonoriff.errors import ParameterError

if TYPE_CHECKING:
    from sonoriff.models.protocol import Model as LoadedModel
    from sonoriff.pipeline.clip import Clip
    from sonoriff.pipeline.settings import OnProgress

_SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus")

Source = Annotated[
    Path, typer.Argument(metavar="IN", help="Any sound file, or the picture of a sonogram.")
]
Wish = Annotated[
    str,
    typer.Argument(
        metavar="PROMPT",
        help='What to hear. May name a tempo and a key; "" is anything. '
        "Weights: (piano:1.3). Blends: 'reggae:0.7 + techno:0.3'.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        help="Sound file, with the sonogram as PNG beside it; or a .png alone.",
    ),
]
Seed = Annotated[int, typer.Option(help="Of the noise; another seed, another result.", min=0)]
Negative = Annotated[str, typer.Option(help="What not to hear.", metavar="PROMPT")]
Bpm = Annotated[float | None, typer.Option(help="Tempo, beats a minute.")]
Key = Annotated[str | None, typer.Option(help="Key, for example 'D minor'.")]
Steps = Annotated[
    int | None, typer.Option(help="Denoising steps [default: the model's own].", min=1)
]
Guidance = Annotated[
    float | None,
    typer.Option(help="How hard to follow the prompt; 1 is not at all [default: the model's own]."),
]
Sampler = Annotated[
    str | None,
    typer.Option(
        help="euler, heun, ab2 (flow models), ddim, dpm++ (all), lcm (Stable Diffusion) "
        "[default: the model's own].",
        metavar="NAME",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        help="Folder, .safetensors file, a name that `sonoriff models` lists, or OWNER/NAME of "
        "the Hugging Face hub [default: the bundled model].",
        metavar="MODEL",
    ),
]
Loras = Annotated[
    list[str] | None,
    typer.Option(
        "--lora", help="LoRA to add to the model; may be given again.", metavar="PATH[:SCALE]"
    ),
]
Styles = Annotated[
    list[str] | None,
    typer.Option(
        "--style",
        help="Word with learned vectors (textual inversion) to add to Stable Diffusion, used by "
        "writing it in the prompt; may be given again.",
        metavar="PATH[:TOKEN]",
    ),
]
Reuse = Annotated[
    int | None,
    typer.Option(
        help="Stable Diffusion: compute the inner layers at every Nth step only. 2 is nearly "
        "twice as fast and paints a slightly other picture [default: 1].",
        metavar="N",
        min=1,
        max=10,
    ),
]
Prediction = Annotated[
    str | None,
    typer.Option(
        help="Stable Diffusion: what it predicts, epsilon, v_prediction or sample [default: what "
        "the checkpoint says, see `sonoriff models check`].",
        metavar="NAME",
    ),
]
GuidanceInterval = Annotated[
    str | None,
    typer.Option(
        help="Follow the prompt only between these times, 0 is the sound and 1 noise; outside a "
        "step costs half [default: the model's own].",
        metavar="LOW:HIGH",
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda or mps.")]
Strength = Annotated[
    float, typer.Option(help="How far from the source: 0 is the source, 1 ignores it.")
]


def load(
    model: str | None,
    loras: list[str] | None,
    device: str,
    *,
    styles: list[str] | None = None,
    reuse: int | None = None,
    prediction: str | None = None,
) -> LoadedModel:
    """The model that the options name."""
    from sonoriff.models.lora import parse_lora
    from sonoriff.models.registry import load_model
    from sonoriff.models.stable_diffusion.styles import parse_style

    return load_model(
        model,
        device=device,
        loras=[parse_lora(text) for text in loras or []],
        styles=[parse_style(text) for text in styles or []],
        reuse=reuse or 1,
        prediction=prediction,
    )


def check_output(output: Path, *sources: Path) -> None:
    """ParameterError, before the long work, where the result could not be written.

    Nor may it, or the picture beside it, take the place of what it is made from.
    """
    if output.suffix.lower() not in (*_SOUNDS, ".png"):
        raise ParameterError(
            f"cannot write {output.name}: it must end in {' '.join(_SOUNDS)} or .png"
        )
    if not output.parent.is_dir():
        raise ParameterError(f"the folder {output.parent} does not exist: make it first")
    written = [path.resolve() for path in (output, output.with_suffix(".png"))]
    for source in sources:
        if source.resolve() in written:
            raise ParameterError(f"{source} would be overwritten: name another file with -o")


def numbered(output: Path, number: int | str) -> Path:
    """`output` with a number before its suffix."""
    return output.with_name(f"{output.stem}-{number}{output.suffix}")


def save(clip: Clip, output: Path) -> str:
    """Write the sound and its picture, or the picture alone; what to tell of it."""
    clip.save(output)
    length = f"{clip.sonogram.duration_s:.2f} s"
    if output.suffix.lower() == ".png":
        return f"{output}: {length}"
    picture = output.with_suffix(".png")
    clip.save(picture)
    return f"{output} and {picture.name}: {length}"


def pair(text: str, what: str) -> tuple[float, float]:
    """Two numbers, ``A:B``."""
    parts = text.split(":")
    try:
        first, second = (float(part) for part in parts)
    except ValueError:
        raise ParameterError(f"{what} is two numbers, A:B, got {text!r}") from None
    return first, second


def interval(text: str | None) -> tuple[float, float] | None:
    """Times between which guidance acts; None is the model's own."""
    return None if text is None else pair(text, "--guidance-interval")


def given(**options: Any) -> dict[str, Any]:
    """The options that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def progress() -> AbstractContextManager[OnProgress]:
    """Gives what is told ``(step, steps)``."""
    return shown("painting")
