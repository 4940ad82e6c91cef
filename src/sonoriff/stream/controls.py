"""Steer an endless riff from outside: named controls, whatever sends them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sonoriff.errors import ParameterError
from sonoriff.stream.scene import Scene, WeightedPrompt

# Where a knob's two ends are.
KNOBS: dict[str, tuple[float, float]] = {
    "bpm": (50.0, 200.0),
    "energy": (1.0, 5.0),
    "blend": (0.0, 1.0),
    "strength": (0.05, 1.0),
    "walk": (0.0, 1.0),
    "morph_bars": (0.0, 16.0),
    "volume": (0.0, 1.0),
}
_NUMBERS = ("strength", "walk", "alpha", "morph_bars")
_TEXTS = {"negative": "negative_prompt", "mode": "mode"}
_OSC = "/sonoriff/"


class Steering:
    """The scene as controls have set it; may be changed and read by several threads.

    Attributes
    ----------
    volume : 0 to 1
    """

    def __init__(self, scene: Scene) -> None:
        self._scene, self._lock = scene, threading.Lock()
        self.volume = 1.0

    @property
    def scene(self) -> Scene:
        """The present scene."""
        return self._scene

    def set(self, name: str, *values: Any) -> None:
        """Set a control.

        Parameters
        ----------
        name : prompt (text), blend (text and weight, again and again; or one number, the share
            of the second of two), negative, mode, bpm and energy (0 leaves them to the prompt),
            key and chords ("" does), seed, strength, walk, alpha, morph_bars, volume

        Raises
        ------
        ParameterError
            no such control, or values that it does not take
        """
        with self._lock:
            if name == "volume":
                self.volume = min(1.0, max(0.0, _number(name, values)))
            else:
                self._scene = _changed(self._scene, name, values)


@dataclass(frozen=True)
class MidiMap:
    """What the knobs and pads of a controller do, each by channel and number: "0/21".

    Attributes
    ----------
    knobs : names of `KNOBS`
    pads : prompts
    """

    knobs: Mapping[str, str]
    pads: Mapping[str, str]

    def __post_init__(self) -> None:
        for name in self.knobs.values():
            if name not in KNOBS:
                raise ParameterError(f"a knob moves {', '.join(KNOBS)}, not {name!r}")

    def control_of(self, message: Any) -> tuple[str, Any] | None:
        """Name and value of the control that a `mido.Message` sets; None where it sets none."""
        if message.type == "control_change":
            name = self.knobs.get(f"{message.channel}/{message.control}")
            if name is None:
                return None
            low, high = KNOBS[name]
            return name, low + (high - low) * message.value / 127
        if message.type == "note_on" and message.velocity > 0:
            prompt = self.pads.get(f"{message.channel}/{message.note}")
            return None if prompt is None else ("prompt", prompt)
        return None


def handle_osc(steering: Steering, say: Callable[[str], None]) -> Callable[..., None]:
    """A handler of OSC messages: /sonoriff/prompt "church organ", /sonoriff/bpm 122.

    Parameters
    ----------
    say : told in a line of what is wrong with a message, which then changes nothing
    """

    def handle(address: str, *values: Any) -> None:
        if not address.startswith(_OSC):
            return
        try:
            steering.set(address.removeprefix(_OSC), *values)
        except ParameterError as error:
            say(f"{address}: {error}")

    return handle


def _changed(scene: Scene, name: str, values: tuple[Any, ...]) -> Scene:
    if name == "prompt":
        return replace(scene, prompts=(WeightedPrompt(_text(name, values)),))
    if name == "blend":
        return replace(scene, prompts=_blended(scene, values))
    change: dict[str, Any] = {}
    if name in _TEXTS:
        change = {_TEXTS[name]: _text(name, values)}
    elif name in ("key", "chords"):
        change = {name: _text(name, values) or None}
    elif name == "energy":
        change = {"energy": round(_number(name, values)) or None}
    elif name == "bpm":
        change = {"bpm": _number(name, values) or None}
    elif name == "seed":
        change = {"seed": int(_number(name, values))}
    elif name in _NUMBERS:
        change = {name: _number(name, values)}
    if change:
        return replace(scene, **change)
    known = "prompt, blend, key, chords, bpm, energy, seed, volume, " + ", ".join(
        (*_TEXTS, *_NUMBERS)
    )
    raise ParameterError(f"there is no control {name!r}; there are {known}")


def _blended(scene: Scene, values: tuple[Any, ...]) -> tuple[WeightedPrompt, ...]:
    if len(values) == 1:
        share = _number("blend", values)
        if len(scene.prompts) != 2 or not 0 <= share <= 1:
            raise ParameterError("one number, 0 to 1, is the share of the second of two prompts")
        pairs = list(zip((p.text for p in scene.prompts), (1 - share, share), strict=True))
        # A prompt of no weight would be gone for good: it stays, unheard.
        return tuple(WeightedPrompt(text, max(weight, 1e-3)) for text, weight in pairs)
    if len(values) % 2 or not values:
        raise ParameterError('blend takes text and weight, again and again: "a" 0.7 "b" 0.3')
    return tuple(
        WeightedPrompt(_text("blend", (text,)), _number("blend", (weight,)))
        for text, weight in zip(values[::2], values[1::2], strict=True)
    )


def _text(name: str, values: tuple[Any, ...]) -> str:
    if len(values) != 1 or not isinstance(values[0], str):
        raise ParameterError(f"{name} takes one text")
    return values[0]


def _number(name: str, values: tuple[Any, ...]) -> float:
    fits = len(values) == 1 and isinstance(values[0], int | float)
    if not fits or isinstance(values[0], bool) or not math.isfinite(values[0]):
        raise ParameterError(f"{name} takes one number")
    return float(values[0])
