"""A network of rows and the network of several inputs and outputs that it stands for compute the same."""

from dataclasses import replace

import numpy as np
import pytest
from several_network import crossing
from strategies import codes_of_inputs

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, plain
from siliconv.network.intervals import prove
from siliconv.network.row_ports import with_ports
from siliconv.network.rows import input_rows

KIND = FixedPoint(True, 9, 3)


def in_rows(network: ir.Network) -> ir.Network:
    """Give a network of two inputs of one type as one of rows, its outputs joined two at a time."""
    total, start = sum(int(np.prod(node.shape)) for node in network.inputs), 0
    row = ir.Input("row", (), (total,), KIND)
    cut: list[ir.Node] = [row]
    for node in network.inputs:
        size = int(np.prod(node.shape))
        name = node.name if len(node.shape) == 1 else f"{node.name}_row"
        cut.append(ir.Rearrange(name, ("row",), (size,), plain(KIND), (0,), (start,), (1,)))
        if name != node.name:
            cut.append(ir.Reshape(node.name, (name,), node.shape, plain(KIND)))
        start += size
    joins: list[ir.Node] = []
    joined: ir.Node | None = None
    for number, output in enumerate(network.outputs):
        flat = output
        if len(output.shape) > 1:
            size = int(np.prod(output.shape))
            flat = ir.Reshape(f"{output.name}_flat", (output.name,), (size,), plain(output.type))
            joins.append(flat)
        if joined is None:
            joined = flat
            continue
        fraction = max(joined.type.fraction, flat.type.fraction)
        integer = max(joined.type.integer, flat.type.integer)
        kind = FixedPoint(True, fraction + integer, integer)
        size = joined.shape[0] + flat.shape[0]
        joined = ir.Concatenate(f"join{number}", (joined.name, flat.name), (size,), kind)
        joins.append(joined)
    return ir.Network("rows", (*cut, *network.nodes[len(network.inputs) :], *joins))


def of_one_type() -> ir.Network:
    """Give the crossing network with three outputs, and inputs of one type."""
    network = crossing()
    image, vector = (replace(node, type=KIND) for node in network.inputs)
    wide = {"conv": FixedPoint(True, 24, 12), "of_image": FixedPoint(True, 22, 12)}
    wide |= {"of_vector": FixedPoint(True, 22, 8), "sum": FixedPoint(True, 27, 13)}
    others = (replace(node, type=wide[node.name]) if node.name in wide else node for node in network.nodes[2:])
    return ir.Network("several", (image, vector, *others), ends=("sum", "small", "of_vector"))


def test_cutting_and_joining_change_no_value():
    network = of_one_type()
    row_network = in_rows(network)
    prove(row_network)
    found = with_ports(row_network, ["image", "vector"], [node.shape for node in network.outputs])
    prove(found)
    assert [node.name for node in found.nodes] == [node.name for node in network.nodes]
    assert found.ends == network.ends
    batch = codes_of_inputs(found, 4)
    one = reference.run(found, batch)
    other = reference.run(row_network, input_rows(found, batch))
    for node in found.nodes:
        np.testing.assert_array_equal(one[node.name], other[node.name])


@pytest.mark.parametrize(
    ("inputs", "shapes"),
    [
        (["vector", "image"], [(3,), (2, 2, 3), (3,)]),
        (["image"], [(3,), (2, 2, 3), (3,)]),
        (["image", "sum"], [(3,), (2, 2, 3), (3,)]),
        (["image", "vector"], [(3,), (12,), (3,)]),
        (["image", "vector"], [(3,), (2, 2, 3), (3,), (2,)]),
    ],
)
def test_what_is_not_cut_or_joined_so_is_refused(inputs, shapes):
    if shapes[1] == (12,):
        # The flattened output itself is what is joined: its shape is the row's.
        found = with_ports(in_rows(of_one_type()), inputs, shapes)
        assert found.outputs[1].name == "small_flat"
        return
    with pytest.raises(NetworkError, match="NETWORK-PORTS"):
        with_ports(in_rows(of_one_type()), inputs, shapes)


def test_two_outputs_that_are_one_are_refused():
    network = of_one_type()
    rows = in_rows(replace(network, ends=("sum", "of_vector")))
    *before, join = rows.nodes
    same = replace(join, inputs=("sum", "sum"))
    with pytest.raises(NetworkError, match="two of them are one"):
        with_ports(replace(rows, nodes=(*before, same)), ["image", "vector"], [(3,), (3,)])
