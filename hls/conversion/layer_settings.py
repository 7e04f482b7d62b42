"""What each layer of a firmware is set to: reuse factor, strategy, pixels at once; as asked for, or chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from siliconv.errors import FirmwareError
from siliconv.hls.backends import BACKENDS, check_ports
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.firmware_form import written_form
from siliconv.hls.conversion.flattening import flattened_apart
from siliconv.hls.conversion.layer_list import LayerDescription, describe, words_of_another_length
from siliconv.hls.conversion.own_layer_list import describe_for_ac
from siliconv.hls.conversion.reuse_factors import (
    check_reuse_factor,
    legal_parallelization_factors,
    legal_reuse_factors,
    no_template,
    shared_products,
    smallest_legal,
)
from siliconv.hls.conversion.weight_ports import check_bram_factor, must_be_resource
from siliconv.hls.kinds import IoType, LayerKind, Strategy
from siliconv.network.graph import Network, Node
from siliconv.network.intervals import prove


@dataclass(frozen=True)
class FirmwareLayer:
    """A layer as it is in the firmware.

    ``products``: (inputs, outputs) of its matrix-vector product, or None; ``reuse_factor``: times each multiplier is
    used for one such product; ``strategy``: how it is laid out; ``parallelization_factor``: products at once;
    ``weights_outside``: whether it reads its weights through a port.
    """

    name: str
    kind: str
    type: str
    reuse_factor: int = 1
    products: tuple[int, int] | None = None
    strategy: Strategy | None = None
    parallelization_factor: int = 1
    weights_outside: bool = False


def plan_layers(network: Network, config: HlsConfig) -> tuple[FirmwareLayer, ...]:
    """Give the layers of a network's firmware with their reuse factors, before anything is written.

    Raises
    ------
    FirmwareError
        ``FIRMWARE-LAYER``, ``REUSE-...``, ``STRATEGY-...`` where a setting is impossible.
    """
    return with_settings(network.nodes, describe_layers(network, config), config)


def with_settings(
    nodes: Sequence[Node], descriptions: Mapping[str, LayerDescription], config: HlsConfig
) -> tuple[FirmwareLayer, ...]:
    """Give the layers of nodes with what is asked for or chosen, by the products that their descriptions have.

    Raises
    ------
    FirmwareError
        ``FIFO-BACKEND``, ``WEIGHT-MEMORY``, ``REUSE-...``, ``STRATEGY-BACKEND``, ``BRAM-...``, ``PARALLEL-ILLEGAL``
        where a setting is impossible.
    """
    check_fifos(config)
    check_weight_memory(config)
    check_bram_factor(config)
    strategies = {node.name: _legal_strategy(node.name, descriptions[node.name], config) for node in nodes}
    layers = tuple(
        FirmwareLayer(
            node.name,
            type(node).__name__,
            str(node.type),
            choose_reuse_factor(node.name, descriptions[node.name], config),
            descriptions[node.name].product,
            strategies[node.name],
            choose_parallelization_factor(node, descriptions[node.name], config),
            config.is_outside(descriptions[node.name].weights),
        )
        for node in nodes
    )
    known = [layer.name for layer in layers if layer.products]
    for field in ("reuse_factors", "strategies", "parallelization_factors"):
        unknown = sorted(set(getattr(config, field)) - set(known))
        if unknown:
            raise FirmwareError(
                "REUSE-LAYER",
                f"a setting for '{unknown[0]}', which is no layer with multipliers",
                where=f"hls.{field}",
                fix="use one of " + ", ".join(known),
            )
    return layers


def check_fifos(config: HlsConfig) -> None:
    """Raise FirmwareError ``FIFO-BACKEND`` for FIFOs that are asked for by name or place, where hls4ml sets none."""
    field = "fifo_words" if config.fifo_words else "fifo_memory" if config.fifo_memory != "auto" else None
    if field is not None and not BACKENDS[config.backend].is_amd:
        raise FirmwareError(
            "FIFO-BACKEND",
            f"FIFOs can't be chosen for {config.backend}: its tool's own defaults hold",
            where=f"hls.{field}",
            fix="leave it out, or use hls.backend: Vitis",
        )


def check_weight_memory(config: HlsConfig) -> None:
    """Raise FirmwareError ``WEIGHT-MEMORY`` where weights are bound and the back end has no such binding."""
    if config.weight_memory != "auto" and config.backend != "Vitis":
        raise FirmwareError(
            "WEIGHT-MEMORY",
            f"no binding of weight memories with {config.backend}: its templates ask for block memory",
            where="hls.weight_memory",
            fix="use weight_memory: auto, or backend: Vitis",
        )


def describe_layers(network: Network, config: HlsConfig) -> dict[str, LayerDescription]:
    """Give hls4ml's description of each node, in the form that the templates compute right."""
    check_ports(config.backend, network)
    own_kernels = BACKENDS[config.backend].has_ac_kernels
    network = written_form(network, config)
    bounds, describe_node = prove(network), describe_for_ac if own_kernels else describe
    found = {node.name: describe_node(node, network.sources(node), bounds) for node in network.nodes}
    apart = flattened_apart(network.nodes, config.io_type)
    return found | {name: words_of_another_length(network.by_name[name]) for name in apart}


