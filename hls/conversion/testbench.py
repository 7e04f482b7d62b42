"""The project's test bench: golden vectors from the integer network, and a C++ main that fails on any difference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from siliconv.errors import FirmwareError
from siliconv.hls.backends import BACKENDS, Numbers
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.weight_headers import WeightHeader, read_headers
from siliconv.hls.conversion.weight_ports import WeightPort, port_texts
from siliconv.hls.rendering import render
from siliconv.network import reference
from siliconv.network.fixed_point import Codes, FixedPoint
from siliconv.network.graph import Network
from siliconv.network.network_file import is_of_several
from siliconv.network.rows import joined, row_shape, values_of

VECTORS_FOLDER, INPUT_VECTORS, GOLDEN_VECTORS = "tb_data", "input_codes.dat", "golden_codes.dat"
GOLDEN_WEIGHTS = "golden_weights.dat"


@dataclass(frozen=True)
class _Dialect:
    """How a test bench speaks to a top function: the classes of its streams, and its call."""

    stream_in: str
    stream_out: str
    call: str = "{top}"


@dataclass(frozen=True)
class Port:
    """A port of a top function: its name and type in C++, of which node, how many values, and the bits of one.

    `end` counts the values of all ports of its side up to its last one.
    """

    name: str
    type: str
    node: str
    values: int
    raw: str
    end: int
    kind: FixedPoint


_PARAMETER = re.compile(r"(?:hls::stream<(?P<word>\w+)> *&(?P<stream>\w+)|(?P<type>\w+) (?P<array>\w+)\[)")

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
    dialect, facts = _DIALECTS.get(config.backend, _AMD), BACKENDS[config.backend]
    first, output = network.inputs[0], network.outputs[0]
    ports_in, ports_out = ports_of(network, folder) if is_of_several(network) else ((), ())
    golden = golden_rows(network, codes)
    text = render(
        "testbench.cpp.j2",
        top=network.name,
        backend=config.backend,
        numbers=facts.numbers,
        inputs=prod(row_shape(network.inputs)),
        outputs=prod(row_shape(network.outputs)),
        several=is_of_several(network),
        ports_in=ports_in,
        ports_out=ports_out,
        input_step=repr(first.type.step),
        output_step=repr(output.type.step),
        input_raw=raw_bits(first.type, facts.numbers),
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


def golden_rows(network: Network, codes: Codes) -> Codes:
    """Give the codes of a network's outputs for input codes: (n, *output shape), or rows of several."""
    names = [node.name for node in network.outputs]
    return joined([reference.run_batches(network, codes, name) for name in names])


def ports_of(network: Network, folder: Path) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Give the ports of inputs and of outputs, as the header of the top function declares them.

    Raises
    ------
    FirmwareError
        ``FIRMWARE-CHANGED`` where it declares others than the network has.
    """
    nodes = (*network.inputs, *network.outputs)
    text = (folder / "firmware" / f"{network.name}.h").read_text(encoding="utf-8")
    declared = text.partition(f"void {network.name}(")[2].partition(");")[0]
    found = list(_PARAMETER.finditer(declared))[: len(nodes)]
    ports: list[Port] = []
    for match, node in zip(found, nodes, strict=False):
        name, kind = match["stream"] or match["array"], match["word"] or match["type"]
        side = ports[len(network.inputs) :] if len(ports) >= len(network.inputs) else ports
        before = side[-1].end if side else 0
        values = prod(node.shape)
        ports.append(Port(name, kind, node.name, values, raw_bits(node.type), before + values, node.type))
    if len(ports) != len(nodes) or [port.name for port in ports[: len(network.inputs)]] != [
        node.name for node in network.inputs
    ]:
        raise FirmwareError(
            "FIRMWARE-CHANGED",
            f"hls4ml made the ports {[port.name for port in ports]} of {[node.name for node in nodes]}",
            where=f"the top function of '{network.name}'",
            fix="this is a defect of the conversion: report it with the project file",
        )
    return tuple(ports[: len(network.inputs)]), tuple(ports[len(network.inputs) :])


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
    golden = golden_rows(network, codes)
    vectors = folder / VECTORS_FOLDER
    vectors.mkdir(exist_ok=True)
    for name, tensor, nodes in (
        ("tb_input_features.dat", codes, network.inputs),
        ("tb_output_predictions.dat", golden, network.outputs),
    ):
        np.savetxt(vectors / name, values_of(nodes, tensor).reshape(len(tensor), -1), fmt="%.17g")


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
