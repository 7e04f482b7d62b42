"""From a network of rows to the network of several inputs and outputs that it stands for.

Where a network is trained and quantized, its inputs are parts of one row and its outputs are joined to another. Cutting
and joining moves elements and does no arithmetic, so leaving it out changes no value of any other node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from siliconv.errors import NetworkError
from siliconv.network.graph import Concatenate, Input, Network, Node, Rearrange, Reshape, Shape


def with_ports(network: Network, inputs: Sequence[str], outputs: Sequence[Shape]) -> Network:
    """Give the network whose inputs and outputs stand for themselves.

    Parameters
    ----------
    network
        A network of one input, cut into `inputs`, and of one output, in which `outputs` are joined.
    inputs
        Names of the nodes that have the inputs, in the order of the row; none where the input is a single one.
    outputs
        Shapes of the outputs, in the order of the row; none where the output is a single one.

    Raises
    ------
    NetworkError
        ``NETWORK-PORTS`` for a network that is not cut or joined so, or in which two outputs are one, or an input.
    """
    nodes, ends = network.nodes, network.ends
    if outputs:
        nodes, ends = _without_join(network, outputs)
        if len(set(ends)) != len(ends) or any(isinstance(network.by_name[name], Input) for name in ends):
            raise NetworkError(
                "NETWORK-PORTS",
                f"the outputs are the nodes {list(ends)}: two of them are one, or one is an input",
                where=f"network '{network.name}'",
                fix="give each output a layer of its own that computes something",
            )
    if inputs:
        nodes = _without_cuts(replace(network, nodes=nodes, ends=ends), inputs)
    return replace(network, nodes=nodes, ends=ends)


def _without_join(network: Network, outputs: Sequence[Shape]) -> tuple[tuple[Node, ...], tuple[str, ...]]:
    """Leave out the nodes that join outputs, two at a time from the first on, and those that flatten them."""
    joined, left_out = [network.output], set[str]()
    while len(joined) < len(outputs):
        join = joined[0]
        if not isinstance(join, Concatenate) or len(join.shape) != 1 or len(join.inputs) != 2:
            raise _refused(network, f"'{join.name}' does not join {len(outputs)} outputs")
        joined[:1] = network.sources(join)
        left_out.add(join.name)
    ends = []
    for node, shape in zip(joined, outputs, strict=True):
        flat = isinstance(node, Reshape) and node.shape != tuple(shape)
        ends.append(node.inputs[0] if flat else node.name)
        left_out |= {node.name} if flat else set()
        if network.by_name[ends[-1]].shape != tuple(shape):
            raise _refused(network, f"'{ends[-1]}' is no output of the shape {shape}")
    return tuple(node for node in network.nodes if node.name not in left_out), tuple(ends)


def _without_cuts(network: Network, inputs: Sequence[str]) -> tuple[Node, ...]:
    row, start, left_out, found = network.input, 0, {network.input.name}, list[Node]()
    for name in inputs:
        node = network.by_name.get(name)
        cut = network.by_name[node.inputs[0]] if isinstance(node, Reshape) else node
        if node is None or not isinstance(cut, Rearrange) or cut.inputs != (row.name,):
            raise _refused(network, f"'{name}' is not cut out of the row of all inputs")
        if (cut.order, cut.before, cut.repeats) != ((0,), (start,), (1,)):
            raise _refused(network, f"'{name}' is not cut out of the row at {start}")
        start += prod(node.shape)
        left_out |= {cut.name, node.name}
        found.append(Input(name, (), node.shape, row.type))
    others = tuple(node for node in network.nodes if node.name not in left_out)
    if start != prod(row.shape) or any(row.name in node.inputs for node in others):
        raise _refused(network, f"the inputs have {start} of the {prod(row.shape)} values of the row")
    return (*found, *others)


def _refused(network: Network, what: str) -> NetworkError:
    return NetworkError(
        "NETWORK-PORTS",
        what,
        where=f"network '{network.name}'",
        fix="this is a defect of siliconv: report it with the project file",
    )
