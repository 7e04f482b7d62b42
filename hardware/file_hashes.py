"""SHA-256 of files, one by one: what a certificate speaks about, and what changed since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

# What running the project leaves in it: builds of g++ and of the vendor tools, logs.
_MADE_BY_TOOLS = ("csim", "vendor", "*_prj", ".*")
_LOGS = (".log", ".jou", ".rpt", ".str")


def file_hash(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(folder: Path, paths: Iterable[Path]) -> dict[str, str]:
    """Give the hashes of files by their path in a folder, sorted."""
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in sorted(paths)}


def project_files(project: Path) -> list[Path]:
    """Give the files that a generated project consists of, without what running it leaves there."""
    return [
        path
        for path in project.rglob("*")
        if path.is_file() and path.suffix not in _LOGS and not _is_made(path.relative_to(project))
    ]


def changed_files(folder: Path, expected: Mapping[str, str]) -> dict[str, str]:
    """Give the files that are no longer as they were, by path: ``changed`` or ``missing``."""
    found = {}
    for relative, digest in expected.items():
        path = folder / relative
        if not path.is_file():
            found[relative] = "missing"
        elif file_hash(path) != digest:
            found[relative] = "changed"
    return found


def _is_made(relative: Path) -> bool:
    top = Path(relative.parts[0])
    return len(relative.parts) > 1 and any(top.match(pattern) for pattern in _MADE_BY_TOOLS)
