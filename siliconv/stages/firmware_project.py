"""A complete firmware project of a network: hls4ml's sources, test bench, AXI top level, README and manifest."""

from __future__ import annotations

from pathlib import Path

from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.axi import write_axi
from siliconv.hls.conversion.conversion import FirmwareProject, convert
from siliconv.hls.conversion.firmware_form import without_output_function
from siliconv.hls.conversion.manifest import write_manifest
from siliconv.hls.conversion.notices import write_notices
from siliconv.hls.conversion.project_readme import write_readme
from siliconv.hls.conversion.testbench import write_hls4ml_vectors, write_testbench
from siliconv.hls.fifo.sized_design import design_of, fifo_depths
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.network.network_file import is_of_several
from siliconv.progress import Progress


def write_firmware_project(
    network: Network, config: HlsConfig, vectors: Codes, folder: Path, progress: Progress | None = None
) -> FirmwareProject:
    """Write the firmware project of a network, with the test bench that fails on any difference.

    Parameters
    ----------
    network
        The integer network.
    config
        What the firmware is made with.
    vectors
        Inputs of the test bench, (n, *input shape).
    folder
        An empty folder.
    progress
        As for `siliconv.hls.conversion.conversion.convert`.

    Raises
    ------
    FirmwareError
        As `siliconv.hls.conversion.conversion.convert` and `siliconv.hls.fifo.sized_design.design_of`.
    """
    backend = BACKENDS[config.backend]
    made = network if backend.is_simulated else without_output_function(network)
    depths = fifo_depths(design_of(made, config)) if backend.family is not None else {}
    firmware = convert(made, config, folder, fifo_depths=depths, progress=progress)
    ports = firmware.weight_ports
    if backend.is_simulated:
        write_testbench(made, vectors, folder, config, weight_ports=ports)
    else:
        write_hls4ml_vectors(made, vectors, folder)
    if backend.is_amd and not is_of_several(network):
        write_axi(network, config, folder, weight_ports=ports)
    write_notices(folder, network.name)
    write_readme(firmware, made, config, vectors=len(vectors))
    write_manifest(firmware, network, config, folder)
    return firmware
