"""Latency and resources of a network's firmware, as `estimate.json` holds them."""

from __future__ import annotations

from typing import Any

from siliconv.hardware.beat_format import beat_format
from siliconv.hardware.boards import RESOURCES, Board
from siliconv.hardware.driver_times import driver_times
from siliconv.hardware.stream.steady_state import steady_interval
from siliconv.hls.backends import BACKENDS, no_estimate
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.layer_settings import plan_layers
from siliconv.hls.design.design import Design, MatrixLayer
from siliconv.hls.estimate.axi_resources import ends_cost
from siliconv.hls.estimate.coefficients import Coefficients
from siliconv.hls.estimate.estimate import Estimate, estimate
from siliconv.hls.estimate.schedule import Cycles
from siliconv.hls.fifo.axi_ends import around_an_array, with_axi_ends
from siliconv.hls.fifo.layer_times import layer_times
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.fifo.stream_actors import stream_graph
from siliconv.hls.fit.candidates import chance_to_fit
from siliconv.hls.fit.fit import MOST_SHARE
from siliconv.hls.kinds import IoType, Synthesis
from siliconv.hls.vendor.synthesis_results import SynthesisResults, beside
from siliconv.network.graph import Network
from siliconv.network.network_file import is_of_several


def has_estimate(config: HlsConfig) -> bool:
    """Whether the estimator knows the templates of a back end."""
    return BACKENDS[config.backend].family is not None


def estimate_network(
    network: Network,
    config: HlsConfig,
    coefficients: Coefficients,
    *,
    calibration: str = "",
    results: SynthesisResults | None = None,
) -> dict[str, Any]:
    """Estimate the firmware of a network for C synthesis and for logic synthesis, with the shares of its board.

    Parameters
    ----------
    network, config
        The network, and what its firmware is made with.
    coefficients, calibration
        What parts cost, and whose own results are in it, for people.
    results
        What a vendor tool reported of this design; it is put beside the estimate.

    Returns
    -------
    The content of `estimate.json`: cycles, nanoseconds, counts of each resource with bands.

    Raises
    ------
    FirmwareError
        As `siliconv.hls.fifo.sized_design.design_of`.
    """
    design = design_of(network, config)
    found = estimate(design, coefficients=coefficients)
    on_device = estimate(design, stage=Synthesis.VSYNTH, coefficients=coefficients)
    content = {**found.as_json(), "calibration": calibration}
    content["logic_synthesis"] = {name: getattr(on_device, name).as_json() for name in RESOURCES}
    of_layer = {layer.name: layer for layer in design.layers if isinstance(layer, MatrixLayer)}
    for layer, after in zip(content["layers"], on_device.layers, strict=True):
        matrix = of_layer.get(layer["name"])
        layer |= {
            "logic_synthesis": {name: getattr(after, name) for name in RESOURCES},
            "reuse_factor": matrix.reuse_factor if matrix else None,
            "multipliers": matrix.multipliers if matrix else 0,
            "weight_bits": matrix.weight_bits if matrix else 0,
        }
    content["part"] = config.part
    cycles = Cycles(int(found.latency_cycles.value), int(found.interval_cycles.value))
    content["axi"] = _axi_cycles(network, design, cycles) | _axi_resources(network, design, coefficients)
    content["on_a_board"] = _on_a_board(design, found.latency_cycles.value, content["axi"])
    board = config.device
    content["board"] = None
    if board is not None:
        shares = board.shares({name: content["logic_synthesis"][name]["value"] for name in RESOURCES})
        content["board"] = {
            "name": board.name,
            "title": board.title,
            "shares": shares,
            "available": {name: getattr(board, name) for name in RESOURCES},
            "fit": _verdict(on_device, board),
        }
    content["times"] = layer_times(design)
    return beside(content, results) if results is not None else content


def _verdict(found: Estimate, board: Board) -> dict[str, Any]:
    """Say whether the estimate for logic synthesis stays within what can be used of a board: values, bands, chance."""
    room = {name: MOST_SHARE * getattr(board, name) for name in RESOURCES}
    return {
        "most_share": MOST_SHARE,
        "fits": all(getattr(found, name).value <= room[name] for name in RESOURCES),
        "surely": all(getattr(found, name).high <= room[name] for name in RESOURCES),
        "chance": round(chance_to_fit(found, board, MOST_SHARE), 3),
    }


def _axi_cycles(network: Network, design: Design, cycles: Cycles) -> dict[str, Any]:
    """Give the beats of an image and a result, and the intervals of the AXI-Stream top level: a beat a cycle.

    `core_steady_cycles` and `steady_cycles` are simulated: those of the core alone and of the top level from image to
    image, where the interval is the longest that C synthesis states. Networks of several inputs or outputs have no such
    top level: their interval is the core's.
    """
    stream = design.io_type is IoType.STREAM
    core = stream_graph(design) if stream else None
    alone = steady_interval(core) if core is not None else cycles.interval
    found: dict[str, Any] = {"interval_cycles": cycles.interval, "core_steady_cycles": alone, "limits": False}
    if is_of_several(network):
        return found
    images, results = (beat_format(node.shape, node.type) for node in (network.input, network.output))
    if core is not None:
        around = steady_interval(with_axi_ends(core, images, results))
    else:
        around = steady_interval(around_an_array(cycles, images, results, design.backend))
    beats = max(images.beats_of_image, results.beats_of_image)
    return found | {
        "input_beats": images.beats_of_image,
        "output_beats": results.beats_of_image,
        "interval_cycles": max(cycles.interval, beats) if stream else max(cycles.interval, around),
        "steady_cycles": around,
        "limits": beats > cycles.interval or around > alone,
    }


def _axi_resources(network: Network, design: Design, coefficients: Coefficients) -> dict[str, int]:
    """Give the look-up tables and flip-flops of the top level's ends, which come to those of the core."""
    if is_of_several(network):
        return {}
    source, result = network.input, network.output
    images, results = (beat_format(node.shape, node.type) for node in (source, result))
    return ends_cost(design, images, results, (source.type.width, result.type.width), coefficients)


def _on_a_board(design: Design, latency: float, axi: dict[str, Any]) -> dict[str, Any]:
    """Give the time of a transfer of one image, and from how many on half the rate is reached."""
    known = driver_times()
    least, most = known.transfer_us
    compute = latency * design.clock_ns / 1e3
    every = axi.get("steady_cycles", axi["interval_cycles"]) * design.clock_ns / 1e3
    return {
        "transfer_us": list(known.transfer_us),
        "source": known.source,
        "one_image_us": [round(compute + one, 1) for one in (least, most)],
        "images_for_half_the_rate": max(round((least + most) / 2 / every), 1),
    }


def count_multipliers(network: Network, config: HlsConfig) -> dict[str, Any]:
    """Say what is known of a firmware for whose back end there is no estimate: multipliers and weight memory."""
    factors = {layer.name: layer.reuse_factor for layer in plan_layers(network, config)}
    layers = [
        {
            "name": node.name,
            "kind": type(node).__name__,
            "reuse_factor": factors[node.name],
            "multipliers": -(-node.kernel.codes.size // factors[node.name]),
            "weight_bits": sum(one.codes.size * one.type.width for one in (node.kernel, node.bias)),
        }
        for node in network.matrices
    ]
    reason = no_estimate(config.backend)
    return {"source": "none", "reason": reason, "part": config.part, "clock_ns": config.clock_ns, "layers": layers}
