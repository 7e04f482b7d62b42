"""Running a vendor tool on a generated project: its log is streamed, its progress shown, its failures explained."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from siliconv.errors import ProjectError
from siliconv.hardware.processes import lines_of, supervised
from siliconv.hls.rendering import render
from siliconv.hls.vendor.build_script import BuildScript
from siliconv.hls.vendor.synthesis_log import PIPELINES_FILE, layers_by_config, read_log
from siliconv.hls.vendor.vendor_failures import Failure, recognize
from siliconv.hls.vendor.vendor_tools import VendorTool
from siliconv.progress import Progress

LOG_FILE = "siliconv_build.log"
LOG_BYTES = 1 << 30
"""Of a log; what a tool says beyond is shown, and not kept."""

_STAMP = ".firmware"
_BEGUN = re.compile(r"\*{5} (?P<step>[A-Z/ ]+?) \*{5}")
_STEPS = {
    "C SIMULATION": "csim",
    "C/RTL SYNTHESIS": "csynth",
    "C/RTL SIMULATION": "cosim",
    "EXPORT IP": "export",
    "VIVADO SYNTHESIS": "vsynth",
    "BITSTREAM": "bitstream",
}


@dataclass(frozen=True)
class Steps:
    """What a tool is to do; all but C simulation needs C synthesis before, and a bitstream the exported core."""

    csim: bool = False
    csynth: bool = False
    cosim: bool = False
    export: bool = False
    vsynth: bool = False
    bitstream: bool = False

    @property
    def chosen(self) -> tuple[str, ...]:
        """The names of the steps, in order."""
        return tuple(name for name, wanted in asdict(self).items() if wanted)


def prepare(firmware: Path, folder: Path) -> Path | None:
    """Copy a generated project to where a tool may work on it, unless the same project lies there already.

    The copy keeps the generated project as it is: a tool writes thousands of files. What a tool made of another project
    stays, in a folder beside, which is returned.

    Raises
    ------
    ProjectError
        ``BUILD-WRITE`` if the folder can't be written.
    """
    try:
        return _prepared(firmware, folder)
    except OSError as error:
        raise ProjectError(
            "BUILD-WRITE",
            f"cannot write: {error.strerror}",
            where=str(folder),
            fix="free disk space, or make it writable",
        ) from error


def _prepared(firmware: Path, folder: Path) -> Path | None:
    stamp = _digest(firmware)
    if (folder / _STAMP).is_file() and (folder / _STAMP).read_text("utf-8") == stamp:
        return None
    kept = _free(folder) if folder.exists() else None
    if kept is not None:
        folder.rename(kept)
    shutil.copytree(firmware, folder)
    (folder / _STAMP).write_text(stamp, "utf-8")
    return kept


def run(tool: VendorTool, folder: Path, script: BuildScript, steps: Steps, progress: Progress) -> None:
    """Run a tool on a prepared project, up to the last of the steps.

    Parameters
    ----------
    tool
        What runs the project's script.
    folder
        As `prepare` left it.
    script
        What it builds.
    steps
        C synthesis is added where a later step needs it and has none yet.
    progress
        Shows the steps and the tool's last message.

    Raises
    ------
    SiliconvError
        ``VENDOR-...`` with what went wrong, in the user's words.
    """
    has_synthesis = bool(list(folder.glob(f"{script.project}/solution1/syn/report/*_csynth.rpt")))
    later = steps.cosim or steps.export or steps.vsynth or steps.bitstream
    options = {
        **asdict(steps),
        "export": steps.export or steps.bitstream,
        "synth": steps.csynth or (later and not has_synthesis),
        # A project that is opened again keeps what was synthesized before.
        "reset": not has_synthesis,
    }
    (folder / "build_opt.tcl").write_text(render("build_opt.tcl.j2", **options), encoding="utf-8")
    failure = _failure(tool, folder, script.script, len(steps.chosen), progress)
    _keep_pipelines(folder / LOG_FILE, folder, script)
    if failure is not None:
        raise failure.error(str(folder / LOG_FILE))


def run_script(tool: VendorTool, folder: Path, script: str, progress: Progress) -> None:
    """Run a script with a tool in a folder, where its log is kept; raises `SiliconvError` ``VENDOR-...`` as `run`."""
    failure = _failure(tool, folder, script, 1, progress)
    if failure is not None:
        raise failure.error(str(folder / LOG_FILE))


def _failure(tool: VendorTool, folder: Path, script: str, steps: int, progress: Progress) -> Failure | None:
    return_code = _stream(tool.arguments(script), folder, folder / LOG_FILE, (tool.name, steps), progress)
    with (folder / LOG_FILE).open(encoding="utf-8", errors="replace") as lines:
        return recognize(lines, return_code)


def _keep_pipelines(log: Path, folder: Path, script: BuildScript) -> None:
    """Keep what the log says of loops, in the folder that the tool works in: later runs have logs of their own."""
    sources = [folder / name for name in script.sources]
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in sources if path.is_file())
    with log.open(encoding="utf-8", errors="replace") as lines:
        said = read_log(lines, layers_by_config(text))
    if said.loops and (folder / script.project).is_dir():
        (folder / script.project / PIPELINES_FILE).write_text(json.dumps(said.as_json(), indent=1) + "\n", "utf-8")


def _stream(command: list[str], folder: Path, log: Path, work: tuple[str, int], progress: Progress) -> int:
    """Run a tool, write its log, show its progress; `work` is its name and the steps. Return its exit code."""
    (name, steps), done = work, 0
    progress.begin(name, max(steps, 1), "steps")
    try:
        with supervised(command, cwd=folder) as process, log.open("w", encoding="utf-8") as file:
            written = 0
            for line in lines_of(process):
                written += len(line)
                if written <= LOG_BYTES:
                    file.write(line)
                    file.flush()
                begun = _BEGUN.search(line)
                if begun and begun["step"] in _STEPS:
                    progress.say(f"{name}: {_STEPS[begun['step']]}")
                if "COMPLETED IN" in line:
                    done = min(done + 1, steps)
                progress.update(done, line.strip()[:80])
            return process.wait()
    finally:
        progress.end()


def _free(folder: Path) -> Path:
    """Give the first name beside a folder that nothing has yet: synthesis.kept-1."""
    return next(path for number in count(1) if not (path := folder.with_name(f"{folder.name}.kept-{number}")).exists())


def _digest(folder: Path) -> str:
    """Hash the names and contents of a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total.update(str(path.relative_to(folder)).encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
