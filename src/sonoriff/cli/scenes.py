"""Options that `play --live` and `stream` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sonoriff.cli import painting

if TYPE_CHECKING:
    from sonoriff.models.protocol import Model as LoadedModel
    from sonoriff.stream.scene import Scene

Mode = Annotated[
    Literal["flow", "riff"],
    typer.Option(help="flow goes on and on; riff plays variations on one riff of whole bars."),
]
Seed = Annotated[int, typer.Option(help="Of the noise; another seed, another course.", min=0)]
Negative = Annotated[str, typer.Option(help="What not to hear.", metavar="PROMPT")]
Bpm = Annotated[float | None, typer.Option(help="Tempo, beats a minute.")]
Key = Annotated[str | None, typer.Option(help="Key, for example 'D minor'.")]
Steps = Annotated[int, typer.Option(help="Denoising steps; fewer are faster.", min=1)]
Model = Annotated[str | None, typer.Option(help="Model folder [default: the bundled model].")]


@dataclass(frozen=True)
class SceneOptions:
    """Options of a scene except its prompt."""

    mode: Mode = "flow"
    seed: Seed = 0
    negative: Negative = ""
    bpm: Bpm = None
    key: Key = None
    energy: painting.Energy = None
    chords: painting.Chords = None
    steps: Steps = 8

    def scene(self, prompt: str) -> Scene:
        """The scene; raises ParameterError if an option is out of range."""
        from sonoriff.stream.scene import Scene, WeightedPrompt

        return Scene(
            mode=self.mode,
            prompts=(WeightedPrompt(prompt),),
            negative_prompt=self.negative,
            seed=self.seed,
            bpm=self.bpm,
            key=self.key,
            energy=self.energy,
            chords=self.chords,
            num_inference_steps=self.steps,
        )


@dataclass(frozen=True)
class StreamModelOptions:
    """Options for the model of an endless riff."""

    model: Model = None
    prediction: painting.Prediction = None
    device: painting.Device = "auto"

    def load(self) -> LoadedModel:
        """Load the model."""
        from sonoriff.models.registry import load_model

        return load_model(self.model, device=self.device, prediction=self.prediction)
