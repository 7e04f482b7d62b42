"""C simulation of a generated project: compile it with g++ and run the compiled firmware on raw codes.

The compiled library is the one that hls4ml's own `predict` and `trace` would load; it is called here directly so that
images run in parallel over the cores and every layer is compared as integers. Nothing here needs hls4ml or TensorFlow.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from siliconv.errors import FirmwareError, ToolError
from siliconv.progress import Progress, Silent, activity
from siliconv.quantize import reference
from siliconv.quantize.fixed_point import Codes
from siliconv.quantize.network import Conv, Dense, DepthwiseConv, Input, Network

COMPILER = "g++"

# A task is about as many multiplications, so that progress is told often and small networks are not sent one by one.
PRODUCTS_PER_TASK = 40_000_000
MOST_IMAGES_PER_TASK = 64

_TRACED = re.compile(r'trace_outputs->insert\(std::pair<std::string, void \*>\("(?P<name>\w+)"')


@dataclass(frozen=True)
class Difference:
    """The first element in which firmware and integer network part, as codes of the layer's type."""

    vector: int
    index: tuple[int, ...]
    firmware: int
    network: int


@dataclass(frozen=True)
class LayerComparison:
    """One layer over all vectors: elements compared, how many differ, and by how much at most (in real units)."""

    name: str
    elements: int
    differing: int
    max_abs_difference: float
    first: Difference | None


@dataclass(frozen=True)
class Library:
    """A compiled project: the shared library, its top function and the layers that it traces."""

    path: Path
    top: str
    traced: tuple[str, ...]


def source_hash(project: Path) -> str:
    """Give the SHA-256 of all that the compiler reads: sources, headers, weights."""
    digest = hashlib.sha256()
    sources = [*project.glob("*.cpp"), *(path for path in (project / "firmware").rglob("*") if path.is_file())]
    for path in sorted(sources):
        digest.update(str(path.relative_to(project)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def compiler_version() -> str:
    """Give the first line of ``g++ --version``, after a look whether all that compiles is there.

    Raises
    ------
    ToolError
        ``TOOL-GXX`` if there is no g++, ``TOOL-MAKE`` if there is no make.
    """
    for tool, package in ((COMPILER, "g++"), ("make", "make")):
        if shutil.which(tool) is None:
            raise ToolError(
                "TOOL-GXX" if tool == COMPILER else "TOOL-MAKE",
                f"no {tool} on the PATH",
                where="C simulation",
                fix=f"install it, for example: apt install {package}; or stop before it: --until convert",
            )
    shown = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True)
    return shown.stdout.splitlines()[0]


def compile_project(project: Path, top: str, cache: Path, *, progress: Progress | None = None) -> Library:
    """Compile a project into a library, or reuse the one compiled from the very same sources.

    Parameters
    ----------
    project
        A folder that `siliconv.hls.conversion.convert` wrote.
    top
        Name of the top function.
    cache
        Folder for compiled libraries; only the newest stays.
    progress
        Told when a compilation begins, because it takes a while.

    Raises
    ------
    ToolError
        ``TOOL-GXX`` without a compiler.
    FirmwareError
        ``CSIM-COMPILE`` with the compiler's first error.
    """
    key = hashlib.sha256(
        f"{compiler_version()} {os.environ.get('CXXFLAGS')} {source_hash(project)} {project.resolve()}".encode()
    ).hexdigest()[:16]
    traced = tuple(_TRACED.findall((project / f"{top}_bridge.cpp").read_text(encoding="utf-8")))
    build = (cache / key).resolve()
    library = Library(build / f"{top}.so", top, traced)
    if not library.path.exists():
        (progress or Silent()).say(f"compiling the firmware with {COMPILER}")
        done = subprocess.run(
            ["make", "-j2", "library", f"BUILD={build}"], cwd=project, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            library.path.unlink(missing_ok=True)
            raise _compile_error(done.stdout + done.stderr, project)
        for other in cache.iterdir():
            if other.name != key and other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
    return library


def _compile_error(output: str, project: Path) -> FirmwareError:
    lines = output.splitlines()
    first = next((line for line in lines if "error:" in line or "***" in line), lines[-1] if lines else "no output")
    killed = any("Killed" in line for line in lines)
    fix = (
        "free memory: the compiler was killed" if killed else "see what g++ says: make -C " + str(project) + " library"
    )
    return FirmwareError("CSIM-COMPILE", f"g++ failed: {first.strip()}", where=str(project), fix=fix)


def simulate(library: Library, network: Network, codes: Codes) -> dict[str, Codes]:
    """Run the firmware on inputs, in this process.

    Parameters
    ----------
    library
        The compiled project.
    network
        The network it was made from, for shapes and types.
    codes
        (n, *input shape), codes of the input type.

    Returns
    -------
    Codes of every traced layer by name, (n, *shape), and of the output.
    """
    firmware = _load(library)
    shapes = {name: network.by_name[name] for name in library.traced}
    found: dict[str, list[Codes]] = {name: [] for name in (*library.traced, network.output.name)}
    output = np.zeros(int(np.prod(network.output.shape)), dtype=np.float64)
    for image in codes:
        values = np.ascontiguousarray(image, dtype=np.float64) * network.input.type.step
        firmware.call(values.ctypes.data, output.ctypes.data)
        # What leaves the top function, through the wrapper of an accelerator, and not the last layer's trace.
        found[network.output.name].append(_as_codes(output.copy(), network, network.output.name))
        for name, address in firmware.traces():
            if name == network.output.name:
                continue
            size = int(np.prod(shapes[name].shape))
            traced = np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(ctypes.c_double)), shape=(size,))
            found[name].append(_as_codes(traced, network, name))
    return {name: np.stack(parts) for name, parts in found.items()}


