"""The licence and the notices of a generated project: whose work it holds, read from the files themselves."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from siliconv.hardware.license_file import write_license
from siliconv.hls.rendering import render

NOTICE_FILE = "NOTICE"

_STATED = re.compile(r"copyright\s+(?:\(c\)\s*)?(?:\d{4}).*", flags=re.IGNORECASE)
_GPL = re.compile(r"GNU (?:Lesser )?General Public License")
_HEADER_BYTES = 4096
_SOURCES = {".h", ".hpp", ".cpp", ".py", ".tcl", ".txt", ".inc"}


def write_notices(folder: Path, top: str) -> None:
    """Write LICENSE and NOTICE into a project, once everything else but README and manifest lies there."""
    write_license(folder)
    stated: dict[str, set[str]] = {}
    other: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in _SOURCES and path.is_file()):
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES).decode(errors="replace")
        relative = path.relative_to(folder)
        for found in _STATED.findall(header):
            line = " ".join(found.split()).strip(" */#").rstrip()
            stated.setdefault(line, set()).add(relative.parent.as_posix() + "/")
        if _GPL.search(header):
            other.append(relative.as_posix())
    text = render(
        "NOTICE.j2",
        top=top,
        hls4ml=version("hls4ml"),
        copyrights=[(line, ", ".join(sorted(folders))) for line, folders in sorted(stated.items())],
        other=other,
    )
    (folder / NOTICE_FILE).write_text(text, encoding="utf-8")
