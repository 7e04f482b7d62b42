"""A project folder in Python: the command line's verbs as methods that return values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siliconv.api.finished_run import Run
from siliconv.api.firmware import Firmware
from siliconv.api.hardware_verbs import HardwareVerbs
from siliconv.errors import ProjectError
from siliconv.flow.altered import build_as_written
from siliconv.project.finding import as_argument

if TYPE_CHECKING:
    from siliconv.actions.check import Examination
    from siliconv.actions.explain import Answer
    from siliconv.actions.export import Exported
    from siliconv.actions.predict import Prediction
    from siliconv.actions.summary import SummaryRow
    from siliconv.actions.verify import Verification
    from siliconv.flow.flow import StageResult
    from siliconv.runs.run_comparison import RunComparison
    from siliconv.search.run_record import RunRecord


class Project(HardwareVerbs):
    """A folder with a project file, and its build folder.

    Parameters
    ----------
    name
        The folder, or its name under ``firmware_projects/``.
    progress
        Gets the progress of long work; a bar on a terminal and lines elsewhere by default.
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

    @classmethod
    def new(
        cls,
        name: str,
        *,
        preset: str | None = None,
        model: str | Path | None = None,
        data: str | Path | None = None,
        board: str | None = None,
        task: str = "auto",
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
        task
            What the network is asked, where data and network do not say it.

        Raises
        ------
        SiliconvError
            As `siliconv.project.project_template.write_project`; nothing is ever overwritten.
        """
        from siliconv.project.project_template import write_project

        file, photos = (Path(one) if one is not None else None for one in (model, data))
        return cls(write_project(name, preset, model=file, data=photos, board=board, task=task).parent)

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

    def name_variants(self, variants: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        """Give each variant a name among the others, its fields that are not the same in all of them.

        Raises
        ------
        ProjectError
            ``PROJECT-...`` for a field or a value that is wrong; nothing is built.
        """
        from siliconv.runs.variant_comparison import named_variants

        return named_variants(self.folder, variants)

    def compare_variants(self, variants: Mapping[str, Mapping[str, Any]]) -> RunComparison | None:
        """Put the last runs of variants (``changes`` of `run`, by a name for each) beside each other.

        None where less than two were run up to a certificate.
        """
        from siliconv.runs.variant_comparison import compare_variants

        return compare_variants(self.folder, variants)

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
                fix=f"siliconv run {as_argument(self.folder)} --until lower, or project.run(until='lower')",
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
