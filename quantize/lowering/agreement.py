"""How far the QKeras model and the integer network agree: logits on whole test sets, every layer on chosen vectors.

They are equal where QKeras' float32 sums stay below 2**24 units of their last place. Where a float32 sum rounds, the
integer network is right and the difference is counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv import legacy_keras
from siliconv.network import reference
from siliconv.network.explanation.comparison import Comparison, add_to, compare_values
from siliconv.network.fixed_point import Codes, to_values
from siliconv.network.graph import Network, Node

BATCH = 16


def compare_logits(quantized: NDArray[np.floating], codes: Codes, node: Node) -> Comparison:
    """Compare QKeras' outputs with codes of the integer network's logits, both (n, outputs)."""
    return _compare(quantized, codes, node, 0)


def _compare(quantized: NDArray[np.floating], codes: Codes, node: Node, first_vector: int) -> Comparison:
    values = to_values(codes, node.type)
    return compare_values(node.name, quantized.astype(np.float64), values, first_vector=first_vector)


def compare_layers(model: Any, network: Network, codes: Codes) -> tuple[Comparison, ...]:
    """Compare every layer that both have, on input codes (n, *input shape), in bounded memory.

    Parameters
    ----------
    model
        The QKeras model that the network was lowered from: a layer and its node have the same name.
    network
        The integer network.
    codes
        Codes of the network's input.
    """
    keras = legacy_keras.load()
    layers = [layer for layer in model.layers if layer.name in network.by_name]
    probe = keras.Model(model.input, [layer.output for layer in layers])
    total: dict[str, Comparison] = {}
    for start in range(0, len(codes), BATCH):
        batch = codes[start : start + BATCH]
        outputs = probe(to_values(batch, network.input.type).astype(np.float32), training=False)
        expected = reference.run(network, batch, keep=[layer.name for layer in layers])
        for layer, output in zip(layers, outputs if isinstance(outputs, list) else [outputs], strict=True):
            node = network.by_name[layer.name]
            values = output.numpy().reshape(-1, *node.shape)
            add_to(total, _compare(values, expected[layer.name], node, start))
    return tuple(total.values())
