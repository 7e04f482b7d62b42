"""The folder of a project: its file, what it says, and work done with its build as the files say it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from siliconv.flow.altered import build_as_written
from siliconv.flow.apart import call_apart
from siliconv.progress import Progress, for_terminal
from siliconv.project.data_choice import apply_data_choice
from siliconv.project.finding import find_project
from siliconv.project.project import PROJECT_FILE, ProjectConfig, load_project

Result = TypeVar("Result")


class ProjectFolder:
    """A folder with a project file; see `siliconv.Project` for the parameters."""

    def __init__(self, name: str | Path, *, progress: Progress | None = None, apart: bool = True) -> None:
        self.folder = find_project(str(name))
        self._progress = progress
        self._apart = apart

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @property
    def build_folder(self) -> Path:
        """Where the stages leave what they make."""
        return self.folder / "build"

    @property
    def file(self) -> Path:
        """The project file."""
        return self.folder / PROJECT_FILE

    @property
    def config(self) -> ProjectConfig:
        """What the project file says now, checked, with the data that were chosen in place of its own.

        Raises
        ------
        ProjectError
            ``PROJECT-...`` with file, line, field and what would be right.
        """
        return self._with_chosen_data()[0]

    @property
    def code(self) -> str | None:
        """The functions that ``model.file`` and ``loss`` name, ``module:function``; `check` and `verify` run none."""
        config = self.config
        named = [config.model.function, *(training.own_loss for training in config.trainings.values())]
        return " and ".join(dict.fromkeys(one for one in named if one is not None)) or None

    @property
    def chosen_data(self) -> str | None:
        """A line about the folder that was given with ``--data``, while it takes the place of the project's data."""
        return self._with_chosen_data()[1]

    def _with_chosen_data(self) -> tuple[ProjectConfig, str | None]:
        return apply_data_choice(load_project(self.folder), self.build_folder, None)

    def _call(self, function: Callable[..., Result], *arguments: Any, **events: Any) -> Result:
        progress = self._progress or for_terminal()
        with build_as_written(self.build_folder):
            if self._apart:
                return call_apart(function, *arguments, progress=progress, **events)
            return function(*arguments, progress=progress, **events)

    def __repr__(self) -> str:
        made = [name for name in ("float", "quantized", "network", "firmware") if (self.build_folder / name).is_dir()]
        return f"Project {self.name!r} in {self.folder}; built: {', '.join(made) or 'nothing yet'}"
