"""Claims about the sources that synthesis reads: as written, and equal to the network in all that they state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from siliconv.hardware.claims import Claim, Ground
from siliconv.hls.conversion.code_text import SOURCES
from siliconv.hls.conversion.firmware_types import explain_type, stated_types
from siliconv.hls.conversion.weight_headers import network_arrays, read_headers, wrong_numbers
from siliconv.hls.evidence.edits import Edit, TrustedManifest
from siliconv.network.graph import Network

BY_HASH, BY_VALUE = "SHA-256 of each file", "the network, compared number by number"


def source_claims(project: Path, network: Network, manifest: TrustedManifest, edits: Sequence[Edit]) -> Iterator[Claim]:
    """Yield what can be said of a project's files without running them.

    Parameters
    ----------
    project
        Its folder.
    network
        The integer network that it has to compute.
    manifest
        How it was written.
    edits
        What was edited since.
    """
    files = manifest.files
    sources = [name for name in files if Path(name).suffix in SOURCES]
    others = [name for name in files if Path(name).suffix not in SOURCES and not name.startswith("tb_data")]
    vectors = [name for name in files if name.startswith("tb_data")]
    yield _weights(project, manifest.form(network), manifest)
    yield _types(project, network)
    yield _as_written("what synthesis reads is the code that was written", "firmware sources", sources, edits)
    yield _as_written("the test bench has the vectors that were written", "firmware/tb_data", vectors, edits)
    yield _as_written("scripts and driver are as written, or differ as listed", "scripts and driver", others, edits)


def _as_written(claim: str, subject: str, files: Sequence[str], edits: Sequence[Edit]) -> Claim:
    """Make the claim about files of one kind; an edit that was added counts where its kind is."""
    kinds = {"firmware sources": 0, "firmware/tb_data": 1, "scripts and driver": 2}
    own = [edit for edit in edits if _kind(edit.path) == kinds[subject]]
    holds = all(edit.same_code for edit in own)
    return Claim(
        claim, BY_HASH, subject, Ground.COMPARISON, len(files), "files", holds, tuple(str(edit) for edit in own)
    )


def _kind(path: str) -> int:
    if path == "siliconv.json" or Path(path).suffix in SOURCES:
        return 0
    return 1 if path.startswith("tb_data") else 2


def _weights(project: Path, network: Network, manifest: TrustedManifest) -> Claim:
    headers, orders, arrays = read_headers(project, network), manifest.orders, network_arrays(network)
    wrong = [said for header in headers for said in wrong_numbers(header, network, orders.get(header.path.name))]
    there = {header.path.name for header in headers}
    wrong += [f"firmware/weights/{name} is missing, or holds no numbers" for name in orders if name not in there]
    return Claim(
        "weights and tables that synthesis reads are the network's",
        BY_VALUE,
        "firmware/weights",
        Ground.COMPARISON,
        sum(header.numbers.size for header in headers if (header.layer, header.role) in arrays),
        "numbers",
        not wrong,
        tuple(wrong),
    )


def _types(project: Path, network: Network) -> Claim:
    try:
        stated = stated_types(project, network)
    except OSError as error:
        wrong, count = [f"can't be read: {error}"], 0
    else:
        wrong = [
            f"{one.name} is {one.stated}, the network proves {one.expected} for the {one.role} of {one.layer}: "
            f"{explain_type(one)}"
            for one in stated
            if not one.is_kept
        ]
        count = len(stated)
    return Claim(
        "types that the sources state hold all that the network proves",
        "the proof of the network, compared type by type",
        "firmware/defines.h",
        Ground.COMPARISON,
        count,
        "types",
        not wrong,
        tuple(wrong),
    )
