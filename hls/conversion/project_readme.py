"""The generated project's own README: its layers, its commands, its files."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from siliconv.hardware.beat_format import beat_format
from siliconv.hardware.board_design.board_design import board_for
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import FirmwareProject
from siliconv.hls.conversion.testbench import ports_of
from siliconv.hls.rendering import render
from siliconv.hls.vendor.vendor_tools import COMMANDS
from siliconv.network.graph import Network
from siliconv.network.network_file import is_of_several, network_hash

_CLASSES_SHOWN = 20


def write_readme(firmware: FirmwareProject, network: Network, config: HlsConfig, *, vectors: int) -> None:
    """Write README.md into a generated project.

    Parameters
    ----------
    firmware
        The project.
    network, config
        What it was made from.
    vectors
        Golden vectors in its test bench.
    """
    several = is_of_several(network)
    first, last = network.inputs[0], network.outputs[0]
    classes = network.metadata.get("class_names", ())
    text = render(
        "README.md.j2" if BACKENDS[config.backend].is_simulated else "README_oneapi.md.j2",
        top=firmware.top,
        hls4ml=version("hls4ml"),
        backend=config.backend,
        amd=BACKENDS[config.backend].is_amd,
        part=config.part,
        clock_ns=f"{config.clock_ns:g}",
        io_type=config.io_type,
        vectors=vectors,
        layers=firmware.layers,
        weight_ports=firmware.weight_ports,
        board=board_for(config.part, config.board),
        tools=COMMANDS.get(BACKENDS[config.backend].family, ()),
        several=several,
        ports=[port for side in ports_of(network, firmware.folder) for port in side] if several else [],
        input_type=first.type,
        input_fraction=first.type.fraction,
        input=beat_format(first.shape, first.type),
        output_type=last.type,
        output_fraction=last.type.fraction,
        output=beat_format(last.shape, last.type),
        classes=list(classes) if not isinstance(classes, str) and len(classes) <= _CLASSES_SHOWN else [],
        single=_single_output(network, classes),
        network_sha256=network_hash(network),
    )
    (firmware.folder / "README.md").write_text(text, encoding="utf-8")


def _single_output(network: Network, classes: Sequence[str]) -> str:
    """Say what one output for two classes is: ``probability`` or ``logit`` of the second; empty for other networks."""
    last = network.outputs[0]
    if isinstance(classes, str) or len(classes) != 2 or last.shape != (1,):
        return ""
    return "logit" if network.logits_of(last) is last else "probability"
