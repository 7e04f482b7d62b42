"""The AXI-Stream top level around the exact core, and the driver of a PYNQ board for it.

Codes travel as they are, in the lanes of docs/stream_format.md: a pixel a beat, a result sign-extended. Nothing is
converted on the way, so board, C simulation and emulator share one meaning of every bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from siliconv.hardware.beat_format import END_WORDS, beat_format
from siliconv.hardware.board_design.board_design import StreamCore, board_for, write_board_design, write_driver
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.testbench import raw_bits
from siliconv.hls.conversion.weight_ports import WeightPort, port_texts
from siliconv.hls.kinds import Backend
from siliconv.hls.rendering import render
from siliconv.hls.vendor.build_script import axi_script
from siliconv.network.graph import Network


def write_axi(network: Network, config: HlsConfig, folder: Path, *, weight_ports: Sequence[WeightPort] = ()) -> None:
    """Write the AXI-Stream top level, its test bench, the driver and a board's block design into a generated project.

    Parameters
    ----------
    network
        The integer network.
    config
        Part, clock, and whether the core has stream (io_stream) or array (io_parallel) ports.
    folder
        The project that `siliconv.hls.conversion.conversion.convert` wrote.
    weight_ports
        Those that the project has; the AXI-Stream top level has them as well.
    """
    source, result = network.input, network.output
    beats = (beat_format(source.shape, source.type), beat_format(result.shape, result.type))
    values = {
        "top": network.name,
        "stream": config.io_type == "io_stream",
        "end_words": END_WORDS,
        "input_raw": raw_bits(source.type),
        "output_raw": raw_bits(result.type),
        "input": beats[0],
        "output": beats[1],
        "own_beats": BACKENDS[config.backend].family is Backend.VIVADO,
        "input_type": source.type,
        "output_type": result.type,
        **port_texts(weight_ports),
    }
    files = {
        f"axi/{network.name}_axi.h": "axi.h.j2",
        f"axi/{network.name}_axi.cpp": "axi.cpp.j2",
        f"axi/{network.name}_axi_test.cpp": "axi_test.cpp.j2",
        "axi/sim/ap_axi_sdata.h": "ap_axi_sdata.h.j2",
    }
    for name, template in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(template, **values), encoding="utf-8")
    write_driver(network, folder / "driver")
    board = board_for(config.part, config.board)
    if board is not None:
        project = axi_script(network.name).project
        core = StreamCore(f"{network.name}_axi", f"{project}/solution1/impl/ip", *beats)
        write_board_design(board, core, network.name, config.clock_ns, folder)
