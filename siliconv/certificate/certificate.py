"""The certificate: firmware = integer network = quantized model, bit for bit, on stated vectors, all parts hashed.

The firmware is compared with the integer network here; the integer network was compared with the QKeras model on the
same vectors when it was lowered (`siliconv.quantize.lowering.agreement`). Both together are the chain, layer by layer.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.hardware.file_hashes import hash_files, project_files
from siliconv.hls.csim.csim import SECONDS_PER_TASK, compare, compile_project, compiler_version, source_hash
from siliconv.network.explanation.comparison import Comparison, Difference
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.network.network_file import network_hash
from siliconv.progress import Progress

Share = float
"""From 0 to 1; an alias, because a field below is itself called float."""

LIBRARIES = ("siliconv", "hls4ml", "qkeras", "tensorflow", "tf-keras", "numpy")


@dataclass(frozen=True)
class Accuracies:
    """Test accuracy of the three networks; the firmware's is that of the integer network it is proven equal to."""

    float: Share
    quantized: Share
    firmware: Share


@dataclass(frozen=True)
class CertifiedLayer:
    """One layer: differences between firmware and integer network, and between integer network and QKeras."""

    name: str
    max_abs_difference: float
    values: int
    firmware_differs: int
    quantized_differs: int | None
    """None where the QKeras model has no such layer (the output table)."""
    first_difference: dict[str, Any] | None


@dataclass(frozen=True, repr=False)
class Certificate:
    """What was compared, with which result, on what, and with which tools."""

    exact: bool
    vectors: int
    vectors_by_origin: dict[str, int]
    layers: tuple[CertifiedLayer, ...]
    quantized_test_set: dict[str, Any] | None
    """QKeras and the integer network on all test images; None where there were none."""
    accuracy: Accuracies | None
    """None where nobody said which answers are right."""
    hashes: dict[str, str]
    files: dict[str, str]
    """SHA-256 of every file that it speaks about, by its path in the build folder."""
    versions: dict[str, str]

    @property
    def first_differing(self) -> str | None:
        """Name of the first layer that differs anywhere, in the order of the network."""
        wrong = (layer.name for layer in self.layers if layer.firmware_differs or layer.quantized_differs)
        return next(wrong, None)

    def __repr__(self) -> str:
        verdict = "EXACT" if self.exact else f"NOT EXACT, first in layer '{self.first_differing}'"
        values = sum(layer.values for layer in self.layers)
        return (
            f"{verdict}: C simulation and integer network on {self.vectors} vectors, {len(self.layers)} layers, "
            f"{values:,} values; {self._about_quantized()}"
        )

    def _about_quantized(self) -> str:
        compared = [layer for layer in self.layers if layer.quantized_differs is not None]
        if not compared:
            return "no QKeras model took part"
        differing = sum(layer.quantized_differs or 0 for layer in compared)
        return f"integer network and QKeras on {len(compared)} of them" + (f": {differing} differ" if differing else "")

    def as_json(self) -> dict[str, Any]:
        """Return it as `csim.json` has it, with a hash over all the rest."""
        content: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {**content, "sha256": content_hash(content)}


def from_json(content: Mapping[str, Any]) -> Certificate:
    """Return the certificate of what `Certificate.as_json` gave."""
    fields = {key: value for key, value in content.items() if key != "sha256"}
    accuracy = fields["accuracy"]
    return Certificate(
        **{
            **fields,
            "layers": tuple(CertifiedLayer(**layer) for layer in fields["layers"]),
            "accuracy": Accuracies(**accuracy) if accuracy is not None else None,
        }
    )


def content_hash(content: Mapping[str, Any]) -> str:
    """Give the SHA-256 of a certificate's content, whatever hash stands in it."""
    text = json.dumps({key: value for key, value in content.items() if key != "sha256"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def vectors_hash(codes: Codes) -> str:
    """Give the SHA-256 of input vectors: int64, little endian, in C order."""
    return hashlib.sha256(np.ascontiguousarray(codes, dtype="<i8").tobytes()).hexdigest()


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
    agreement: Mapping[str, Any] | None,
    accuracy: Accuracies | None,
    cache: Path,
    artefacts: Iterable[Path] = (),
    jobs: int = -1,
    seconds: float = SECONDS_PER_TASK,
    progress: Progress | None = None,
) -> Certificate:
    """Simulate the firmware on the vectors and compare every layer.

    Parameters
    ----------
    project
        The generated hls4ml project.
    network
        The integer network it was made from.
    vectors
        Input codes by origin, each (n, *input shape).
    agreement
        What the comparison of network and QKeras model found on these vectors (`agreement.json`); None for a network
        that was not lowered from one.
    accuracy
        Test accuracies, for the record.
    cache
        Folder for the compiled library.
    artefacts
        Further files beside the project that it speaks about: the network's, the quantized model's.
    jobs
        Processes; -1 for one a core.
    seconds
        Time for the images that a process simulates at a time.
    progress
        Told about the compilation and each simulated vector.

    Raises
    ------
    FirmwareError, ToolError
        As `siliconv.hls.csim.csim.compile_project` and `compare`.
    """
    codes = np.concatenate(list(vectors.values()))
    library = compile_project(project, network.name, cache, progress=progress)
    compared = compare(library, network, codes, jobs=jobs, seconds=seconds, progress=progress)
    quantized = {layer["name"]: layer for layer in agreement["layers"]} if agreement is not None else {}
    layers = tuple(_certified(layer, quantized.get(layer.name)) for layer in compared)
    exact = not any(layer.firmware_differs or layer.quantized_differs for layer in layers)
    return Certificate(
        exact=exact,
        vectors=len(codes),
        vectors_by_origin={origin: len(part) for origin, part in vectors.items()},
        layers=layers,
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
    """Say where firmware and network part first, as codes of the layer's type."""
    return {"vector": first.vector, "index": first.index, "firmware": first.one, "network": first.other}
