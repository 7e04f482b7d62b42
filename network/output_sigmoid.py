"""The sigmoid at the end of a network that decides between two classes, as a table in the firmware.

The logit is requantized to a few bits first, so the table covers its whole input domain and the only error is the
rounding of its input and of its entries (`siliconv.network.function_table.table_error` states the latter).
"""

from __future__ import annotations

from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.function_table import table_node
from siliconv.network.graph import Network, Node, Requantize

INPUT = FixedPoint(True, 10, 4, Rounding.RND_CONV, Overflow.SAT)
"""1,024 entries over [-8, 8), a step of 1/64: the sigmoid changes by at most 1/256 from one to the next."""
OUTPUT = FixedPoint(False, 16, 0, Rounding.RND_CONV, Overflow.SAT)


def with_sigmoid(
    network: Network,
    *,
    name: str,
    logits: Node | None = None,
    inputs: FixedPoint = INPUT,
    outputs: FixedPoint = OUTPUT,
) -> Network:
    """Append a sigmoid to a network that ends with its logit.

    Parameters
    ----------
    network
        Ends with logits.
    name
        Name of the table node; the requantization before it is ``<name>_input``.
    logits
        The output that it stands behind, of a network of several.
    inputs
        Type the logit is brought into; its width decides the number of entries.
    outputs
        Type of the entries.
    """
    logit = logits or network.output
    requantize = Requantize(f"{name}_input", (logit.name,), logit.shape, inputs, relu=False)
    return network.behind(logit, requantize, table_node(name, requantize, "sigmoid", outputs))
