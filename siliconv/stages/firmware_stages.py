"""The stages from the integer network to the report: convert, csim, estimate, report."""

from __future__ import annotations

import numpy as np

from siliconv.flow.artefacts import certificate_vectors, read_json, write_json
from siliconv.flow.flow import Context
from siliconv.flow.synthesis_file import synthesis_results
from siliconv.models.data.image_store import open_dataset
from siliconv.network import network_file
from siliconv.network.graph import Conv, Dense, DepthwiseConv, Network
from siliconv.project.calibration_file import calibrated
from siliconv.report.report import write_report
from siliconv.report.report_pictures import draw_pictures

BEFORE_REPORT = ("data", "train", "quantize", "lower", "convert", "csim", "estimate")
"""Stages that the report shows, in order."""


def write_firmware(context: Context) -> str:
    """Write the firmware project with its test bench."""
    from siliconv.hls.backends import BACKENDS
    from siliconv.hls.conversion.axi import write_axi
    from siliconv.hls.conversion.conversion import convert
    from siliconv.hls.conversion.firmware_form import without_output_function
    from siliconv.hls.conversion.manifest import write_manifest
    from siliconv.hls.conversion.project_readme import write_readme
    from siliconv.hls.conversion.testbench import write_hls4ml_vectors, write_testbench
    from siliconv.hls.fifo.sized_design import design_of, fifo_depths

    network = network_file.load(context.build / "network")
    config = context.project.hls
    backend = BACKENDS[config.backend]
    folder = context.out / "firmware"
    folder.mkdir()
    made = network if backend.is_simulated else without_output_function(network)
    depths = fifo_depths(design_of(made, config)) if backend.family is not None else {}
    firmware = convert(made, config, folder, fifo_depths=depths, progress=context.progress)
    dataset = open_dataset(context.build / "data")
    vectors = np.concatenate(list(certificate_vectors(context.project, network, dataset.test).values()))
    ports = firmware.weight_ports
    if backend.is_simulated:
        write_testbench(made, vectors, folder, config, weight_ports=ports)
    else:
        write_hls4ml_vectors(made, vectors, folder)
    if backend.is_amd:
        write_axi(network, config, folder, weight_ports=ports)
    write_readme(firmware, made, config, vectors=len(vectors))
    write_manifest(firmware, network, config, folder)
    weights = sum(
        node.kernel.codes.size + node.bias.codes.size
        for node in network.nodes
        if isinstance(node, Conv | DepthwiseConv | Dense)
    )
    return f"{config.backend} project with {weights:,} weights, {config.io_type}, {config.part}"


def simulate_firmware(context: Context) -> str:
    """Simulate the firmware, compare every layer, and write the certificate."""
    from siliconv.certificate.certificate import Accuracies, certify
    from siliconv.hls.backends import check_simulated

    check_simulated(context.project.hls.backend)
    network = network_file.load(context.build / "network")
    dataset = open_dataset(context.build / "data")
    certificate = certify(
        context.build / "firmware",
        network,
        certificate_vectors(context.project, network, dataset.test),
        agreement=read_json(context.build / "network" / "agreement.json"),
        accuracy=Accuracies(
            *(
                float(read_json(context.build / folder / "metrics.json")["accuracy"])
                for folder in ("float", "quantized", "network")
            )
        ),
        cache=context.work,
        artefacts=[
            context.build / name
            for name in ("network/network.json", "network/weights.npz", "quantized/weights.npz", "quantized/types.json")
        ],
        jobs=context.project.csim.jobs,
        seconds=context.project.csim.timeout_s,
        progress=context.progress,
    )
    write_json(context.out / "csim.json", certificate.as_json())
    if certificate.exact:
        return f"EXACT: {certificate.vectors} vectors, {len(certificate.layers)} layers, every bit equal"
    return f"NOT EXACT: first difference in layer '{certificate.first_differing}'"


