"""Options, model loading, progress and output of the commands that make music."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from sonoriff.cli import options
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
Energy = Annotated[
    int | None,
    typer.Option(help="How much happens, 1 is calm and 5 full.", metavar="N", min=1, max=5),
]
Chords = Annotated[
    str | None,
    typer.Option(
        help="Chords, a bar each, again and again: 'Am F C G'; 'Am:2' lasts two bars.",
        metavar="CHORDS",
    ),
]
Kind = Annotated[
    Literal["recorded", "synthesised", "rendered"] | None,
    typer.Option(
        help="The sound is recorded, synthesised or rendered [default: recorded].", metavar="KIND"
    ),
]
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
Device = Annotated[
    str, typer.Option(help="cpu, cuda or mps; auto is the best of them that is there.")
]
Strength = Annotated[
    float, typer.Option(help="How far from the source: 0 is the source, 1 ignores it.")
]


@dataclass(frozen=True)
class _Seeded:
    """Options whose defaults `generate` leaves open for `--from`."""

    seed: Seed = 0
    negative: Negative = ""


@dataclass(frozen=True)
class Wishes:
    """Generation options that every painting command shares."""

    bpm: Bpm = None
    key: Key = None
    energy: Energy = None
    chords: Chords = None
    kind: Kind = None
    steps: Steps = None
    guidance: Guidance = None
    guidance_interval: GuidanceInterval = None
    sampler: Sampler = None

    def settings(self) -> dict[str, Any]:
        """The given options, named as in `sonoriff.pipeline.settings.Sampling`.

        Raises
        ------
        ParameterError
            `--guidance-interval` is not two numbers
        """
        found = given(**{field.name: getattr(self, field.name) for field in fields(self)})
        if self.guidance_interval is not None:
            found["guidance_interval"] = pair(self.guidance_interval, "--guidance-interval")
        return {_SETTING_NAMES.get(name, name): value for name, value in found.items()}


@dataclass(frozen=True)
class SeededWishes(Wishes, _Seeded):
    """`Wishes` with a seed and a negative prompt."""


_SETTING_NAMES = {
    "negative": "negative_prompt",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
}


@dataclass(frozen=True)
class ModelOptions:
    """Options for the model, its additions, and its device."""

    model: Model = None
    lora: Loras = None
    style: Styles = None
    reuse: Reuse = None
    prediction: Prediction = None
    device: Device = "auto"

    def load(self) -> LoadedModel:
        """Load the model."""
        from sonoriff.models.lora import parse_lora
        from sonoriff.models.registry import load_model

        styles = []
        if self.style:  # which only Stable Diffusion has, and so PyTorch is there
            from sonoriff.models.stable_diffusion.styles import parse_style

            styles = [parse_style(text) for text in self.style]
        return load_model(
            self.model,
            device=self.device,
            loras=[parse_lora(text) for text in self.lora or []],
            styles=styles,
            reuse=self.reuse or 1,
            prediction=self.prediction,
        )


@dataclass(frozen=True)
class SoundOptions:
    """Options for the sound file."""

    rate: options.Rate = None
    bits: options.Bits = None

    def check(self, output: Path) -> None:
        """Raise ParameterError before the long work if the file cannot have them."""
        from sonoriff.pipeline.sound_file import check_bits

        if output.suffix.lower() != ".png":
            check_bits(output.suffix, self.bits, self.sample_rate)

    @property
    def sample_rate(self) -> int | None:
        """The given rate in Hz."""
        return None if self.rate is None else int(self.rate)


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Expand the parameters of a command that are dataclasses of options.

    Typer sees one option per field, in the place of the parameter; the command receives an
    instance of the dataclass.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    options: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        options += (
            _options_of(groups[name])
            if name in groups
            else [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])]
        )

    @functools.wraps(command)
    def expanded(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{f.name: values.pop(f.name) for f in fields(group)})
        command(**values)

    expanded.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    expanded.__annotations__ = {option.name: option.annotation for option in options}
    return expanded


def _options_of(group: Any) -> list[inspect.Parameter]:
    """Fields of a dataclass as keyword parameters."""
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]


def check_output(output: Path, *sources: Path, sound: SoundOptions | None = None) -> None:
    """Raise ParameterError before the long work if the output cannot be written.

    Neither the output nor the picture beside it may overwrite a source.
    """
    if output.suffix.lower() not in (*_SOUNDS, ".png"):
        raise ParameterError(
            f"cannot write {output.name}: it must end in {' '.join(_SOUNDS)} or .png"
        )
    if not output.parent.is_dir():
        raise ParameterError(f"the folder {output.parent} does not exist: make it first")
    if sound is not None:
        sound.check(output)
    written = [path.resolve() for path in (output, output.with_suffix(".png"))]
    for source in sources:
        if source.resolve() in written:
            raise ParameterError(f"{source} would be overwritten: name another file with -o")


def numbered(output: Path, number: int | str) -> Path:
    """Insert a number before the suffix of `output`."""
    return output.with_name(f"{output.stem}-{number}{output.suffix}")


def save(clip: Clip, output: Path, sound: SoundOptions) -> str:
    """Write the sound and its picture, or the picture alone; returns a line about it."""
    clip.save(output, sample_rate=sound.sample_rate, bits=sound.bits)
    length = f"{clip.sonogram.duration_s:.2f} s"
    if output.suffix.lower() == ".png":
        return f"{output}: {length}"
    picture = output.with_suffix(".png")
    clip.save(picture)
    return f"{output} and {picture.name}: {length}"


def pair(text: str, what: str) -> tuple[float, float]:
    """Parse two numbers, ``A:B``."""
    parts = text.split(":")
    try:
        first, second = (float(part) for part in parts)
    except ValueError:
        raise ParameterError(f"{what} is two numbers, A:B, got {text!r}") from None
    return first, second


def given(**options: Any) -> dict[str, Any]:
    """The options that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def progress() -> AbstractContextManager[OnProgress]:
    """Context with a progress callback ``(step, steps)``."""
    return shown("painting")
