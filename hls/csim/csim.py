"""C simulation of a generated project: run the compiled firmware on raw codes and compare every layer.

The compiled library is the one that hls4ml's own `predict` and `trace` would load; it is called here directly so that
images run in parallel over the cores and every layer is compared as integers. Nothing here needs hls4ml or TensorFlow.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import FirmwareError, WorkSaysNoError
from siliconv.hardware.cluster import run_here_or_there
from siliconv.hardware.workers import SECONDS_PER_TASK, CrashedTaskError, StuckTaskError, processes_for, run_tasks
from siliconv.hls.csim.compilation import Library, compile_project, compiler_version, source_hash
from siliconv.hls.csim.own_libraries import forget, is_own
from siliconv.network import reference
from siliconv.network.explanation.comparison import Comparison, add_to, compare_values
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Input, Network
from siliconv.network.rows import Batch, input_rows, parts_of
from siliconv.progress import Progress, Silent, activity

__all__ = [
    "Library",
    "compare",
    "compile_project",
    "compiler_version",
    "simulate",
    "simulate_apart",
    "simulate_values",
    "source_hash",
]

# A task is about as many multiplications, so that progress is told often and small networks are not sent one by one.
PRODUCTS_PER_TASK = 40_000_000
MOST_IMAGES_PER_TASK = 64
BYTES_PER_TASK = 1 << 28

PROCESS_BYTES = 400 << 20
"""What a process needs besides its images: interpreter, libraries, weights of a network like the lecture's."""

_STREAM_WARNING = re.compile(r"stream '(?P<name>[^']*)' (?P<what>is read while empty|contains leftover data)")


def simulate(library: Library, network: Network, codes: Batch) -> dict[str, Codes]:
    """Run the firmware on inputs, in this process.

    Parameters
    ----------
    library
        The compiled project.
    network
        The network it was made from, for shapes and types.
    codes
        (n, *input shape), codes of the input type; a list of such arrays for several inputs, or their rows.

    Returns
    -------
    Codes of every traced layer by name, (n, *shape), and of each output.
    """
    return {name: _as_codes(values, network, name) for name, values in simulate_values(library, network, codes).items()}


def simulate_values(library: Library, network: Network, codes: Batch) -> dict[str, NDArray[np.float64]]:
    """Run the firmware on inputs as `simulate` does; what its layers hold in real units, whatever their types."""
    firmware = _load(library)
    shapes = {name: network.by_name[name] for name in library.traced}
    outputs = {node.name: np.zeros(int(np.prod(node.shape)), dtype=np.float64) for node in network.outputs}
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in (*library.traced, *outputs)}
    for image in input_rows(network, codes):
        parts = parts_of(network.inputs, image[np.newaxis])
        values = [
            np.ascontiguousarray(part, dtype=np.float64) * node.type.step
            for part, node in zip(parts, network.inputs, strict=True)
        ]
        firmware.call(*(ctypes.c_void_p(array.ctypes.data) for array in (*values, *outputs.values())))
        # What leaves the top function, through the wrapper of an accelerator, and not the last layer's trace.
        for name, output in outputs.items():
            found[name].append(output.copy())
        for name, address in firmware.traces():
            if name in outputs:
                continue
            size = int(np.prod(shapes[name].shape))
            traced = np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(ctypes.c_double)), shape=(size,))
            found[name].append(traced.copy())
    return {name: np.stack(parts).reshape(-1, *network.by_name[name].shape) for name, parts in found.items()}


class _Trace(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.c_void_p))


class _Firmware:
    """The library loaded into this process, with storage for its traced layers."""

    def __init__(self, library: Library) -> None:
        if not is_own(library.path):
            raise FirmwareError(
                "CSIM-LOAD",
                "the compiled firmware is not the one that was compiled here; it is not loaded",
                where=str(library.path),
                fix="run the command again: it compiles the firmware",
            )
        try:
            loaded = ctypes.CDLL(str(library.path))
            top = getattr(loaded, f"{library.top}_double")
            allocate, collect = loaded.allocate_trace_storage, loaded.collect_trace_output
        except (OSError, AttributeError) as error:
            forget(library.path)
            raise FirmwareError(
                "CSIM-LOAD",
                f"the compiled firmware can't be loaded: {error}",
                where=str(library.path),
                fix="run the command again: it compiles the firmware; see also siliconv doctor",
            ) from error
        top.restype = None
        allocate.argtypes = [ctypes.c_size_t]
        collect.argtypes = [ctypes.POINTER(_Trace)]
        allocate(ctypes.sizeof(ctypes.c_double))
        self.call = top
        self._collect = collect
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
    return codes


