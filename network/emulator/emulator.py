"""The fast executor of an integer network: compiled once to ONNX Runtime, bit-identical to the reference.

>>> emulator = compile(network)
>>> logits = emulator.run(images)["dense"]
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from math import prod
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from siliconv.errors import ToolError
from siliconv.network import reference
from siliconv.network.emulator.onnx_int8 import find
from siliconv.network.emulator.onnx_nodes import Translation, feed_name
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.network.intervals import Bounds, prove
from siliconv.network.rows import Batch, input_rows, joined, parts_of
from siliconv.progress import Progress, Silent, activity

BATCH_BYTES = 1 << 24
"""Memory that the largest tensor of a batch may take (float32): small enough for the outer cache, measured fastest."""

LARGEST_BATCH = 32


@dataclass(frozen=True)
class _Plan:
    """A session that gives the kept nodes."""

    session: onnxruntime.InferenceSession
    kept: tuple[str, ...]
    feeds: tuple[tuple[str, str], ...]
    """Name and type of each input of the session, in the network's order."""
    int8: int


@dataclass
class Emulator:
    """A compiled network. Make one with `compile`; it may be used from several threads.

    Parameters
    ----------
    network
        The integer network.
    bounds
        Its proven bounds, by node name.
    threads
        Batches computed side by side.
    int8
        Whether 8-bit kernels may be used.
    """

    network: Network
    bounds: dict[str, Bounds]
    threads: int
    int8: bool = True
    _plans: dict[frozenset[str], _Plan] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def run(
        self, codes: Batch, *, keep: Iterable[str] | None = None, progress: Progress | None = None
    ) -> dict[str, Codes]:
        """Compute nodes for any number of inputs.

        Parameters
        ----------
        codes
            (n, *input shape), codes of the input type, any integer array; uint8 images need no conversion. A list of
            such arrays for several inputs, or their rows (`siliconv.network.rows`).
        keep
            Names of the nodes to return; the outputs by default. Tracing a node costs a session of its own, once.
        progress
            Where to report.

        Returns
        -------
        Codes by node name, each (n, *node shape), int64: exactly what `siliconv.network.reference.run` returns.

        Raises
        ------
        NetworkError
            ``INPUT-...`` or ``NODE-UNKNOWN``, as the reference.
        ToolError
            ``EMULATOR-NOT-EXACT`` if this machine's ONNX Runtime does not compute what it should.
        """
        wanted = self._wanted(keep)
        rows = input_rows(self.network, codes)
        results = {name: np.empty((len(rows), *self.network.by_name[name].shape), np.int64) for name in wanted}
        for start, tensors in self._raw_batches(rows, wanted, progress):
            for name, tensor in tensors.items():
                results[name][start : start + len(tensor)] = tensor
        return results

    def batches(
        self, codes: Batch, *, keep: Iterable[str] | None = None, progress: Progress | None = None
    ) -> Iterator[tuple[int, dict[str, Codes]]]:
        """Compute nodes batch by batch, in order, in bounded memory: what `run` does for data that fit in memory.

        Yields
        ------
        The number of the first input of a batch, and codes by node name.
        """
        for start, tensors in self._raw_batches(input_rows(self.network, codes), self._wanted(keep), progress):
            yield start, {name: tensor.astype(np.int64) for name, tensor in tensors.items()}

    def _wanted(self, keep: Iterable[str] | None) -> frozenset[str]:
        names = [node.name for node in self.network.outputs] if keep is None else keep
        return frozenset(reference.check_names(self.network, names))

    def _raw_batches(
        self, codes: NDArray[np.integer], wanted: frozenset[str], progress: Progress | None
    ) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
        """Compute batches in order; codes come in whatever type the session gives."""
        reference.check_input(self.network, codes[:0])
        plan = self._plan(wanted)
        size = self._batch_size(len(codes))
        starts = iter(range(0, len(codes), size))
        with (
            activity(progress or Silent(), "emulate", len(codes), "inputs") as report,
            ThreadPoolExecutor(self.threads) as pool,
        ):
            waiting: list[tuple[int, Future[dict[str, NDArray[Any]]]]] = []

            def submit(count: int) -> None:
                waiting.extend(
                    (start, pool.submit(self._compute, plan, codes[start : start + size]))
                    for start in islice(starts, count)
                )

            submit(2 * self.threads)
            while waiting:
                start, future = waiting.pop(0)
                tensors = future.result()
                submit(1)
                yield start, tensors
                report.update(min(start + size, len(codes)))

    def _compute(self, plan: _Plan, codes: NDArray[np.integer]) -> dict[str, NDArray[Any]]:
        reference.check_input(self.network, codes)
        parts = parts_of(self.network.inputs, codes)
        feed = {name: np.ascontiguousarray(part, dtype) for (name, dtype), part in zip(plan.feeds, parts, strict=True)}
        outputs = plan.session.run(None, feed)
        return dict(zip(plan.kept, outputs, strict=True))

    def _batch_size(self, inputs: int) -> int:
        largest = max(prod(node.shape) for node in self.network.nodes) * np.dtype(np.float32).itemsize
        fitting = min(max(BATCH_BYTES // largest, 1), LARGEST_BATCH)
        return max(min(fitting, -(-inputs // self.threads)), 1)

    def _plan(self, wanted: frozenset[str]) -> _Plan:
        with self._lock:
            if wanted not in self._plans:
                self._plans[wanted] = self._checked(wanted)
            return self._plans[wanted]

    def _checked(self, wanted: frozenset[str]) -> _Plan:
        """Build a session and compare it with the reference; without 8-bit kernels where they are not exact."""
        codes = _probe_codes(self.network)
        expected = reference.run(self.network, codes, keep=wanted)
        while True:
            plan = self._build(wanted)
            computed = self._compute(plan, codes)
            wrong = [name for name in plan.kept if not np.array_equal(computed[name], expected[name])]
            if not wrong:
                return plan
            if not plan.int8:
                raise ToolError(
                    "EMULATOR-NOT-EXACT",
                    f"ONNX Runtime {onnxruntime.__version__} computes other values for {wrong} than the reference",
                    where=f"network '{self.network.name}'",
                    fix="install the version of onnxruntime that siliconv/constraints.txt has, and please report this",
                )
            self.int8 = False

    def _build(self, wanted: frozenset[str]) -> _Plan:
        int8 = find(self.network, self.bounds, wanted) if self.int8 else {}
        translation = Translation(self.network, self.bounds, wanted, int8)
        feeds = tuple(
            (feed_name(node, self.network), translation.tensors.natural(node).dtype) for node in self.network.inputs
        )
        return _Plan(translation.graph.session(), tuple(sorted(wanted)), feeds, len(int8))


def compile(network: Network, *, threads: int | None = None, int8: bool = True) -> Emulator:
    """Prove a network's types, compile it, and check the result against the reference on a few inputs.

    Parameters
    ----------
    network
        The integer network.
    threads
        Batches computed side by side; as many as there are cores by default.
    int8
        Whether to use 8-bit kernels where they are shown exact.

    Raises
    ------
    NetworkError
        What `siliconv.network.intervals.prove` raises.
    ToolError
        ``EMULATOR-NOT-EXACT``.
    """
    emulator = Emulator(network, prove(network), threads or _cores(), int8)
    emulator._plan(frozenset(node.name for node in network.outputs))
    return emulator


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _probe_codes(network: Network) -> Codes:
    """Give two inputs: random codes, and codes from both ends of the range."""
    rng = np.random.default_rng(0)
    probes = []
    for node in network.inputs:
        low, high = node.type.codes
        random = rng.integers(low, high, node.shape, dtype=np.int64, endpoint=True)
        probes.append(np.stack([random, np.where(rng.random(node.shape) < 0.5, low, high)]))
    return joined(probes)
