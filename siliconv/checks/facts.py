"""The facts that a project's pre-flight rules look at, gathered in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from siliconv.bounded_reading import DAMAGE
from siliconv.checks.machine import Machine, this_machine
from siliconv.models.data.image_store import DataSummary, read_summary
from siliconv.plan.plan import Plan
from siliconv.plan.plan_of_project import plan_of, read_network
from siliconv.project.data_choice import apply_data_choice
from siliconv.project.project import ProjectConfig


@dataclass(frozen=True, eq=False)
class Facts:
    """A project, the plan of its firmware, its images as far as they are known, and this machine."""

    folder: Path
    project: ProjectConfig
    plan: Plan
    images: DataSummary | None
    machine: Machine

    def count(self, split: str) -> int | None:
        """Images of a split, or None while they are not prepared."""
        return sum(self.images.counts[split]) if self.images is not None else None


def gather(folder: Path, project: ProjectConfig) -> Facts:
    """Gather the facts about a project.

    Raises
    ------
    ModelError
        As `siliconv.plan.plan_of_project.plan_of`.
    """
    build = folder / "build"
    project, _ = apply_data_choice(project, build, None)
    plan = plan_of(folder.name, project, read_network(build))
    return Facts(folder, project, plan, _images(build, project), this_machine(folder))


def _images(build: Path, project: ProjectConfig) -> DataSummary | None:
    """Read what is known about the images, unless they were prepared for another input."""
    try:
        summary = read_summary(build / "data")
    except DAMAGE:
        return None
    return summary if tuple(summary.shape) == tuple(project.model.architecture.input_shape) else None
