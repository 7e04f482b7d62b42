"""Own synthesis results: from projects that `siliconv build` has run on to the file that estimates read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from siliconv.bounded_reading import in_words, read_json
from siliconv.errors import DAMAGE, ProjectError
from siliconv.flow.synthesis_file import SYNTHESIS_FILE
from siliconv.hls.calibration.own_calibration import OwnResult, as_text, merged, own_result, read_own, refined
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.design.design import Design
from siliconv.hls.estimate.coefficients import shipped
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.kinds import Synthesis
from siliconv.hls.vendor.synthesis_results import from_json
from siliconv.network import network_file
from siliconv.network.network_file import network_hash
from siliconv.project.atomic_write import why_unwritable, write_atomically


@dataclass(frozen=True)
class Refinement:
    """One reported figure with its estimate before and after."""

    name: str
    stage: str
    resource: str
    reported: float
    before: float
    after: float


def add_reports(folders: Sequence[Path], path: Path) -> tuple[Refinement, ...]:
    """Add the results of projects to a file, and tell what they change.

    Parameters
    ----------
    folders
        Projects, their build folders, or folders of projects.
    path
        The file; what is in it already stays.

    Raises
    ------
    ProjectError
        ``CALIBRATION-NONE`` where a folder holds no results, ``CALIBRATION-STALE`` where they are of another network,
        ``CALIBRATION-WRITE`` where the file can't be written.
    """
    found = [_read(build) for folder in folders for build in _builds(folder)]
    before = refined(shipped(), read_own(path))
    own = merged(read_own(path), [result for result, _ in found])
    after = refined(shipped(), own)
    try:
        write_atomically(path, as_text(own))
    except OSError as error:
        what, fix = why_unwritable(path, error)
        raise ProjectError("CALIBRATION-WRITE", what, where=str(path), fix=fix) from error
    changes = []
    for result, design in found:
        for stage, values in result.reported.items():
            one, two = (estimate(design, stage=Synthesis(stage), coefficients=known) for known in (before, after))
            changes += [
                Refinement(result.name, stage, name, value, getattr(one, name).value, getattr(two, name).value)
                for name, value in values.items()
            ]
    return tuple(changes)


def _builds(folder: Path) -> list[Path]:
    """Give the build folders with results that a folder is, has, or holds projects of."""
    for one in (folder, folder / "build"):
        if (one / SYNTHESIS_FILE).is_file():
            return [one]
    below = sorted(path.parent for path in folder.glob(f"*/build/{SYNTHESIS_FILE}"))
    if below:
        return below
    if not folder.is_dir():
        raise ProjectError(
            "CALIBRATION-NONE",
            "it is a file, and a folder is wanted" if folder.exists() else "there is no such folder",
            where=f"--reports {folder}",
            fix="name a project that siliconv build has run on, or a folder of such projects",
        )
    raise ProjectError(
        "CALIBRATION-NONE",
        "there are no synthesis results",
        where=str(folder),
        fix="run siliconv build PROJECT first, and pass the project's folder",
    )


def _read(build: Path) -> tuple[OwnResult, Design]:
    where = build / SYNTHESIS_FILE
    try:
        content = read_json(where)
        config = HlsConfig.model_validate(content["design"]["hls"])
        results = from_json(content["results"])
        synthesized = str(content["design"]["network_sha256"])
    except DAMAGE as error:
        raise ProjectError(
            "CALIBRATION-NONE",
            f"the results cannot be read: {in_words(error)}",
            where=str(where),
            fix="run siliconv build PROJECT again",
        ) from error
    network = network_file.load(build / "network")
    if network_hash(network) != synthesized:
        raise ProjectError(
            "CALIBRATION-STALE",
            "the results are of another network than the one in the build folder",
            where=str(where),
            fix="run siliconv build PROJECT again",
        )
    design = design_of(network, config)
    identity = f"{synthesized} {json.dumps(content['design']['hls'], sort_keys=True)} {results.tool}"
    return own_result(identity, design, results), design
