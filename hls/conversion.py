"""Write the hls4ml project of an integer network: every type and reuse factor is stated, and checked to be kept."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from siliconv.errors import FirmwareError
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.design import IoType, Strategy
from siliconv.hls.distributed_arithmetic import adder_functions
from siliconv.hls.firmware_form import firmware_form
from siliconv.hls.layer_list import LayerDescription, describe
from siliconv.hls.own_layer_list import describe_for_ac
from siliconv.hls.reuse_factors import (
    check_reuse_factor,
    legal_parallelization_factors,
    legal_reuse_factors,
    no_template,
    shared_products,
    smallest_legal,
)
from siliconv.hls.weight_ports import WeightPort, check_bram_factor, must_be_resource, weight_ports
from siliconv.hls.written_project import finish
from siliconv.progress import Progress, Silent
from siliconv.quantize.fixed_point import FixedPoint
from siliconv.quantize.intervals import prove
from siliconv.quantize.network import Network, Node, Pad, Requantize, Reshape

FLOAT_SIGNIFICAND = 24
"""Bits that a float holds exactly."""

logger = logging.getLogger(__name__)


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


@dataclass(frozen=True)
class Firmware:
    """A generated project: where it lies, its top function, its layers, and the ports of weights outside the core."""

    folder: Path
    top: str
    layers: tuple[FirmwareLayer, ...]
    weight_ports: tuple[WeightPort, ...] = ()


def convert(
    network: Network,
    config: HlsConfig,
    folder: Path,
    *,
    fifo_depths: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> Firmware:
    """Write the hls4ml project of a network into `folder`.

    Parameters
    ----------
    network
        The integer network; its types are proven again here.
    config
        Back end, part, clock, strategy, reuse factors.
    folder
        An empty or new folder.
    fifo_depths
        Words by the name of the layer that writes into the FIFO (`siliconv.hls.network_design.fifo_depths`);
        hls4ml's default, a whole feature map, for the others.
    progress
        Told of each layer whose adders are searched (distributed arithmetic), which may take minutes.

    Raises
    ------
    FirmwareError
        ``FIRMWARE-LAYER`` where there is no template for a node, ``REUSE-...``, ``STRATEGY-...``, ``BRAM-...`` where a
        setting is impossible; ``FIRMWARE-CHANGED`` if hls4ml did not keep a type or a reuse factor that it was given.
    """
    descriptions = _descriptions(network, config)
    layers = with_settings(network.nodes, descriptions, config)
    graph = _graph(network, config, folder, descriptions, layers, progress or Silent())
    ports = weight_ports(graph, {layer.name: layer.reuse_factor for layer in layers if layer.products})
    _set_fifo_depths(graph, fifo_depths or {})
    # Catapult's writer packs the project into an archive beside it, unless there is one.
    archive = folder.with_name(f"{folder.name}.tar.gz")
    kept = archive.exists()
    with _hls4ml_output():
        graph.write()
    if not kept:
        archive.unlink(missing_ok=True)
    finish(graph, config, folder, network.name)
    return Firmware(folder, network.name, layers, ports)


def plan_layers(network: Network, config: HlsConfig) -> tuple[FirmwareLayer, ...]:
    """Give the layers of a network's firmware with their reuse factors, before anything is written.

    Raises
    ------
    FirmwareError
        ``FIRMWARE-LAYER``, ``REUSE-...``, ``STRATEGY-...`` where a setting is impossible.
    """
    return with_settings(network.nodes, _descriptions(network, config), config)


def with_settings(
    nodes: Sequence[Node], descriptions: Mapping[str, LayerDescription], config: HlsConfig
) -> tuple[FirmwareLayer, ...]:
    """Give the layers of nodes with what is asked for or chosen, by the products that their descriptions have.

    Raises
    ------
    FirmwareError
        ``REUSE-...``, ``STRATEGY-BACKEND``, ``BRAM-...``, ``PARALLEL-ILLEGAL`` where a setting is impossible.
    """
    check_bram_factor(config)
    for node in nodes:
        strategy = choose_strategy(node.name, descriptions[node.name], config)
        wrong = strategy and must_be_resource(node.name, descriptions[node.name].weights, strategy, config)
        if wrong:
            raise wrong
    layers = tuple(
        FirmwareLayer(
            node.name,
            type(node).__name__,
            str(node.type),
            choose_reuse_factor(node.name, descriptions[node.name], config),
            descriptions[node.name].product,
            choose_strategy(node.name, descriptions[node.name], config),
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


def _descriptions(network: Network, config: HlsConfig) -> dict[str, LayerDescription]:
    network = firmware_form(network, config.io_type)
    bounds, describe_node = prove(network), describe_for_ac if BACKENDS[config.backend].has_ac_kernels else describe
    return {node.name: describe_node(node, network.sources(node), bounds) for node in network.nodes}


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
    """Give the strategy of a layer with multipliers.

    A depthwise convolution that hls4ml has no template for with the strategy of all layers takes the latency strategy;
    our own kernel for back ends with `ac_fixed` has no other.

    Raises
    ------
    FirmwareError
        ``STRATEGY-BACKEND`` for a strategy that the back end does not have.
    """
    if layer.product is None or layer.kind is None:
        return None
    strategy, facts = config.strategy_of(name), BACKENDS[config.backend]
    own_kernel = layer.kind.is_depthwise and facts.has_ac_kernels
    known = (Strategy.LATENCY,) if own_kernel else facts.strategies
    if strategy not in known and (name in config.strategies or not layer.kind.is_depthwise):
        raise FirmwareError(
            "STRATEGY-BACKEND",
            f"{config.backend} has no {strategy} strategy for a {layer.kind} layer",
            where=f"layer '{name}'",
            fix=f"use {' or '.join(known)}: hls.strategy for all layers, hls.strategies for one",
        )
    if own_kernel:
        return Strategy.LATENCY
    if name in config.strategies or not layer.kind.is_depthwise:
        return strategy
    legal = legal_reuse_factors(*layer.product, strategy, kind=layer.kind, io_type=config.product_io_type)
    return strategy if legal else Strategy.LATENCY


def choose_parallelization_factor(node: Node, layer: LayerDescription, config: HlsConfig) -> int:
    """Give how many output pixels of a convolution are computed at once: as asked for, if legal, else one."""
    asked = config.parallelization_factors.get(node.name, 1)
    if asked == 1 or layer.kind is None:
        return 1
    # hls4ml partitions height x width; a dense layer has one pixel.
    pixels = prod(node.shape[:-1]) if layer.kind.is_convolution else 1
    splits = BACKENDS[config.backend].splits_images
    legal = legal_parallelization_factors(pixels, io_type=config.io_type if splits else IoType.STREAM)
    if asked not in legal:
        raise FirmwareError(
            "PARALLEL-ILLEGAL",
            f"{asked} pixels at once is not legal with {config.backend} and {config.io_type}",
            where=f"layer '{node.name}'",
            fix="use one of " + ", ".join(map(str, legal)),
        )
    return asked


def build_graph(network: Network, config: HlsConfig, folder: Path, *, progress: Progress | None = None) -> Any:
    """Build hls4ml's own `ModelGraph` of a network, for those who want to go on with hls4ml; nothing is written.

    Raises
    ------
    FirmwareError
        As `convert`.
    """
    descriptions = _descriptions(network, config)
    layers = with_settings(network.nodes, descriptions, config)
    return _graph(network, config, folder, descriptions, layers, progress or Silent())


def _graph(
    network: Network,
    config: HlsConfig,
    folder: Path,
    descriptions: Mapping[str, LayerDescription],
    layers: tuple[FirmwareLayer, ...],
    progress: Progress,
) -> Any:
    of_adders = [layer.name for layer in layers if layer.strategy is Strategy.DISTRIBUTED_ARITHMETIC]
    adders = adder_functions(network, descriptions, of_adders, progress)
    # Layers without products are not told of a strategy that their templates do not know.
    general = Strategy.LATENCY if config.strategy is Strategy.DISTRIBUTED_ARITHMETIC else config.strategy
    with _hls4ml_output():
        # First, for it sees to the Keras that hls4ml's TensorFlow is bound to.
        from siliconv.hls.hls4ml_flows import ADDERS, flows_with_adders
        from siliconv.hls.own_layers import OWN_LAYERS, register  # isort: skip

        from hls4ml.model.graph import ModelGraph
        from hls4ml.utils.config import create_config

        if BACKENDS[config.backend].is_simulated:
            register(config.backend)
        else:
            _refuse_kernels(descriptions, {layer.__name__ for layer in OWN_LAYERS}, config.backend)
        settings = create_config(
            output_dir=str(folder),
            project_name=network.name,
            backend=config.backend,
            part=config.part,
            clock_period=config.clock_ns,
            io_type=config.io_type,
            **_accelerator(network, config),
        )
        settings["HLSConfig"] = {
            "Model": {
                "Precision": {"default": "fixed<16,6>"},
                "ReuseFactor": 1,
                "Strategy": str(general),
                **({} if config.bram_factor is None else {"BramFactor": config.bram_factor}),
            },
            "LayerName": {
                layer.name: {
                    "Precision": descriptions[layer.name].precision,
                    "ReuseFactor": layer.reuse_factor,
                    "Strategy": str(layer.strategy or general),
                    "ParallelizationFactor": layer.parallelization_factor,
                    "Trace": True,
                }
                for layer in layers
            },
        }
        settings["TraceOutput"] = True
        if adders:
            settings["HLSConfig"]["Flows"] = list(flows_with_adders(config.backend))
        graph = ModelGraph.from_layer_list(
            settings,
            [
                description.attributes | ({ADDERS: adders[name]} if name in adders else {})
                for name, description in descriptions.items()
            ],
            inputs=[network.input.name],
            outputs=[network.output.name],
        )
    _check_kept(network, graph, layers)
    return graph


def _refuse_kernels(descriptions: Mapping[str, LayerDescription], kernels: Collection[str], backend: str) -> None:
    """Refuse a network that takes kernels of our own, on a back end whose compiler is not there to try them."""
    for name, description in descriptions.items():
        if description.attributes["class_name"] in kernels:
            raise FirmwareError(
                "FIRMWARE-LAYER",
                f"{backend} has no exact template for it, and siliconv's own kernels are not made for {backend}",
                where=f"node '{name}'",
                fix="use ReLU in place of other functions, windows that neither overlap nor are padded, or another "
                "back end",
            )


def _accelerator(network: Network, config: HlsConfig) -> dict[str, str]:
    """Give what hls4ml's accelerator back end wants besides: its name of the board, and numbers that hold every value.

    Raises
    ------
    FirmwareError
        ``FIRMWARE-BOARD`` for a part that is on none of its boards.
    """
    if config.backend != "VivadoAccelerator":
        return {}
    import hls4ml.backends.vivado_accelerator as accelerator

    boards = json.loads((Path(accelerator.__file__).parent / "supported_boards.json").read_text(encoding="utf-8"))
    board = next((name for name, facts in boards.items() if facts["part"] == config.part), None)
    if board is None:
        raise FirmwareError(
            "FIRMWARE-BOARD",
            f"hls4ml has no driver for a board with {config.part}",
            where="hls.part",
            fix="use one of " + ", ".join(f"{facts['part']} ({name})" for name, facts in boards.items()),
        )
    types = {
        f"{side}_type": "float" if node.type.width <= FLOAT_SIGNIFICAND else "double"
        for side, node in (("input", network.input), ("output", network.output))
    }
    return {"board": board, **types}


def _set_fifo_depths(graph: Any, depths: Mapping[str, int]) -> None:
    # The same attribute that hls4ml's own FIFO depth optimization sets after a co-simulation.
    for layer in graph.get_layers():
        for output in layer.outputs:
            variable = layer.get_output_variable(output)
            depth = depths.get(_fifo_name(layer, output))
            if depth is not None and variable.pragma:
                variable.pragma = (variable.pragma[0], depth)


def _fifo_name(layer: Any, output: str) -> str:
    """Name a FIFO as `siliconv.hls.network_design.fifo_depths` does: by its writer, a copy also by its reader."""
    if layer.class_name != "Clone":
        return str(layer.name)
    (reader,) = layer.get_output_nodes(output)
    while reader.class_name == "Reshape":
        (reader,) = reader.get_output_nodes()
    return f"{layer.get_input_node().name}->{reader.name}"


def _check_kept(network: Network, graph: Any, layers: tuple[FirmwareLayer, ...]) -> None:
    """Refuse a graph in which hls4ml changed a type or a reuse factor, or lost a layer."""
    found = {layer.name: layer for layer in graph.get_layers()}
    for layer in layers:
        node: Node = network.by_name[layer.name]
        if layer.name not in found:
            if _changes_nothing(node, network):
                continue  # hls4ml leaves such a layer out
            _refuse_change(layer.name, "the layer", "nothing")
        kept = found[layer.name]
        given = _as_hls4ml_writes(node.type)
        actual = str(kept.get_output_variable().type.precision)
        # A flattened or padded tensor has its source's type, rounding modes and all; nothing is converted into it.
        if _bits(actual) != _bits(given) if isinstance(node, Reshape | Pad) else actual != given:
            _refuse_change(layer.name, given, actual)
        if layer.products:
            for field, stated in _settings(layer).items():
                if str(kept.get_attr(field, stated)) != stated:
                    _refuse_change(layer.name, f"{field} {stated}", str(kept.get_attr(field)))


def _settings(layer: FirmwareLayer) -> dict[str, str]:
    """Give what hls4ml has to keep of a layer with multipliers, by the name of its attribute."""
    return {
        "reuse_factor": str(layer.reuse_factor),
        "strategy": str(layer.strategy),
        "parallelization_factor": str(layer.parallelization_factor),
    }


def _changes_nothing(node: Node, network: Network) -> bool:
    """Whether a node hands on its input: a requantization into the type that its input has already."""
    return isinstance(node, Requantize) and not node.relu and node.type == network.sources(node)[0].type


def _bits(precision: str) -> list[str]:
    """Signedness, width and integer bits of a type as hls4ml writes it."""
    return precision.split(",")[:2]


def _as_hls4ml_writes(kind: FixedPoint) -> str:
    from hls4ml.backends.fpga.fpga_backend import FPGABackend

    return str(FPGABackend.convert_precision_string(str(kind)))


def _refuse_change(layer: str, given: str, actual: str) -> None:
    raise FirmwareError(
        "FIRMWARE-CHANGED",
        f"hls4ml made {actual} out of {given}",
        where=f"layer '{layer}'",
        fix="this is a defect of the conversion: report it with the project file",
    )


@contextlib.contextmanager
def _hls4ml_output() -> Any:
    """Bring what hls4ml prints into the log."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            if line.strip():
                logger.debug("hls4ml: %s", line)
