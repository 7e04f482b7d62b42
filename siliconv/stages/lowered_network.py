"""The integer network of a QKeras model with the function that it ends in, and what is kept of how the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from siliconv.models.architectures.ports import Ports
from siliconv.network.fixed_point import PIXEL, FixedPoint
from siliconv.network.function_table import LINEAR, SMOOTH, table_error
from siliconv.network.graph import Network, Node, Softmax, Table
from siliconv.network.output_sigmoid import with_sigmoid
from siliconv.network.output_softmax import softmax_error, with_softmax
from siliconv.network.row_ports import with_ports
from siliconv.quantize.lowering.agreement import Agreement, Evaluation
from siliconv.quantize.lowering.lowering import lower


def lowered_network(
    model: Any,
    *,
    name: str,
    ports: Ports,
    class_names: Sequence[str] = (),
    input_type: FixedPoint = PIXEL,
) -> Network:
    """Lower a QKeras model, give it its inputs and outputs, and put the function of each behind its logits.

    Parameters
    ----------
    model
        The QKeras model, which ends in logits; one of several inputs or outputs takes and gives rows.
    name
        A C identifier.
    ports
        Inputs and outputs of the architecture.
    class_names
        Kept in the network for people.
    input_type
        Of the network's input.

    Raises
    ------
    NetworkError
        ``LOWER-...`` for what has no exact integer form.
    """
    metadata = {"class_names": tuple(class_names)} if class_names else {}
    network = lower(model, name=name, input_type=input_type, metadata=metadata)
    if not ports.are_several:
        return with_function(network, network.output, ports.outputs[0].function or "")
    several = len(ports.outputs) > 1
    shapes = [one.shape for one in ports.outputs] if several else []
    network = with_ports(network, [one.layer for one in ports.inputs], shapes)
    for port, logits in zip(ports.outputs, network.outputs, strict=True):
        network = with_function(network, logits, port.function or "", f"{port.name}_" if several else "")
    return network


def with_function(network: Network, logits: Node, function: str, before: str = "") -> Network:
    """Put the table of a function behind an output; its name begins with `before`."""
    make = {"sigmoid": with_sigmoid, "softmax": with_softmax}.get(function)
    return make(network, name=f"{before}{function}", logits=logits) if make is not None else network


def agreement_record(network: Network, agreement: Agreement) -> dict[str, Any]:
    """Give the content of `agreement.json`: QKeras against the network, and the errors of tables.

    ``layers`` and ``test_images`` are the comparison that counts, in the ``precision`` named; ``float32`` has the same
    of QKeras as it runs.
    """
    tables = {
        table.name: table_error(table, network.sources(table)[0].type).last_places
        for table in network.of_kind(Table)
        if table.function in {**SMOOTH, **LINEAR}  # all others are exact
    }
    return {
        "precision": agreement.precision,
        **_as_json(agreement.exact),
        "float32": _as_json(agreement.float32),
        "undecided": list(agreement.undecided),
        "unexplained": list(agreement.unexplained),
        "tables": tables | {softmax.name: softmax_error(softmax) for softmax in network.of_kind(Softmax)},
    }


def _as_json(found: Evaluation) -> dict[str, Any]:
    return {
        "test_images": found.test_images.as_json() if found.test_images is not None else None,
        "layers": [layer.as_json() for layer in found.layers],
    }
