"""`siliconv export`: a project's integer network in other people's formats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siliconv.errors import ProjectError, WorkSaysNoError
from siliconv.models.data.image_store import open_dataset
from siliconv.network import network_file
from siliconv.network.qonnx.qonnx_execution import differing_values, qonnx_version
from siliconv.network.qonnx.qonnx_export import last_node, qonnx_model
from siliconv.project.atomic_write import why_unwritable, write_atomically
from siliconv.project.finding import as_argument
from siliconv.project.own_files import refuse_overwriting, remember_written
from siliconv.project.project import ProjectConfig

IMAGES = 4
"""Test images that the exported file is executed on; qonnx runs node by node."""


@dataclass(frozen=True)
class Exported:
    """A file, what it ends with, and how it was checked.

    ``qonnx``: version of the package that executed it, None where it is not installed.
    ``values``: outputs compared with the integer network, all equal.
    """

    file: str
    output: str
    qonnx: str | None
    values: int


def export_qonnx(
    name: str, project: ProjectConfig, build: Path, file: Path | None = None, *, overwrite: bool = False
) -> Exported:
    """Write the integer network of a project as QONNX, and execute it with the qonnx package where that is installed.

    Parameters
    ----------
    name, project, build
        The project and its build folder, lowered.
    file
        Where to write; ``<build>/<name>.qonnx`` by default.
    overwrite
        Whether a file may be replaced that this project did not export.

    Raises
    ------
    ProjectError
        ``EXPORT-BUILD`` if the project was not run up to the network, ``EXPORT-WRITE``, ``WRITE-EXISTS`` rather than
        overwrite a file of somebody else's.
    NetworkError
        ``QONNX-...`` for what QONNX can't say exactly.
    WorkSaysNoError
        ``EXPORT-DIFFERS`` if qonnx computes something else; nothing is written.
    """
    from siliconv.flow.artefacts import certificate_vectors

    if not (build / "network").is_dir():
        raise ProjectError(
            "EXPORT-BUILD",
            "the project has no integer network yet",
            where=str(build),
            fix=f"siliconv run {as_argument(build.parent)} --until lower",
        )
    path = file if file is not None else build / f"{name}.qonnx"
    refuse_overwriting(path, build, overwrite=overwrite)
    network = network_file.load(build / "network")
    model, version, compared = qonnx_model(network), qonnx_version(), 0
    if version is not None:
        few = project.model_copy(update={"csim": project.csim.model_copy(update={"images": IMAGES})})
        vectors = certificate_vectors(few, network, open_dataset(build / "data").test)
        differing, compared = differing_values(model, network, np.concatenate(list(vectors.values())))
        if differing:
            raise WorkSaysNoError(
                "EXPORT-DIFFERS",
                f"qonnx {version} gives other values than the network: {differing} of {compared}",
                where=f"network '{network.name}'",
                fix="do not use this export; try another version of qonnx",
            )
    try:
        write_atomically(path, model)
        remember_written(path, build)
    except OSError as error:
        what, fix = why_unwritable(path, error)
        raise ProjectError("EXPORT-WRITE", what, where=str(path), fix=fix) from error
    return Exported(str(path), last_node(network).name, version, compared)
