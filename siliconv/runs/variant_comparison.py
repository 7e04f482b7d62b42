"""Variants beside each other: how each is called among the others, and what differs between their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from siliconv.project.varied_project import told_changes
from siliconv.runs.run_comparison import RunComparison, compare_runs
from siliconv.runs.variants import build_folder, check_variant
from siliconv.search.run_record import read_records


def named_variants(folder: Path, variants: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Give the name of each variant: the fields that are not the same in all of them.

    Raises
    ------
    ProjectError
        ``PROJECT-...`` for a field or a value that is wrong, where ``--set``; nothing is built or kept.
    """
    for changes in variants:
        check_variant(folder, changes)
    told = [{name: told_changes({name: value}) for name, value in changes.items()} for changes in variants]
    return tuple(
        ", ".join(text for name, text in one.items() if any(other[name] != text for other in told)) for one in told
    )


def compare_variants(folder: Path, variants: Mapping[str, Mapping[str, Any]]) -> RunComparison | None:
    """Compare the last runs of variants, by their names; None where less than two are remembered."""
    known = {
        str(one.details.get("build")): one
        for one in sorted(read_records(folder), key=lambda one: str(one.details.get("finished", "")))
        if one.kind == "run"
    }
    built = {name: build_folder(folder, changes).relative_to(folder).as_posix() for name, changes in variants.items()}
    runs = {name: known[build] for name, build in built.items() if build in known}
    return compare_runs(list(runs), list(runs.values())) if len(runs) > 1 else None
