"""Damaged builds, bad model files, bad data and broken tools, as `BadInput` of `trust_texts`."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from trust_project import model_config
from trust_texts import BadInput, meets

JSON_FILES = (
    "build/data/dataset.json",
    "build/float/architecture.json",
    "build/float/metrics.json",
    "build/quantized/types.json",
    "build/quantized/calibration.json",
    "build/quantized/metrics.json",
    "build/quantized/sparsity.json",
    "build/network/network.json",
    "build/network/agreement.json",
    "build/network/ranges.json",
    "build/network/metrics.json",
    "build/firmware/siliconv.json",
    "build/csim.json",
    "build/estimate.json",
    "build/.stages/convert.json",
    "build/.stages/csim.json",
    "build/.data_choice.json",
    "build/.written.json",
    "build/synthesis.json",
    "calibration.json",
)
BINARY_FILES = (
    "build/data/train.u8",
    "build/data/test.labels.npy",
    "build/float/weights.npz",
    "build/float/test_logits.npy",
    "build/quantized/weights.npz",
    "build/network/weights.npz",
)
SOURCES = (
    "build/firmware/firmware/defines.h",
    "build/firmware/Makefile",
    "build/firmware/tb_data/input_codes.dat",
    "build/firmware/small_bridge.cpp",
    "build/firmware/firmware/small.cpp",
    "build/report.html",
)
_JSON_COMMANDS = ("verify", "report", "check", "summary", "explain", "estimate", "csim", "fit", "export")

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda old: b"",
    "half": lambda old: old[: len(old) // 2],
    "null": lambda old: b"null",
    "a list": lambda old: b"[]",
    "a map": lambda old: b"{}",
    "a word": lambda old: b'"word"',
    "NaN": lambda old: b"NaN",
    "1e999": lambda old: b'{"format": 1e999, "accuracy": 1e999}',
    "deep": lambda old: b"[" * 100_000 + b"]" * 100_000,
    "no UTF-8": lambda old: b'{"a": "\xff\xfe"}',
    "zeros": lambda old: bytes(len(old)),
    "digits": lambda old: b"9" * 10_000,
}


def damaged(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """Give what changes the bytes of one file of a project; one that is not there counts as empty JSON."""

    def make(folder: Path) -> None:
        path = folder / name
        path.write_bytes(change(path.read_bytes() if path.is_file() else b"{}"))

    return make


def other_kinds(content: Any) -> Iterator[Any]:
    """Yield a parsed JSON with one value replaced by one of another kind, for each value near its top."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield {other: inner for other, inner in content.items() if other != key}
            for odd in (None, "word", -1, [], {"a": 1}, True):
                if type(odd) is not type(value):
                    yield {**content, key: odd}
            if isinstance(value, dict | list) and len(json.dumps(value)) < 4000:
                yield from ({**content, key: inner} for inner in list(other_kinds(value))[:40])
    elif isinstance(content, list) and content:
        yield from ([inner, *content[1:]] for inner in (None, "word", -1, [], {}))
        yield from ([inner, *content[1:]] for inner in list(other_kinds(content[0]))[:40])


def damaged_builds(project: Path) -> Iterator[BadInput]:
    """Yield files of a build that are damaged as a whole, or have one value of another kind."""
    for number, name in enumerate(JSON_FILES):
        for other, (kind, change) in enumerate(DAMAGES.items()):
            command = _JSON_COMMANDS[(number + other) % len(_JSON_COMMANDS)]
            yield from meets(f"{name}, {kind}", damaged(name, change), command)
        path = project / name
        content = json.loads(path.read_bytes()) if path.is_file() else {"folder": "x", "format": "y", "results": [{}]}
        for other, changed in enumerate(other_kinds(content)):
            text = json.dumps(changed).encode()
            command = _JSON_COMMANDS[(number + other) % len(_JSON_COMMANDS)]
            yield from meets(f"{name}, kind {other}", damaged(name, lambda old, text=text: text), command)
    for number, name in enumerate((*BINARY_FILES, *SOURCES)):
        for other, kind in enumerate(("empty", "half", "zeros", "deep")):
            command = _JSON_COMMANDS[(number + other) % len(_JSON_COMMANDS)]
            yield from meets(f"{name}, {kind}", damaged(name, DAMAGES[kind]), command)
        yield from meets(f"{name}, gone", lambda folder, name=name: (folder / name).unlink(), "explain", "report")
        yield from meets(f"{name}, in a loop", lambda folder, name=name: _loop(folder / name), "verify", "csim")
        yield from meets(f"{name}, a folder", lambda folder, name=name: _folder(folder / name), "summary", "export")


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def bad_models(project: Path) -> Iterator[BadInput]:
    """Yield model files that are damaged, reach for other files, or describe nothing that is a network."""
    config = model_config(project / "net.h5")
    for number, changed in enumerate(other_kinds(config)):
        yield from meets(
            f"model configuration {number}", _with_config(json.dumps(changed)), ("summary", "check", "fit")[number % 3]
        )
    layers = config["config"]["layers"]
    for place, layer in enumerate(layers):
        for number, inner in enumerate(other_kinds(layer["config"])):
            whole = [*layers[:place], {**layer, "config": inner}, *layers[place + 1 :]]
            text = json.dumps({**config, "config": {**config["config"], "layers": whole}})
            yield from meets(f"layer {place}, configuration {number}", _with_config(text), "check")
    for name, change in _H5_CHANGES.items():
        yield from meets(
            f"model, {name}", lambda folder, change=change: _edit(folder, change), "check", "summary", "data"
        )
    for kind, change in DAMAGES.items():
        yield from meets(f"model, {kind}", damaged("net.h5", change), "check", "summary")
    for kind, change in _ARCHIVES.items():
        yield from meets(f"archive, {kind}", lambda folder, change=change: _archive(folder, change), "check", "summary")


