"""Make the certificate of an hls4ml firmware: simulate it, compare every layer, and gather all other claims.

The firmware is compared with the integer network here; the integer network was compared with the QKeras model on the
same vectors when it was lowered (`siliconv.quantize.lowering.agreement`). Both together are the chain, layer by layer.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.certificate.certificate import Accuracies, Certificate, CertifiedLayer, vectors_hash
from siliconv.hardware.claims import Claim, Ground
from siliconv.hardware.file_hashes import hash_files, project_files
from siliconv.hardware.workers import SECONDS_PER_TASK
from siliconv.hls.csim.csim import compare, compile_project, compiler_version, source_hash
from siliconv.hls.evidence.compiled_sources import asserts_claim, axi_claim
from siliconv.hls.evidence.edits import edits_of, trusted_manifest
from siliconv.hls.evidence.firmware_sources import source_claims
from siliconv.network.emulator import emulator
from siliconv.network.explanation.comparison import Comparison, Difference
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.network.network_file import network_hash
from siliconv.network.simplify.output_comparison import compared_outputs
from siliconv.network.simplify.simplification import size
from siliconv.network.vectors.reached import Reached, accumulators, reached
from siliconv.progress import Progress

LIBRARIES = ("siliconv", "hls4ml", "qkeras", "tensorflow", "tf-keras", "numpy")

_BATCH = 32
_SIZES = {
    "weight_bits": "bits of weights and biases",
    "value_bits": "bits of an image's values",
    "channels": "channels",
    "products": "products",
}

AXI_PRODUCTS = 2e8
"""Multiplications after which the top level with AXI-Stream ports has seen vectors enough: it runs on one core."""


def installed_versions() -> dict[str, str]:
    """Give the versions of all that takes part: libraries, compiler, Python."""
    return {
        **{library: version(library) for library in LIBRARIES},
        "compiler": compiler_version(),
        "python": platform.python_version(),
    }


def certify(
    project: Path,
    network: Network,
    vectors: Mapping[str, Codes],
    *,
    lowered: Network | None = None,
    agreement: Mapping[str, Any] | None,
    accuracy: Accuracies | None,
    cache: Path,
    artefacts: Iterable[Path] = (),
    manifest_hash: str | None = None,
    jobs: int = -1,
    seconds: float = SECONDS_PER_TASK,
    progress: Progress | None = None,
    dask: str | None = None,
) -> Certificate:
    """Simulate the firmware on the vectors, compare every layer, and say what else is known about its sources.

    Parameters
    ----------
    project
        The generated hls4ml project.
    network
        The integer network it was made from.
    vectors
        Input codes by origin, each (n, *input shape).
    lowered
        The network that was lowered from the quantized model, where another was made of it.
    agreement
        What the comparison of network and QKeras model found on these vectors (`agreement.json`); None for a network
        that was not lowered from one.
    accuracy
        Test accuracies, for the record.
    cache
        Folder for the compiled library.
    artefacts
        Further files beside the project that it speaks about: the network's, the quantized model's.
    manifest_hash
        SHA-256 of the project's manifest when it was written, where that is known.
    jobs
        Processes; -1 for one a core.
    seconds
        Time for the images that a process simulates at a time.
    progress
        Told about the compilation and each simulated vector.
    dask
        Address of a Dask cluster's scheduler, whose workers simulate.

    Raises
    ------
    FirmwareError, ToolError
        As `siliconv.hls.csim.csim.compile_project` and `compare`.
    """
    codes = np.concatenate(list(vectors.values()))
    manifest = trusted_manifest(project, manifest_hash)
    edits = edits_of(project, manifest)
    library = compile_project(project, network.name, cache, progress=progress)
    compared = compare(library, network, codes, jobs=jobs, seconds=seconds, progress=progress, dask=dask)
    quantized = {layer["name"]: layer for layer in agreement["layers"]} if agreement is not None else {}
    layers = tuple(_certified(layer, quantized.get(layer.name)) for layer in compared)
    compiler, build = compiler_version(), library.path.parent
    ranges = _reached(network, codes)
    claims = [
        types_proven(network),
        _equal_to_quantized(layers),
        _equal_to_lowered(network, lowered, codes),
        _equal_to_network(layers, compiler),
        _ranges(ranges),
        *source_claims(project, network, manifest, edits),
        asserts_claim(project, network.name, build, compiler, progress=progress),
        axi_claim(
            project,
            network.name,
            build,
            compiler,
            vectors=_axi_vectors(network),
            seconds=seconds,
            progress=progress,
        ),
    ]
    kept = tuple(claim for claim in claims if claim is not None)
    return Certificate(
        exact=all(claim.holds for claim in kept),
        claims=kept,
        edited=tuple(str(edit) for edit in edits),
        vectors=len(codes),
        vectors_by_origin={origin: len(part) for origin, part in vectors.items()},
        layers=layers,
        reached=ranges,
        quantized_test_set=agreement["test_images"] if agreement is not None else None,
        accuracy=accuracy,
        hashes={
            "network": network_hash(network),
            "firmware_sources": source_hash(project),
            "vectors": vectors_hash(codes),
        },
        files=hash_files(project.parent, [*project_files(project), *artefacts]),
        versions=installed_versions(),
    )


def types_proven(network: Network) -> Claim:
    """Claim that no value leaves its type, which is proven whenever a network is loaded."""
    return Claim(
        "no value and no partial sum can leave its type, for any input",
        "interval arithmetic over the real weights",
        "network",
        Ground.PROOF,
        len(network.nodes),
        "nodes",
        holds=True,  # a network whose proof fails is not even loaded
    )


def _equal_to_network(layers: Iterable[CertifiedLayer], compiler: str) -> Claim:
    return _equal_layers(
        "the firmware computes what the integer network computes, in every layer",
        f"C simulation, {compiler}",
        "firmware",
        [(layer, layer.firmware_differs) for layer in layers],
    )


def _equal_to_quantized(layers: Iterable[CertifiedLayer]) -> Claim | None:
    known = [(layer, layer.quantized_differs) for layer in layers if layer.quantized_differs is not None]
    if not known:
        return None
    return _equal_layers(
        "the integer network computes what the quantized model computes, in every layer",
        f"QKeras {version('qkeras')}",
        "network",
        known,
    )


def _equal_to_lowered(network: Network, lowered: Network | None, codes: Codes) -> Claim | None:
    if lowered is None or network_hash(lowered) == network_hash(network):
        return None
    batches = (codes[start : start + _BATCH] for start in range(0, len(codes), _BATCH))
    compared = list(compared_outputs(network, lowered, batches))
    off = [one for one in compared if one.differing]
    wrong = [f"{one.name}: {one.differing} codes differ from vector {one.batch * _BATCH}" for one in off]
    before, after = size(lowered), size(network)
    taken = (f"{what}: {getattr(before, name):,} before, {getattr(after, name):,} now" for name, what in _SIZES.items())
    return Claim(
        "the simplified network computes what the one lowered from the quantized model computes, in every output",
        "emulator",
        "network",
        Ground.TEST,
        sum(one.codes for one in compared),
        "values",
        not wrong,
        (*wrong, *taken),
    )


def _equal_layers(claim: str, executor: str, subject: str, differing: Sequence[tuple[CertifiedLayer, int]]) -> Claim:
    """Claim that two executions are equal, from how many values of each layer differ between them."""
    wrong = tuple(f"{one.name}: {count} of {one.values} differ" for one, count in differing if count)
    values = sum(one.values for one, _ in differing)
    return Claim(claim, executor, subject, Ground.TEST, values, "values", not wrong, wrong)


def _reached(network: Network, codes: Codes) -> tuple[Reached, ...]:
    """Run the vectors through the network, a batch at a time, and see how far its accumulators came."""
    names, emulated = [node.name for node in accumulators(network)], emulator.compile(network)
    total: dict[str, Reached] = {}
    for start in range(0, len(codes) if names else 0, _BATCH):
        traced = emulated.run(codes[start : start + _BATCH], keep=names)
        for one in reached(network, traced, emulated.bounds):
            total[one.name] = total[one.name].merged(one) if one.name in total else one
    return tuple(total.values())


def _ranges(ranges: tuple[Reached, ...]) -> Claim | None:
    if not ranges:
        return None
    least = min(min(one.share_low, one.share_high) for one in ranges)
    return Claim(
        f"vectors drive the accumulators to {least:.0%} of their proven ranges or more; the rest rests on the proof",
        "directed search, emulator",
        "network",
        Ground.TEST,
        2 * len(ranges),
        "ends of ranges",
        holds=True,  # how far a search came is a fact about the search: what was not reached is proven
        details=tuple(_below(ranges)),
    )


def _below(ranges: Iterable[Reached]) -> Iterator[str]:
    """Say of each end that was not reached by half what was found."""
    for one in ranges:
        yield from one.lines()


def _axi_vectors(network: Network) -> int:
    products = sum(node.kernel.codes.size * int(np.prod(node.shape[:-1])) for node in network.matrices)
    return int(np.clip(AXI_PRODUCTS / max(products, 1), 3, 1000))


def _certified(layer: Comparison, quantized: Mapping[str, Any] | None) -> CertifiedLayer:
    return CertifiedLayer(
        layer.name,
        max(layer.max_abs_difference, quantized["max_abs_difference"] if quantized else 0.0),
        layer.values,
        layer.differing,
        quantized["differing"] if quantized else None,
        _place(layer.first) if layer.first else None,
    )


def _place(first: Difference) -> dict[str, Any]:
    """Say where firmware and network differ first, as codes of the layer's type."""
    return {"vector": first.vector, "index": list(first.index), "firmware": first.one, "network": first.other}
