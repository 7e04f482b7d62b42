"""What `siliconv run` does with several values of a field: a variant for each in turn, and a comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from siliconv.commands.compare_command import table
from siliconv.commands.options import print_json
from siliconv.commands.terminal import console, legible, note, show
from siliconv.errors import SiliconvError, ToolError, WorkSaysNoError

if TYPE_CHECKING:
    from siliconv.api.finished_run import Run
    from siliconv.api.projects import Project


def run_sweep(
    project: Project,
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
    ToolError
        For a tool that is missing, at the first variant that needs it.
    WorkSaysNoError
        ``SWEEP-ERROR`` at the end, if a variant ended in an error.
    """
    names = project.name_variants(variants)
    done: list[tuple[str, Mapping[str, Any], Run]] = []
    failed: list[tuple[str, SiliconvError]] = []
    for number, (name, changes) in enumerate(zip(names, variants, strict=True), 1):
        if not quiet:
            console.print(legible(f"{number} of {len(variants)}: {name}"))
        try:
            one = run(changes)
            one.require_exact()
        except ToolError:
            raise  # what is missing here is missing for the others too
        except SiliconvError as error:
            failed.append((name, error))
            console.print(legible(f"Error {error}"))
        else:
            done.append((name, changes, one))
    found = project.compare_variants({name: changes for name, changes, _ in done})
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
