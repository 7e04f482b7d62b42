"""The AXI-Stream top level around a network, in the beats of docs/stream_format.md, and its test bench."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import gcd
from pathlib import Path

import numpy as np

from siliconv.hardware.beat_format import BeatFormat, as_beats, beat_format, from_beats
from siliconv.hardware.board_design.board_design import StreamCore, write_board_design, write_driver
from siliconv.hardware.boards import board
from siliconv.network import reference
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Node
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.library import library_files
from siliconv.rtl.plan.blocks import RtlDesign, Stream
from siliconv.rtl.writing.memory_words import memories
from siliconv.rtl.writing.top_level import render

LIBRARY = "library"
"""The folder of the modules."""

AXI = "axi"
"""The folder of the top level and its test bench."""

CUT_IMAGES = 8
"""Images that the test bench sends in part as well."""

LOG_IMAGES = 6
"""2^6 images may be under way: more than wait in any design's FIFOs, but for images of a few words."""


def axi_name(design: RtlDesign) -> str:
    """Give the module's name: that of the other core's top level."""
    return f"{design.network.name}_axi"


def axi_files(design: RtlDesign) -> Iterator[tuple[str, str]]:
    """Give the files by their path in a project."""
    source, sink = (beats_of(node) for node in (design.network.input, design.network.output))
    facts = {
        "name": axi_name(design),
        "network": design.network.name,
        "design": design,
        "source": source,
        "sink": sink,
        "source_type": design.network.input.type,
        "sink_type": design.network.output.type,
        "part_in": part_of(design.source, source),
        "part_out": part_of(design.sink, sink),
        "log_images": LOG_IMAGES,
    }
    yield f"{AXI}/{axi_name(design)}.v", render("axi_top.v.j2", **facts)
    yield f"{AXI}/axi_bench.cpp", render("axi_bench.cpp.j2", **facts)


def beats_of(node: Node) -> BeatFormat:
    """Give the beats of a node's codes."""
    return beat_format(node.shape, node.type)


def part_of(stream: Stream, beats: BeatFormat) -> Stream:
    """Give the words between beats and a stream: as many codes as both have whole numbers of."""
    lanes = gcd(stream.lanes, beats.channels, beats.lanes if beats.beats > 1 else 0)
    return replace(stream, lanes=lanes, words=stream.words * stream.lanes // lanes)


def write_axi_vectors(design: RtlDesign, images: Codes, results: Codes, folder: Path) -> None:
    """Write images as beats for the test bench of the top level, and the results that have to come back.

    Of the first images, the test bench sends some beats only as well, as many as `axi_cut_beats.txt` says; the rest is
    zeros.
    """
    network = design.network
    source, sink = beats_of(network.input), beats_of(network.output)
    beats = as_beats(images, source)
    beats.tofile(folder / "axi_in.bin")
    as_beats(results, sink).tofile(folder / "axi_expected.bin")
    cut = beats[: CUT_IMAGES if source.beats_of_image > 1 else 0].copy()
    ends = [1 + 7919 * (number + 1) % (source.beats_of_image - 1) for number in range(len(cut))]
    for image, end in zip(cut, ends, strict=True):
        image[end:] = 0
    filled = from_beats(cut, source, network.input.type).reshape(-1, *network.input.shape)
    expected = reference.run_batches(network, filled, network.output.name) if ends else results[:0]
    as_beats(expected, sink).tofile(folder / "axi_cut_expected.bin")
    (folder / "axi_cut_beats.txt").write_text("".join(f"{end}\n" for end in ends), encoding="ascii")


def write_block_design(design: RtlDesign, config: RtlConfig, images: Codes, results: Codes, folder: Path) -> None:
    """Write what a board that PYNQ runs on needs: driver, vectors, the script of the block design, the check.

    Parameters
    ----------
    design
        That of the project in the folder.
    config
        Its board and clock; without such a board, only the driver is written.
    images, results
        Of the vectors that are sent through the board.
    folder
        The written project.
    """
    network = design.network
    write_driver(network, folder / "driver")
    if config.block_design is None:
        return
    board_name, megahertz = config.block_design
    vectors = folder / "tb_data"
    vectors.mkdir()
    for name, codes in (("input_codes.dat", images), ("golden_codes.dat", results)):
        rows = codes.reshape(len(codes), -1)
        np.savetxt(vectors / name, rows, "%d", header=str(len(rows)), comments="", encoding="ascii")
    own = (f"{design.name}.sv", f"{AXI}/{axi_name(design)}.v")
    core = StreamCore(
        axi_name(design),
        "",
        beats_of(network.input),
        beats_of(network.output),
        sources=(*own, *(f"{LIBRARY}/{name}" for name in library_files() if "/" not in name)),
        memories=tuple(sorted(name for block in design.blocks for name in memories(block))),
        slower="a smaller rtl.clock_mhz",
    )
    write_board_design(board(board_name), core, network.name, 1000 / megahertz, folder)
