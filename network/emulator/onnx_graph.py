"""Build an ONNX graph operation by operation, and turn it into an ONNX Runtime session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import ArrayLike, DTypeLike, NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

OPSET, MICROSOFT_OPSET, IR_VERSION = 18, 1, 9
MICROSOFT = "com.microsoft"


class OnnxGraph:
    """Operations, constants, inputs and outputs of a graph in the making; values are known by their names.

    Parameters
    ----------
    domains
        Operator sets besides ONNX' own, with their versions.
    """

    def __init__(self, domains: Mapping[str, int] | None = None) -> None:
        self._domains = domains or {MICROSOFT: MICROSOFT_OPSET}
        self._nodes: list[NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], tuple[str, TensorProto]] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> str:
        """Add an input of `shape` behind a batch axis, and give its name."""
        self._inputs.append(_value_info(name, dtype, shape))
        return name

    def output(self, value: str, name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> None:
        """Make a value an output of the graph under a name."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(_value_info(name, dtype, shape))

    def constant(self, values: ArrayLike, dtype: DTypeLike) -> str:
        """Give the name of a constant; equal constants are one."""
        array: NDArray[Any] = np.ascontiguousarray(values).astype(dtype).reshape(np.shape(values))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = f"constant_{len(self._constants)}"
            self._constants[key] = (name, numpy_helper.from_array(array, name))
        return self._constants[key][0]

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add an operation and give the name of its result."""
        result = f"value_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [result], domain=domain, **attributes))
        return result

    def serialized(self) -> bytes:
        """Give the graph as a serialized ONNX model."""
        constants = [tensor for _, tensor in self._constants.values()]
        graph = helper.make_graph(self._nodes, "integer_network", self._inputs, self._outputs, constants)
        opsets = [helper.make_opsetid("", OPSET), *(helper.make_opsetid(*domain) for domain in self._domains.items())]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION).SerializeToString()

    def session(self) -> onnxruntime.InferenceSession:
        """Give a session that runs the graph on one thread (the emulator runs batches side by side)."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(self.serialized(), options, providers=["CPUExecutionProvider"])


def _value_info(name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> Any:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), ["batch", *shape])