def _with_config(text: str) -> Callable[[Path], object]:
    def change(file: Any, folder: Path) -> None:
        file.attrs["model_config"] = text

    return lambda folder: _edit(folder, change)


def _edit(folder: Path, change: Callable[[Any, Path], object]) -> None:
    import h5py

    with h5py.File(folder / "net.h5", "r+") as file:
        change(file, folder)


KERNEL = "model_weights/conv/conv/kernel:0"


def _replace(make: Callable[[Any, Path], object]) -> Callable[[Any, Path], object]:
    def change(file: Any, folder: Path) -> None:
        del file[KERNEL]
        make(file, folder)

    return change


def _external(file: Any, folder: Path) -> None:
    secret = folder / "secret.txt"
    secret.write_text("s" * 72)
    file.create_dataset(KERNEL, (3, 3, 1, 2), dtype="f4", external=[(str(secret), 0, 72)])


def _virtual(file: Any, folder: Path) -> None:
    import h5py

    layout = h5py.VirtualLayout((3, 3, 1, 2), dtype="f4")
    layout[...] = h5py.VirtualSource("other.h5", "x", (3, 3, 1, 2))
    file.create_virtual_dataset(KERNEL, layout)


def _link(link: Callable[[Any], Any]) -> Callable[[Any, Path], object]:
    def make(file: Any, folder: Path) -> None:
        import h5py

        file[KERNEL] = link(h5py)

    return make


_H5_CHANGES: dict[str, Callable[[Any, Path], object]] = {
    "external storage": _replace(_external),
    "virtual": _replace(_virtual),
    "an external link": _replace(_link(lambda h5py: h5py.ExternalLink("other.h5", "/x"))),
    "a soft link": _replace(_link(lambda h5py: h5py.SoftLink("/model_weights/dense/dense/kernel:0"))),
    "a link to itself": _replace(_link(lambda h5py: h5py.SoftLink("/" + KERNEL))),
    "no kernel": _replace(lambda file, folder: None),
    "a kernel of text": _replace(lambda file, folder: file.create_dataset(KERNEL, data=["a", "b"])),
    "a kernel of 4 TB": _replace(
        lambda file, folder: file.create_dataset(KERNEL, (1 << 40,), dtype="f4", chunks=(1024,))
    ),
    "a kernel of another shape": _replace(lambda file, folder: file.create_dataset(KERNEL, data=np.zeros((2, 2)))),
    "infinite weights": _replace(lambda file, folder: file.create_dataset(KERNEL, data=np.full((3, 3, 1, 2), np.inf))),
    "weights of NaN": _replace(lambda file, folder: file.create_dataset(KERNEL, data=np.full((3, 3, 1, 2), np.nan))),
    "complex weights": _replace(lambda file, folder: file.create_dataset(KERNEL, data=np.full((3, 3, 1, 2), 1j))),
    "a group for a kernel": _replace(lambda file, folder: file.create_group(KERNEL)),
    "no weights": lambda file, folder: file.__delitem__("model_weights"),
    "no configuration": lambda file, folder: file.attrs.__delitem__("model_config"),
    "a number for a configuration": lambda file, folder: file.attrs.__setitem__("model_config", 3),
    "names of numbers": lambda file, folder: file["model_weights"].attrs.__setitem__("layer_names", [1, 2]),
    "names of nothing": lambda file, folder: file["model_weights"].attrs.__setitem__("layer_names", ["nothing"]),
}

_ARCHIVES: dict[str, Callable[[zipfile.ZipFile], object]] = {
    "empty": lambda archive: None,
    "no weights": lambda archive: archive.writestr("config.json", '{"class_name": "Sequential", "config": {}}'),
    "a bomb": lambda archive: (archive.writestr("config.json", "{}"), _swollen(archive, "model.weights.h5", 600 << 20)),
    "a configuration that is a bomb": lambda archive: _swollen(archive, "config.json", 100 << 20),
    "deep": lambda archive: (archive.writestr("config.json", "[" * 10**5), archive.writestr("model.weights.h5", "x")),
    "a path out of it": lambda archive: archive.writestr("../../config.json", "{}"),
}


