"""Table functions at the end of a network: one entry for every code of a narrow input type.

The logit is requantized to a few bits first, so the table covers its whole input domain and the only error is the
rounding of its input and of its entries, stated in units of the last place.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from siliconv.quantize.fixed_point import FixedPoint, Overflow, Rounding, to_values
from siliconv.quantize.network import Network, Requantize, Table, Weights

SIGMOID_INPUT = FixedPoint(True, 10, 4, Rounding.RND_CONV, Overflow.SAT)
"""1,024 entries over [-8, 8), a step of 1/64: the sigmoid changes by at most 1/256 from one to the next."""
SIGMOID_OUTPUT = FixedPoint(False, 16, 0)


def with_sigmoid(
    network: Network, *, name: str, inputs: FixedPoint = SIGMOID_INPUT, outputs: FixedPoint = SIGMOID_OUTPUT
) -> Network:
    """Append a sigmoid to a network that ends with its logit.

    Parameters
    ----------
    network
        Ends with logits.
    name
        Name of the table node; the requantization before it is ``<name>_input``.
    inputs
        Type the logit is brought into; its width decides the number of entries.
    outputs
        Type of the entries, unsigned and below one.
    """
    logit = network.output
    low, high = inputs.codes
    values = to_values(np.arange(low, high + 1), inputs)
    scale = 1 << outputs.fraction
    # Rounded from float64, whose error is far below the distance to any tie, so the entries are the same everywhere.
    entries = [min(round(sigmoid(float(value)) * scale), outputs.codes.high) for value in values]
    requantize = Requantize(f"{name}_input", (logit.name,), logit.shape, inputs, relu=False)
    table = Table(
        name,
        (requantize.name,),
        logit.shape,
        outputs,
        table=Weights(np.array(entries, dtype=np.int64), outputs),
        function="sigmoid",
    )
    return replace(network, nodes=(*network.nodes, requantize, table))


def sigmoid(value: float) -> float:
    """Logistic function in float64, without overflow at either end."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    exponential = math.exp(value)
    return exponential / (1.0 + exponential)


def error_in_last_places(network: Network) -> float:
    """Give the largest distance between a sigmoid table's entry and the true value at its input, in last places."""
    (table,) = network.of_kind(Table)
    (source,) = network.sources(table)
    inputs = to_values(np.arange(source.type.codes.low, source.type.codes.high + 1), source.type)
    true = np.array([sigmoid(float(value)) for value in inputs]) / table.type.step
    return float(np.abs(table.table.codes - true).max())
