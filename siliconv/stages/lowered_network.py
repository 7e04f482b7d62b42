"""The integer network of a QKeras model with the function that it ends in, and what is kept of how the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from siliconv.network.fixed_point import PIXEL, FixedPoint
from siliconv.network.function_table import LINEAR, SMOOTH, table_error
from siliconv.network.graph import Network, Softmax, Table
from siliconv.network.output_sigmoid import with_sigmoid
from siliconv.network.output_softmax import softmax_error, with_softmax
from siliconv.quantize.lowering.agreement import Agreement, Evaluation
from siliconv.quantize.lowering.lowering import lower


def lowered_network(
    model: Any,
    *,
    name: str,
    output_activation: str | None,
    class_names: Sequence[str] = (),
    input_type: FixedPoint = PIXEL,
) -> Network:
    """Lower a QKeras model and put the sigmoid or softmax of the architecture behind its logits.

    Parameters
    ----------
    model
        The QKeras model, which ends in logits.
    name
        A C identifier.
    output_activation
        ``sigmoid``, ``softmax`` or None.
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
    if output_activation == "sigmoid":
        return with_sigmoid(network, name="sigmoid")
    if output_activation == "softmax":
        return with_softmax(network, name="softmax")
    return network


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
