"""What the three networks say of a user's images: float, quantized, and the compiled firmware itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siliconv.errors import ProjectError
from siliconv.flow.flow import WORK
from siliconv.models.data.image_files import decode_image, to_fraction
from siliconv.models.data.image_store import open_dataset
from siliconv.network import network_file, reference
from siliconv.network.fixed_point import Codes, exact_codes, to_values
from siliconv.network.graph import Network
from siliconv.progress import Progress
from siliconv.project.project import ProjectConfig

CORES = ("firmware", "rtl")
"""Folders of the build folder, either of which can be asked."""


@dataclass(frozen=True)
class Said:
    """A decision: the class, and its probability from the logits."""

    label: str
    score: float


@dataclass(frozen=True)
class Prediction:
    """Three decisions on one image.

    ``same_bits``: whether firmware and quantized model gave the same logits to the bit; ``exact``: whether firmware and
    integer network did, which is what a certificate claims.
    """

    image: str
    float_model: Said
    quantized: Said
    firmware: Said
    same_bits: bool
    exact: bool


def predict_images(
    name: str, project: ProjectConfig, build: Path, images: Sequence[Path], *, progress: Progress
) -> tuple[Prediction, ...]:
    """Run images through the float model, the QKeras model and the compiled firmware.

    Raises
    ------
    ProjectError
        ``PREDICT-BUILD`` if the project was not run up to the firmware.
    DataError
        ``DATA-IMAGE`` for a file that is no image.
    """
    from siliconv.flow.artefacts import load_float_model, load_quantized_model
    from siliconv.legacy_keras import double_precision
    from siliconv.models.pictures import probabilities

    if not any((build / core).is_dir() for core in CORES):
        raise ProjectError(
            "PREDICT-BUILD", "the project has no firmware yet", where=str(build), fix=f"siliconv run {name}"
        )
    class_names = open_dataset(build / "data").class_names
    shape = project.model.network_shape
    pixels = np.stack([decode_image(path, shape, aspect=project.data.aspect) for path in images])
    floats, quantized = (
        np.asarray(model(to_fraction(pixels), training=False), dtype=np.float64)
        for model in (load_float_model(build), load_quantized_model(build))
    )
    network = network_file.load(build / "network")
    logits = network.logits
    codes = _simulated(build, network, project, pixels.astype(np.int64), progress)
    expected = reference.run_batches(network, pixels.astype(np.int64), logits.name)
    firmware = to_values(codes, logits.type)
    same = (quantized == firmware).all(axis=1)
    if not same.all():
        # QKeras' float32 may round where neither network nor firmware does.
        with double_precision():
            exact = np.asarray(load_quantized_model(build)(to_fraction(pixels), training=False))
        same |= (exact == firmware).all(axis=1)
    said = [probabilities(values) for values in (floats, quantized, firmware)]
    return tuple(
        Prediction(
            str(path),
            _decide(said[0][i], class_names),
            _decide(said[1][i], class_names),
            _decide(said[2][i], class_names),
            same_bits=bool(same[i]),
            exact=bool(np.array_equal(expected[i], codes[i])),
        )
        for i, path in enumerate(images)
    )


def _simulated(build: Path, network: Network, project: ProjectConfig, images: Codes, progress: Progress) -> Codes:
    """Give the logits of the firmware, or of the SystemVerilog where there is no other."""
    if (build / "firmware").is_dir():
        from siliconv.hls.csim.csim import compile_project, simulate

        library = compile_project(build / "firmware", network.name, build / WORK / "csim", progress=progress)
        return simulate(library, network, images)[network.logits.name]
    from siliconv.rtl.simulation.rtl_execution import rtl_runner
    from siliconv.stages.rtl_stages import written_design

    design = written_design(build, network, project.rtl)
    values = rtl_runner(design, build / "rtl", build / WORK / "rtl_predicted")(images).values
    logits = network.logits
    if logits.name not in values:
        raise ProjectError(
            "PREDICT-BUILD",
            f"the SystemVerilog keeps the logits ('{logits.name}') inside a block, and there is no other firmware",
            where=str(build),
            fix="siliconv run PROJECT builds the core hls4ml",
        )
    return exact_codes(values[logits.name], logits.type, where=logits.name)


def _decide(shares: np.ndarray, class_names: tuple[str, ...]) -> Said:
    chosen = int(shares.argmax())
    return Said(class_names[chosen], float(shares[chosen]))
