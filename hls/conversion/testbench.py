"""The project's test bench: golden vectors from the integer network, and a C++ main that fails on any difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siliconv.hls.backends import BACKENDS, Numbers
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.weight_headers import WeightHeader, read_headers
from siliconv.hls.conversion.weight_ports import WeightPort, port_texts
from siliconv.hls.rendering import render
from siliconv.network import reference
from siliconv.network.fixed_point import Codes, FixedPoint, to_values
from siliconv.network.graph import Network

VECTORS_FOLDER, INPUT_VECTORS, GOLDEN_VECTORS = "tb_data", "input_codes.dat", "golden_codes.dat"
GOLDEN_WEIGHTS = "golden_weights.dat"


@dataclass(frozen=True)
class _Dialect:
    """How a test bench speaks to a top function: the classes of its streams, and its call."""

    stream_in: str
    stream_out: str
    call: str = "{top}"


_AMD = _Dialect("hls::stream", "hls::stream")
_DIALECTS = {
    "Quartus": _Dialect("stream_in", "stream_out"),
    "Catapult": _Dialect("ac_channel", "ac_channel", "CCS_DESIGN({top})"),
}


def write_testbench(
    network: Network, codes: Codes, folder: Path, config: HlsConfig, *, weight_ports: Sequence[WeightPort] = ()
) -> None:
    """Write the test bench and its vectors into a generated project.

    Parameters
    ----------
    network
        The network whose outputs are the golden ones.
    codes
        Input vectors, (n, *input shape).
    folder
        The project that `siliconv.hls.conversion.conversion.convert` wrote.
    config
        What it was made from: the back end, and whether the top function has streams or arrays for ports.
    weight_ports
        Those that the project has; the test bench is the memory behind them.
    """
    output, dialect, facts = network.output, _DIALECTS.get(config.backend, _AMD), BACKENDS[config.backend]
    golden = reference.run_batches(network, codes, output.name)
    text = render(
        "testbench.cpp.j2",
        top=network.name,
        backend=config.backend,
        numbers=facts.numbers,
        inputs=int(np.prod(network.input.shape)),
        outputs=int(np.prod(output.shape)),
        input_step=repr(network.input.type.step),
        output_step=repr(output.type.step),
        input_raw=raw_bits(network.input.type, facts.numbers),
        output_raw=raw_bits(output.type, facts.numbers),
        stream=config.io_type == "io_stream",
        stream_in=dialect.stream_in,
        stream_out=dialect.stream_out,
        call=dialect.call.format(top=network.name),
        declarations=_weight_declarations(folder / f"{network.name}_bridge.cpp"),
        **port_texts(weight_ports),
    )
    (folder / f"{network.name}_test.cpp").write_text(text, encoding="utf-8")
    vectors = folder / VECTORS_FOLDER
    vectors.mkdir(exist_ok=True)
    for stale in vectors.glob("tb_*.dat"):
        stale.unlink()
    _write_codes(codes, vectors / INPUT_VECTORS)
    _write_codes(golden, vectors / GOLDEN_VECTORS)
    _write_weights(read_headers(folder, network), vectors / GOLDEN_WEIGHTS)


def _write_weights(headers: Sequence[WeightHeader], path: Path) -> None:
    """Write the numbers that the headers have to hold, which are the network's in the order of each template."""
    with path.open("w", encoding="ascii") as file:
        file.write(f"{len(headers)}\n")
        for header in headers:
            file.write(f"{header.path.name} {header.role} {header.layer} {header.numbers.size}\n")
            np.savetxt(file, header.numbers[np.newaxis], fmt="%.17g")


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


def raw_bits(kind: FixedPoint, numbers: Numbers = Numbers.AP) -> str:
    """Give the C++ integer type of the bits of a fixed-point type."""
    if numbers is Numbers.AC:
        return f"ac_int<{kind.width}, {str(kind.signed).lower()}>"
    return f"ap_{'' if kind.signed else 'u'}int<{kind.width}>"


def _weight_declarations(bridge: Path) -> list[str]:
    """Give hls4ml's own definitions of the weights that a project reads from text files; only Catapult's has them."""
    _, _, rest = bridge.read_text(encoding="utf-8").partition("// hls-fpga-machine-learning insert declare weights\n")
    return rest.partition("\n\n")[0].splitlines()


def _write_codes(codes: Codes, path: Path) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write(f"{len(codes)}\n")
        np.savetxt(file, codes.reshape(len(codes), -1), fmt="%d")
