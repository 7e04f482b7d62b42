"""How far the QKeras model and the integer network agree: logits on whole test sets, every layer on chosen vectors.

They are equal where QKeras' float32 sums stay below 2**24 units of their last place. Where a float32 sum rounds, QKeras
is evaluated a second time, in float64: what that says is the comparison, and what float32 makes of it is counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv import legacy_keras
from siliconv.errors import WorkSaysNoError
from siliconv.legacy_keras import double_precision
from siliconv.network import reference
from siliconv.network.explanation.comparison import Comparison, add_to, compare_values
from siliconv.network.fixed_point import Codes, to_values
from siliconv.network.graph import AveragePool, Network, Node
from siliconv.network.reference import FLOAT32_SIGNIFICAND, FLOAT64_SIGNIFICAND
from siliconv.network.rows import parts_of, values_of
from siliconv.quantize.lowering.model_graph import node_name_of

BATCH = 16
OUTPUTS_AT_A_TIME = 4096

Logits = Callable[[Any], NDArray[np.floating]]
"""From a QKeras model to its logits of all test images, (n, outputs)."""


@dataclass(frozen=True)
class Evaluation:
    """QKeras in one precision against the network: each layer on the vectors, the logits on all test images."""

    layers: tuple[Comparison, ...]
    test_images: Comparison | None

    @property
    def differing(self) -> int:
        """Values that differ."""
        return sum(one.differing for one in self.all)

    @property
    def all(self) -> tuple[Comparison, ...]:
        """All comparisons."""
        return (*self.layers, *([self.test_images] if self.test_images is not None else []))


@dataclass(frozen=True)
class Agreement:
    """The network and the QKeras model it was lowered from.

    Parameters
    ----------
    float32
        QKeras as it runs.
    exact
        QKeras in the precision in which its sums do not round: the comparison that counts. Layers whose sums even
        float64 rounds are left out of it.
    precision
        ``float32`` where that is equal already, else ``float64``.
    undecided
        Names of the layers left out.
    unexplained
        Names of the layers that differ in float32 although no sum of theirs can round there.
    """

    float32: Evaluation
    exact: Evaluation
    precision: str
    undecided: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """One line for the stage."""
        if not self.float32.differing:
            return "equal to QKeras in every bit"
        logits = self.float32.test_images.differing if self.float32.test_images is not None else 0
        values = sum(layer.differing for layer in self.float32.layers)
        counted = f"{values} values of the vectors, {logits} logits of the test set"
        return f"equal to QKeras in {self.precision} in every bit (its float32 rounds in {counted})"

    def require_equal(self) -> Agreement:
        """Return it, or raise `WorkSaysNoError` ``LOWER-DIFFERS`` where the network computes something else."""
        wrong = next((one for one in self.exact.all if one.differing), None)
        if wrong is None:
            return self
        place = f", first in vector {wrong.first.vector} at {wrong.first.index}: " if wrong.first is not None else ""
        values = f"QKeras {wrong.first.one:.9g}, network {wrong.first.other:.9g}" if wrong.first is not None else ""
        raise WorkSaysNoError(
            "LOWER-DIFFERS",
            f"integer network and QKeras model differ in {wrong.differing} of {wrong.values} values{place}{values}",
            where=f"layer '{wrong.name}', QKeras in {self.precision}",
            fix="no rounding of QKeras explains it: this is a defect of siliconv, please report it with the project",
        )


def agree(
    model: Any,
    in_float64: Callable[[], Any],
    network: Network,
    vectors: Codes,
    *,
    logits: Logits | None = None,
    expected: Codes | None = None,
) -> Agreement:
    """Compare a QKeras model with the network that it was lowered to, in float64 too where float32 differs.

    Parameters
    ----------
    model
        The QKeras model: a layer and its node have the same name.
    in_float64
        Builds the same model; called in `double_precision`.
    network
        The integer network.
    vectors
        Codes of the network's input, (n, *input shape), or rows of several: every layer is compared on them.
    logits, expected
        The model's logits of all test images, and the network's codes of them, rows of several outputs; None where
        there are none.
    """

    def evaluate(evaluated: Any) -> Evaluation:
        whole = None
        if logits is not None and expected is not None:
            whole = compare_logits(logits(evaluated), expected, network.decisions)
        return Evaluation(compare_layers(evaluated, network, vectors), whole)

    float32 = evaluate(model)
    if not float32.differing:
        return Agreement(float32, float32, "float32")
    with double_precision():
        float64 = evaluate(in_float64())
    rounded = rounding_nodes(network, FLOAT64_SIGNIFICAND)
    whole = None if any(node.name in rounded for node in network.decisions) else float64.test_images
    exact = Evaluation(tuple(layer for layer in float64.layers if layer.name not in rounded), whole)
    may_round = rounding_nodes(network, FLOAT32_SIGNIFICAND)
    unexplained = tuple(layer.name for layer in float32.layers if layer.differing and layer.name not in may_round)
    undecided = tuple(layer.name for layer in float64.layers if layer.name in rounded)
    return Agreement(float32, exact, "float64", undecided, unexplained)


def rounding_nodes(network: Network, significand: int) -> frozenset[str]:
    """Give the nodes whose value may carry the rounding of a floating-point sum of so many significant bits."""
    found: set[str] = set()
    for node in network.nodes:
        sources = network.sources(node)
        bits = node.type.width - node.type.signed
        if isinstance(node, AveragePool):
            # The sum, and the sum with the places of the average.
            count = int(np.prod(node.window))
            bits = max(bits, sources[0].type.width) + count.bit_length()
        # QKeras' hard functions add a half to values of any size.
        deep = any(source.type.fraction >= significand - 2 for source in sources)
        if bits > significand or deep or any(source.name in found for source in sources):
            found.add(node.name)
    return frozenset(found)


def compare_logits(quantized: NDArray[np.floating], codes: Codes, nodes: Sequence[Node]) -> Comparison:
    """Compare QKeras' outputs with codes of the network's logits, (n, outputs), rows of several; some at a time."""
    name, total = " and ".join(node.name for node in nodes), dict[str, Comparison]()
    for start in range(0, max(len(codes), 1), OUTPUTS_AT_A_TIME):
        block = slice(start, start + OUTPUTS_AT_A_TIME)
        values, expected = quantized[block].astype(np.float64), values_of(nodes, codes[block])
        add_to(total, compare_values(name, values, expected, first_vector=start))
    return total[name]


def _compare(quantized: NDArray[np.floating], codes: Codes, node: Node, name: str, first_vector: int) -> Comparison:
    values = to_values(codes, node.type)
    return compare_values(name, quantized.astype(np.float64), values, first_vector=first_vector)


def inputs_of(model: Any, network: Network, codes: Codes) -> Any:
    """Give the values of codes as a model takes them: rows, or an array for each of its several inputs."""
    values = values_of(network.inputs, codes).astype(model.inputs[0].dtype.as_numpy_dtype)
    return list(parts_of(network.inputs, values)) if len(model.inputs) > 1 else values


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
    # A layer may have no node: a ReLU that a quantized one behind it repeats is left out.
    layers = [layer for layer in model.layers if node_name_of(layer) in network.by_name]
    nodes = [network.by_name[node_name_of(layer)] for layer in layers]
    probe = keras.Model(model.inputs, [layer.output for layer in layers])
    total: dict[str, Comparison] = {}
    for start in range(0, len(codes), BATCH):
        batch = codes[start : start + BATCH]
        outputs = probe(inputs_of(model, network, batch), training=False)
        expected = reference.run(network, batch, keep=[node.name for node in nodes])
        for layer, node, output in zip(layers, nodes, outputs if isinstance(outputs, list) else [outputs], strict=True):
            values = output.numpy().reshape(-1, *node.shape)
            add_to(total, _compare(values, expected[node.name], node, layer.name, start))
    return tuple(total.values())