def _swollen(archive: zipfile.ZipFile, name: str, size: int) -> None:
    """Write a member that the archive's directory says is larger than it is; `benchmarks/bounds.py` has real bombs."""
    archive.writestr(name, bytes(1000))
    archive.getinfo(name).file_size = size


def _archive(folder: Path, change: Callable[[zipfile.ZipFile], object]) -> None:
    with zipfile.ZipFile(folder / "net.h5", "w", zipfile.ZIP_DEFLATED) as archive:
        change(archive)


def bad_data() -> Iterator[BadInput]:
    """Yield arrays that are no images, folders that are no classes, and tools that do not work."""
    one = np.zeros((6, 6, 6, 1), np.uint8)
    arrays: dict[str, dict[str, Any]] = {
        "text": {"x": np.array(["a"] * 6), "y": np.arange(6)},
        "dates": {"x": one, "y": np.array(["2024-01-01"] * 6, "M8[D]")},
        "images of dates": {"x": one.astype("M8[s]"), "y": np.arange(6)},
        "complex": {"x": one * 1j, "y": np.arange(6)},
        "infinite": {"x": np.full((6, 6, 6, 1), np.inf), "y": np.arange(6) % 2},
        "no labels": {"x": one},
        "fewer labels": {"x": one, "y": np.arange(3)},
        "one class": {"x": one, "y": np.zeros(6, int)},
        "nothing": {"x": one[:0], "y": np.arange(0)},
        "names with a line": {"x": one, "y": np.array(["a\nb", "c"] * 3)},
        "names with an escape": {"x": one, "y": np.array(["\x1b[31m", "c"] * 3)},
        "long names": {"x": one, "y": np.array(["n" * 5000, "c"] * 3)},
        "structured": {"x": np.zeros(6, [("a", "i4")]), "y": np.arange(6)},
        "huge labels": {"x": one, "y": np.array([2**62, -(2**62)] * 3)},
        "scalars": {"x": np.uint8(3), "y": np.int64(1)},
        "voids": {"x": np.zeros((6, 6, 6, 1), "V3"), "y": np.arange(6)},
    }
    for name, content in arrays.items():
        yield from meets(f"data, {name}", lambda folder, content=content: _npz(folder, content), "data")
    for kind in ("empty", "half", "zeros", "null", "deep"):
        yield from meets(f"data, {kind}", damaged("images.npz", DAMAGES[kind]), "data")
    yield from meets("data, a header that lies", _lying, "data")
    yield from meets("data, a bomb", _bomb, "data")
    yield from meets("data, a file of objects", _objects, "data")
    yield from meets("data, one array", lambda folder: np.save((folder / "images.npz").open("wb"), one), "data")


def _npz(folder: Path, content: dict[str, Any]) -> None:
    np.savez(folder / "images.npz", **content)


def _header(shape: tuple[int, ...]) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def _lying(folder: Path) -> None:
    with zipfile.ZipFile(folder / "images.npz", "w") as archive:
        archive.writestr("x.npy", _header((1 << 45,)))
        archive.writestr("y.npy", _header((-1,)))


def _bomb(folder: Path) -> None:
    with zipfile.ZipFile(folder / "images.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        _swollen(archive, "x.npy", 400 << 20)
        archive.writestr("y.npy", _header((0,)))


def _objects(folder: Path) -> None:
    np.savez(folder / "images.npz", x=np.array([print] * 6, dtype=object), y=np.arange(6), allow_pickle=True)


def restore(snapshot: Path, folder: Path) -> None:
    """Put a project back as it was, with its times: what did not change is not copied again."""
    wanted, found = _entries(snapshot), _entries(folder) if folder.is_dir() else {}
    for name in sorted(set(found) - set(wanted), reverse=True):
        _remove(folder / name)
    for name, state in sorted(wanted.items()):
        if found.get(name) != state:
            _remove(folder / name)
            if state is None:
                (folder / name).mkdir(parents=True)
            else:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(snapshot / name, folder / name, follow_symlinks=False)


def _entries(folder: Path) -> dict[str, tuple[int, ...] | None]:
    """Give each file below a folder with mode, size, time and inode's own time left out; None for a folder."""
    entries: dict[str, tuple[int, ...] | None] = {}
    for path in folder.rglob("*"):
        state = path.lstat()
        whole = (state.st_mode, state.st_size, state.st_mtime_ns)
        entries[path.relative_to(folder).as_posix()] = None if path.is_dir() and not path.is_symlink() else whole
    return entries


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
