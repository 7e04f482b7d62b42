"""Make the certificate of the SystemVerilog core, and say whether it still holds.

It has the format of the other one (`siliconv.certificate.certificate`) and needs neither Keras nor hls4ml.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.certificate.certificate import RTL_CERTIFICATE as RTL_CERTIFICATE
from siliconv.certificate.certificate import Certificate, CertifiedLayer, vectors_hash
from siliconv.certificate.certification import types_proven
from siliconv.certificate.verification import Change, files_changed, own_content, versions_changed
from siliconv.hardware.file_hashes import hash_files
from siliconv.hardware.workers import SECONDS_PER_TASK
from siliconv.hls.csim.csim import compiler_version
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.network.network_file import network_hash
from siliconv.progress import Progress
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.simulation.evidence import RtlEvidence, simulated_evidence
from siliconv.rtl.simulation.rtl_claims import rtl_claims
from siliconv.rtl.simulation.source_files import sources_of
from siliconv.rtl.simulation.verilator import verilator_version


def rtl_versions() -> dict[str, str]:
    """Give the versions of all that takes part: libraries, simulator, compiler, Python."""
    return {
        **{library: version(library) for library in ("siliconv", "numpy")},
        "verilator": verilator_version(),
        "compiler": compiler_version(),
        "python": platform.python_version(),
    }


def certify_rtl(
    design: RtlDesign,
    project: Path,
    vectors: Mapping[str, Codes],
    *,
    work: Path,
    artefacts: Iterable[Path] = (),
    jobs: int = -1,
    seconds: float = SECONDS_PER_TASK,
    progress: Progress | None = None,
    dask: str | None = None,
) -> tuple[Certificate, RtlEvidence]:
    """Simulate the sources of a written core on the vectors, compare every node, and say what is known about them.

    Parameters
    ----------
    design
        What the project was written from.
    project
        Its folder, in the build folder.
    vectors
        Input codes by origin, each (n, *input shape).
    work
        A folder for the simulator's build.
    artefacts
        Further files of the build folder that it speaks about.
    jobs, seconds, progress, dask
        As for `siliconv.rtl.simulation.evidence.simulated_evidence`.

    Raises
    ------
    ToolError, WorkSaysNoError
        As `siliconv.rtl.simulation.evidence.simulated_evidence`.
    """
    codes = np.concatenate(list(vectors.values()))
    evidence = simulated_evidence(
        design, project, codes, work, jobs=jobs, seconds=seconds, progress=progress, dask=dask
    )
    claims = (types_proven(design.network), *rtl_claims(evidence, verilator_version()))
    layers = tuple(
        CertifiedLayer(node.name, node.max_abs_difference, node.values, node.differing, None, None)
        for node in evidence.nodes
    )
    certificate = Certificate(
        exact=all(claim.holds for claim in claims),
        claims=claims,
        edited=evidence.edited,
        vectors=len(codes),
        vectors_by_origin={origin: len(part) for origin, part in vectors.items()},
        layers=layers,
        reached=(),
        quantized_test_set=None,
        accuracy=None,
        hashes={"network": network_hash(design.network), "vectors": vectors_hash(codes)},
        files=hash_files(project.parent, [*(path for path in project.rglob("*") if path.is_file()), *artefacts]),
        versions=rtl_versions(),
    )
    return certificate, evidence


def verify_rtl(certificate: Mapping[str, Any], build: Path, network: Network | None) -> tuple[Change, ...]:
    """Compare the certificate of the core with what lies on the disk and what is installed.

    Raises
    ------
    ToolError
        ``RTL-NO-VERILATOR`` if the simulator is missing.
    """
    return (
        *own_content(certificate),
        *files_changed(certificate["files"], build),
        *_added(certificate["files"], build),
        *_network(certificate["hashes"], network),
        *versions_changed(certificate["versions"], rtl_versions()),
    )


def _added(files: Mapping[str, str], build: Path) -> Iterator[Change]:
    """Tell of sources that were not there: synthesis would read them too."""
    for name in sources_of(build / "rtl"):
        if f"rtl/{name}" not in files:
            yield Change(f"rtl/{name}", "not there", "added")


def _network(hashes: Mapping[str, str], network: Network | None) -> Iterator[Change]:
    found = network_hash(network) if network is not None else "missing or damaged"
    if hashes["network"] != found:
        yield Change("network", hashes["network"], found)
