"""Which compiled firmware this user's siliconv made itself: no other is loaded, whatever lies in a project's folder.

A project folder may come from somebody else, and to load a library is to run it. The SHA-256 of each library that was
compiled here is kept in the user's cache folder, outside of every project, and compared before the library is loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

_made: dict[Path, str] = {}
"""Those of this process, for users without a folder that can be written."""


def remember(library: Path) -> None:
    """Keep the hash of a library that was compiled just now."""
    digest = _made[library.resolve()] = _hash(library)
    record = _record(library)
    with contextlib.suppress(OSError, RuntimeError):
        record.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = record.with_name(f"{record.name}.{os.getpid()}")
        partial.write_text(digest + "\n", encoding="ascii")
        partial.replace(record)


def is_own(library: Path) -> bool:
    """Whether a library is, byte for byte, one that was compiled here."""
    try:
        known = _made.get(library.resolve()) or _record(library).read_text(encoding="ascii").strip()
        return bool(known) and known == _hash(library)
    except (OSError, ValueError, RuntimeError):
        return False


def forget(library: Path) -> None:
    """Let a library that does not work be compiled again."""
    _made.pop(library.resolve(), None)
    with contextlib.suppress(OSError, RuntimeError):
        _record(library).unlink(missing_ok=True)


def _record(library: Path) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "siliconv" / "libraries" / hashlib.sha256(os.fsencode(library.resolve())).hexdigest()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
