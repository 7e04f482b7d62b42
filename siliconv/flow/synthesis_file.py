"""The file in the build folder that keeps what a vendor tool reported, with the design that it reported it of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siliconv.bounded_reading import read_json
from siliconv.errors import DAMAGE
from siliconv.network.network_file import network_hash
from siliconv.project.atomic_write import write_atomically

if TYPE_CHECKING:
    from siliconv.hls.configuration import HlsConfig
    from siliconv.hls.vendor.synthesis_results import SynthesisResults
    from siliconv.network.graph import Network

SYNTHESIS_FILE = "synthesis.json"


def write_synthesis(build: Path, manifest: dict[str, Any], results: SynthesisResults) -> None:
    """Keep the results of the design that a firmware's manifest describes."""
    design = {"network_sha256": manifest["network_sha256"], "hls": manifest["hls"]}
    content = {"design": design, "results": results.as_json()}
    write_atomically(build / SYNTHESIS_FILE, json.dumps(content, indent=1) + "\n")


def synthesis_results(build: Path, network: Network, config: HlsConfig) -> SynthesisResults | None:
    """Read the results of a design, None where there are none or they are of another one."""
    from siliconv.hls.vendor.synthesis_results import from_json

    try:
        content = read_json(build / SYNTHESIS_FILE)
        design = {"network_sha256": network_hash(network), "hls": config.model_dump(mode="json")}
        return from_json(content["results"]) if content["design"] == design else None
    except DAMAGE:
        return None
