"""Eight columns side by side: the vector arithmetic of the inner loops.

A buffer holds rows of eight float32, one for each of eight columns; a row of complex numbers is a
row of real parts and one of imaginary parts. What a row needs is written here as plain formulas
over `Rows` and `ComplexRows` and becomes straight vector code: Numba by itself compiles such loops
into code for single numbers, and takes minutes over it.
"""

# ruff: noqa: ARG001 - Numba reads the arguments of an intrinsic by name and passes types.

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.core.datamodel.models import PrimitiveModel
from numba.extending import intrinsic as numba_intrinsic
from numba.extending import register_model

LANES = 8
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_FLAGS = ("fast",)


def intrinsic(work: Any) -> Any:
    """Numba's own, untyped: compiled code calls it with one argument less than it is written."""
    return numba_intrinsic(work)


class Rows:
    """A row of eight numbers while code is made: `+`, `-` and `*` append instructions."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def _as_value(self, other: Rows | float) -> Any:
        return other.value if isinstance(other, Rows) else ir.Constant(_VECTOR, [other] * LANES)

    def __add__(self, other: Rows) -> Rows:
        return Rows(self.builder, self.builder.fadd(self.value, other.value, flags=_FLAGS))

    def __sub__(self, other: Rows) -> Rows:
        return Rows(self.builder, self.builder.fsub(self.value, other.value, flags=_FLAGS))

    def __mul__(self, other: Rows | float) -> Rows:
        factor = self._as_value(other)
        return Rows(self.builder, self.builder.fmul(self.value, factor, flags=_FLAGS))

    def root(self) -> Rows:
        """Square root."""
        signature = ir.FunctionType(_VECTOR, [_VECTOR])
        name, module = f"llvm.sqrt.v{LANES}f32", self.builder.module
        function = module.globals.get(name) or ir.Function(module, signature, name)
        return Rows(self.builder, self.builder.call(function, [self.value], fastmath=_FLAGS))


class ComplexRows:
    """Eight complex numbers while code is made."""

    def __init__(self, real: Rows, imag: Rows) -> None:
        self.real, self.imag = real, imag

    def __add__(self, other: ComplexRows) -> ComplexRows:
        return ComplexRows(self.real + other.real, self.imag + other.imag)

    def __sub__(self, other: ComplexRows) -> ComplexRows:
        return ComplexRows(self.real - other.real, self.imag - other.imag)

    def __mul__(self, other: Rows | float) -> ComplexRows:
        return ComplexRows(self.real * other, self.imag * other)

    def turned(self, by: ComplexRows) -> ComplexRows:
        """The complex product."""
        return ComplexRows(
            self.real * by.real - self.imag * by.imag, self.real * by.imag + self.imag * by.real
        )

    def times_i(self) -> ComplexRows:
        """A quarter turn."""
        return ComplexRows(self.imag * -1.0, self.real)

    def conjugate(self) -> ComplexRows:
        """The mirror image."""
        return ComplexRows(self.real, self.imag * -1.0)


def dft(points: Sequence[Any]) -> list[Any]:
    """Fourier transform of 2 to 6 points; anything that adds, scales and has `times_i`."""
    if len(points) == 2:
        return [points[0] + points[1], points[0] - points[1]]
    if len(points) == 3:
        first, second, third = points
        both = second + third
        apart = (third - second).times_i() * math.sqrt(0.75)
        middle = first - both * 0.5
        return [first + both, middle + apart, middle - apart]
    if len(points) == 4:
        even, odd = dft(points[0::2]), dft(points[1::2])
        turned = odd[1].times_i()
        return [even[0] + odd[0], even[1] - turned, even[0] - odd[0], even[1] + turned]
    if len(points) == 5:
        return _dft5(points)
    # 6 = 2 x 3, whose parts have no common factor: no turning in between.
    even, odd = dft([points[i] for i in (0, 2, 4)]), dft([points[i] for i in (3, 5, 1)])
    return [even[k % 3] + odd[k % 3] if k % 2 == 0 else even[k % 3] - odd[k % 3] for k in range(6)]


def _dft5(points: Sequence[Any]) -> list[Any]:
    first = points[0]
    outer, inner = points[1] + points[4], points[2] + points[3]
    outer_turned = (points[4] - points[1]).times_i()
    inner_turned = (points[3] - points[2]).times_i()
    cos1, cos2 = math.cos(0.4 * math.pi), math.cos(0.8 * math.pi)
    sin1, sin2 = math.sin(0.4 * math.pi), math.sin(0.8 * math.pi)
    near, far = first + outer * cos1 + inner * cos2, first + outer * cos2 + inner * cos1
    near_turned = outer_turned * sin1 + inner_turned * sin2
    far_turned = outer_turned * sin2 - inner_turned * sin1
    return [
        first + outer + inner,
        near + near_turned,
        far + far_turned,
        far - far_turned,
        near - near_turned,
    ]


class _Buffer:
    """A flat float32 array as rows, while code is made."""

    def __init__(self, context: Any, builder: Any, array_type: Any, array: Any) -> None:
        self._builder = builder
        self._data = context.make_array(array_type)(context, builder, array).data

    def _pointer(self, place: Any) -> Any:
        where = self._builder.gep(self._data, [place])
        return self._builder.bitcast(where, _VECTOR.as_pointer())

    def _times(self, place: Any, factor: int) -> Any:
        return self._builder.mul(place, ir.Constant(place.type, factor))

    def _next(self, place: Any) -> Any:
        return self._builder.add(place, ir.Constant(place.type, LANES))

    def at(self, place: Any) -> Rows:
        """Eight numbers from element `place`."""
        return Rows(self._builder, self._builder.load(self._pointer(place), align=4))

    def put(self, place: Any, rows: Rows) -> None:
        """Set eight numbers from element `place`."""
        self._builder.store(rows.value, self._pointer(place), align=4)

    def row(self, index: Any) -> Rows:
        """Row `index` of a buffer of real rows."""
        return self.at(self._times(index, LANES))

    def put_row(self, index: Any, rows: Rows) -> None:
        """Set row `index` of a buffer of real rows."""
        self.put(self._times(index, LANES), rows)

    def complex_row(self, index: Any) -> ComplexRows:
        """Row `index` of a buffer of complex rows."""
        place = self._times(index, 2 * LANES)
        return ComplexRows(self.at(place), self.at(self._next(place)))

    def put_complex_row(self, index: Any, rows: ComplexRows) -> None:
        """Set row `index` of a buffer of complex rows."""
        place = self._times(index, 2 * LANES)
        self.put(place, rows.real)
        self.put(self._next(place), rows.imag)

    def scalar(self, place: Any) -> Rows:
        """One number, eight times."""
        return splat(self._builder, self._builder.load(self._builder.gep(self._data, [place])))

    def complex_scalar(self, index: Any) -> ComplexRows:
        """One complex number of an array of pairs, eight times."""
        place = self._times(index, 2)
        after = self._builder.add(place, ir.Constant(place.type, 1))
        return ComplexRows(self.scalar(place), self.scalar(after))


def splat(builder: Any, number: Any) -> Rows:
    """One number, eight times."""
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    one = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    places = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return Rows(builder, builder.shuffle_vector(one, nothing, places))


class LanesType(types.Type):
    """Eight float32 in a vector register, as a local variable of compiled code."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes_type = LanesType()


