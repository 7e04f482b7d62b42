"""The manifest of a generated project: what it was made from and how, and how every file of it was written."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from siliconv.bounded_reading import read_as
from siliconv.hardware.file_hashes import hash_files, project_files
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.code_text import code_hash, line_hashes
from siliconv.hls.conversion.conversion import FirmwareProject
from siliconv.hls.conversion.firmware_form import written_form
from siliconv.hls.conversion.weight_headers import as_written
from siliconv.network.graph import Network
from siliconv.network.network_file import network_hash

MANIFEST_FILE = "siliconv.json"
SUMS_FILE = "siliconv.sha256"
"""The same hashes as `sha256sum` reads them, for `make csim`, which has nothing else."""

_OWN = ("firmware", "axi", "driver")
"""Folders whose files are generated for this network: their lines are kept as well. Kernels and libraries are not."""


def write_manifest(firmware: FirmwareProject, network: Network, config: HlsConfig, folder: Path) -> None:
    """Write the manifest into the project, last of all: it has the hashes of all other files.

    Parameters
    ----------
    firmware
        What was written.
    network
        The integer network that the user has; its hash says for which one the project was made.
    config
        What it was made with.
    folder
        The project.
    """
    paths = [path for path in project_files(folder) if path.name not in (MANIFEST_FILE, SUMS_FILE)]
    hashes = hash_files(folder, paths)
    content = {
        "top": firmware.top,
        "network_sha256": network_hash(network),
        "hls": config.model_dump(mode="json"),
        "hls4ml": version("hls4ml"),
        "layers": [asdict(layer) for layer in firmware.layers],
        "weight_ports": [asdict(port) for port in firmware.weight_ports],
        "weights": as_written(folder, written_form(network, config)),
        "files": hashes,
        "code": {relative: code_hash(folder / relative) for relative in hashes},
        "lines": {relative: " ".join(line_hashes(folder / relative)) for relative in hashes if _is_own(Path(relative))},
    }
    sums = "".join(f"{digest}  {relative}\n" for relative, digest in hashes.items())
    (folder / SUMS_FILE).write_text(sums, encoding="utf-8")
    (folder / MANIFEST_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Manifest:
    """What is read of a manifest: the network and the settings that a project was made from, and its top function."""

    network_sha256: str
    hls: dict[str, Any]
    hls4ml: str
    top: str = ""


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a project, or raise `siliconv.bounded_reading.UnreadableError`."""
    return read_as(folder / MANIFEST_FILE, Manifest)


def _is_own(relative: Path) -> bool:
    return len(relative.parts) == 1 or (len(relative.parts) == 2 and relative.parts[0] in _OWN)
