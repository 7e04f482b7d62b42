"""Distributed arithmetic: a matrix-vector product with constant weights as shifts and additions that its outputs share.

Which sums to share is searched by da4ml (Sun et al., arXiv:2507.04535). Its result depends on weights and types alone,
not on the machine or the number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import FirmwareError
from siliconv.hls.conversion.layer_list import LayerDescription
from siliconv.hls.weight_statistics import csd_digits
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.graph import Conv, Dense, Network, Node
from siliconv.progress import Progress, activity

FUNCTION = "FUNCTION_NAME"
"""What the generated function is called until the layer's number in hls4ml's graph is known."""

SOLVER_SPREAD = 5
"""The factor within which the predicted seconds of the solver were right, on a machine of two cores."""

MOST_SOLVER_SECONDS = 600.0
"""Layers whose solver is predicted to take longer are refused."""

_WEIGHT_BITS = 25
"""Sign and magnitude that single precision holds."""

# Adders on the longest path may be two more than in the fastest tree; hls4ml's default as well.
_EXTRA_DEPTH = 2


def solver_seconds(n_in: int, digits: float) -> float:
    """Predict how long da4ml searches for the sums that a product's outputs share.

    Parameters
    ----------
    n_in
        Inputs of the product.
    digits
        Non-zero signed digits of all its weights: what is added.

    Notes
    -----
    Fitted to da4ml 0.6.0 on a busy machine of two cores: 60 products of 9x4 to 288x64 weights with 3 to 8 bits, a fifth
    to all of them not zero, which took from 0.05 s to 208 s. All lie within `SOLVER_SPREAD` of it.
    """
    return 1.2e-6 * digits**1.5 * n_in ** (2 / 3)


def expected_digits(weights: int, bits: int) -> float:
    """Give the non-zero signed digits of so many weights of so many bits, all values being equally likely.

    Trained weights, most of which are small, have fewer.
    """
    return weights * (bits / 3 + 1 / 9)


def adder_function(weights: NDArray[np.float64], biases: NDArray[np.float64], source: FixedPoint) -> str:
    """Write the C++ function of a product with constant weights, exact for every input.

    Parameters
    ----------
    weights
        In real units, (..., inputs of an axis, outputs); all axes but the last are the inputs of the product. Single
        precision has to hold them.
    biases
        In real units, (outputs,).
    source
        Type of every input.

    Returns
    -------
    A function template called `FUNCTION` from an array of inputs to an array of outputs. Its types widen as its sums
    do, so that it loses no bit before its last assignment.
    """
    from da4ml.codegen.hls import hls_logic_and_bridge_gen
    from da4ml.trace import FixedVariableArray, HWConfig, comb_trace

    matrix = weights.reshape(-1, weights.shape[-1])
    # da4ml counts a type's sign, integer bits and fraction bits apart; one adder is one unit of cost and of latency.
    sign, integer, fraction = (
        np.full(len(matrix), bits, dtype=np.int16)
        for bits in (int(source.signed), source.integer - int(source.signed), source.fraction)
    )
    options = {"hard_dc": _EXTRA_DEPTH, "search_all_decompose_dc": True}
    inputs = FixedVariableArray.from_kif(sign, integer, fraction, HWConfig(1, -1, -1), solver_options=options)
    logic = comb_trace(inputs, inputs @ matrix + biases)
    pragmas = ["#pragma HLS INLINE"]
    # Its name for the dialect of ap_fixed, Vivado HLS's as well.
    code, _ = hls_logic_and_bridge_gen(logic, FUNCTION, "vitis", pragmas=pragmas, print_latency=True)
    return str(code)


def adder_functions(
    network: Network, descriptions: Mapping[str, LayerDescription], names: Sequence[str], progress: Progress
) -> dict[str, str]:
    """Write the functions of layers with distributed arithmetic.

    Parameters
    ----------
    network, descriptions
        The integer network, and its layers as hls4ml is told of them.
    names
        Of the layers with distributed arithmetic: convolutions (not depthwise) and dense layers.
    progress
        Told of each layer before its adders are searched.

    Raises
    ------
    FirmwareError
        ``STRATEGY-ADDERS`` where the search would take too long; ``STRATEGY-WEIGHTS`` where da4ml would round weights.
    """
    seconds = {name: _seconds_of(network.by_name[name]) for name in names}
    for name, predicted in seconds.items():
        weights = descriptions[name].attributes["weight_data"]
        if (weights.astype(np.float32) != weights).any():
            raise FirmwareError(
                "STRATEGY-WEIGHTS",
                "da4ml reads weights as single-precision numbers, which these are too wide for",
                where=f"layer '{name}'",
                fix=f"use weights of at most {_WEIGHT_BITS} bits, or hls.strategies: {{{name}: resource}}",
            )
        if predicted > MOST_SOLVER_SECONDS:
            raise FirmwareError(
                "STRATEGY-ADDERS",
                f"the search for the adders of distributed arithmetic would take about {predicted / 60:,.0f} minutes",
                where=f"layer '{name}'",
                fix=f"use hls.strategies: {{{name}: resource}}",
            )
    found: dict[str, str] = {}
    if not seconds:
        return found
    with activity(progress, "distributed arithmetic", len(seconds), "layers"):
        for name, predicted in seconds.items():
            progress.update(len(found), f"{name}: about {max(predicted, 1):,.0f} s")
            attributes, (source,) = descriptions[name].attributes, network.sources(network.by_name[name])
            found[name] = adder_function(attributes["weight_data"], attributes["bias_data"], source.type)
        progress.update(len(found))
    return found


def _seconds_of(node: Node) -> float:
    assert isinstance(node, Conv | Dense)  # no other layer has this strategy
    kernel = node.kernel.codes
    return solver_seconds(kernel[..., 0].size, float(csd_digits(np.abs(kernel)).sum()))
