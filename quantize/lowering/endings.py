"""The function that a classifier ends in: a table behind the logits, on which the decision is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from siliconv.errors import NetworkError
from siliconv.network.graph import Network, Node
from siliconv.network.output_sigmoid import with_sigmoid
from siliconv.network.output_softmax import with_softmax
from siliconv.quantize.lowering.exact_classes import exact_class
from siliconv.quantize.lowering.lowering_activations import function_name

_BEHIND: Mapping[str, Callable[..., Network]] = {"sigmoid": with_sigmoid, "softmax": with_softmax}


@dataclass(frozen=True, eq=False)
class Ending:
    """The last layer of a model, and the function in it; ``own`` where the layer does something else besides."""

    layer: Any
    function: str
    own: bool

    def behind(self, network: Network, logits: Node) -> Network:
        """Give the network with the table of the function behind an output of it."""
        name = f"{self.layer.name}_{self.function}" if self.own else self.layer.name
        return _BEHIND[self.function](network, name=name, logits=logits)

    @contextmanager
    def left_out(self) -> Iterator[None]:
        """Take the function out of its layer inside: what is lowered there are the logits."""
        activation = self.layer.activation
        self.layer.activation = None
        try:
            yield
        finally:
            self.layer.activation = activation


def endings_of(model: Any, called: Mapping[str, Any]) -> dict[str, Ending]:
    """Give the sigmoid or softmax that each output of a functional model is, by the layer; none for logits.

    A layer that others read as well is none of them, and none whose logits are another output.
    `called`: of each layer the Keras node of its only call.

    Raises
    ------
    NetworkError
        As `ending_of`.
    """
    inbound = [node.inbound_layers for node in called.values()]
    read = [one for layers in inbound for one in (layers if isinstance(layers, list) else [layers])]
    layers = [tensor._keras_history.layer for tensor in model.outputs]
    endings = {layer.name: ending_of(layer) for layer in layers if all(layer is not one for one in read)}
    found: dict[str, Ending] = {}
    taken = {layer.name for layer in layers}
    for name, ending in endings.items():
        if ending is None:
            continue
        if not ending.own:
            # Its logits are those of the layer before, which may be an output as well.
            before = called[name].inbound_layers
            if isinstance(before, list) or before.name in taken:
                continue
            taken.add(before.name)
        found[name] = ending
    return found


def ending_of(layer: Any) -> Ending | None:
    """Give the sigmoid or softmax that a layer at the end of a model is; None where it gives logits.

    Raises
    ------
    NetworkError
        ``LOWER-FUNCTION`` for a softmax along another axis than the last one.
    """
    kind = exact_class(layer)
    if kind == "Softmax":
        rank = len(layer.output_shape)
        if layer.axis not in (-1, rank - 1, [-1], [rank - 1]):
            raise NetworkError(
                "LOWER-FUNCTION",
                f"a softmax along axis {layer.axis}",
                where=f"layer '{layer.name}'",
                fix="use axis=-1",
            )
        return Ending(layer, "softmax", own=False)
    activation = layer.quantizer if kind == "QActivation" else getattr(layer, "activation", None)
    function = function_name(activation)
    if kind is None or function is None or function not in _BEHIND:
        return None
    return Ending(layer, function, own=kind not in ("Activation", "QActivation"))
