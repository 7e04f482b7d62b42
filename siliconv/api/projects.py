"""A project folder in Python: the command line's verbs as methods that return values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from siliconv.api.finished_run import Run
from siliconv.api.firmware import Firmware
from siliconv.errors import ProjectError
from siliconv.flow.altered import build_as_written
from siliconv.flow.apart import call_apart
from siliconv.progress import Progress, for_terminal
from siliconv.project.data_choice import apply_data_choice
from siliconv.project.project import ProjectConfig, find_project, load_project

if TYPE_CHECKING:
    from siliconv.actions.build_rtl import RtlBuild
    from siliconv.actions.check import Examination
    from siliconv.actions.explain import Answer
    from siliconv.actions.export import Exported
    from siliconv.actions.fit_project import ProjectFit
    from siliconv.actions.fit_rtl import RtlFit
    from siliconv.actions.predict import Prediction
    from siliconv.actions.summary import SummaryRow
    from siliconv.actions.verify import Verification
    from siliconv.flow.flow import StageResult
    from siliconv.search.applying import Applied
    from siliconv.search.run_record import RunRecord
    from siliconv.search.search_study import SearchOutcome

Result = TypeVar("Result")


class Project:
    """A folder with a project file, and its build folder.

    Parameters
    ----------
    name
        The folder, or its name under ``firmware_projects/``.
    progress
        Told of long work; a bar on a terminal and lines elsewhere by default.
    apart
        Whether Keras 2 and hls4ml work in a process of their own: yes, unless this process is sure to hold no other
        Keras.

    Raises
    ------
    ProjectError
        ``PROJECT-NOT-FOUND`` with the names that exist.

    Examples
    --------
    >>> project = siliconv.Project.new(str(folder / "mine"), preset="digits")
    >>> project
    Project 'mine' in ...; built: nothing yet
    >>> project.config.quantize.weights
    6
    >>> project.check().passed
    True

    ``project.run(until="csim")`` runs the command line's stages, with the same results.
    """

    def __init__(self, name: str | Path, *, progress: Progress | None = None, apart: bool = True) -> None:
        self.folder = find_project(str(name))
        self._progress = progress
        self._apart = apart

    @classmethod
    def new(
        cls,
        name: str,
        *,
        preset: str | None = None,
        model: str | Path | None = None,
        data: str | Path | None = None,
        board: str | None = None,
    ) -> Project:
        """Write a commented project file and open it.

        Parameters
        ----------
        name
            Of the project, below ``firmware_projects/``, or a path.
        preset, model
            The network by name, or a Keras or QKeras file; with neither, one that fits `data`, else the digits.
        data
            A folder of photos, a folder a class.
        board
            Whose device and clock the firmware is written for.

        Raises
        ------
        SiliconvError
            As `siliconv.project.project_template.write_project`; nothing is ever overwritten.
        """
        from siliconv.project.project_template import write_project

        file, photos = (Path(one) if one is not None else None for one in (model, data))
        return cls(write_project(name, preset, model=file, data=photos, board=board).parent)

    @classmethod
    def demo(cls) -> Project:
        """Open the handwritten digits: those of a clone where the current folder is one, else written below it.

        Raises
        ------
        ProjectError
            ``PROJECT-WRITE`` if the folder can't be written.
        """
        from siliconv.project.demo_project import demo_project

        return cls(demo_project(Path.cwd()))

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
        from siliconv.project.project import PROJECT_FILE

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

    def run(
        self,
        until: str = "report",
        *,
        data: str | Path | None = None,
        force: bool = False,
        paranoid: bool = False,
        changes: Mapping[str, Any] | None = None,
        on_event: Callable[[StageResult | str], None] | None = None,
    ) -> Run:
        """Run the stages whose inputs changed, and go on where a run was stopped.

        Parameters
        ----------
        until
            The last stage: data, train, quantize, lower, convert, csim, estimate or report.
        data
            A folder of images in place of the project's data; remembered until ``none`` is given.
        force
            Run every stage again, from the beginning.
        paranoid
            Read also large files of earlier stages that nothing seems to have touched.
        changes
            Fields of the project file with other values, such as ``{"quantize.weights": 4}``. It is a variant, built
            beside the others in ``runs``, and the project file stays as it is.
        on_event
            Called with each stage's result, and with remarks for people.

        Raises
        ------
        SiliconvError
            As `siliconv.actions.run_project.run_project`. A difference of bits is no error here: look at
            `Run.certificate`, or call `Run.require_exact`.
        """
        from siliconv.actions.run_project import run_project
        from siliconv.runs.variants import build_folder

        chosen = Path(data) if data is not None else None
        told, varied = on_event or (lambda event: None), dict(changes or {})
        stages = self._call(run_project, self.folder, until, chosen, force, paranoid, varied, on_event=told)
        return Run(self.name, build_folder(self.folder, varied), stages)

    def history(self) -> tuple[RunRecord, ...]:
        """Give the runs and trials that are remembered in ``runs``, the oldest first."""
        from siliconv.search.run_record import read_records

        return read_records(self.folder)

    @property
    def chosen_data(self) -> str | None:
        """A line about the folder that was given with ``--data``, while it takes the place of the project's data."""
        return self._with_chosen_data()[1]

    @property
    def firmware(self) -> Firmware:
        """The firmware of a build, to predict with, trace, simulate or write elsewhere.

        Raises
        ------
        ProjectError
            ``LOAD-BUILD`` where there is no integer network yet.
        """
        if not (self.build_folder / "network").is_dir():
            raise ProjectError(
                "LOAD-BUILD",
                "the project has no integer network yet",
                where=str(self.build_folder),
                fix=f"siliconv run {self.name} --until lower, or project.run(until='lower')",
            )
        return Firmware(self.build_folder, self.config.hls, project=self.folder, progress=self._progress)

    def check(self, *, fix: bool = False) -> Examination:
        """Look for what is known to go wrong, in milliseconds; ``fix`` makes the safe changes in the file."""
        from siliconv.actions.check import check_project

        with build_as_written(self.build_folder):
            return check_project(self.folder, fix=fix)

    def explain(self, one: str = "quantized", other: str = "firmware") -> Answer:
        """Find the first layer and element in which two executions differ, its integer trace and the cause.

        Parameters
        ----------
        one, other
            Two of ``float``, ``quantized``, ``reference``, ``firmware``.
        """
        from siliconv.actions.explain import explain_project

        return self._call(explain_project, self.name, self.config, self.build_folder, (one, other))

    def verify(self) -> Verification:
        """Compare the certificate with the files, the network, the vectors and the tools that are there now."""
        from siliconv.actions.verify import verify_project

        with build_as_written(self.build_folder):
            return verify_project(self.folder)

    def summary(self) -> tuple[SummaryRow, ...]:
        """Give layers, shapes, parameters, multiplications and, once they are chosen, types."""
        from siliconv.actions.summary import summarize

        with build_as_written(self.build_folder):
            return summarize(self.config, self.build_folder)

    def predict(self, images: Sequence[str | Path]) -> tuple[Prediction, ...]:
        """Give what the float network, the quantized one and the compiled firmware say of inputs.

        Image files; or tables (.csv) and arrays (.npy) of numbers, one row or entry an input.
        """
        from siliconv.actions.predict import predict_images

        paths = [Path(image) for image in images]
        return self._call(predict_images, self.name, self.config, self.build_folder, paths)

    def export_qonnx(self, file: str | Path | None = None, *, overwrite: bool = False) -> Exported:
        """Write the integer network as QONNX, and execute it with the qonnx package where that is installed.

        A file that this project did not export is replaced only with ``overwrite``.
        """
        from siliconv.actions.export import export_qonnx

        path = Path(file) if file is not None else None
        with build_as_written(self.build_folder):
            return export_qonnx(self.name, self.config, self.build_folder, path, overwrite=overwrite)

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
        trials: int = 6,
        hours: float | None = None,
        seed: int = 1,
        command: str = "Project.search",
        on_event: Callable[[StageResult | str], None] | None = None,
    ) -> SearchOutcome:
        """Search few bits that suffice; see `siliconv.search.search_study.SearchSettings` and docs/search.md."""
        from siliconv.actions.search_project import search_project
        from siliconv.hardware.boards import board as find_board
        from siliconv.search.core_cost import Wanted
        from siliconv.search.search_study import SearchSettings

        wanted = Wanted(find_board(board), core, images_per_second, latency_us)
        settings = SearchSettings(wanted, accuracy_drop, target, epochs, trials, hours, seed)
        told = on_event or (lambda event: None)
        return self._call(search_project, self.folder, settings, command, on_event=told)

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
