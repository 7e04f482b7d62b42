"""Write the hls4ml project of an integer network: every type and reuse factor is stated, and checked to be kept."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siliconv.errors import FirmwareError
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.asserts import write_asserts
from siliconv.hls.conversion.distributed_arithmetic import adder_functions
from siliconv.hls.conversion.firmware_form import written_form
from siliconv.hls.conversion.firmware_types import state_one_bit_types
from siliconv.hls.conversion.layer_list import LayerDescription
from siliconv.hls.conversion.layer_settings import FirmwareLayer, describe_layers, with_settings
from siliconv.hls.conversion.weight_ports import WeightPort, weight_ports
from siliconv.hls.conversion.written_project import finish
from siliconv.hls.kinds import Strategy
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.graph import Network, Node, Pad, Requantize, Reshape
from siliconv.progress import Progress, Silent

FLOAT_SIGNIFICAND = 24
"""Bits that a float holds exactly."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FirmwareProject:
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
) -> FirmwareProject:
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
        Words by the name of the layer that writes into the FIFO (`siliconv.hls.fifo.sized_design.fifo_depths`);
        hls4ml's default, a whole feature map, for the others.
    progress
        Told of each layer whose adders are searched (distributed arithmetic), which may take minutes.

    Raises
    ------
    FirmwareError
        ``FIRMWARE-LAYER`` where there is no template for a node, ``REUSE-...``, ``STRATEGY-...``, ``BRAM-...`` where a
        setting is impossible; ``FIRMWARE-CHANGED`` if hls4ml did not keep a type or a reuse factor that it was given.
    """
    descriptions = describe_layers(network, config)
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
    if BACKENDS[config.backend].has_ac_kernels:
        state_one_bit_types(folder, written_form(network, config))
    if BACKENDS[config.backend].is_simulated:
        write_asserts(written_form(network, config), folder)
    return FirmwareProject(folder, network.name, layers, ports)


def build_graph(network: Network, config: HlsConfig, folder: Path, *, progress: Progress | None = None) -> Any:
    """Build hls4ml's own `ModelGraph` of a network, for those who want to go on with hls4ml; nothing is written.

    Raises
    ------
    FirmwareError
        As `convert`.
    """
    descriptions = describe_layers(network, config)
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
    _check_names(network)
    of_adders = [layer.name for layer in layers if layer.strategy is Strategy.DISTRIBUTED_ARITHMETIC]
    adders = adder_functions(network, descriptions, of_adders, progress)
    # Layers without products are not told of a strategy that their templates do not know.
    general = Strategy.LATENCY if config.strategy is Strategy.DISTRIBUTED_ARITHMETIC else config.strategy
    with _hls4ml_output():
        # First, for it sees to the Keras that hls4ml's TensorFlow is bound to.
        from siliconv.hls.conversion.hls4ml_flows import ADDERS, flows_with_adders
        from siliconv.hls.conversion.own_layers import OWN_LAYERS, register  # isort: skip

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
            inputs=[node.name for node in network.inputs],
            outputs=[node.name for node in network.outputs],
        )
    _check_kept(network, graph, layers)
    return graph


def _check_names(network: Network) -> None:
    """Refuse names that are no identifiers: hls4ml writes them into C++, Tcl and YAML as they are."""
    for node in network.nodes:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", node.name):
            raise FirmwareError(
                "FIRMWARE-NAME",
                f"{node.name!r} is no name that C++ takes",
                where="name of a node",
                fix="use letters, digits and underscores",
            )


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
    """Name a FIFO as `siliconv.hls.fifo.sized_design.fifo_depths` does: by its writer, a copy also by its reader."""
    if layer.class_name != "Clone":
        return str(layer.name)
    readers = layer.get_output_nodes(output)
    if not readers:
        return ""  # it leaves the core: a port, behind which there is no FIFO
    (reader,) = readers
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