@register_model(LanesType)
class _LanesModel(PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _VECTOR)  # type: ignore[no-untyped-call]


def _compiled(work: Callable[..., Any], result: Any, signature: Any) -> Any:
    """Numba's pair of signature and code for `work(builder, *arguments)`.

    Arrays reach `work` as `_Buffer`, vectors as `Rows`, float32 as `Rows`, whole numbers as they
    are.
    """

    def code(context: Any, builder: Any, called: Any, values: Any) -> Any:
        arguments: list[Any] = []
        for kind, value in zip(called.args, values, strict=True):
            if isinstance(kind, types.Array):
                arguments.append(_Buffer(context, builder, kind, value))
            elif kind is lanes_type:
                arguments.append(Rows(builder, value))
            elif kind is types.float32:
                arguments.append(splat(builder, value))
            else:
                arguments.append(value)
        made = work(builder, *arguments)
        return made.value if isinstance(made, Rows) else context.get_dummy_value()

    return result(*signature), code


@intrinsic
def load(_typing: Any, array: Any, place: Any) -> Any:
    """Eight numbers of a flat array from element `place`."""
    return _compiled(lambda _, a, p: a.at(p), lanes_type, (array, types.intp))


@intrinsic
def store(_typing: Any, array: Any, place: Any, lanes: Any) -> Any:
    """Set eight numbers of a flat array from element `place`."""
    return _compiled(lambda _, a, p, v: a.put(p, v), types.void, (array, types.intp, lanes_type))


@intrinsic
def times(_typing: Any, lanes: Any, factor: Any) -> Any:
    """Product with a number, or lane by lane."""
    kind = lanes_type if factor is lanes_type else types.float32
    return _compiled(lambda _, a, b: a * b, lanes_type, (lanes_type, kind))


