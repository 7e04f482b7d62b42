"""The AXI-Stream top level around the exact core, and the driver of a PYNQ board for it.

Codes travel as they are: a pixel of 8 bits is a beat of 8 bits, a result is sign-extended to whole bytes. Nothing is
converted on the way, so board, C simulation and emulator share one meaning of every bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.testbench import raw_bits
from siliconv.hls.conversion.weight_ports import WeightPort, port_texts
from siliconv.hls.rendering import render
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.graph import Network


def beat_bits(kind: FixedPoint) -> int:
    """Give the bits of a beat that carries one code: the next of 8, 16, 32, 64."""
    return 1 << max((kind.width - 1).bit_length(), 3)


def write_axi(network: Network, config: HlsConfig, folder: Path, *, weight_ports: Sequence[WeightPort] = ()) -> None:
    """Write the AXI-Stream top level, its test bench and the driver into a generated project.

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
    classes = network.metadata.get("class_names", ())
    values = {
        "top": network.name,
        "stream": config.io_type == "io_stream",
        "inputs": int(np.prod(source.shape)),
        "outputs": int(np.prod(result.shape)),
        "input_raw": raw_bits(source.type),
        "output_raw": raw_bits(result.type),
        "input_beat": beat_bits(source.type),
        "output_beat": beat_bits(result.type),
        "input_type": source.type,
        "output_type": result.type,
        "input_shape": source.shape,
        "output_shape": result.shape,
        "class_names": () if isinstance(classes, str) else tuple(classes),
        "part": config.part,
        "clock_ns": config.clock_ns,
        **port_texts(weight_ports),
    }
    files = {
        f"axi/{network.name}_axi.h": "axi.h.j2",
        f"axi/{network.name}_axi.cpp": "axi.cpp.j2",
        f"axi/{network.name}_axi_test.cpp": "axi_test.cpp.j2",
        "axi/sim/ap_axi_sdata.h": "ap_axi_sdata.h.j2",
        "axi/build_axi.tcl": "build_axi.tcl.j2",
        f"driver/{network.name}_driver.py": "driver.py.j2",
    }
    for name, template in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(template, **values), encoding="utf-8")
