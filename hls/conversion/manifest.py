"""The manifest of a generated project: what it was made from and how, for people and for `siliconv estimate`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from siliconv.bounded_reading import read_as
from siliconv.hardware.file_hashes import hash_files, project_files
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import FirmwareProject
from siliconv.network.graph import Network
from siliconv.network.network_file import network_hash

MANIFEST_FILE = "siliconv.json"


def write_manifest(firmware: FirmwareProject, network: Network, config: HlsConfig, folder: Path) -> None:
    """Write the manifest into the project, last of all: it has the hashes of all other files."""
    content = {
        "top": firmware.top,
        "network_sha256": network_hash(network),
        "hls": config.model_dump(mode="json"),
        "hls4ml": version("hls4ml"),
        "layers": [asdict(layer) for layer in firmware.layers],
        "weight_ports": [asdict(port) for port in firmware.weight_ports],
        "files": hash_files(folder, [path for path in project_files(folder) if path.name != MANIFEST_FILE]),
    }
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
