"""Weights of a sum of products: in units of the last place of its result, and in the order of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.network.fixed_point import Codes
from siliconv.network.graph import DepthwiseConv, Matrix, Node
from siliconv.network.intervals import Bounds


def aligned_weights(node: Matrix, source: Node, inputs: Bounds) -> tuple[Codes, Codes]:
    """Give kernel and bias moved to the point of the node's type.

    A weight whose input is always zero takes no part in any sum, so no proof bounds it: it becomes zero.
    """
    idle = (inputs.low == 0) & (inputs.high == 0)
    if not isinstance(node, DepthwiseConv):
        idle = idle[:, None]
    kernel = np.where(idle, 0, node.kernel.codes)
    kernel = kernel << (node.type.fraction - source.type.fraction - node.kernel.type.fraction)
    return kernel, node.bias.codes << (node.type.fraction - node.bias.type.fraction)


def onnx_kernel(kernel: NDArray[Any], *, depthwise: bool) -> NDArray[Any]:
    """Bring a kernel into the order of ONNX: (output channels, input channels, *window)."""
    return np.moveaxis(kernel, -1, 0)[:, None] if depthwise else np.moveaxis(kernel, (-1, -2), (0, 1))