def estimate_hardware(context: Context) -> str:
    """Estimate latency and resources, and put what a vendor tool reported beside them."""
    from siliconv.hardware.boards import RESOURCES, board_of_part
    from siliconv.hls.backends import BACKENDS
    from siliconv.hls.design.design import MatrixLayer
    from siliconv.hls.estimate.estimate import estimate
    from siliconv.hls.fifo.sized_design import design_of
    from siliconv.hls.kinds import Synthesis
    from siliconv.hls.vendor.synthesis_results import beside

    network = network_file.load(context.build / "network")
    config = context.project.hls
    if BACKENDS[config.backend].family is None:
        return _count_multipliers(context, network)
    design = design_of(network, config)
    coefficients, calibration = calibrated(context.build.parent)
    found = estimate(design, coefficients=coefficients)
    on_device = estimate(design, stage=Synthesis.VSYNTH, coefficients=coefficients)
    content = {**found.as_json(), "calibration": calibration}
    content["logic_synthesis"] = {name: getattr(on_device, name).as_json() for name in RESOURCES}
    matrices = {layer.name: layer for layer in design.layers if isinstance(layer, MatrixLayer)}
    for layer in content["layers"]:
        matrix = matrices.get(layer["name"])
        layer |= {
            "reuse_factor": matrix.reuse_factor if matrix else None,
            "multipliers": matrix.multipliers if matrix else 0,
            "weight_bits": matrix.weight_bits if matrix else 0,
        }
    content["part"] = config.part
    board = board_of_part(config.part)
    content["board"] = None
    verdict = ""
    if board is not None:
        used = {name: content["logic_synthesis"][name]["value"] for name in RESOURCES}
        shares = board.shares(used)
        content["board"] = {"name": board.name, "title": board.title, "shares": shares}
        fullest = max(shares, key=lambda name: shares[name])
        verdict = f"; {fullest.upper()} {shares[fullest]:.0%} of {board.title}"
    kind = "estimate for C synthesis"
    results = synthesis_results(context.build, network, config)
    if results is not None:
        content = beside(content, results)
        kind = f"reported by {results.tool}" + (" and Vivado" if results.source == "vsynth" else "")
    write_json(context.out / "estimate.json", content)
    cycles, lut, dsp, bram18 = (content[name]["value"] for name in ("latency_cycles", "lut", "dsp", "bram18"))
    return (
        f"{cycles:,.0f} cycles = {cycles * found.clock_ns / 1000:,.0f} us, {lut:,.0f} LUT,"
        f" {dsp:,.0f} DSP, {bram18:,.0f} BRAM18 ({kind}){verdict}"
    )


def _count_multipliers(context: Context, network: Network) -> str:
    """Write what is known of a firmware for whose back end there is no estimate: multipliers and weight memory."""
    from siliconv.hls.backends import no_estimate
    from siliconv.hls.conversion.layer_settings import plan_layers

    config = context.project.hls
    factors = {layer.name: layer.reuse_factor for layer in plan_layers(network, config)}
    matrices = [node for node in network.nodes if isinstance(node, Conv | DepthwiseConv | Dense)]
    multipliers = {node.name: -(-node.kernel.codes.size // factors[node.name]) for node in matrices}
    layers = [
        {
            "name": node.name,
            "kind": type(node).__name__,
            "reuse_factor": factors[node.name],
            "multipliers": multipliers[node.name],
            "weight_bits": sum(one.codes.size * one.type.width for one in (node.kernel, node.bias)),
        }
        for node in matrices
    ]
    reason = no_estimate(config.backend)
    content = {"source": "none", "reason": reason, "part": config.part, "clock_ns": config.clock_ns, "layers": layers}
    write_json(context.out / "estimate.json", content)
    return f"{sum(multipliers.values()):,} multipliers; {reason}"


def write_html_report(context: Context) -> str:
    """Draw the pictures and write the report."""
    pictures = context.out / "pictures"
    draw_pictures(context.build, pictures)
    write_report(context.name, context.project, BEFORE_REPORT, context.build, pictures, context.out / "report.html")
    return str(context.build / "report.html")
