"""The stages from the integer network to the report: convert, csim, estimate, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from siliconv.counting import example_word
from siliconv.flow.artefacts import certificate_vectors, judge_of, read_json, write_json
from siliconv.flow.flow import Context, read_record
from siliconv.flow.synthesis_file import synthesis_results
from siliconv.hardware.boards import board
from siliconv.hls.conversion.manifest import MANIFEST_FILE
from siliconv.models.data.image_store import open_dataset
from siliconv.network import network_file
from siliconv.project.calibration_file import calibrated
from siliconv.report.report import write_report
from siliconv.report.report_pictures import draw_pictures
from siliconv.report.verdicts import hls_fit

if TYPE_CHECKING:
    from siliconv.certificate.certificate import Accuracies

BEFORE_REPORT = ("data", "train", "quantize", "lower", "convert", "csim", "estimate")
"""Stages that the report shows, in order."""


def write_firmware(context: Context) -> str:
    """Write the firmware project with its test bench."""
    from siliconv.stages.firmware_project import write_firmware_project

    network = network_file.load(context.build / "network")
    config, folder = context.project.hls, context.out / "firmware"
    folder.mkdir()
    dataset = open_dataset(context.build / "data")
    vectors = np.concatenate(list(certificate_vectors(context.project, network, dataset.test).values()))
    write_firmware_project(network, config, vectors, folder, context.progress)
    weights = sum(node.kernel.codes.size + node.bias.codes.size for node in network.matrices)
    return f"{config.backend} project with {weights:,} weights, {config.io_type}, {config.part}"


def simulate_firmware(context: Context) -> str:
    """Simulate the firmware, compare every layer, and write the certificate."""
    from siliconv.certificate.certification import certify
    from siliconv.hls.backends import check_simulated
    from siliconv.stages.simplified_network import as_lowered

    check_simulated(context.project.hls.backend)
    network = network_file.load(context.build / "network")
    dataset = open_dataset(context.build / "data")
    certificate = certify(
        context.build / "firmware",
        network,
        certificate_vectors(context.project, network, dataset.test),
        lowered=as_lowered(context.build / "network"),
        agreement=read_json(context.build / "network" / "agreement.json"),
        accuracy=_accuracies(context.build),
        cache=context.work,
        artefacts=[
            path
            for stage in ("data", "float", "quantized", "network")
            for path in (context.build / stage).rglob("*")
            if path.is_file()
        ],
        manifest_hash=_hash_as_written(context.build),
        jobs=context.project.csim.jobs,
        seconds=context.project.csim.timeout_s,
        progress=context.progress,
        dask=context.project.csim.dask,
    )
    write_json(context.out / "csim.json", certificate.as_json())
    for reached in certificate.reached:
        for line in reached.lines():
            context.progress.say(f"{line}; the rest rests on the proof")
    return certificate.verdict


def _accuracies(build: Path) -> Accuracies:
    """Read how good the three networks are on the test images."""
    from siliconv.certificate.certificate import Accuracies

    metrics = [read_json(build / folder / "metrics.json") for folder in ("float", "quantized", "network")]
    of_float, of_quantized, of_firmware = (float(one["value"]) for one in metrics)
    return Accuracies(of_float, of_quantized, of_firmware, str(metrics[0]["metric"]))


def _hash_as_written(build: Path) -> str | None:
    """Give the hash that the firmware's manifest had when its stage wrote it."""
    record = read_record(build, "convert")
    return record.outputs.get(f"firmware/{MANIFEST_FILE}") if record is not None else None


def estimate_hardware(context: Context) -> str:
    """Estimate latency and resources, and put what a vendor tool reported beside them."""
    from siliconv.stages.hardware_estimate import count_multipliers, estimate_network, has_estimate

    network, config = network_file.load(context.build / "network"), context.project.hls
    if not has_estimate(config):
        content = count_multipliers(network, config)
        write_json(context.out / "estimate.json", content)
        return f"{sum(layer['multipliers'] for layer in content['layers']):,} multipliers; {content['reason']}"
    coefficients, calibration = calibrated(context.build.parent)
    results = synthesis_results(context.build, network, config)
    content = estimate_network(network, config, coefficients, calibration=calibration, results=results)
    write_json(context.out / "estimate.json", content)
    fit, shares = hls_fit(content)
    thing = example_word(context.project.model.network_shape)
    verdict = f"; {fit.word}"
    if shares:
        fullest = max(shares, key=lambda one: one.share)
        widest = max(shares, key=lambda one: one.most)
        verdict += f": {fullest.title} {fullest.share:.0%} of {content['board']['title']}"
        if fit.tone == "risk" and widest.band is not None:
            verdict += ", " + ("" if widest is fullest else f"{widest.title} ") + f"up to {widest.most:.0%}"
    if content["axi"]["limits"]:
        verdict += f"; AXI-Stream limits it to an {thing} in {content['axi']['steady_cycles']:,.0f} cycles"
    if content["board"] and board(content["board"]["name"]).processing_system:
        least, most = content["on_a_board"]["transfer_us"]
        verdict += f"; each transfer on the board takes {least:g} to {most:g} µs more"
    verdict += "".join(f"; warning: {one}" for one in content["warnings"])
    reported = results is not None and results.source == "vsynth"
    left = content if reported else content["logic_synthesis"]
    kind = (
        f"reported by {results.tool} and Vivado" if results is not None and reported else "estimate of logic synthesis"
    )
    cycles = content["latency_cycles"]["value"]
    lut, dsp, bram18 = (left[name]["value"] for name in ("lut", "dsp", "bram18"))
    return (
        f"{cycles:,.0f} cycles = {_microseconds(cycles * content['clock_ns'] / 1000)} µs, {lut:,.0f} LUT,"
        f" {dsp:,.0f} DSP, {bram18:,.0f} BRAM18 ({kind}){verdict}"
    )


def _microseconds(time: float) -> str:
    return f"{time:,.0f}" if time >= 10 else f"{time:.3g}"


def write_html_report(context: Context) -> str:
    """Draw the pictures and write the report."""
    pictures = context.out / "pictures"
    judge = judge_of(context.project, open_dataset(context.build / "data"))
    draw_pictures(context.build, pictures, judge, context.project)
    write_report(context.name, context.project, BEFORE_REPORT, context.build, pictures, context.out / "report.html")
    return str(context.build / "report.html")
