"""A streaming decoder as plain numbers and arrays, to be taken up again elsewhere.

Each part of the decoder is named once, in `_visit`; the writer and the reader walk the same list,
so that nothing is written that is not read back.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sonoriff.errors import FormatError
from sonoriff.sonogram.overlap import Analysis, FrameQueue, Synthesis
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.stereo import PLANES, Upmix
from sonoriff.sonogram.streaming import Quality, StreamingDecoder

Arrays = dict[str, npt.NDArray[np.float32]]
Shape = tuple[int | None, ...]
_MOST = 2**53


def decoder_snapshot(decoder: StreamingDecoder) -> tuple[dict[str, Any], Arrays]:
    """Facts for JSON and float32 arrays."""
    built = decoder._last is not None
    writer = _Writer({"planes": decoder.n_planes, "built": built}, {})
    if decoder.n_planes:
        _visit(decoder, writer, _decoded(decoder.n_planes))
    return writer.facts, writer.arrays


def decoder_from_snapshot(
    params: SonogramParams, facts: dict[str, Any], arrays: Arrays, *, quality: Quality = "fast"
) -> StreamingDecoder:
    """Inverse of `decoder_snapshot`: the same samples follow, to the last bit.

    Parameters
    ----------
    quality : as of the decoder that was laid down

    Raises
    ------
    FormatError
        a part is missing, or of another type or shape than this format's
    """
    decoder = StreamingDecoder(params, quality=quality)
    planes, built = facts.get("planes"), facts.get("built")
    known = (0, 1, 2, PLANES) if params.scale == "log" else (0, 1, 2)
    if planes not in known or not isinstance(built, bool) or (built and not planes):
        raise FormatError(f"a decoder has {known[0]} to {known[-1]} planes, got {planes!r:.40}")
    if planes:
        if planes == PLANES:
            decoder._upmix = Upmix(params)
        if built:
            decoder._build(_decoded(planes))
        _visit(decoder, _Reader(facts, arrays), _decoded(planes))
    return decoder


def _decoded(planes: int) -> int:
    """Of how many planes the phase is sought: of the middle alone where there is one."""
    return 1 if planes == PLANES else planes


class _Slots(Protocol):
    """What is done with each part: written, or read."""

    def number(self, owner: Any, field: str, name: str) -> None: ...
    def array(self, owner: Any, field: str, name: str, shape: Shape) -> None: ...
    def queue(self, queue: FrameQueue, name: str, shape: Shape) -> None: ...
    def random(self, owner: Any, field: str, name: str) -> None: ...


def _visit(decoder: StreamingDecoder, slots: _Slots, channels: int) -> None:
    bands, bins = decoder.params.n_mels, decoder._coarse.n_bins
    for field in ("_n_columns", "_n_samples", "_flushed"):
        slots.number(decoder, field, field[1:])
    slots.array(decoder, "_waiting", "waiting", (channels, None, bands))
    start = decoder._start
    slots.random(start, "_random", "random")
    slots.array(start, "_mel", "start.mel", (channels, None, bands))
    slots.array(start, "_magnitude", "start.magnitude", (channels, None, bins))
    slots.array(start, "_phase", "start.phase", (bins,))
    if start._synthesis is not None:
        _visit_synthesis(start._synthesis, slots, "start.synthesis")
    for i, refiner in enumerate(decoder._refiners):
        _visit_synthesis(refiner._synthesis, slots, f"{i}.synthesis")
        _visit_analysis(refiner._analysis, slots, f"{i}.analysis", channels)
        slots.queue(refiner._mel, f"{i}.mel", (channels, None, bands))
        slots.queue(refiner._earlier, f"{i}.earlier", (channels, None))
    if decoder._upmix is not None:
        upmix = decoder._upmix
        slots.number(upmix, "_skip", "upmix.skip")
        slots.array(upmix, "_mid", "upmix.mid", (1, None))
        slots.array(upmix, "_levels", "upmix.levels", (PLANES, None, bands))
        _visit_synthesis(upmix._synthesis, slots, "upmix.synthesis")
        _visit_analysis(upmix._analysis, slots, "upmix.analysis", 1)
    if decoder._last is not None:
        upsampling = decoder._last._upsampling
        slots.number(decoder._last, "_skip", "last.skip")
        slots.number(upsampling, "_skip", "last.upsampling.skip")
        slots.array(upsampling, "_waiting", "last.upsampling.waiting", (channels, None))
        slots.array(
            upsampling, "_carry", "last.upsampling.carry", (channels, upsampling._carry.shape[1])
        )


def _visit_synthesis(synthesis: Synthesis, slots: _Slots, name: str) -> None:
    slots.number(synthesis, "_n_frames", f"{name}.n_frames")
    slots.array(synthesis, "_carry", f"{name}.carry", synthesis._carry.shape)


def _visit_analysis(analysis: Analysis, slots: _Slots, name: str, channels: int) -> None:
    slots.number(analysis, "_position", f"{name}.position")
    slots.number(analysis, "_started", f"{name}.started")
    slots.array(analysis, "_waiting", f"{name}.waiting", (channels, None))


class _Writer:
    def __init__(self, facts: dict[str, Any], arrays: Arrays) -> None:
        self.facts, self.arrays = facts, arrays

    def number(self, owner: Any, field: str, name: str) -> None:
        self.facts[name] = getattr(owner, field)

    def array(self, owner: Any, field: str, name: str, shape: Shape) -> None:  # noqa: ARG002
        value = getattr(owner, field)
        if value is not None:
            self.arrays[name] = np.ascontiguousarray(value)

    def queue(self, queue: FrameQueue, name: str, shape: Shape, *, paired: bool = False) -> None:  # noqa: ARG002
        if queue._parts:
            whole = np.concatenate(queue._parts, axis=1)
            self.arrays[name] = whole.view(np.float32) if paired else whole

    def random(self, owner: Any, field: str, name: str) -> None:
        self.facts[name] = getattr(owner, field).bit_generator.state


class _Reader:
    def __init__(self, facts: dict[str, Any], arrays: Arrays) -> None:
        self._facts, self._arrays = facts, arrays

    def number(self, owner: Any, field: str, name: str) -> None:
        value, kind = self._facts.get(name), type(getattr(owner, field))
        if not isinstance(value, int) or type(value) is not kind or not 0 <= value < _MOST:
            raise FormatError(f"{name} of a decoder must be a {kind.__name__}, got {value!r:.40}")
        setattr(owner, field, value)

    def array(self, owner: Any, field: str, name: str, shape: Shape) -> None:
        setattr(owner, field, self._read(name, shape))

    def queue(self, queue: FrameQueue, name: str, shape: Shape) -> None:
        whole = self._read(name, shape)
        if whole is not None:
            queue.append(whole)

    def random(self, owner: Any, field: str, name: str) -> None:
        generator = np.random.default_rng()
        try:
            generator.bit_generator.state = self._facts[name]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FormatError(f"{name} of a decoder is no state of a generator") from error
        setattr(owner, field, generator)

    def _read(self, name: str, shape: Shape) -> npt.NDArray[np.float32] | None:
        value = self._arrays.get(name)
        if value is None:
            return None
        fits = value.ndim == len(shape) and all(
            wanted in (None, found) for wanted, found in zip(shape, value.shape, strict=True)
        )
        if value.dtype != np.float32 or not fits or not np.isfinite(value).all():
            raise FormatError(
                f"{name} of a decoder must be finite float32 {shape}, got {value.dtype} "
                f"{value.shape}"
            )
        return np.array(value)
