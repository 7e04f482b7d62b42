"""A project file in its folder: there its data, its model and its own code are looked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from siliconv.project.project import ProjectConfig


def placed(project: ProjectConfig, folder: Path) -> ProjectConfig:
    """Give a project whose relative paths are those of its folder."""
    update: dict[str, Any] = {}
    path = project.data.path
    if path is not None and not path.is_absolute():
        update["data"] = project.data.model_copy(update={"path": (folder / path).resolve()})
    update["model"] = project.model.beside(folder, update.get("data", project.data))
    # What has no module to look for stays as it was said or left out: a section knows which fields were written.
    if project.train is not None:
        update["train"] = project.train.beside(folder)
    recipe: dict[str, Any] = {}
    tuning, pruning = project.quantize.train, project.quantize.pruning
    if tuning is not None and tuning.own_loss is not None:
        recipe["train"] = tuning.beside(folder)
    start = project.quantize.start
    if start is not None and not start.is_absolute():
        recipe["start"] = (folder / start).resolve()
    before = pruning.before if pruning is not None else None
    if pruning is not None and before is not None and before.own_loss is not None:
        recipe["pruning"] = pruning.model_copy(update={"before": before.beside(folder)})
    if recipe:
        update["quantize"] = project.quantize.model_copy(update=recipe)
    return project.model_copy(update=update)
