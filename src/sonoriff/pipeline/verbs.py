"""The table of verbs: settings, function and sources of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.extend import ExtendSettings, extend
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.inpaint import InpaintSettings, inpaint
from sonoriff.pipeline.loop import LoopSettings, loop
from sonoriff.pipeline.morph import Morph, MorphSettings, morph
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.pipeline.settings import OnProgress
from sonoriff.pipeline.source import Source


@dataclass(frozen=True)
class Verb:
    """A verb.

    Attributes
    ----------
    name : as pictures, the command line and the wire call it
    settings_class : everything that decides its result, besides model and sources
    make : the function, called as ``make(model, settings)``, ``make(model, source, settings)`` or
        ``make(model, settings, sources)``
    sources : how many sounds it starts from
    """

    name: str
    settings_class: type[Any]
    make: Callable[..., Any]
    sources: Literal["none", "one", "any"] = "none"

    def run(
        self,
        model: Model,
        settings: Any,
        sources: Sequence[Source] = (),
        *,
        on_progress: OnProgress | None = None,
    ) -> Clip | Morph:
        """Run the verb; a `Morph` for "morph", otherwise a `Clip`.

        Raises
        ------
        ParameterError
            sources of another number than it takes
        """
        wanted = {"none": 0, "one": 1, "any": len(sources)}[self.sources]
        if len(sources) != wanted:
            raise ParameterError(f"{self.name} needs {wanted} sources, got {len(sources)}")
        made: Clip | Morph
        if self.sources == "none":
            made = self.make(model, settings, on_progress=on_progress)
        elif self.sources == "one":
            made = self.make(model, sources[0], settings, on_progress=on_progress)
        else:
            made = self.make(model, settings, sources, on_progress=on_progress)
        return made


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("generate", GenerateSettings, generate),
        Verb("loop", LoopSettings, loop),
        Verb("remix", RemixSettings, remix, "one"),
        Verb("inpaint", InpaintSettings, inpaint, "one"),
        Verb("extend", ExtendSettings, extend, "one"),
        Verb("morph", MorphSettings, morph, "any"),
    )
}
