"""What `siliconv run` does with several values of a field: a variant for each in turn, and a comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siliconv.commands.compare_command import table
from siliconv.commands.options import print_json
from siliconv.commands.terminal import console, legible, note, show
from siliconv.errors import SiliconvError, WorkSaysNoError

if TYPE_CHECKING:
    from siliconv.api.finished_run import Run
    from siliconv.runs.run_comparison import RunComparison


def run_sweep(
    folder: Path,
    variants: Sequence[Mapping[str, Any]],
    run: Callable[[Mapping[str, Any]], Run],
    *,
    json_output: bool,
    quiet: bool,
) -> int:
    """Run the variants of a project, go on where one ends in an error, and show what differs between the others.

    Raises
    ------
    ProjectError
        For a field or a value that is wrong, before any is run.
    WorkSaysNoError
        ``SWEEP-ERROR`` at the end, if a variant ended in an error.
    """
    from siliconv.project.varied_project import told_changes
    from siliconv.runs.variants import check_variant

    for changes in variants:
        check_variant(folder, changes)
    done: list[tuple[str, Mapping[str, Any], Run]] = []
    failed: list[tuple[str, SiliconvError]] = []
    for number, changes in enumerate(variants, 1):
        name = told_changes(_varied(changes, variants))
        if not quiet:
            console.print(legible(f"{number} of {len(variants)}: {name}"))
        try:
            one = run(changes)
            one.require_exact()
        except SiliconvError as error:
            failed.append((name, error))
            console.print(legible(f"Error {error}"))
        else:
            done.append((name, changes, one))
    found = _comparison(folder, [(name, changes) for name, changes, _ in done])
    if json_output:
        print_json(
            {
                "variants": [{"set": dict(changes), **one.as_json()} for _, changes, one in done],
                "comparison": found.as_json() if found is not None else None,
            }
        )
    elif found is not None and not quiet:
        show(table(found))
    elif len(done) > 1 and not quiet:
        console.print(note("nothing is compared: a run is remembered once its core was simulated (--until csim)"))
    if failed:
        first, ended = failed[0]
        raise WorkSaysNoError(
            "SWEEP-ERROR",
            f"{len(failed)} of {len(variants)} variants ended in an error, the first of them [{ended.code}]",
            where=f"--set {first}",
            fix="see its message above; the same command goes on with what is not done",
        )
    return 0


def _varied(changes: Mapping[str, Any], variants: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the fields that are not the same in all variants."""
    return {name: value for name, value in changes.items() if any(one[name] != value for one in variants)}


def _comparison(folder: Path, done: Sequence[tuple[str, Mapping[str, Any]]]) -> RunComparison | None:
    """Compare the runs that are remembered of variants; None where there are less than two."""
    from siliconv.runs.run_comparison import compare_runs
    from siliconv.runs.variants import build_folder
    from siliconv.search.run_record import read_records

    known = {
        str(one.details.get("build")): one
        for one in sorted(read_records(folder), key=lambda one: str(one.details.get("finished", "")))
        if one.kind == "run"
    }
    built = [(name, build_folder(folder, changes).relative_to(folder).as_posix()) for name, changes in done]
    runs = [(name, known[build]) for name, build in built if build in known]
    return compare_runs([name for name, _ in runs], [one for _, one in runs]) if len(runs) > 1 else None
