"""What was lowered of a QKeras model, kept in the user's cache folder: the next command knows it without TensorFlow.

The key is a hash of everything that the network follows from: model and weights, bits, input type, code and libraries.
What lies there is read like any saved network, as data, with its shapes, types and hashes checked; it is lowered anew
where it is damaged.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.errors import ModelError, NetworkError
from siliconv.flow.code_version import code_hash, library_version
from siliconv.network import network_file
from siliconv.network.graph import Network

MOST_KEPT = 32
"""Networks; the oldest go."""

_LIBRARIES = ("tensorflow", "tf-keras", "qkeras", "numpy")
_REFUSAL = "refused.json"
_ERRORS: dict[str, type[ModelError] | type[NetworkError]] = {"ModelError": ModelError, "NetworkError": NetworkError}


def kept_network(folder: Path, said: str, module: str, make: Callable[[Path], None]) -> Network:
    """Give the network of a model, made now or by an earlier command.

    Parameters
    ----------
    folder
        The model, as `siliconv.flow.taken_artefacts.save_taken` wrote it.
    said
        What else the network follows from, as text.
    module
        The module whose code makes it.
    make
        Writes ``network/`` into a folder.

    Raises
    ------
    ModelError, NetworkError
        As `make` raised them, now or then.
    """
    kept = _kept(_key(folder, said, module))
    found = _read(kept) if kept is not None else None
    if found is not None:
        return found
    error: ModelError | NetworkError | None = None
    try:
        make(folder)
    except (ModelError, NetworkError) as refusal:
        error = refusal
        (folder / _REFUSAL).write_text(json.dumps(_as_json(refusal)), encoding="utf-8")
    if kept is not None:
        _keep(folder / ("network" if error is None else _REFUSAL), kept)
    if error is not None:
        raise error
    return network_file.load(folder / "network")


def _read(kept: Path) -> Network | None:
    """Read what an earlier command kept; None where there is nothing sound. Raises what that command raised."""
    refusal, error = kept / _REFUSAL, None
    try:
        if refusal.is_file():
            error = _error(read_as(refusal, dict[str, str]))
        else:
            network = network_file.load(kept / "network")
        os.utime(kept)
    except (OSError, UnreadableError, KeyError, NetworkError):
        return None
    if error is not None:
        raise error
    return network


def _as_json(error: ModelError | NetworkError) -> dict[str, str]:
    return {
        "kind": type(error).__name__,
        "code": error.code,
        "what": error.what,
        "where": str(error.where),
        "fix": error.fix,
    }


def _error(found: dict[str, str]) -> ModelError | NetworkError:
    return _ERRORS[found["kind"]](found["code"], found["what"], where=found["where"], fix=found["fix"])


def _key(folder: Path, said: str, module: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    versions = [f"{name} {library_version(name)}" for name in _LIBRARIES]
    digest.update("\n".join((said, code_hash(module), *versions)).encode())
    return digest.hexdigest()


def _kept(key: str) -> Path | None:
    """Give the folder of a key; None for users without a home."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    except RuntimeError:
        return None
    return Path(base) / "siliconv" / "taken" / key


def _keep(made: Path, kept: Path) -> None:
    """Put what was made at its place at one stroke, and let the oldest go; nothing where it cannot be written."""
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".partial-") as scratch:
            whole = Path(scratch) / "whole"
            whole.mkdir()
            copy = shutil.copytree if made.is_dir() else shutil.copy
            copy(made, whole / made.name)
            whole.replace(kept)
        for old in _oldest(kept.parent):
            shutil.rmtree(old, ignore_errors=True)


def _oldest(folder: Path) -> Iterator[Path]:
    found = sorted((one for one in folder.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime)
    yield from found[: max(len(found) - MOST_KEPT, 0)]
