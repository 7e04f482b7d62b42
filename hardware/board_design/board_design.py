"""Driver, block design, overlay and check of a core with AXI-Stream ports on boards that PYNQ runs on.

No board and no vendor tool was at hand: the script is run against stubs that know Vivado's commands alone, and the
check against a stand-in for PYNQ.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from siliconv.hardware.beat_format import BeatFormat, beat_format
from siliconv.hardware.boards import Board, boards
from siliconv.hardware.guarded_templates import GuardedTemplates
from siliconv.network.graph import Network

BLOCK_DESIGN, OVERLAY = "block_design.tcl", "overlay"
CHECK = "check_board.py"
_TEMPLATES = GuardedTemplates("siliconv.hardware.board_design", trim_blocks=True)


@dataclass(frozen=True)
class StreamCore:
    """A core with one AXI-Stream port in and one out, of docs/stream_format.md.

    Parameters
    ----------
    name
        Of the IP, or of the module.
    repository
        The folder that holds the IP, from the script's; empty where there are sources.
    input, output
        Its beats.
    sources, memories
        Of a core that is no IP: the files of the module and of those in it, and what their memories hold; from the
        script's folder.
    slower
        The setting that makes the clock slower.
    """

    name: str
    repository: str
    input: BeatFormat
    output: BeatFormat
    sources: tuple[str, ...] = ()
    memories: tuple[str, ...] = ()
    slower: str = "a longer hls.clock_ns"


def board_for(part: str, name: str | None = None) -> Board | None:
    """Give the board with a part, of that name where one is asked for, that a block design is known for; else None."""
    known = (board for board in boards() if board.processing_system and board.part == part)
    return next((board for board in known if name in (None, board.name)), None)


def write_board_design(board: Board, core: StreamCore, top: str, clock_ns: float, folder: Path) -> None:
    """Write the script that builds a board's bitstream, and the check that runs on the board.

    Parameters
    ----------
    board
        One that `board_for` gave.
    core
        What stands between the DMA's two streams.
    top
        Name of the network: the overlay's files are called so.
    clock_ns
        Period of the core's clock; the processing system makes the nearest one that it can, and timing is checked
        with that.
    folder
        The generated project; the script goes there, the check beside the driver.
    """
    values = {
        "board": board,
        "core": core,
        "top": top,
        "megahertz": f"{1000 / clock_ns:.6f}",
        "overlay": OVERLAY,
        "memory_bits": {name: max(32, beats.beat_bits) for name, beats in (("in", core.input), ("out", core.output))},
    }
    (folder / BLOCK_DESIGN).write_text(_TEMPLATES.render("block_design.tcl.j2", **values), "utf-8")
    check = folder / "driver" / CHECK
    check.write_text(_TEMPLATES.render("check_board.py.j2", **values), "utf-8")


def write_driver(network: Network, folder: Path) -> None:
    """Write the driver of a board for PYNQ into a folder, which is made."""
    source, result = network.input, network.output
    classes = network.metadata.get("class_names", ())
    text = _TEMPLATES.render(
        "driver.py.j2",
        top=network.name,
        input=beat_format(source.shape, source.type),
        output=beat_format(result.shape, result.type),
        input_type=source.type,
        output_type=result.type,
        input_shape=source.shape,
        output_shape=result.shape,
        class_names=() if isinstance(classes, str) else tuple(classes),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{network.name}_driver.py").write_text(text, encoding="utf-8")
