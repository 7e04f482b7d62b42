"""Whether a project's certificate still speaks about what lies on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.certificate.board_claim import board_claim
from siliconv.certificate.certificate import from_json
from siliconv.certificate.rtl_certification import RTL_CERTIFICATE, verify_rtl
from siliconv.certificate.verification import Change, verify
from siliconv.errors import ProjectError, WorkSaysNoError
from siliconv.flow.flow import read_record
from siliconv.hardware.claims import Claim
from siliconv.plan.plan_of_project import read_network
from siliconv.project.finding import as_argument

CERTIFICATE = "csim.json"

_STAGES = {CERTIFICATE: "siliconv csim {}", RTL_CERTIFICATE: "siliconv run {} --until rtlsim"}
"""What makes each certificate."""


@dataclass(frozen=True)
class Verification:
    """A certificate as it lies on the disk, and what changed since it was written."""

    folder: Path
    certificate: dict[str, Any]
    changes: tuple[Change, ...]
    name: str = CERTIFICATE
    core: Verification | None = None
    """That of the SystemVerilog core, where there is one beside it."""
    board: Claim | None = None
    """What the board showed, where its result lies in the build folder: the last line."""
    unsimulated: bool = False
    """Whether SystemVerilog was written that no certificate speaks about."""

    @property
    def title(self) -> str:
        """What it is called where both are told."""
        return "The certificate" if self.name == CERTIFICATE else f"The certificate of the SystemVerilog ({self.name})"

    @property
    def holds(self) -> bool:
        """Whether nothing changed and the firmware is exact, and the core beside it."""
        own = not self.changes and self.certificate["exact"] is True and (self.board is None or self.board.holds)
        return own and (self.core is None or self.core.holds)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        changes = [one.as_json() for one in self.changes]
        found = {"holds": self.holds, "exact": self.certificate["exact"], "changes": changes}
        if self.board is not None:
            found["board"] = self.board.as_json()
        found["rtl_without_certificate"] = self.unsimulated
        return found if self.core is None else {**found, "rtl": self.core.as_json()}

    def require(self) -> None:
        """Raise `WorkSaysNoError` ``VERIFY-CHANGED`` or ``VERIFY-NOT-EXACT`` where it does not hold."""
        where = str(self.folder / "build" / self.name)
        stage = _STAGES[self.name]
        if self.changes:
            raise WorkSaysNoError(
                "VERIFY-CHANGED",
                f"{len(self.changes)} things are not what the certificate speaks about, first: {self.changes[0].what}",
                where=where,
                fix=f"{stage.format(as_argument(self.folder))} judges what lies there now, and names what was edited",
            )
        if not self.certificate["exact"]:
            raise WorkSaysNoError(
                "VERIFY-NOT-EXACT",
                "nothing changed, but the certificate says itself that the firmware is not exact: "
                f"{from_json(self.certificate).why_not}",
                where=where,
                fix=f"siliconv explain {as_argument(self.folder)} says where and why",
            )
        if self.board is not None and not self.board.holds:
            raise WorkSaysNoError(
                "VERIFY-BOARD",
                f"the board computes something else: {self.board.details[0]}",
                where=self.board.executor,
                fix="build the bitstream again with timing met, and look at the first vector that differs",
            )
        if self.core is not None:
            self.core.require()


def verify_project(folder: Path) -> Verification:
    """Compare the certificate of a project with the files, the network, the vectors and the tools that are there now.

    Raises
    ------
    ProjectError
        ``CERTIFICATE-MISSING``, ``CERTIFICATE-OLD`` for one of an older siliconv, ``CERTIFICATE-DAMAGED`` where it is
        none, or contradicts itself; ``BOARD-RESULT`` for the result of another board's run.
    ToolError
        ``TOOL-GXX``, ``TOOL-MAKE`` if the compiler is missing, ``RTL-NO-VERILATOR`` if the core's simulator is.
    """
    build = folder / "build"
    network = read_network(build)
    core = None
    if (build / RTL_CERTIFICATE).exists():
        content = read_certificate(folder, RTL_CERTIFICATE)
        core = Verification(folder, content, verify_rtl(content, build, network), RTL_CERTIFICATE)
        if not (build / CERTIFICATE).exists():
            return core
    certificate = read_certificate(folder)
    changes = verify(certificate, build, network, recorded=_recorded(build))
    unsimulated = core is None and (build / "rtl").is_dir()
    return Verification(folder, certificate, changes, core=core, board=board_claim(build), unsimulated=unsimulated)


def _recorded(build: Path) -> dict[str, str]:
    """Give the hashes of what was made behind the certificate, as its stage recorded them: the estimate."""
    record = read_record(build, "estimate")
    return dict(record.outputs) if record is not None else {}


def read_certificate(folder: Path, name: str = CERTIFICATE) -> dict[str, Any]:
    """Read a certificate of a project; raises as `verify_project`."""
    path = folder / "build" / name
    stage = _STAGES[name].format(as_argument(folder))
    again = f"{stage} --force" if path.exists() else stage
    try:
        if not path.exists():
            raise ProjectError("CERTIFICATE-MISSING", "there is no certificate yet", where=str(path), fix=again)
        content = read_as(path, dict[str, Any])
    except UnreadableError as error:
        raise ProjectError("CERTIFICATE-DAMAGED", f"it can't be read: {error}", where=str(path), fix=again) from error
    try:
        from_json(content)
    except ProjectError as error:
        raise ProjectError(error.code, error.what, where=str(path), fix=again) from error
    return content