def compare(
    library: Library,
    network: Network,
    codes: Codes,
    *,
    jobs: int = -1,
    seconds: float = SECONDS_PER_TASK,
    progress: Progress | None = None,
    dask: str | None = None,
) -> tuple[Comparison, ...]:
    """Compare the firmware with the integer network on every layer, in parallel over the cores or a cluster.

    Parameters
    ----------
    library
        The compiled project.
    network
        The integer network.
    codes
        (n, *input shape), codes of the input type; memory grows with the batch in flight, not with n.
    jobs
        Processes; -1 for one a core, fewer where memory is short.
    seconds
        Time that a process may take for its part of the images before it counts as stuck.
    progress
        Told how many images are done, and the memory it took.
    dask
        Address of the scheduler of a Dask cluster whose workers simulate in place of processes of this machine.

    Returns
    -------
    One comparison for every traced layer and the output, in the order of the network: the first execution is the
    firmware, the other one the network.

    Raises
    ------
    WorkSaysNoError
        ``CSIM-STREAM`` if a stream was read while empty or not read to its end, ``CSIM-STUCK`` if there was no end.
    FirmwareError
        ``CSIM-CRASH`` if the simulated firmware crashed, ``CSIM-LOAD`` if it can't be loaded, ``CSIM-TYPE``.
    ToolError, ProjectError
        As `siliconv.hardware.cluster.run_on_cluster`.
    """
    progress = progress or Silent()
    size = _images_per_task(network)
    names = [
        node.name for node in network.nodes if node.name in {*library.traced, *(one.name for one in network.outputs)}
    ]
    tasks = [(library, network, codes[start : start + size], start, names) for start in range(0, len(codes), size)]
    total: dict[str, Comparison] = {}
    processes = min(processes_for(jobs, PROCESS_BYTES + size * _bytes_per_image(network)), max(len(tasks), 1))
    peak = 0.0
    with activity(progress, "C simulation", len(codes), "vectors"), _told(library, seconds):
        done = 0
        for outcome in run_here_or_there(
            _compare_chunk, tasks, dask, processes=processes, seconds=seconds, files=[library.path]
        ):
            _check_streams(outcome.printed, library)
            for layer in outcome.result:
                add_to(total, layer)
            done, peak = min(done + size, len(codes)), max(peak, outcome.peak_mib)
            progress.update(done, f"{peak:,.0f} MiB a process")
    return tuple(total[name] for name in names if name in total)


def simulate_apart(
    library: Library, network: Network, codes: Codes, *, seconds: float = SECONDS_PER_TASK
) -> dict[str, NDArray[np.float64]]:
    """Run the firmware as `simulate_values` does, in a process of its own that may crash or hang.

    Raises
    ------
    FirmwareError, WorkSaysNoError
        As `compare`.
    """
    with _told(library, seconds):
        (outcome,) = run_tasks(simulate_values, [(library, network, codes)], processes=1, seconds=seconds)
    _check_streams(outcome.printed, library)
    return outcome.result


@contextmanager
def _told(library: Library, seconds: float) -> Iterator[None]:
    """Bring the end of a process into the user's words."""
    try:
        yield
    except StuckTaskError as error:
        raise WorkSaysNoError(
            "CSIM-STUCK",
            f"no end after {seconds:g} s: the simulated firmware waits for itself, as it would in hardware, or the "
            "machine is slow",
            where=str(library.path),
            fix="raise csim.timeout_s; if that does not help, the sources wait for data that never comes",
        ) from error
    except CrashedTaskError as error:
        raise _crash(str(error.args[0]), library) from error


def _check_streams(printed: str, library: Library) -> None:
    """Refuse a simulation in which a stream ran dry or over: in hardware it would wait forever."""
    found = _STREAM_WARNING.search(printed)
    if found is not None:
        raise WorkSaysNoError(
            "CSIM-STREAM",
            f"the stream '{found['name']}' {found['what']}: in hardware the firmware would wait forever",
            where=str(library.path),
            fix="the layers around it disagree about its length: write the project again, siliconv run --force",
        )


def _crash(printed: str, library: Library) -> FirmwareError:
    said = f": {printed}" if printed else ", or was killed for its memory"
    return FirmwareError(
        "CSIM-CRASH",
        f"the simulated firmware crashed{said}",
        where=str(library.path),
        fix="siliconv check PROJECT names what templates refuse; make -C build/firmware csim runs the test bench alone",
    )


def _images_per_task(network: Network) -> int:
    products = sum(node.kernel.codes.size * int(np.prod(node.shape[:-1])) for node in network.matrices)
    by_memory = BYTES_PER_TASK // _bytes_per_image(network)
    return max(min(PRODUCTS_PER_TASK // max(products, 1), by_memory, MOST_IMAGES_PER_TASK), 1)


def _bytes_per_image(network: Network) -> int:
    """Memory of one image's traces: codes of firmware and network, and their differences, 8 bytes each."""
    return 4 * 8 * sum(int(np.prod(node.shape)) for node in network.nodes)


def _compare_chunk(
    library: Library, network: Network, codes: Codes, first_vector: int, names: list[str]
) -> list[Comparison]:
    firmware = simulate(library, network, codes)
    expected = reference.run(network, codes, keep=names)
    return [
        compare_values(
            name,
            firmware[name],
            expected[name],
            step=network.by_name[name].type.step,
            first_vector=first_vector,
        )
        for name in names
        if not isinstance(network.by_name[name], Input)
    ]
