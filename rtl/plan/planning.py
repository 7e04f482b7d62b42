"""From a network to its blocks: what is fused, where streams change their lanes, where they part and join."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import gcd, prod

from siliconv.errors import FirmwareError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.intervals import Bounds, prove
from siliconv.network.network_file import is_of_several
from siliconv.rtl.plan.block_memories import RomKind
from siliconv.rtl.plan.blocks import (
    Add,
    Align,
    Block,
    Concatenate,
    Convert,
    Copy,
    Finish,
    Mvu,
    Narrower,
    Pairwise,
    Pool,
    RtlDesign,
    Softmax,
    Stream,
    TableLookup,
    Wider,
    Window,
)
from siliconv.rtl.plan.computing_blocks import convolution, dense, multiplied, padded, pooled
from siliconv.rtl.plan.fusing import Unit, units_of
from siliconv.rtl.plan.lanes import Lanes, choices_of
from siliconv.rtl.plan.rearranging import PIPELINED, rearranged
from siliconv.rtl.plan.windows_of_nodes import positions, with_ring


def plan(
    network: ir.Network,
    lanes: Mapping[str, Lanes],
    *,
    multiplier_bits: int = 0,
    rings: Mapping[str, int] | None = None,
    roms: Mapping[str, RomKind] | None = None,
    prefix: str = "",
) -> RtlDesign:
    """Lay a network out as blocks.

    Parameters
    ----------
    network
        The integer network; it is proven here.
    lanes
        For each node that computes, how many channels at a time; all that are not named take one.
    multiplier_bits
        The wider side of a multiplier; two products share one where they fit. 0: never.
    rings
        Words of the ring of a block, by the block's name, where not the usual ones.
    roms
        Where the constants of a node stand, for those that are not ``auto``.
    prefix
        Before all names, where several designs share a folder.

    Raises
    ------
    FirmwareError
        ``RTL-NODE-KIND`` for a kind that has no block, ``RTL-LANES`` for lanes that do not divide the channels,
        ``RTL-PORTS`` for several inputs or outputs, ``RTL-ROM`` for a kind of ROM of a node without constants.
    """
    if is_of_several(network):
        raise FirmwareError(
            "RTL-PORTS",
            f"inputs: {len(network.inputs)}, outputs: {len(network.outputs)}; the SystemVerilog core has one of each",
            where=f"network '{network.name}'",
            fix="nothing to do for the firmware by hls4ml, which has a port for each; take the section rtl: out",
        )
    bounds = prove(network)
    layout = _Layout(network, bounds, lanes, multiplier_bits, rings or {}, roms or {}, prefix)
    return layout.design()


@dataclass
class _Layout:
    """The design in the making."""

    network: ir.Network
    bounds: Mapping[str, Bounds]
    lanes: Mapping[str, Lanes]
    multiplier_bits: int
    rings: Mapping[str, int]
    roms: Mapping[str, RomKind]
    prefix: str
    blocks: list[Block] = field(default_factory=list)
    waiting: dict[str, list[Stream]] = field(default_factory=lambda: defaultdict(list))
    names: set[str] = field(default_factory=set)

    def design(self) -> RtlDesign:
        """Build all units, then name what goes in and out."""
        units = units_of(self.network)
        readers: dict[str, int] = defaultdict(int)
        for unit in units:
            for name in unit.sources:
                readers[name] += 1
        image = self.network.input
        last = self.network.by_name[units[-1].output] if units else image
        readers[last.name] += 1
        first = next((self._lanes(unit).pin for unit in units if image.name in unit.sources), 1)
        source = Stream(self._name("image"), image.name, first, image.type, prod(image.shape) // first)
        self._offer(source, readers[image.name])
        for unit in units:
            self._offer(self._build(unit), readers[unit.output])
        sink = self.waiting[last.name].pop()
        return RtlDesign(f"{self.prefix}{self.network.name}_top", self.network, source, sink, tuple(self.blocks))

    def _build(self, unit: Unit) -> Stream:
        node, lanes = unit.node, self._lanes(unit)
        inputs = [self._narrowed(self.waiting[name].pop(0), lanes.pin) for name in unit.sources]
        name = self._name(unit.output)
        result = unit.requantize or node
        shape = self.network.by_name[unit.output].shape
        out = Stream(self._name(f"{unit.output}_s"), unit.output, lanes.pout, result.type, prod(shape) // lanes.pout)
        finish = Finish(
            node.type, result.type, unit.requantize is not None, bool(unit.requantize and unit.requantize.relu)
        )
        ports = (name, tuple(inputs), (out,))
        source = self.network.by_name[node.inputs[0]]
        block: Block
        match node:
            case ir.Conv() | ir.DepthwiseConv():
                real = self.network.by_name[unit.sources[0]] if unit.pad else source
                window = convolution(node, real.shape, unit.padding, lanes)
                block = multiplied(ports, node, self._ring(name, window), lanes, finish, self.multiplier_bits)
            case ir.Dense():
                window = dense(node, lanes)
                block = multiplied(ports, node, self._ring(name, window), lanes, finish, self.multiplier_bits)
            case ir.MaxPool() | ir.AveragePool():
                block = pooled(ports, node, source, self.bounds[source.name], lanes, finish)
                if isinstance(block, Pool):
                    block = replace(block, window=self._ring(name, block.window))
            case ir.Pad():
                block = padded(ports, node, source, lanes, finish)
                block = replace(block, window=self._ring(name, block.window))
            case ir.Requantize():
                finish = replace(finish, source=source.type, requantize=True, relu=node.relu, log_depth=PIPELINED)
                block = Convert(*ports, finish=finish)
            case ir.Add():
                inputs = [self._aligned(stream, node.type) for stream in inputs]
                block = Add(name, tuple(inputs), (out,), finish=replace(finish, log_depth=PIPELINED))
            case ir.Pairwise():
                block = Pairwise(*ports, node=node, finish=replace(finish, log_depth=PIPELINED))
            case ir.Rearrange():
                deep = replace(finish, log_depth=PIPELINED)
                block = rearranged(name, inputs[0], out, node, source.shape, deep)
                if name in self.rings:
                    block = replace(block, log_ring=max((self.rings[name] - 1).bit_length(), 2))
            case ir.Concatenate():
                inputs = [self._aligned(stream, node.type) for stream in inputs]
                counts = tuple(one.shape[-1] // lanes.pin for one in self.network.sources(node))
                block = Concatenate(name, tuple(inputs), (out,), counts=counts)
            case ir.Table():
                block = TableLookup(*ports, table=node.table.codes)
            case ir.Softmax():
                block = Softmax(*ports, node=node)
            case _:
                raise FirmwareError(
                    "RTL-NODE-KIND",
                    f"a {type(node).__name__} has no block in SystemVerilog",
                    where=f"node '{node.name}'",
                    fix="use the core hls4ml (hls:), or add a block as docs/rtl.md says",
                )
        self.blocks.append(self._with_rom(block, node))
        return out

    def _with_rom(self, block: Block, node: ir.Node) -> Block:
        """Give a block the kind of ROM that its node's constants are asked to stand in."""
        kind = self.roms.get(node.name, "auto")
        if kind == "auto":
            return block
        if isinstance(block, Mvu | TableLookup | Softmax) or (isinstance(block, Pool) and block.has_rom):
            return replace(block, rom=kind)
        raise FirmwareError(
            "RTL-ROM",
            f"a {type(node).__name__} has no constants in a memory",
            where=f"node '{node.name}'",
            fix="take it out of rtl.rom",
        )

    def _lanes(self, unit: Unit) -> Lanes:
        lanes = self.lanes.get(unit.node.name, Lanes())
        if lanes not in choices_of(unit.node, self.network):
            shapes = " and ".join(str(source.shape) for source in self.network.sources(unit.node))
            raise FirmwareError(
                "RTL-LANES",
                f"from {shapes} to {unit.node.shape}, {lanes.pin} channels in, {lanes.pout} out and {lanes.pixels} "
                "columns at a time are no choice",
                where=f"node '{unit.node.name}'",
                fix="take divisors of the channels, the same in and out for what has no weights, and 1, 2 or 4 columns "
                "of a convolution",
            )
        return lanes

    def _ring(self, name: str, window: Window) -> Window:
        return with_ring(window, self.rings[name]) if name in self.rings else window

    def _offer(self, stream: Stream, readers: int) -> None:
        """Give a stream to its readers, each with a ring of its own that keeps what it does not take yet."""
        if readers == 1:
            self.waiting[stream.node].append(stream)
            return
        parts = tuple(replace(stream, name=self._name(f"{stream.name}_{n}")) for n in range(readers))
        self.blocks.append(Copy(self._name(f"{stream.name}_copy"), (stream,), parts))
        for part in parts:
            kept = replace(part, name=self._name(f"{part.name}_kept"))
            name = self._name(f"{part.name}_branch")
            window = with_ring(positions(part.words, 1, 1, lanewise=True), self.rings.get(name, part.words))
            finish = Finish(part.type, part.type, False, log_depth=2)
            self.blocks.append(Pool(name, (part,), (kept,), window, 0, None, part.type, finish))
            self.waiting[stream.node].append(kept)

    def _narrowed(self, stream: Stream, lanes: int) -> Stream:
        """Bring a stream to so many lanes: down to the common divisor, then up."""
        common = gcd(stream.lanes, lanes)
        for to in (common, lanes):
            if to == stream.lanes:
                continue
            words = stream.words * stream.lanes // to
            changed = replace(stream, name=self._name(f"{stream.node}_by_{to}"), lanes=to, words=words)
            name = self._name(f"{changed.name}_width")
            if to < stream.lanes:
                self.blocks.append(Narrower(name, (stream,), (changed,), parts=stream.lanes // to))
            else:
                self.blocks.append(Wider(name, (stream,), (changed,), parts=to // stream.lanes))
            stream = changed
        return stream

    def _aligned(self, stream: Stream, to: FixedPoint) -> Stream:
        """Move a stream to the point of the node that joins it with others."""
        if (stream.type.signed, stream.type.width, stream.type.integer) == (to.signed, to.width, to.integer):
            return stream
        moved = replace(stream, name=self._name(f"{stream.node}_aligned"), type=to)
        self.blocks.append(Align(self._name(f"{moved.name}_wires"), (stream,), (moved,)))
        return moved

    def _name(self, wanted: str) -> str:
        """Give a Verilog identifier that is not used yet."""
        plain = re.sub(r"[^A-Za-z0-9]+", "_", wanted).strip("_")[:60] or "node"
        plain = self.prefix + (plain if plain[0].isalpha() else f"n_{plain}")
        name, number = plain, 1
        while name.lower() in self.names:
            number += 1
            name = f"{plain}_{number}"
        self.names.add(name.lower())
        return name
