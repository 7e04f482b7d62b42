"""All bad inputs in an order of their own, and what becomes of a project that one of them meets."""

from __future__ import annotations

import os
import random
from pathlib import Path

from trust_artefacts import bad_data, bad_models, damaged_builds, restore
from trust_project import built_project, lost, own_files, run_here
from trust_texts import BadInput, bad_arguments, bad_fields, bad_texts


class Campaign:
    """A built project and its copy: each bad input meets it as it was when it was built."""

    def __init__(self, folder: Path) -> None:
        self.project, self._snapshot = folder / "small", folder / "snapshot"
        built_project(self.project)
        restore(self.project, self._snapshot)

    def inputs(self) -> dict[str, list[BadInput]]:
        """Give all bad inputs by kind, shuffled by a fixed seed: the first ones of a kind are as good as any."""
        kinds = {
            "texts": list(bad_texts()),
            "fields": list(bad_fields()),
            "arguments": list(bad_arguments()),
            "builds": list(damaged_builds(self._snapshot)),
            "models": list(bad_models(self._snapshot)),
            "data": list(bad_data()),
        }
        for inputs in kinds.values():
            random.Random(12).shuffle(inputs)
        return kinds

    def complaint(self, one: BadInput) -> str:
        """Let a bad input meet the project; say what is wrong with how that ended, or nothing."""
        restore(self._snapshot, self.project)
        one.make(self.project)
        before = own_files(self.project)
        arguments = [
            word.replace("P", str(self.project), 1) if word.split("/")[0] == "P" else word for word in one.command
        ]
        here = Path.cwd()
        os.chdir(self.project.parent)
        try:
            ended = run_here(arguments)
        finally:
            os.chdir(here)
        wrong = ended.complaint()
        gone = lost(before, self.project)
        if gone:
            wrong += f"; lost {', '.join(gone[:3])}"
        return f"{one.name}: {wrong}\n{ended.said[-1500:]}" if wrong else ""
