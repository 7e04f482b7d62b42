"""The function that a classifier ends in: a table behind the logits, on which the decision is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from siliconv.errors import NetworkError
from siliconv.network.graph import Network
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

    def behind(self, network: Network) -> Network:
        """Give the network with the table of the function behind it."""
        return _BEHIND[self.function](
            network, name=f"{self.layer.name}_{self.function}" if self.own else self.layer.name
        )

    @contextmanager
    def left_out(self) -> Iterator[None]:
        """Take the function out of its layer inside: what is lowered there are the logits."""
        activation = self.layer.activation
        self.layer.activation = None
        try:
            yield
        finally:
            self.layer.activation = activation


def ending_of(model: Any) -> Ending | None:
    """Give the sigmoid or softmax that a functional model ends in; None where it ends in logits.

    Raises
    ------
    NetworkError
        ``LOWER-FUNCTION`` for a softmax along another axis than the last one.
    """
    layer = model.outputs[0]._keras_history.layer
    kind = exact_class(layer)
    if kind == "Softmax":
        rank = len(model.output_shape)
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
