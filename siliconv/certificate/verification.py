"""Whether a certificate still speaks about what lies on the disk: files, network, vectors, tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.certificate.certificate import content_hash, vectors_hash
from siliconv.certificate.certification import installed_versions
from siliconv.hardware.file_hashes import changed_files
from siliconv.hls.conversion.testbench import INPUT_VECTORS, VECTORS_FOLDER
from siliconv.hls.csim.csim import source_hash
from siliconv.network.graph import Network
from siliconv.network.network_file import network_hash
from siliconv.network.rows import row_shape

_DAMAGED = "missing or damaged"


@dataclass(frozen=True)
class Change:
    """Something that is not what the certificate says: what, what it says, and what is found."""

    what: str
    certified: str
    found: str

    def as_json(self) -> dict[str, str]:
        """Return the fields by name."""
        return asdict(self)


def verify(
    certificate: Mapping[str, Any], build: Path, network: Network | None, *, recorded: Mapping[str, str] | None = None
) -> tuple[Change, ...]:
    """Compare a certificate with what lies on the disk and what is installed.

    Parameters
    ----------
    certificate
        What `csim.json` holds.
    build
        The build folder.
    network
        The integer network in it, or None if it can't be read.
    recorded
        SHA-256 of further files of the build folder, by their path: what was made behind the certificate.

    Returns
    -------
    What changed since; empty where the certificate holds, unless it says itself that the firmware is not exact.

    Raises
    ------
    ToolError
        ``TOOL-GXX``, ``TOOL-MAKE`` if the compiler is missing.
    """
    return (
        *own_content(certificate),
        *files_changed({**(recorded or {}), **certificate["files"]}, build),
        *_hashes(certificate["hashes"], build / "firmware", network),
        *versions_changed(certificate["versions"], installed_versions()),
    )


def own_content(certificate: Mapping[str, Any]) -> Iterator[Change]:
    """Tell whether a certificate has the hash that it says of itself."""
    found = content_hash(certificate)
    if certificate.get("sha256") != found:
        yield Change("the certificate itself was edited", str(certificate.get("sha256", "no hash")), found)


def files_changed(files: Mapping[str, str], build: Path) -> Iterator[Change]:
    """Tell which files of a build folder are not as they were."""
    for relative, state in changed_files(build, files).items():
        yield Change(relative, files[relative], state)


def _hashes(hashes: Mapping[str, str], project: Path, network: Network | None) -> Iterator[Change]:
    found = {
        "network": network_hash(network) if network is not None else _DAMAGED,
        # Over whatever the compiler reads, so that a file that was added counts too.
        "firmware_sources": source_hash(project),
        "vectors": _vectors_on_disk(project, network) if network is not None else _DAMAGED,
    }
    for name, digest in found.items():
        if hashes.get(name) != digest:
            yield Change(name.replace("_", " "), hashes.get(name, "nothing"), digest)


def _vectors_on_disk(project: Path, network: Network) -> str:
    """Hash the input vectors of the test bench, which are those of the certificate."""
    try:
        count, *codes = (project / VECTORS_FOLDER / INPUT_VECTORS).read_text(encoding="ascii").split()
        shape = (int(count), *row_shape(network.inputs))
        return vectors_hash(np.array([int(code) for code in codes], dtype=np.int64).reshape(shape))
    except (OSError, ValueError):
        return _DAMAGED


def versions_changed(versions: Mapping[str, str], installed: Mapping[str, str]) -> Iterator[Change]:
    """Tell which tools have another version than they had."""
    for name, was in versions.items():
        if installed.get(name) != was:
            yield Change(f"version of {name}", was, installed.get(name, "none"))
