"""How far the QKeras model and the integer network agree: logits on whole test sets, every layer on chosen vectors.

They are equal where QKeras' float32 sums stay below 2**24 units of their last place. Where a float32 sum rounds, the
integer network is right and the difference is counted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.models import legacy_keras
from siliconv.quantize import reference
from siliconv.quantize.fixed_point import Codes, to_values
from siliconv.quantize.network import Network, Node

BATCH = 16


@dataclass(frozen=True)
class Agreement:
    """One tensor: values compared, how many differ, and by how much at most (in real units)."""

    name: str
    values: int
    differing: int
    max_abs_difference: float

    def as_json(self) -> dict[str, Any]:
        """Return it as a plain dictionary."""
        return asdict(self)


def compare_logits(quantized: NDArray[np.floating], codes: Codes, node: Node) -> Agreement:
    """Compare QKeras' outputs with codes of the integer network's logits, both (n, outputs)."""
    difference = np.abs(quantized.astype(np.float64) - to_values(codes, node.type))
    return Agreement(node.name, difference.size, int((difference != 0).sum()), float(difference.max(initial=0.0)))


def compare_layers(model: Any, network: Network, codes: Codes) -> tuple[Agreement, ...]:
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
    total: dict[str, Agreement] = {}
    for start in range(0, len(codes), BATCH):
        batch = codes[start : start + BATCH]
        outputs = probe(to_values(batch, network.input.type).astype(np.float32), training=False)
        expected = reference.run(network, batch, keep=[layer.name for layer in layers])
        for layer, output in zip(layers, outputs if isinstance(outputs, list) else [outputs], strict=True):
            node = network.by_name[layer.name]
            found = compare_logits(output.numpy().reshape(-1, *node.shape), expected[layer.name], node)
            total[layer.name] = _add(total.get(layer.name), found)
    return tuple(total.values())


def _add(one: Agreement | None, other: Agreement) -> Agreement:
    if one is None:
        return other
    return Agreement(
        one.name,
        one.values + other.values,
        one.differing + other.differing,
        max(one.max_abs_difference, other.max_abs_difference),
    )
