"""What `siliconv run` and the commands of single stages do: run, show, log, and say what is kept when they stop."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from siliconv.commands.changes import read_variants
from siliconv.commands.options import open_project, print_json
from siliconv.commands.outcome import StoppedError
from siliconv.commands.run_log import run_log
from siliconv.commands.sweep import run_sweep
from siliconv.commands.terminal import console, legible
from siliconv.progress import Progress, Several, Silent, for_terminal

if TYPE_CHECKING:
    from siliconv.api.finished_run import Run
    from siliconv.flow.flow import StageResult

_KEPT_SHOWN = 5

LAST = "report"
"""The stage that a run ends with if nothing else is said."""

_TRAINING = {"train", "quantize"}


def run_stages(
    project: str,
    data: Path | None,
    until: str,
    force: bool,
    json_output: bool,
    verbose: bool,
    quiet: bool = False,
    paranoid: bool = False,
    changed: Sequence[str] = (),
) -> int:
    """Run the stages of a project up to one of them, and return 0 where it is exact, or raise.

    Where a field is given several values, each of its variants is run.
    """
    variants = read_variants(changed)
    logging.basicConfig(level=logging.DEBUG if verbose else logging.ERROR, stream=sys.stderr)

    def run(changes: Mapping[str, Any]) -> Run:
        return _run(project, data, until, force, quiet, paranoid, changes, changed)

    if len(variants) > 1:
        return run_sweep(open_project(project, runs_code=False), variants, run, json_output=json_output, quiet=quiet)
    done = run(variants[0])
    if json_output:
        print_json(done.as_json())
    done.require_exact()
    return 0


def _run(
    project: str,
    data: Path | None,
    until: str,
    force: bool,
    quiet: bool,
    paranoid: bool,
    changes: Mapping[str, Any],
    changed: Sequence[str],
) -> Run:
    """Run one variant of a project, told on the screen and in a log; `changed` is what ``--set`` was given."""
    finished: list[str] = []
    shown: Progress = Silent() if quiet else for_terminal()
    folder = open_project(project, runs_code=False).build_folder
    with run_log(folder, f"run {shlex.quote(project)} --until {until}") as log:

        def told(event: StageResult | str) -> None:
            if not isinstance(event, str):
                finished.append(event.name)
            for line in _lines_of(event):
                log.write(line.plain)
                if not quiet:
                    console.print(line)

        opened = open_project(project, progress=Several(shown, log.progress) if log.progress else shown)
        try:
            return opened.run(until, data=data, force=force, paranoid=paranoid, changes=changes, on_event=told)
        except KeyboardInterrupt:
            kept = f"Kept: {', '.join(finished)}" if finished else "Nothing lost"
            if finished and not _TRAINING.issubset(finished):
                kept += ", and a training up to its last whole epoch"
            upto = [] if until == LAST else ["--until", until]
            again = ["siliconv", "run", project, *upto, *(f"--set={one}" for one in changed)]
            raise StoppedError(f"Stopped. {kept}. To go on: {shlex.join(again)}") from None


def _lines_of(event: StageResult | str) -> Iterator[Text]:
    """Yield the lines that people read of a stage's result, or of a remark."""
    if isinstance(event, str):
        yield Text(legible(event))
        return
    took = f"{event.record.seconds:.1f} s" if event.ran else "unchanged"
    if event.edited:
        took = f"edited since: {', '.join(event.edited)}; kept, --force writes everything again"
    line = Text(legible(f"{event.name:<9} {event.record.summary}  "))
    yield line.append(legible(f"({took})"), style="dim")
    if event.kept:
        shown = ", ".join(event.kept[:_KEPT_SHOWN])
        more = f" and {len(event.kept) - _KEPT_SHOWN} more" if len(event.kept) > _KEPT_SHOWN else ""
        yield Text(legible(f"          your own work was moved aside, into the build folder: {shown}{more}"))