@intrinsic
def plus_times(_typing: Any, total: Any, lanes: Any, factor: Any) -> Any:
    """``total + lanes * factor`` with a number or lane by lane."""
    kind = lanes_type if factor is lanes_type else types.float32
    signature = (lanes_type, lanes_type, kind)
    return _compiled(lambda _, t, a, b: t + a * b, lanes_type, signature)


@intrinsic
def nothing(_typing: Any) -> Any:
    """Eight zeros."""
    zeros = ir.Constant(_VECTOR, [0.0] * LANES)
    return _compiled(lambda builder: Rows(builder, zeros), lanes_type, ())


@intrinsic
def bounded_ratio(_typing: Any, target: Any, have: Any, most: Any) -> Any:
    """``target / have``, at most `most` and 0 for 0 / 0."""

    def work(builder: Any, target: Rows, have: Rows, most: Rows) -> Rows:
        limit = Rows(builder, builder.fdiv(target.value, most.value, flags=_FLAGS))
        tiny = Rows(builder, ir.Constant(_VECTOR, [1e-30] * LANES))
        least = _larger(limit, tiny)
        return Rows(builder, builder.fdiv(target.value, _larger(have, least).value, flags=_FLAGS))

    return _compiled(work, lanes_type, (lanes_type, lanes_type, types.float32))


def _larger(a: Rows, b: Rows) -> Rows:
    above = a.builder.fcmp_ordered(">", a.value, b.value, flags=_FLAGS)
    return Rows(a.builder, a.builder.select(above, a.value, b.value))


def _butterfly(radix: int) -> Any:
    def work(
        builder: Any,
        source: _Buffer,
        target: _Buffer,
        turns: _Buffer,
        place: Any,
        stride: Any,
        out: Any,
        apart: Any,
        turn: Any,
    ) -> None:
        def moved(start: Any, step: Any, count: int) -> Any:
            return builder.add(start, builder.mul(step, ir.Constant(step.type, count)))

        points = [source.complex_row(moved(place, stride, j)) for j in range(radix)]
        for k, value in enumerate(dft(points)):
            if k:
                one = ir.Constant(turn.type, k - 1)
                value = value.turned(turns.complex_scalar(builder.add(turn, one)))
            target.put_complex_row(moved(out, apart, k), value)

    @intrinsic
    def butterfly(
        _typing: Any,
        source: Any,
        target: Any,
        turns: Any,
        place: Any,
        stride: Any,
        out: Any,
        apart: Any,
        turn: Any,
    ) -> Any:
        return _compiled(work, types.void, (source, target, turns, *[types.intp] * 5))

    return butterfly


butterfly2, butterfly3, butterfly4, butterfly5, butterfly6 = (_butterfly(r) for r in range(2, 7))


@intrinsic
def split_pair(
    _typing: Any, rows: Any, magnitude: Any, turns: Any, here: Any, twin: Any, mirror: Any
) -> Any:
    """Bins `here` and `mirror` of a real transform from the half-length complex one, in place.

    Reads rows `here` and `twin`, writes rows `here` and `mirror`, and their absolute values.
    """

    def work(
        _builder: Any,
        rows: _Buffer,
        magnitude: _Buffer,
        turns: _Buffer,
        here: Any,
        twin: Any,
        mirror: Any,
    ) -> None:
        first, second = rows.complex_row(here), rows.complex_row(twin).conjugate()
        even = (first + second) * 0.5
        # The turn also holds the -i / 2 of the odd part.
        odd = (first - second).turned(turns.complex_scalar(here))
        for place, value in ((here, even + odd), (mirror, (even - odd).conjugate())):
            rows.put_complex_row(place, value)
            power = value.real * value.real + value.imag * value.imag
            magnitude.put_row(place, power.root())

    signature = (rows, magnitude, turns, *[types.intp] * 3)
    return _compiled(work, types.void, signature)


@intrinsic
def join_pair(_typing: Any, rows: Any, gain: Any, turns: Any, here: Any, mirror: Any) -> Any:
    """The inverse of `split_pair`, each bin times its gain; real and imaginary parts swapped."""

    def work(
        _builder: Any, rows: _Buffer, gain: _Buffer, turns: _Buffer, here: Any, mirror: Any
    ) -> None:
        first = rows.complex_row(here) * gain.row(here)
        second = rows.complex_row(mirror).conjugate() * gain.row(mirror)
        even = first + second
        # The turn is the one of `split_pair`: -i / 2 of the odd part and its angle.
        odd = (first - second).turned(turns.complex_scalar(here).conjugate()) * 2.0
        for place, value in ((here, even + odd), (mirror, (even - odd).conjugate())):
            rows.put_complex_row(place, ComplexRows(value.imag, value.real))

    return _compiled(work, types.void, (rows, gain, turns, *[types.intp] * 2))
