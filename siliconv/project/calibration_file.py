"""Where own synthesis results are kept: beside a project, or in the user's configuration folder, not in the package."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from siliconv.counting import counted

if TYPE_CHECKING:
    from siliconv.hls.calibration.own_calibration import OwnResult
    from siliconv.hls.estimate.coefficients import Coefficients

CALIBRATION_FILE = "calibration.json"


def user_file() -> Path:
    """Give the file for all projects, in the configuration folder of the user."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "siliconv" / CALIBRATION_FILE


def user_calibration() -> str:
    """Give the text of the user's file, empty without one: estimates depend on it."""
    path = user_file()
    return path.read_text("utf-8", errors="replace") if path.is_file() else ""


def applied_file(project: Path | None) -> Path | None:
    """Give the file whose results count: the one beside the project, else the user's; None without any."""
    candidates = [project / CALIBRATION_FILE] if project is not None else []
    return next((path for path in (*candidates, user_file()) if path.is_file()), None)


def calibrated(project: Path | None) -> tuple[Coefficients, str]:
    """Give the coefficients that estimates use, and what to say about them; nothing where they are the package's."""
    from siliconv.hls.calibration.own_calibration import read_own, refined
    from siliconv.hls.estimate.coefficients import shipped

    path = applied_file(project)
    own: Sequence[OwnResult] = read_own(path) if path is not None else ()
    if not own:
        return shipped(), ""
    names = ", ".join(sorted({one.name for one in own}))
    said = f"Calibrated with {counted(len(own), 'synthesis result')} of one's own ({names})."
    return refined(shipped(), own), said
