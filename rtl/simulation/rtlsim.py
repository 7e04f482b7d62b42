"""Networks in Verilator: the bits of every output and stream, and the cycle of every word."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from siliconv.network.fixed_point import Codes
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.simulation.verilator import run
from siliconv.rtl.simulation.word_files import read_words, to_words


@dataclass(frozen=True)
class Simulated:
    """What a simulation gave.

    Parameters
    ----------
    output
        (images, *shape of the network's output).
    taken, given
        The cycle of each word in and of each word out, from the first cycle after the reset.
    nodes
        The codes of each node that has a stream, (images, *its shape); only with probes.
    moved
        The cycle of each word of each stream, by the stream's name; only with probes.
    """

    output: Codes
    taken: NDArray[np.int64]
    given: NDArray[np.int64]
    nodes: dict[str, Codes]
    moved: dict[str, NDArray[np.int64]]


def simulate(
    project: Path,
    designs: Sequence[RtlDesign],
    codes: Sequence[Codes],
    *,
    seed: int = 1,
    pauses: tuple[int, int] = (0, 0),
    probes: bool = False,
) -> list[Simulated]:
    """Run the built test bench of a project on images, each design on its own.

    Parameters
    ----------
    project
        Written by `write_project`, and built.
    designs
        Those that it was written with.
    codes
        (images, *input shape) a design, of the same number of images.
    seed, pauses
        See `siliconv.rtl.simulation.verilator.run`.
    probes
        Whether the project was written with them.
    """
    images = len(codes[0])
    with tempfile.TemporaryDirectory(prefix="siliconv-") as folder:
        vectors = Path(folder)
        for number, (design, each) in enumerate(zip(designs, codes, strict=True)):
            to_words(each, design.source).tofile(vectors / f"in_{number}.bin")
        run(project, vectors, images, seed=seed, pauses=pauses)
        return [_read(vectors, number, design, images, probes) for number, design in enumerate(designs)]


def _read(vectors: Path, number: int, design: RtlDesign, images: int, probes: bool) -> Simulated:
    words = images * design.sink.words
    output = read_words(vectors / f"out_{number}.bin", design.sink)[:words]
    times = np.fromfile(vectors / f"times_{number}.bin", np.uint32).astype(np.int64)
    taken = images * design.source.words
    nodes: dict[str, Codes] = {}
    moved: dict[str, NDArray[np.int64]] = {}
    for stream in design.streams if probes else ():
        when = np.fromfile(vectors / f"probe_times_{number}_{stream.name}.bin", np.uint32)
        moved[stream.name] = when[: images * stream.words].astype(np.int64)
        node = design.network.by_name[stream.node]
        if stream.type.fraction == node.type.fraction and stream.node not in nodes:
            found = read_words(vectors / f"probe_{number}_{stream.name}.bin", stream)[: images * stream.words]
            if len(found) == images * stream.words:
                nodes[stream.node] = found.reshape(images, *node.shape)
    shape = design.network.output.shape
    return Simulated(output.reshape(images, *shape), times[:taken], times[taken:][:words], nodes, moved)
