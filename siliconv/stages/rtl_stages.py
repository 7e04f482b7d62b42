"""The stages of the SystemVerilog core: rtl, rtlsim, synth, place, bitstream."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.counting import example_word
from siliconv.flow.artefacts import PACKED_FILE, certificate_vectors, read_json, write_json
from siliconv.flow.flow import Context
from siliconv.flow.output_state import content_hash
from siliconv.models.data.image_store import open_dataset
from siliconv.network import network_file
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.network.network_file import network_hash
from siliconv.progress import waiting
from siliconv.project.project import ProjectConfig
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.simulation.verilator import verilator
from siliconv.rtl.synthesis.nextpnr import check_family
from siliconv.rtl.synthesis.open_tools import check_tool, top_name
from siliconv.rtl.writing.board_tops import BOARD_TOPS, serial_bytes

CYCLES_FILE = "rtl_cycles.json"
"""What was measured beside the certificate."""

BITSTREAM_FILE = "rtl.bit"

TOOLS_OF = {"synth": ("yosys",), "place": ("yosys", "nextpnr-ecp5"), "bitstream": ("yosys", "nextpnr-ecp5", "ecppack")}
"""What the stages behind the simulation need."""


def check_rtl_tools(until: str, config: RtlConfig) -> None:
    """Raise `ToolError` for a tool that a run up to a stage lacks, `ProjectError` for a family that is not placed."""
    if until == "rtlsim":
        verilator()
    for tool in TOOLS_OF.get(until, ()):
        check_tool(tool)
    if until in ("place", "bitstream") or (config.board_top and until == "synth"):
        check_family(config.family)


def write_rtl(context: Context) -> str:
    """Lay the network out and write it as SystemVerilog, with vectors for its test bench."""
    from siliconv.network import reference
    from siliconv.rtl.cycles.cycle_model import cycles
    from siliconv.rtl.cycles.ring_depths import rings_of
    from siliconv.rtl.design.rtl_design import design_of
    from siliconv.rtl.resources.block_work import busy_of_block, products_of_block
    from siliconv.rtl.simulation.word_files import to_words
    from siliconv.rtl.writing.axi_top import write_axi_vectors, write_block_design
    from siliconv.rtl.writing.instances import instance
    from siliconv.rtl.writing.rtl_project import write_project

    network = network_file.load(context.build / "network")
    with waiting(context.progress, "Planning the SystemVerilog"):
        design = design_of(network, context.project.rtl)
    vectors = _vectors(context, network)
    folder = context.out / "rtl"
    folder.mkdir()
    write_project([design], folder, images=len(vectors))
    output = network.output.name
    expected = reference.run_batches(network, vectors, output)
    to_words(vectors, design.source).tofile(folder / "vectors" / "in_0.bin")
    to_words(expected, design.sink).tofile(folder / "vectors" / "expected_0.bin")
    write_axi_vectors(design, vectors, expected, folder / "vectors")
    write_block_design(design, context.project.rtl, vectors, expected, folder)
    predicted = cycles(design, 4)
    content = {
        "latency_cycles": predicted.latency,
        "interval_cycles": predicted.interval,
        "products": design.products,
        "log_rings": rings_of(design),
        "network": network_hash(network),
        "serial": serial_bytes(design),
        "blocks": [
            {"name": block.name, "kind": instance(block).module, "node": block.outputs[0].node}
            | {"products": products_of_block(block), "busy": busy_of_block(block)}
            for block in design.blocks
        ],
    }
    write_json(folder / "plan.json", content)
    return (
        f"{len(design.blocks)} blocks, {design.products:,} products a cycle: {predicted.latency:,} cycles latency, "
        f"an {example_word(context.project.model.network_shape)} every {predicted.interval:,.0f}"
    )


def simulate_rtl(context: Context) -> str:
    """Simulate the written SystemVerilog with Verilator, and write its certificate."""
    from siliconv.certificate.rtl_certification import RTL_CERTIFICATE, certify_rtl

    network, design = _written(context)
    dataset = open_dataset(context.build / "data")
    word = example_word(context.project.model.network_shape)
    certificate, evidence = certify_rtl(
        design,
        context.build / "rtl",
        certificate_vectors(context.project, network, dataset.test),
        work=context.work / "verilator",
        artefacts=[
            path for stage in ("data", "network") for path in (context.build / stage).rglob("*") if path.is_file()
        ],
        jobs=context.project.csim.jobs,
        seconds=context.project.csim.timeout_s,
        progress=context.progress,
        dask=context.project.csim.dask,
    )
    write_json(context.out / RTL_CERTIFICATE, certificate.as_json())
    write_json(context.out / CYCLES_FILE, _of_plan(context, evidence.as_json()))
    return (
        f"{certificate.verdict}; {evidence.latency_cycles:,} cycles latency, an {word} every "
        f"{evidence.interval_cycles:,.0f}, measured"
    )


def synthesize_rtl(context: Context) -> str:
    """Map the SystemVerilog to a family of devices with Yosys."""
    from siliconv.rtl.synthesis.yosys import synthesize

    config, folder = context.project.rtl, context.out / "rtl_netlist"
    _, design = _written(context)
    shutil.copytree(context.build / "rtl", folder)
    with waiting(context.progress, f"Mapping to {config.family} with Yosys"):
        cells = synthesize(folder, design, config.family, board=config.board_top)
    top = top_name(design, config.board_top)
    kept = {f"{top}_{config.family}.json", f"{top}_{config.family}.log"}
    _keep_only(folder, kept)
    write_json(context.out / "synth.json", _of_plan(context, asdict(cells)))
    return (
        f"{cells.lut + cells.lut_memory:,} LUT, {cells.ff:,} FF, {cells.dsp} DSP, {cells.block_memory} block memories "
        f"on {config.family} (Yosys, before placement)"
    )


def place_rtl(context: Context) -> str:
    """Place and route on an ECP5 with nextpnr."""
    from siliconv.rtl.synthesis.nextpnr import place

    config, folder = context.project.rtl, context.out / "rtl_placed"
    _, design = _written(context)
    shutil.copytree(context.build / "rtl_netlist", folder)
    board = BOARD_TOPS[config.board_top] if config.board_top else None
    part, mhz = (board.part, float(board.clock_mhz)) if board else (config.part, config.clock_mhz)
    with waiting(context.progress, "Placing and routing with nextpnr"):
        placed = place(folder, design, part, mhz=mhz, seed=config.seed, board=config.board_top)
    top = top_name(design, config.board_top)
    _keep_only(folder, {f"{top}.config", f"{top}_placed.json", f"{top}_nextpnr.log"})
    write_json(context.out / "place.json", _of_plan(context, asdict(placed)))
    return f"{placed.mhz:.1f} MHz routed on {placed.part}, seed {placed.seed}"


def pack_rtl(context: Context) -> str:
    """Write the bitstream with ecppack."""
    from siliconv.rtl.synthesis.nextpnr import pack

    _, design = _written(context)
    work = context.work / "ecppack"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(context.build / "rtl_placed", work)
    config = context.project.rtl
    with waiting(context.progress, "Packing the bitstream with ecppack"):
        bitstream, _ = pack(work, design, board=config.board_top)
    shutil.copyfile(bitstream, context.out / BITSTREAM_FILE)
    size = bitstream.stat().st_size
    placed = content_hash(context.build / "place.json")
    write_json(context.out / PACKED_FILE, _of_plan(context, {"placed": placed, "bytes": size}))
    if config.board_top:
        check = f"build/rtl/{config.board_top}/check_board.py"
        return f"{size:,} bytes: openFPGALoader -b {config.board_top} build/{BITSTREAM_FILE}, then python {check}"
    return f"{size:,} bytes for {config.part}"


def written_design(build: Path, network: Network, config: RtlConfig) -> RtlDesign:
    """Give the design of a network with the rings that were written."""
    from siliconv.rtl.design.rtl_design import design_of

    return design_of(network, config, read_json(build / "rtl" / "plan.json")["log_rings"])


def _of_plan(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    """Say of which written core something was made."""
    return {"plan": content_hash(context.build / "rtl" / "plan.json"), **content}


def _written(context: Context) -> tuple[Network, RtlDesign]:
    network = network_file.load(context.build / "network")
    return network, written_design(context.build, network, context.project.rtl)


def _vectors(context: Context, network: Network) -> Codes:
    project: ProjectConfig = context.project
    dataset = open_dataset(context.build / "data")
    return np.concatenate(list(certificate_vectors(project, network, dataset.test).values()))


def _keep_only(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in names:
            path.unlink()
