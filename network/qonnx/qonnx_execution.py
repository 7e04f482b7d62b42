"""Run an exported QONNX model with the qonnx package, where it is installed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import numpy as np
import onnx
from numpy.typing import NDArray

from siliconv.network.emulator.onnx_graph import IR_VERSION
from siliconv.network.fixed_point import Codes, to_values
from siliconv.network.graph import Network
from siliconv.network.qonnx.qonnx_export import last_node
from siliconv.network.reference import run


def qonnx_version() -> str | None:
    """Give the version of the qonnx package, or None where it is not installed."""
    if find_spec("qonnx") is None:
        return None
    try:
        return version("qonnx")
    except PackageNotFoundError:
        return "of unknown version"


def execute(model: bytes, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the output of a model with one input, by qonnx' own executor; (n, *output shape)."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    proto = onnx.load_from_string(model)
    # qonnx wants every shape, the batch too.
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = len(images)
    source, result = proto.graph.input[0].name, proto.graph.output[0].name
    with warnings.catch_warnings(), _models_for_this_runtime():
        warnings.simplefilter("ignore")
        found = execute_onnx(ModelWrapper(proto).transform(InferShapes()), {source: images})
    return np.asarray(found[result])


@contextmanager
def _models_for_this_runtime() -> Iterator[None]:
    """Let qonnx make its models of single nodes in a version of the format that ONNX Runtime knows.

    It takes the newest that the onnx package has, which may be newer than the runtime.
    """
    newest = onnx.IR_VERSION
    onnx.IR_VERSION = IR_VERSION
    try:
        yield
    finally:
        onnx.IR_VERSION = newest


def differing_values(model: bytes, network: Network, codes: Codes) -> tuple[int, int]:
    """Compare a model's output by qonnx with the network's on input codes: (values that differ, values)."""
    last = last_node(network)
    expected = to_values(run(network, codes, keep=[last.name])[last.name], last.type)
    found = execute(model, to_values(codes, network.input.type).astype(np.float32))
    return int((found.reshape(expected.shape) != expected).sum()), expected.size