class _Trace(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.c_void_p))


class _Firmware:
    """The library loaded into this process, with storage for its traced layers."""

    def __init__(self, library: Library) -> None:
        loaded = ctypes.CDLL(str(library.path))
        top = getattr(loaded, f"{library.top}_double")
        top.restype, top.argtypes = None, [ctypes.c_void_p, ctypes.c_void_p]
        loaded.allocate_trace_storage.argtypes = [ctypes.c_size_t]
        loaded.collect_trace_output.argtypes = [ctypes.POINTER(_Trace)]
        loaded.allocate_trace_storage(ctypes.sizeof(ctypes.c_double))
        self.call = top
        self._collect = loaded.collect_trace_output
        self._traces = (_Trace * max(len(library.traced), 1))()
        self._count = len(library.traced)

    def traces(self) -> Iterator[tuple[str, int]]:
        """Name and address of each traced layer of the last call."""
        self._collect(self._traces)
        for trace in self._traces[: self._count]:
            yield trace.name.decode(), trace.data


_loaded: dict[Path, _Firmware] = {}


def _load(library: Library) -> _Firmware:
    # A library is loaded once a process: its trace storage is a global of the library.
    if library.path not in _loaded:
        _loaded[library.path] = _Firmware(library)
    return _loaded[library.path]


def _as_codes(values: np.ndarray, network: Network, name: str) -> Codes:
    node = network.by_name[name]
    codes = np.rint(values / node.type.step).astype(np.int64)
    if np.any(codes * node.type.step != values):
        raise FirmwareError(
            "CSIM-TYPE",
            f"the firmware's values are no multiples of {node.type.step}, the step of {node.type}",
            where=f"layer '{name}'",
            fix="the firmware was not made from this network: convert again",
        )
    return codes.reshape(node.shape)


def compare(
    library: Library,
    network: Network,
    codes: Codes,
    *,
    jobs: int = -1,
    progress: Progress | None = None,
) -> tuple[LayerComparison, ...]:
    """Compare the firmware with the integer network on every layer, in parallel over the cores.

    Parameters
    ----------
    library
        The compiled project.
    network
        The integer network.
    codes
        (n, *input shape), codes of the input type; memory grows with the batch in flight, not with n.
    jobs
        Processes; -1 for one a core.
    progress
        Told about each simulated vector.

    Returns
    -------
    One comparison for every traced layer and the output, in the order of the network.
    """
    progress = progress or Silent()
    size = _images_per_task(network)
    tasks = [codes[start : start + size] for start in range(0, len(codes), size)]
    names = [node.name for node in network.nodes if node.name in {*library.traced, network.output.name}]
    merged: dict[str, LayerComparison] = {}
    parallel = Parallel(n_jobs=jobs, return_as="generator", mmap_mode="r")
    with activity(progress, "C simulation", len(codes), "images"):
        try:
            done = 0
            for part in parallel(
                delayed(_compare_chunk)(library, network, chunk, number * size, names)
                for number, chunk in enumerate(tasks)
            ):
                for layer in part:
                    merged[layer.name] = _merge(merged.get(layer.name), layer)
                done = min(done + size, len(codes))
                progress.update(done)
        except TerminatedWorkerError as error:
            raise FirmwareError(
                "CSIM-CRASH",
                "the simulated firmware crashed or was killed for its memory",
                where=str(library.path),
                fix="run the test bench alone to see it: make -C build/firmware csim",
            ) from error
    return tuple(merged[name] for name in names)


def _images_per_task(network: Network) -> int:
    products = sum(
        node.kernel.codes.size * int(np.prod(node.shape[:-1]))
        for node in network.nodes
        if isinstance(node, Conv | DepthwiseConv | Dense)
    )
    return min(max(PRODUCTS_PER_TASK // max(products, 1), 1), MOST_IMAGES_PER_TASK)


def _compare_chunk(
    library: Library, network: Network, codes: Codes, first_vector: int, names: list[str]
) -> list[LayerComparison]:
    firmware = simulate(library, network, codes)
    expected = reference.run(network, codes, keep=names)
    return [
        _compare_layer(name, firmware[name], expected[name], network.by_name[name].type.step, first_vector)
        for name in names
        if not isinstance(network.by_name[name], Input)
    ]


def _compare_layer(name: str, firmware: Codes, network: Codes, step: float, first_vector: int) -> LayerComparison:
    wrong = firmware != network
    first = None
    if wrong.any():
        where = np.unravel_index(int(wrong.argmax()), wrong.shape)
        index = tuple(int(i) for i in where[1:])
        first = Difference(first_vector + int(where[0]), index, int(firmware[where]), int(network[where]))
    largest = float(np.abs(firmware - network).max(initial=0)) * step
    return LayerComparison(name, firmware.size, int(wrong.sum()), largest, first)


def _merge(one: LayerComparison | None, other: LayerComparison) -> LayerComparison:
    if one is None:
        return other
    return LayerComparison(
        one.name,
        one.elements + other.elements,
        one.differing + other.differing,
        max(one.max_abs_difference, other.max_abs_difference),
        one.first or other.first,
    )
