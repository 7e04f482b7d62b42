"""The project's test bench: golden vectors from the integer network, and a C++ main that fails on any difference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from siliconv.hls.rendering import render
from siliconv.hls.weight_ports import WeightPort, port_texts
from siliconv.quantize import reference
from siliconv.quantize.fixed_point import Codes, FixedPoint, to_values
from siliconv.quantize.network import Network

VECTORS_FOLDER, INPUT_VECTORS, GOLDEN_VECTORS = "tb_data", "input_codes.dat", "golden_codes.dat"


def write_testbench(
    network: Network, codes: Codes, folder: Path, *, stream: bool, weight_ports: Sequence[WeightPort] = ()
) -> None:
    """Write the test bench and its vectors into a generated project.

    Parameters
    ----------
    network
        The network whose outputs are the golden ones.
    codes
        Input vectors, (n, *input shape).
    folder
        The project that `siliconv.hls.conversion.convert` wrote.
    stream
        Whether the top function has stream (io_stream) or array (io_parallel) ports.
    weight_ports
        Those that the project has; the test bench is the memory behind them.
    """
    output = network.output
    golden = reference.run_batches(network, codes, output.name)
    text = render(
        "testbench.cpp.j2",
        top=network.name,
        inputs=int(np.prod(network.input.shape)),
        outputs=int(np.prod(output.shape)),
        input_raw=raw_bits(network.input.type),
        output_raw=raw_bits(output.type),
        stream=stream,
        **port_texts(weight_ports),
    )
    (folder / f"{network.name}_test.cpp").write_text(text, encoding="utf-8")
    vectors = folder / VECTORS_FOLDER
    vectors.mkdir(exist_ok=True)
    for stale in vectors.glob("tb_*.dat"):
        stale.unlink()
    _write_codes(codes, vectors / INPUT_VECTORS)
    _write_codes(golden, vectors / GOLDEN_VECTORS)


def write_hls4ml_vectors(network: Network, codes: Codes, folder: Path) -> None:
    """Write vectors as hls4ml's own test benches read them: values in real units, a vector a line.

    Parameters
    ----------
    network
        The network whose outputs are expected.
    codes
        Input vectors, (n, *input shape).
    folder
        The project.
    """
    golden = reference.run_batches(network, codes, network.output.name)
    vectors = folder / VECTORS_FOLDER
    vectors.mkdir(exist_ok=True)
    for name, tensor, kind in (
        ("tb_input_features.dat", codes, network.input.type),
        ("tb_output_predictions.dat", golden, network.output.type),
    ):
        np.savetxt(vectors / name, to_values(tensor, kind).reshape(len(tensor), -1), fmt="%.17g")


def raw_bits(kind: FixedPoint) -> str:
    """Give the C++ integer type of the bits of a fixed-point type."""
    return f"ap_{'' if kind.signed else 'u'}int<{kind.width}>"


def _write_codes(codes: Codes, path: Path) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write(f"{len(codes)}\n")
        np.savetxt(file, codes.reshape(len(codes), -1), fmt="%d")
