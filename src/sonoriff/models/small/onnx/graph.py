"""Writing an ONNX graph, node by node, whose weights are put in when it is loaded.

Needs the package onnx, which only those need who change a network or train one of another shape:
the graphs of the bundled shape are in the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from sonoriff.models.small.onnx.stored import StoredGraph, weight_places, weights_file

OPSET = 20
_TYPES = {"float": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}
_STORED = {"": TensorProto.FLOAT, "T": TensorProto.FLOAT, "q": TensorProto.INT8}
Axes = Sequence[int | str]


class Graph:
    """A graph under construction; values are known by their names.

    A weight is named after the tensor of the checkpoint, with ``|T`` behind it where it is
    transposed, and ``|q`` and ``|s`` for whole numbers of 8 bits and what each column of them
    stands for; see `sonoriff.models.small.onnx.weights`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.stored: dict[str, onnx.TensorProto] = {}
        self.weights: dict[str, tuple[int, ...]] = {}
        self._constants: dict[tuple[Any, ...], str] = {}

    def input(self, name: str, kind: str, axes: Axes) -> str:
        """An input of the graph; named axes are free."""
        self.inputs.append(helper.make_tensor_value_info(name, _TYPES[kind], list(axes)))
        return name

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """A node with one output."""
        (output,) = self.ops(kind, 1, *inputs, domain=domain, **attributes)
        return output

    def ops(
        self, kind: str, count: int, *inputs: str, domain: str = "", **attributes: Any
    ) -> list[str]:
        """A node with several outputs."""
        outputs = [f"v{len(self.nodes)}.{i}" for i in range(count)]
        node = helper.make_node(kind, list(inputs), outputs, domain=domain, **attributes)
        self.nodes.append(node)
        return outputs

    def constant(self, value: npt.ArrayLike, kind: type = np.float32) -> str:
        """A small array, written into the graph."""
        array: npt.NDArray[Any] = np.asarray(value, kind)
        what = (array.dtype.str, array.shape, array.tobytes())
        if what not in self._constants:
            self._constants[what] = f"c{len(self._constants)}"
            self.stored[self._constants[what]] = numpy_helper.from_array(
                array, self._constants[what]
            )
        return self._constants[what]

    def weight(self, name: str, shape: Sequence[int], suffix: str = "") -> str:
        """A tensor of the checkpoint, put in when the graph is loaded."""
        stored = f"{name}|{suffix}" if suffix else name
        if stored not in self.stored:
            tensor = TensorProto(name=stored, data_type=_STORED.get(suffix, TensorProto.FLOAT))
            tensor.dims.extend(shape)
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value=weights_file(self.name))
            self.stored[stored] = tensor
            self.weights[stored] = tuple(shape)
        return stored

    def add(self, *terms: str) -> str:
        """Their sum."""
        total = terms[0]
        for term in terms[1:]:
            total = self.op("Add", total, term)
        return total

    def mul(self, a: str, b: str) -> str:
        """a b."""
        return self.op("Mul", a, b)

    def reshape(self, x: str, shape: Sequence[int]) -> str:
        """0 keeps an axis, -1 is what is left."""
        return self.op("Reshape", x, self.constant(shape, np.int64))

    def transpose(self, x: str, *axes: int) -> str:
        """Axes in another order."""
        return self.op("Transpose", x, perm=list(axes))

    def unsqueeze(self, x: str, *axes: int) -> str:
        """New axes of length one."""
        return self.op("Unsqueeze", x, self.constant(axes, np.int64))

    def split(self, x: str, count: int, axis: int) -> list[str]:
        """Equal parts."""
        return self.ops("Split", count, x, axis=axis, num_outputs=count)

    def norm(
        self, x: str, width: int, *, scale: str = "", bias: str = "", eps: float = 1e-5
    ) -> str:
        """Layer norm of the last axis."""
        given = [x, scale or self.constant(np.ones(width))]
        return self.op(
            "LayerNormalization", *given, *([bias] if bias else []), axis=-1, epsilon=eps
        )

    def silu(self, x: str) -> str:
        """x sigmoid(x)."""
        return self.mul(x, self.op("Sigmoid", x))

    def linear(
        self,
        x: str,
        name: str,
        inputs: int,
        outputs: int,
        *,
        bias: bool = True,
        whole: bool = False,
    ) -> str:
        """``nn.Linear`` over the last axis; `whole` in whole numbers of 8 bits."""
        if whole:
            # A scale for each row, not one for the whole batch: what a member of it becomes must
            # not depend on the others.
            axis = self.constant([-1], np.int64)
            flat = self.op("Reshape", x, self.constant([-1, inputs], np.int64))
            most = self.op("ReduceMax", self.op("Abs", flat), axis, keepdims=0)
            scale = self.mul(self.op("Max", most, self.constant(1e-12)), self.constant(1 / 127))
            zero = self.op("Expand", self.constant(128, np.uint8), self.op("Shape", scale))
            numbers = self.op("QuantizeLinear", flat, scale, zero, axis=0)
            weight = self.weight(f"{name}.weight", (inputs, outputs), "q")
            product = self.op("MatMulInteger", numbers, weight, self.constant(128, np.uint8))
            scales = self.weight(f"{name}.weight", (outputs,), "s")
            counted = self.op("Cast", product, to=TensorProto.FLOAT)
            result = self.mul(self.mul(counted, self.unsqueeze(scale, 1)), scales)
            shape = self.op(
                "Concat",
                self.op("Shape", x, start=0, end=2),
                self.constant([outputs], np.int64),
                axis=0,
            )
            result = self.op("Reshape", result, shape)
        else:
            result = self.op("MatMul", x, self.weight(f"{name}.weight", (inputs, outputs), "T"))
        return self.add(result, self.weight(f"{name}.bias", (outputs,))) if bias else result

    def conv(
        self,
        x: str,
        name: str,
        inputs: int,
        outputs: int,
        size: Sequence[int] = (3, 3),
        **more: Any,
    ) -> str:
        """``nn.Conv2d``; of 3 x 3 with its edges filled up, where nothing else is said."""
        more = more or {"pads": [size[0] // 2, size[1] // 2] * 2}
        weight = self.weight(f"{name}.weight", (outputs, inputs, *size))
        bias = self.weight(f"{name}.bias", (outputs,))
        return self.op("Conv", x, weight, bias, kernel_shape=list(size), **more)

    def done(self, **outputs: tuple[str, Axes]) -> StoredGraph:
        """The graph, weights left out."""
        ends = []
        for name, (value, axes) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [value], [name]))
            ends.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(axes)))
        for name, (first, n_bytes) in weight_places(self.weights).items():
            self.stored[name].external_data.add(key="offset", value=str(first))
            self.stored[name].external_data.add(key="length", value=str(n_bytes))
        graph = helper.make_graph(
            self.nodes, self.name, self.inputs, ends, list(self.stored.values())
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        return StoredGraph(self.name, model.SerializeToString(deterministic=True), self.weights)
