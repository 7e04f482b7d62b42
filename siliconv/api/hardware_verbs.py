"""What is asked of a project with a board in mind: settings, bits, and the tools that make a core of its firmware."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from siliconv.api.project_folder import ProjectFolder
from siliconv.flow.altered import build_as_written

if TYPE_CHECKING:
    from siliconv.actions.build_rtl import RtlBuild
    from siliconv.actions.fit_project import ProjectFit
    from siliconv.actions.fit_rtl import RtlFit
    from siliconv.flow.flow import StageResult
    from siliconv.search.applying import Applied
    from siliconv.search.search_study import SearchOutcome


class HardwareVerbs(ProjectFolder):
    """The verbs of `siliconv.Project` that a board, a device or a vendor's tool has a part in."""

    def fit(
        self,
        board: str,
        *,
        images_per_second: float | None = None,
        latency_us: float | None = None,
        clocks_ns: Sequence[float] | None = None,
        write: bool = True,
    ) -> ProjectFit:
        """Search firmware settings for a board, and write the best into the project file; see `fit_project`."""
        from siliconv.actions.fit_project import fit_project
        from siliconv.hardware.boards import board as find_board

        with build_as_written(self.build_folder):
            return fit_project(
                self.folder,
                find_board(board),
                images_per_second=images_per_second,
                latency_us=latency_us,
                clocks_ns=clocks_ns,
                write=write,
            )

    def fit_rtl(
        self,
        board: str,
        *,
        images_per_second: float | None = None,
        latency_us: float | None = None,
        clock_ns: float | None = None,
        write: bool = True,
    ) -> RtlFit:
        """Search the SystemVerilog core's interval for a board, and write it into the project file; see `fit_rtl`."""
        from siliconv.actions.fit_rtl import fit_rtl
        from siliconv.hardware.boards import board as find_board

        with build_as_written(self.build_folder):
            return fit_rtl(
                self.folder,
                find_board(board),
                images_per_second=images_per_second,
                latency_us=latency_us,
                clock_ns=clock_ns,
                write=write,
            )

    def search(
        self,
        board: str,
        *,
        core: Literal["hls", "rtl"] = "hls",
        images_per_second: float | None = None,
        latency_us: float | None = None,
        accuracy_drop: float = 0.5,
        target: int | None = None,
        epochs: int | None = None,
        trials: int | None = None,
        hours: float | None = None,
        seed: int = 1,
        by: Literal["gradient", "trial"] = "gradient",
        workers: int = 1,
        dask: str | None = None,
        command: str = "Project.search",
        on_event: Callable[[StageResult | str], None] | None = None,
    ) -> SearchOutcome:
        """Search few bits that suffice; see `siliconv.search.search_study.SearchSettings` and docs/search.md.

        Trials are done by `workers` processes, -1 for one a core, or on the Dask cluster at the address `dask`.
        """
        from siliconv.actions.search_project import search_project
        from siliconv.hardware.boards import board as find_board
        from siliconv.search.core_cost import Wanted
        from siliconv.search.crew import Crew
        from siliconv.search.search_study import SearchSettings

        wanted = Wanted(find_board(board), core, images_per_second, latency_us)
        settings = SearchSettings(wanted, accuracy_drop, target, epochs, trials, hours, seed, by)
        told = on_event or (lambda event: None)
        return self._call(search_project, self.folder, settings, command, crew=Crew(workers, dask), on_event=told)

    def apply(self, run: str) -> Applied:
        """Write the recipe of a run, such as a trial of a search, into the project file, comments kept."""
        from siliconv.search.applying import apply_record

        return apply_record(self.folder, run)

    def synthesize(
        self,
        *steps: str,
        tool: str | Path | None = None,
        top: Literal["axi", "core"] = "axi",
        on_event: Callable[[StageResult], None] | None = None,
    ) -> dict[str, Any]:
        """Run a vendor tool on the firmware, and give what `estimate.json` then says.

        Parameters
        ----------
        steps
            Of csim, csynth, cosim, export, vsynth, bitstream; csynth where nothing is said.
        tool
            An executable, its folder or its settings script, where it is not to be looked for.
        top
            The AXI-Stream top level, which a block design takes, or the core in it alone.
        on_event
            Called with the result of each stage that had to run first.

        Raises
        ------
        ToolError
            ``VENDOR-NO-TOOL`` where there is none, before any work.
        """
        from siliconv.actions.build import build_project
        from siliconv.hls.vendor.vendor_run import Steps

        chosen = Steps(**dict.fromkeys(steps or ("csynth",), True))
        path = Path(tool) if tool is not None else None
        return self._call(build_project, self.folder, chosen, path, top, on_event=on_event or (lambda event: None))

    def build_rtl(
        self,
        *steps: str,
        tool: str | Path | None = None,
        on_event: Callable[[StageResult | str], None] | None = None,
    ) -> RtlBuild:
        """Make the bitstream of an ECP5, or a board's block design, of the SystemVerilog core; see `build_rtl`.

        With the step ``bitstream`` Vivado implements the block design.
        """
        from siliconv.actions.build_rtl import build_rtl

        path = Path(tool) if tool is not None else None
        return self._call(build_rtl, self.folder, steps, path, on_event=on_event or (lambda event: None))
