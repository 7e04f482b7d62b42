"""The facts that a project's pre-flight rules look at, gathered in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from siliconv.checks.machine import Machine, this_machine
from siliconv.errors import DAMAGE, DataError
from siliconv.models.answers.task import Task
from siliconv.models.data.image_store import DataSummary, read_summary
from siliconv.models.data.source_preview import preview_of
from siliconv.plan.plan import Plan
from siliconv.plan.plan_of_project import plan_of, read_network
from siliconv.project.project import ProjectConfig
from siliconv.quantize.input_type import fixed_point_of


@dataclass(frozen=True, eq=False)
class Facts:
    """A project, the plan of its firmware, its images as far as they are known, and this machine.

    `class_names`, `task` and `without_examples` (classes that no example has) are known before the images are prepared
    where the source says so in milliseconds; `refused` is why the preparation will refuse it, `doubtful_pixels` what
    speaks against reading it as pixels.
    """

    folder: Path
    project: ProjectConfig
    plan: Plan
    images: DataSummary | None
    machine: Machine
    class_names: tuple[str, ...] | None = None
    refused: DataError | None = None
    task: Task | None = None
    without_examples: tuple[str, ...] = ()
    doubtful_pixels: str | None = None

    def count(self, split: str) -> int | None:
        """Images of a split, or None while they are not prepared."""
        return sum(self.images.counts[split]) if self.images is not None else None


def gather(folder: Path, project: ProjectConfig) -> Facts:
    """Gather the facts about a project, whose data is what a run would take.

    Raises
    ------
    ModelError
        As `siliconv.plan.plan_of_project.plan_of`.
    """
    build = folder / "build"
    images = _images(build, project)
    kind = fixed_point_of(images.input.type) if images is not None else None
    plan = plan_of(folder.name, project, read_network(build), kind)
    task, names, refused, absent, doubt = None, None, None, tuple[str, ...](), None
    try:
        found = preview_of(project.data, project.model.network_shape, project.question)
        if found is not None:
            task, names, doubt = found.answers.task, found.answers.names, found.doubt
            absent = found.answers.classes_without_examples
    except DataError as error:
        refused = error
    if task is None and refused is None and images is not None:
        task, names = images.task, images.class_names
    return Facts(folder, project, plan, images, this_machine(folder), names, refused, task, absent, doubt)


def _images(build: Path, project: ProjectConfig) -> DataSummary | None:
    """Read what is known about the images, unless they were prepared for another input."""
    try:
        summary = read_summary(build / "data")
    except DAMAGE:
        return None
    return summary if tuple(summary.shape) == project.model.network_shape else None
