"""Running a graph with the weights of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.errors import CheckpointError
from sonoriff.models.small.onnx.stored import StoredGraph
from sonoriff.models.small.onnx.weights import stored_weight
from sonoriff.processor import largest_weight
from sonoriff.threads import wanted_threads

FloatArray = npt.NDArray[np.float32]


class Session:
    """A network on the processor.

    Parameters
    ----------
    graph : without weights
    tensors : of the checkpoint, by name
    small : keeps one copy of the weights, not also one in the order of the processor's loops; for
        what runs once in a while

    Raises
    ------
    CheckpointError
        onnxruntime cannot run it: too old, or built for another processor

    Notes
    -----
    Threads that wait do not spin: beside other busy processes spinning keeps the core from the
    thread that is waited for.
    """

    def __init__(
        self,
        graph: StoredGraph,
        tensors: Mapping[str, npt.NDArray[Any]],
        *,
        small: bool = False,
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = wanted_threads()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False
        if small:
            options.add_session_config_entry("session.disable_prepacking", "1")
        largest = largest_weight()
        # Held until the session has made its own copies.
        values = [
            onnxruntime.OrtValue.ortvalue_from_numpy(stored_weight(name, tensors, largest))
            for name in graph.weights
        ]
        options.add_external_initializers(list(graph.weights), values)
        try:
            self._session = onnxruntime.InferenceSession(
                graph.graph, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # of several types of its own, without a common one
            raise CheckpointError(
                f"onnxruntime {onnxruntime.__version__} cannot run the {graph.name}: "
                f"pip install --upgrade onnxruntime ({str(error).splitlines()[0]:.200})"
            ) from error

    def __call__(self, **inputs: npt.NDArray[Any]) -> FloatArray:
        """The graph's output for its inputs by name."""
        result: FloatArray = self._session.run(None, inputs)[0]
        return result
