"""Weights outside the core: those of large layers come through ports of the top function (hls4ml's `BramFactor`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siliconv.errors import FirmwareError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.kinds import Strategy

PORT_BACKENDS = ("Vitis", "Vivado")
"""Back ends for which hls4ml writes ports for weights."""


@dataclass(frozen=True)
class WeightPort:
    """A port that a layer reads its weights through.

    Parameters
    ----------
    layer
        Name of the layer.
    name
        Of the port, and of the file of its weights in ``firmware/weights``.
    type
        C++ type of one weight.
    weights
        Their number.
    steps
        Words of the memory behind the port, one for each step of the layer's reuse loop.
    """

    layer: str
    name: str
    type: str
    weights: int
    steps: int


def check_bram_factor(config: HlsConfig) -> None:
    """Refuse weights outside the core where hls4ml does not write such ports, or not whole.

    Raises
    ------
    FirmwareError
        ``BRAM-FACTOR``: for io_parallel it writes no interface for them, the wrapper of VivadoAccelerator does not hand
        them on, and with the other back ends it has not been tried.
    """
    if config.bram_factor is not None and (config.backend not in PORT_BACKENDS or config.io_type != "io_stream"):
        raise FirmwareError(
            "BRAM-FACTOR",
            f"no weights outside the core with {config.backend} and {config.io_type}",
            where="hls.bram_factor",
            fix=f"take it out, or use io_stream with one of {', '.join(PORT_BACKENDS)}",
        )


def must_be_resource(layer: str, weights: int, strategy: Strategy, config: HlsConfig) -> FirmwareError | None:
    """Give the error of a layer whose weights would be outside the core although it has another strategy.

    The others make hardware of each weight's value, or split the memory into registers.
    """
    if strategy is Strategy.RESOURCE or not config.is_outside(weights):
        return None
    return FirmwareError(
        "BRAM-STRATEGY",
        f"{weights:,} weights are more than hls.bram_factor, but the {strategy} strategy can't read them from a memory",
        where=f"layer '{layer}'",
        fix=f"use hls.strategies: {{{layer}: resource}}, or hls.bram_factor: {weights} or more",
    )


def weight_ports(graph: Any, reuse_factors: Mapping[str, int]) -> tuple[WeightPort, ...]:
    """Give the ports that hls4ml's graph has for weights.

    Parameters
    ----------
    graph
        hls4ml's `ModelGraph`.
    reuse_factors
        By the name of each layer with products.

    Raises
    ------
    FirmwareError
        ``BRAM-TABLE`` where biases or a table of a function would come through a port as well.
    """
    found = []
    for layer in graph.get_layers():
        for role, variable in layer.weights.items():
            if variable.storage != "bram":
                continue
            if role != "weight" or layer.name not in reuse_factors:
                raise FirmwareError(
                    "BRAM-TABLE",
                    f"{variable.data_length:,} values of its {role}, more than hls.bram_factor, which is for weights",
                    where=f"layer '{layer.name}'",
                    fix=f"use hls.bram_factor: {variable.data_length} or more",
                )
            steps = reuse_factors[layer.name]
            found.append(WeightPort(layer.name, variable.name, variable.type.name, variable.data_length, steps))
    return tuple(found)


def port_texts(ports: Sequence[WeightPort]) -> dict[str, Any]:
    """Give what the templates of top functions and test benches want: declarations and arguments behind the others."""
    return {
        "weight_ports": ports,
        "weight_parameters": "".join(f", {port.type} {port.name}[{port.weights}]" for port in ports),
        "weight_arguments": "".join(f", {port.name}" for port in ports),
    }
