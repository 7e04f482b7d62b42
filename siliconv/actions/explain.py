"""What a project's builds compute for the same inputs, side by side: where two of them differ first, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.errors import ProjectError
from siliconv.flow.flow import WORK
from siliconv.models.data.image_store import open_dataset
from siliconv.network import network_file, reference
from siliconv.network.explanation.first_difference import (
    REFERENCE,
    Execution,
    Explanation,
    explain,
    reference_execution,
)
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.network.rows import values_of
from siliconv.progress import Progress, activity
from siliconv.project.finding import as_argument
from siliconv.project.project import ProjectConfig
from siliconv.quantize.lowering.keras_causes import FLOAT, QUANTIZED, Contribution, contributions

FIRMWARE = "firmware"
RTL = "rtl"
EXECUTIONS = (FLOAT, QUANTIZED, REFERENCE, FIRMWARE, RTL)

BATCH = 8
"""Vectors at a time: most differences show in the first few, and a large firmware takes a second for each."""


@dataclass(frozen=True)
class Answer:
    """An explanation, the origin of its vector, and of what the difference consists where a float model takes part."""

    explanation: Explanation
    origin: str | None
    contributions: tuple[Contribution, ...]

    @property
    def by_design(self) -> bool:
        """Whether a difference was to be expected."""
        return FLOAT in self.explanation.between

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return {
            **self.explanation.as_json(),
            "origin": self.origin,
            "contributions": [vars(one) for one in self.contributions],
        }


def explain_project(
    name: str, project: ProjectConfig, build: Path, between: tuple[str, str], *, progress: Progress
) -> Answer:
    """Find where two executions of a built project differ first, on the vectors of its certificate.

    Raises
    ------
    ProjectError
        ``EXPLAIN-BETWEEN`` for names that are no two executions, ``EXPLAIN-BUILD`` where one was not built yet.
    FirmwareError, ToolError, WorkSaysNoError
        As `siliconv.hls.csim.csim.simulate_apart`.
    """
    if len(set(between)) != 2 or not set(between) <= set(EXECUTIONS):
        raise ProjectError(
            "EXPLAIN-BETWEEN",
            f"'{between[0]}' and '{between[1]}' are no two executions",
            where="--between",
            fix="use two of " + ", ".join(EXECUTIONS),
        )
    _check_built(name, build, between)
    network = _network_of(build, between)
    vectors, origins = _vectors(project, build)
    runners = [_runner(which, build, network, project, progress) for which in between]
    found: Explanation | None = None
    parts: tuple[Contribution, ...] = ()
    with activity(progress, "Comparing", len(vectors), "vectors") as shown:
        for start in range(0, len(vectors), BATCH):
            codes = vectors[start : start + BATCH]
            one, other = (run(codes) for run in runners)
            found = _joined(found, explain(network, codes, one, other), start)
            if FLOAT in between and not parts:
                floats, others = (one, other) if one.name == FLOAT else (other, one)
                parts = contributions(network, _float_model(build), floats.values, others.values)
            shown.update(start + len(codes))
            if not found.equal:
                break
    assert found is not None  # there is one vector at least
    origin = origins[found.vector] if found.vector is not None else None
    return Answer(found, origin, parts)


def _joined(before: Explanation | None, found: Explanation, start: int) -> Explanation:
    """Join what was found in a batch to the batches before it, in which everything was equal."""
    vector = found.vector + start if found.vector is not None else None
    layers = found.layers
    if before is not None:
        layers = tuple(known.merged(layer) for known, layer in zip(before.layers, layers, strict=True))
    return replace(found, vector=vector, vectors=start + found.vectors, layers=layers)


def _check_built(name: str, build: Path, between: tuple[str, str]) -> None:
    folders = {FLOAT: "float", QUANTIZED: "quantized", FIRMWARE: "firmware", RTL: "rtl"}
    for folder in ("network", *(folders[one] for one in between if one in folders)):
        if not (build / folder).is_dir():
            raise ProjectError(
                "EXPLAIN-BUILD",
                f"there is no {folder} yet",
                where=str(build),
                fix=f"siliconv run {as_argument(build.parent)}" + (" --until rtlsim" if folder == "rtl" else ""),
            )


def _network_of(build: Path, between: tuple[str, str]) -> Network:
    """Load the network whose layers both executions have."""
    from siliconv.stages.simplified_network import LOWERED, as_lowered

    network = network_file.load(build / "network")
    if not {FLOAT, QUANTIZED} & set(between) or not (build / "network" / LOWERED).is_dir():
        return network
    if {FIRMWARE, RTL} & set(between):
        raise ProjectError(
            "EXPLAIN-SIMPLIFIED",
            "the network was simplified on the way, and both have other layers",
            where="--between",
            fix=f"use {QUANTIZED} {REFERENCE} and {REFERENCE} {FIRMWARE}, or leave quantize.simplify out",
        )
    return as_lowered(build / "network")


def _vectors(project: ProjectConfig, build: Path) -> tuple[Codes, list[str]]:
    """Give the vectors of the certificate, and what each of them is."""
    from siliconv.flow.artefacts import certificate_vectors

    network = network_file.load(build / "network")
    by_origin = certificate_vectors(project, network, open_dataset(build / "data").test)
    origins = [origin for origin, codes in by_origin.items() for _ in codes]
    return np.concatenate(list(by_origin.values())), origins


def _float_model(build: Path) -> Any:
    from siliconv.flow.artefacts import load_float_model

    return load_float_model(build)


def _runner(
    which: str, build: Path, network: Network, project: ProjectConfig, progress: Progress
) -> Callable[[Codes], Execution]:
    """Give the function that runs codes through one of the executions."""
    if which == REFERENCE:
        return lambda codes: reference_execution(network, reference.run(network, codes))
    if which == FIRMWARE:
        return _firmware_runner(build, network, project, progress)
    if which == RTL:
        return _rtl_runner(build, network, project, progress)
    from siliconv.flow.artefacts import load_quantized_model
    from siliconv.quantize.lowering.keras_causes import float_execution, quantized_execution

    model = _float_model(build) if which == FLOAT else load_quantized_model(build)
    execute = float_execution if which == FLOAT else quantized_execution
    return lambda codes: execute(model, network, values_of(network.inputs, codes))


def _firmware_runner(
    build: Path, network: Network, project: ProjectConfig, progress: Progress
) -> Callable[[Codes], Execution]:
    from siliconv.hls.csim.csim import compile_project, simulate_apart
    from siliconv.hls.csim.firmware_causes import firmware_execution

    folder = build / "firmware"
    library = compile_project(folder, network.name, build / WORK / "csim", progress=progress)

    def run(codes: Codes) -> Execution:
        values = simulate_apart(library, network, codes, seconds=project.csim.timeout_s)
        return firmware_execution(folder, network, values, values_of(network.inputs, codes))

    return run


def _rtl_runner(
    build: Path, network: Network, project: ProjectConfig, progress: Progress
) -> Callable[[Codes], Execution]:
    from siliconv.rtl.simulation.rtl_execution import rtl_runner
    from siliconv.stages.rtl_stages import written_design

    design = written_design(build, network, project.rtl)
    return rtl_runner(design, build / "rtl", build / WORK / "rtl_explained", progress=progress)
