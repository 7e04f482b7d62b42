"""What was edited in a generated project since it was written, file by file, and whether the code is still the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from siliconv.hardware.file_hashes import changed_files, file_hash, project_files
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.code_text import SOURCES, code_hash, edited_lines
from siliconv.hls.conversion.firmware_form import written_form
from siliconv.hls.conversion.manifest import MANIFEST_FILE, SUMS_FILE
from siliconv.hls.conversion.testbench import VECTORS_FOLDER
from siliconv.network.graph import Network

LINES_SHOWN = 3


@dataclass(frozen=True)
class Edit:
    """A file that is not as it was written.

    Parameters
    ----------
    path
        Within the project.
    state
        ``changed``, ``missing`` or ``added``.
    same_code
        Whether the same bits are computed for sure: only comments, spaces, pragmas or the numbers of weights differ
        (these are compared as numbers), or nothing that is compiled and nothing that a test reads.
    lines
        What stands there now, the first lines of it.
    """

    path: str
    state: str
    same_code: bool
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = f": {'; '.join(self.lines)}" if self.lines else ""
        kind = "" if self.same_code else ", other content"
        return f"{self.path} was {self.state if self.state != 'missing' else 'removed'}{kind}{said}"

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class TrustedManifest:
    """What `siliconv.hls.conversion.manifest.write_manifest` wrote, or nothing where it is not to be trusted."""

    content: dict[str, Any]
    distrust: str | None = None
    """Why it says nothing."""

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of the files as written."""
        return dict(self.content.get("files", {}))

    def form(self, network: Network) -> Network:
        """Give the network as the project states it, with the settings that it was made with."""
        settings = self.content.get("hls")
        return network if settings is None else written_form(network, HlsConfig.model_validate(settings))

    @property
    def orders(self) -> dict[str, list[int] | None]:
        """Order of the axes of each header's tensor."""
        return {one["file"]: one["order"] for one in self.content.get("weights", [])}


def trusted_manifest(project: Path, written: str | None = None) -> TrustedManifest:
    """Read the manifest of a project.

    Parameters
    ----------
    project
        Its folder.
    written
        SHA-256 that the manifest had when it was written, where that is known.
    """
    path = project / MANIFEST_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = {*content["files"], *content["code"], *content["lines"]}
        kept: dict[str, Any] = {"weights": [{"file": one["file"], "order": one["order"]} for one in content["weights"]]}
        kept["hls"] = HlsConfig.model_validate(content["hls"]).model_dump(mode="json")
    except (OSError, ValueError, KeyError, TypeError):
        return TrustedManifest({}, f"{MANIFEST_FILE} is missing or damaged, so nothing says how the files were written")
    if written is not None and file_hash(path) != written:
        return TrustedManifest(kept, f"{MANIFEST_FILE} itself was edited")
    return TrustedManifest(content) if known else TrustedManifest({}, f"{MANIFEST_FILE} names no files")


def edits_of(project: Path, manifest: TrustedManifest) -> tuple[Edit, ...]:
    """Compare a project with its manifest: every file that changed, is missing, or was added."""
    return tuple(_edits(project, manifest))


def _edits(project: Path, manifest: TrustedManifest) -> Iterator[Edit]:
    if manifest.distrust is not None:
        yield Edit(MANIFEST_FILE, "changed", same_code=False, lines=(manifest.distrust,))
        return
    files, code, lines = manifest.files, manifest.content["code"], manifest.content["lines"]
    for relative, state in changed_files(project, files).items():
        path = project / relative
        if state == "missing":
            yield Edit(relative, state, same_code=not _is_read(Path(relative)))
            continue
        same = not _is_read(Path(relative)) or code_hash(path) == code.get(relative)
        shown = edited_lines(path, lines[relative].split()) if relative in lines else []
        yield Edit(relative, state, same, tuple(shown[:LINES_SHOWN]))
    for path in sorted(project_files(project)):
        relative = path.relative_to(project).as_posix()
        if relative not in files and relative not in (MANIFEST_FILE, SUMS_FILE) and not _is_left_by_tests(path):
            yield Edit(relative, "added", same_code=path.suffix not in SOURCES)


def _is_read(relative: Path) -> bool:
    """Whether a compiler or a test bench reads a file; scripts, drivers and texts are read by people and tools."""
    return relative.suffix in SOURCES or relative.parts[0] == VECTORS_FOLDER


def _is_left_by_tests(path: Path) -> bool:
    return path.parent.name == VECTORS_FOLDER and path.name.endswith("results.log")
