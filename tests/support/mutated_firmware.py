"""Firmware with one thing in its sources changed: a type narrowed or shifted, a weight flipped; and who notices it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from every_layer_kind import lowered

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.evidence.edits import edits_of, trusted_manifest
from siliconv.hls.evidence.firmware_sources import source_claims
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.presets import preset
from siliconv.network.graph import Network
from siliconv.network.vectors.corners import corner_vectors
from siliconv.stages.firmware_project import write_firmware_project

RESIDUAL = Architecture(
    input_shape=(8, 8, 2),
    layers=(
        kinds.Conv2D(name="stem", filters=4, activation="relu"),
        kinds.Conv2D(name="inner", filters=4),
        kinds.Add(name="joined", inputs=("stem", "inner"), activation="relu"),
        kinds.GlobalAveragePool(name="mean"),
        kinds.Dense(name="scores", units=3),
    ),
)
PROJECTS = {"digits": lambda: preset("digits"), "residual": lambda: RESIDUAL}

_FIXED = re.compile(r"(?P<head>ap_u?fixed<)(?P<width>\d+),(?P<integer>-?\d+)")
_TYPEDEF = re.compile(r"^typedef .*ap_u?fixed<.* (?P<name>\w+);$", re.MULTILINE)

NARROWED, TRUNCATED, SHIFTED = "one bit less at the top", "one bit less at the bottom", "the binary point shifted"
CHANGES = {NARROWED: (-1, -1), TRUNCATED: (-1, 0), SHIFTED: (0, 1)}
"""What is added to width and integer bits."""


@dataclass(frozen=True)
class Mutation:
    """One change: the file, what in it, and the words that a message about it has to have."""

    file: str
    what: str
    named: str

    def __str__(self) -> str:
        return f"{self.file}: {self.named}: {self.what}"


@cache
def written(name: str) -> tuple[Network, Path]:
    """Give a project of an untrained network that was quantized and written; once a process."""
    _, network, codes = lowered(PROJECTS[name]())
    folder = Path(tempfile.mkdtemp(prefix="siliconv-mutations-")) / "firmware"
    folder.mkdir()
    vectors = np.concatenate([codes, *(corner[np.newaxis] for corner in corner_vectors(network).values())])
    write_firmware_project(network, HlsConfig(max_multipliers=64), vectors, folder)
    return network, folder


def type_mutations(project: Path) -> list[Mutation]:
    """Give each type of `defines.h` in each change that leaves a type."""
    found = []
    for match in _TYPEDEF.finditer((project / "firmware" / "defines.h").read_text()):
        fixed = _FIXED.search(match[0])
        assert fixed is not None
        widths = {what: int(fixed["width"]) + change for what, (change, _) in CHANGES.items()}
        found += [Mutation("firmware/defines.h", what, match["name"]) for what in CHANGES if widths[what] > 0]
    return found


def weight_mutations(project: Path) -> list[Mutation]:
    """Give each number of each header with weights."""
    return [
        Mutation(f"firmware/weights/{header.name}", str(number), f"{header.name}: number {number} ")
        for header in sorted((project / "firmware" / "weights").glob("*.h"))
        for number in range(header.read_text().partition("{")[2].count(",") + 1)
    ]


def mutated(project: Path, mutation: Mutation, scratch: Path) -> Path:
    """Copy a project and change one thing in it."""
    copy = shutil.copytree(project, scratch / "firmware")
    path = copy / mutation.file
    text = path.read_text()
    if mutation.file.endswith("defines.h"):
        width, integer = CHANGES[mutation.what]
        line = next(match[0] for match in _TYPEDEF.finditer(text) if match["name"] == mutation.named)
        changed = _FIXED.sub(
            lambda fixed: f"{fixed['head']}{int(fixed['width']) + width},{int(fixed['integer']) + integer}",
            line,
            count=1,
        )
        path.write_text(text.replace(line, changed))
    else:
        head, _, rest = text.partition("{")
        numbers = rest.partition("}")[0].split(", ")
        number, old = int(mutation.what), float(numbers[int(mutation.what)])
        numbers[number] = repr(-old) if old else "0.5"
        path.write_text(f"{head}{{{', '.join(numbers)}}}{rest.partition('}')[2]}")
    assert path.read_text() != text
    return copy


def csim_says(project: Path, network: Network) -> str:
    """Give what the claims about sources that do not hold say; any of them makes it inexact."""
    manifest = trusted_manifest(project)
    claims = source_claims(project, network, manifest, edits_of(project, manifest))
    return "\n".join(line for claim in claims if not claim.holds for line in claim.details)


def make_says(project: Path) -> str:
    """Give what `make csim` says where it fails; nothing where it passes."""
    command = ["make", "csim", "CXXFLAGS=-O0"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""