def choose_reuse_factor(name: str, layer: LayerDescription, config: HlsConfig) -> int:
    """Give the reuse factor asked for, if legal, else the smallest legal one within `config.max_multipliers`."""
    if layer.product is None or layer.kind is None:
        return 1
    n_in, n_out = layer.product
    asked, strategy = config.reuse_factors.get(name), choose_strategy(name, layer, config) or config.strategy
    if asked is not None:
        check_reuse_factor(asked, n_in, n_out, strategy, kind=layer.kind, io_type=config.product_io_type, layer=name)
        return asked
    legal = legal_reuse_factors(n_in, n_out, strategy, kind=layer.kind, io_type=config.product_io_type)
    if not legal:
        raise no_template(strategy, layer.kind, config.product_io_type, f"layer '{name}'")
    products = shared_products(n_in, n_out, strategy, layer.kind)
    chosen = smallest_legal(legal, products, config.max_multipliers)
    if chosen is None:
        raise FirmwareError(
            "REUSE-NONE",
            f"no legal reuse factor brings {products} products to {config.max_multipliers} multipliers",
            where=f"layer '{name}'",
            fix="raise hls.max_multipliers, or use the resource strategy",
        )
    return chosen


def choose_strategy(name: str, layer: LayerDescription, config: HlsConfig) -> Strategy | None:
    """Give the strategy of a layer with multipliers, whether or not the back end has it.

    A depthwise convolution that there is no template for with the strategy of all layers takes the latency strategy.
    """
    if layer.product is None or layer.kind is None:
        return None
    strategy = config.strategy_of(name)
    if name in config.strategies or not layer.kind.is_depthwise:
        return strategy
    if strategy not in known_strategies(layer.kind, config.backend):
        return Strategy.LATENCY
    legal = legal_reuse_factors(*layer.product, strategy, kind=layer.kind, io_type=config.product_io_type)
    return strategy if legal else Strategy.LATENCY


def known_strategies(kind: LayerKind, backend: str) -> tuple[Strategy, ...]:
    """Give the strategies that a back end has for a kind of layer; our own depthwise kernel has one."""
    facts = BACKENDS[backend]
    return (Strategy.LATENCY,) if kind.is_depthwise and facts.has_ac_kernels else facts.strategies


def _legal_strategy(name: str, layer: LayerDescription, config: HlsConfig) -> Strategy | None:
    """Give the strategy of a layer, or refuse one that the back end or weights outside the core do not allow."""
    strategy = choose_strategy(name, layer, config)
    if strategy is None or layer.kind is None:
        return None
    known = known_strategies(layer.kind, config.backend)
    if strategy not in known:
        raise FirmwareError(
            "STRATEGY-BACKEND",
            f"{config.backend} has no {strategy} strategy for a {layer.kind} layer",
            where=f"layer '{name}'",
            fix=f"use {' or '.join(known)}: hls.strategy for all layers, hls.strategies for one",
        )
    wrong = must_be_resource(name, layer.weights, strategy, config)
    if wrong:
        raise wrong
    return strategy


def choose_parallelization_factor(node: Node, layer: LayerDescription, config: HlsConfig) -> int:
    """Give how many output pixels of a convolution are computed at once: as asked for, if legal, else one."""
    asked = config.parallelization_factors.get(node.name, 1)
    if asked == 1 or layer.kind is None:
        return 1
    # hls4ml partitions height x width; a dense layer has one pixel.
    pixels = prod(node.shape[:-1]) if layer.kind.is_convolution else 1
    legal = legal_pixels_at_once(pixels, config)
    if asked not in legal:
        raise FirmwareError(
            "PARALLEL-ILLEGAL",
            f"{asked} pixels at once is not legal with {config.backend} and {config.io_type}",
            where=f"layer '{node.name}'",
            fix="use one of " + ", ".join(map(str, legal)),
        )
    return asked


def legal_pixels_at_once(pixels: int, config: HlsConfig) -> tuple[int, ...]:
    """Give how many of so many output pixels may be computed at once."""
    splits = BACKENDS[config.backend].splits_images
    return legal_parallelization_factors(pixels, io_type=config.io_type if splits else IoType.STREAM)
