"""FluidSynth as a function from a score to a waveform; each sound font is loaded once."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.errors import SetupError
from sonoriff_composer.score import DRUM_CHANNEL, Score
from sonoriff_composer.stage import Seat

SAMPLE_RATE = 44_100
_WARNINGS = 2
# Name, file, Debian package, gain that brings the fonts to about one level.
SOUND_FONTS = (
    ("fluid", "/usr/share/sounds/sf2/FluidR3_GM.sf2", "fluid-soundfont-gm"),
    (
        "musescore",
        "/usr/share/sounds/sf3/MuseScore_General_Full.sf3",
        "musescore-general-soundfont",
    ),
    ("timgm", "/usr/share/sounds/sf2/TimGM6mb.sf2", "timgm6mb-soundfont"),
)


@dataclass(frozen=True)
class Room:
    """Reverberation: room size 0-1, damping 0-1, level 0-1."""

    size: float = 0.4
    damping: float = 0.3
    level: float = 0.3


class _Library:
    """The few calls of libfluidsynth that pyfluidsynth does not offer."""

    def __init__(self, library: Any) -> None:
        pointer, whole = ctypes.c_void_p, ctypes.c_int
        calls = {
            "fluid_synth_write_float": (
                whole,
                [pointer, whole, pointer, whole, whole, pointer, whole, whole],
            ),
            "fluid_synth_get_sfont_by_id": (pointer, [pointer, whole]),
            "fluid_synth_add_sfont": (whole, [pointer, pointer]),
            "fluid_synth_remove_sfont": (whole, [pointer, pointer]),
            "fluid_set_log_function": (pointer, [whole, pointer, pointer]),
        }
        for name, (result, arguments) in calls.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name.removeprefix("fluid_").removeprefix("synth_"), function)

    write_float: Any
    get_sfont_by_id: Any
    add_sfont: Any
    remove_sfont: Any
    set_log_function: Any


class Synthesiser:
    """FluidSynth with the sound fonts that have been asked for, each loaded once.

    Every score is played by a fresh synthesiser that borrows the loaded font, so that the same
    score always gives the same samples: reverberation and voices keep state that no reset clears.

    Raises
    ------
    SetupError
        FluidSynth, its Python binding or a sound font is not installed
    """

    def __init__(self) -> None:
        try:
            import fluidsynth
        except (ImportError, OSError, TypeError, AttributeError) as error:
            raise SetupError(
                "rendering needs FluidSynth: install Debian's libfluidsynth3 and the Python"
                f" package pyfluidsynth (pip install pyfluidsynth); {error}"
            ) from error
        self._module = fluidsynth
        self._calls = _Library(fluidsynth._fl)
        # Taking a font back makes FluidSynth warn of every channel that has lost its program.
        self._calls.set_log_function(_WARNINGS, None, None)
        self._holder = self._new()
        self._fonts: dict[str, Any] = {}

    def _new(self) -> Any:
        """A synthesiser without a font."""
        return self._module.Synth(gain=0.35, samplerate=float(SAMPLE_RATE), channels=16)

    def _font(self, name: str) -> Any:
        """A loaded sound font, loading it first if need be."""
        if name not in self._fonts:
            path, package = next((path, package) for n, path, package in SOUND_FONTS if n == name)
            if not Path(path).exists():
                raise SetupError(f"sound font {path} is missing: install Debian's {package}")
            number = self._holder.sfload(path)
            self._fonts[name] = self._calls.get_sfont_by_id(self._holder.synth, number)
        return self._fonts[name]

    def render(
        self,
        score: Score,
        duration_s: float,
        *,
        font: str = "fluid",
        room: Room | None = None,
        stage: Sequence[Seat] = (),
    ) -> npt.NDArray[np.float32]:
        """The first `duration_s` seconds of a score.

        Parameters
        ----------
        stage : a place for each part; in the middle where there is none

        Returns
        -------
        float32 (2, T), not normalised
        """
        loaded = self._font(font)
        synth = self._new()
        number = self._calls.add_sfont(synth.synth, loaded)
        try:
            channels = _prepare(synth, number, score, room or Room(), stage)
            return self._played(synth, _events(score, channels), duration_s)
        finally:
            self._calls.remove_sfont(synth.synth, loaded)
            synth.delete()

    def _played(
        self, synth: Any, events: list[tuple[float, int, int, int, int]], duration_s: float
    ) -> npt.NDArray[np.float32]:
        """The sound of events on a prepared synthesiser."""
        total = round(duration_s * SAMPLE_RATE)
        sides = np.zeros((2, total), np.float32)
        left, right = sides
        position = 0
        for when, on, channel, pitch, velocity in events:
            target = min(round(when * SAMPLE_RATE), total)
            position = self._advance(synth, left, right, position, target)
            if position >= total:
                break
            if on:
                synth.noteon(channel, pitch, velocity)
            else:
                synth.noteoff(channel, pitch)
        self._advance(synth, left, right, position, total)
        return sides

    def _advance(
        self,
        synth: Any,
        left: npt.NDArray[np.float32],
        right: npt.NDArray[np.float32],
        start: int,
        stop: int,
    ) -> int:
        """Play from sample `start` to `stop`; the place reached."""
        if stop > start:
            sides = (left.ctypes.data, start, 1, right.ctypes.data, start, 1)
            self._calls.write_float(synth.synth, stop - start, *sides)
            return stop
        return start


def _prepare(
    synth: Any, font: int, score: Score, room: Room, stage: Sequence[Seat]
) -> dict[int, int]:
    """Choose programs, levels and the room; the channel of each part."""
    synth.set_reverb(room.size, room.damping, 0.8, room.level)
    channels: dict[int, int] = {}
    free = [c for c in range(16) if c != DRUM_CHANNEL]
    for index, part in enumerate(score.parts):
        channel = DRUM_CHANNEL
        if not part.is_drums:
            channel = free.pop(0) if len(free) > 1 else free[0]
        channels[index] = channel
        synth.program_select(channel, font, 128 if part.is_drums else 0, part.program)
        pan = round(64 + 63 * stage[index].pan) if stage else 64
        for control, value in ((7, part.volume), (10, pan), (91, part.reverb), (93, 0)):
            synth.cc(channel, control, value)
    return channels


def _events(score: Score, channels: dict[int, int]) -> list[tuple[float, int, int, int, int]]:
    """(second, 1 on or 0 off, channel, pitch, velocity) in order of time, offs first."""
    beat = score.beat_s
    events = []
    for index, part in enumerate(score.parts):
        channel = channels[index]
        for note in part.notes:
            pitch, velocity = note.pitch, max(1, min(127, note.velocity))
            if not 0 <= pitch <= 127:
                continue
            start = max(note.start, 0.0) * beat
            length = max(note.length * beat, 0.03)
            if part.is_drums:
                length = max(length, 0.3)
            events.append((start, 1, channel, pitch, velocity))
            events.append((start + length, 0, channel, pitch, 0))
    events.sort()
    return events
