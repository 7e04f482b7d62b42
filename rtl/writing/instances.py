"""Each block as an instance of its module: the parameters and what its ports are connected to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

from siliconv.network import graph as ir
from siliconv.network.structure import softmax_shifts
from siliconv.rtl.plan.block_memories import MOST_SMALL, RomKind
from siliconv.rtl.plan.blocks import (
    Add,
    Align,
    Block,
    Concatenate,
    Convert,
    Copy,
    Division,
    Finish,
    GlobalPool,
    Mvu,
    Narrower,
    Pairwise,
    Pool,
    Softmax,
    Stream,
    TableLookup,
    Wider,
    Window,
)
from siliconv.rtl.plan.rearranging import Rearrange
from siliconv.rtl.writing.memory_words import reciprocal_width, width_of

Parameters = dict[str, int | str]


@dataclass(frozen=True)
class ModuleInstance:
    """A line of the top level: module, name, parameters and ports."""

    module: str
    name: str
    parameters: Parameters
    ports: dict[str, str]


@singledispatch
def parameters(block: Block) -> tuple[str, Parameters]:
    """Give the module of a block and its parameters."""
    raise NotImplementedError(f"no module for {type(block).__name__}")


@parameters.register
def _(block: Mvu) -> tuple[str, Parameters]:
    source, node = block.inputs[0].type, block.node
    return "mvu", {
        "Pin": block.pin,
        "Pout": block.pout,
        "Lanewise": int(isinstance(node, ir.DepthwiseConv)),
        "Pack": int(block.pack),
        **({"Logic": block.logic} if block.logic else {}),
        **({"Pixels": block.pixels} if block.pixels > 1 else {}),
        "XWidth": source.width,
        "XSigned": int(source.signed),
        "WeightWidth": block.weight_type.width,
        "Width": node.type.width,
        "Shift": block.shift,
        "WeightFile": f'"{block.name}_weights.hex"',
        "BiasFile": f'"{block.name}_bias.hex"',
        "WeightBank": block.weight_bank,
        **_rom(block.rom),
        **_window(block.window),
        "Repeats": block.window.repeats,
        **_finish(block.finish),
    }


@parameters.register
def _(block: Pool) -> tuple[str, Parameters]:
    source, division = block.inputs[0], block.division
    average = _average(division) if division else {}
    if division and block.has_rom:
        average |= {"Reciprocals": len(division.reciprocals), "ReciprocalFile": f'"{block.name}_reciprocals.hex"'}
        average |= _rom(block.rom)
    return "pool", {
        "Lanes": source.lanes,
        "XWidth": source.type.width,
        "XSigned": int(source.type.signed),
        **average,
        "Width": block.result.width,
        **_window(block.window),
        "PadCode": f"{source.type.width}'h{block.pad_code % (1 << source.type.width):x}",
        **_finish(block.finish),
    }


@parameters.register
def _(block: GlobalPool) -> tuple[str, Parameters]:
    source = block.inputs[0]
    return "global_pool", {
        "Lanes": source.lanes,
        "Words": block.words,
        "Pixels": block.pixels,
        "XWidth": source.type.width,
        "XSigned": int(source.type.signed),
        **(_average(block.division) if block.division else {"SumWidth": source.type.width}),
        "Width": block.result.width,
        **_finish(block.finish),
    }


@parameters.register
def _(block: Convert) -> tuple[str, Parameters]:
    source = block.inputs[0]
    return "convert", {"Lanes": source.lanes, "InWidth": source.type.width, **_finish(block.finish)}


@parameters.register
def _(block: Align) -> tuple[str, Parameters]:
    (source,), (result,) = block.inputs, block.outputs
    return "align", {
        "Lanes": source.lanes,
        "InWidth": source.type.width,
        "InSigned": int(source.type.signed),
        "Shift": result.type.fraction - source.type.fraction,
        "OutWidth": result.type.width,
    }


@parameters.register
def _(block: Add) -> tuple[str, Parameters]:
    source = block.inputs[0]
    return "add", {"Lanes": source.lanes, "Width": source.type.width, **_finish(block.finish)}


@parameters.register
def _(block: Pairwise) -> tuple[str, Parameters]:
    node, (one, other) = block.node, (stream.type for stream in block.inputs)
    product = node.operation == "multiply"
    shifts = [node.type.fraction - kind.fraction for kind in (one, other)]
    return "pairwise", {
        "Lanes": block.inputs[0].lanes,
        "Operation": ir.OPERATIONS.index(node.operation),
        "OneWidth": one.width,
        "OneSigned": int(one.signed),
        "OneShift": shifts[0] - other.fraction if product else shifts[0],
        "OtherWidth": other.width,
        "OtherSigned": int(other.signed),
        "OtherShift": 0 if product else shifts[1],
        "Width": node.type.width,
        **_finish(block.finish),
    }


@parameters.register
def _(block: Rearrange) -> tuple[str, Parameters]:
    axes: Parameters = {}
    for number, axis in enumerate(block.axes):
        axes |= {f"Kept{number}": axis.kept, f"Step{number}": axis.step, f"Repeats{number}": axis.repeats}
    return "rearrange", {
        "Lanes": block.inputs[0].lanes,
        "XWidth": block.inputs[0].type.width,
        "Parts": block.parts,
        "PartWords": block.part_words,
        "First": block.first,
        "Kept": block.outer.kept,
        "Repeats": block.outer.repeats,
        "Start": block.start,
        **axes,
        "LogRing": block.log_ring,
        **_finish(block.finish),
    }


@parameters.register
def _(block: Concatenate) -> tuple[str, Parameters]:
    counts = ", ".join(f"32'd{count}" for count in reversed(block.counts))
    return "concatenate", {
        "Streams": len(block.inputs),
        "Width": block.outputs[0].bits,
        "Counts": f"{{{counts}}}",
        "LogDepth": block.log_depth,
    }


@parameters.register
def _(block: Copy) -> tuple[str, Parameters]:
    return "copy", {"Readers": len(block.outputs)}


@parameters.register
def _(block: Narrower) -> tuple[str, Parameters]:
    return "narrower", {"Width": block.outputs[0].bits, "Parts": block.parts}


@parameters.register
def _(block: Wider) -> tuple[str, Parameters]:
    return "wider", {"Width": block.inputs[0].bits, "Parts": block.parts}


@parameters.register
def _(block: TableLookup) -> tuple[str, Parameters]:
    source = block.inputs[0]
    return "table_lookup", {
        "Lanes": source.lanes,
        "InWidth": source.type.width,
        "InSigned": int(source.type.signed),
        "OutWidth": block.outputs[0].type.width,
        "File": f'"{block.name}_table.hex"',
        **_rom(block.rom),
        "LogDepth": block.log_depth,
    }


@parameters.register
def _(block: Softmax) -> tuple[str, Parameters]:
    node, source = block.node, block.inputs[0].type
    exponentials, reciprocals = node.exponential.codes, node.reciprocal.codes
    total = int(exponentials.max()) * block.classes
    return "softmax", {
        "Classes": block.classes,
        "InWidth": source.width,
        "InSigned": int(source.signed),
        "Exponentials": exponentials.size,
        "ExponentialWidth": width_of(exponentials),
        "SumWidth": total.bit_length(),
        "IndexBits": reciprocals.size.bit_length() - 1,
        "ReciprocalWidth": width_of(reciprocals),
        "Places": softmax_shifts(node, block.classes)[1] - (total.bit_length() - 1),
        "OutWidth": node.type.width,
        "ExponentialFile": f'"{block.name}_exponentials.hex"',
        "ReciprocalFile": f'"{block.name}_reciprocals.hex"',
        **_rom(block.rom),
        "LogDepth": block.log_depth,
    }


def instance(block: Block) -> ModuleInstance:
    """Give the instance of a block."""
    module, values = parameters(block)
    ports = {} if isinstance(block, Align) else {"clk_i": "clk_i", "rst_i": "rst_i"}
    if not isinstance(block, Align):
        ports |= {"valid_i": _joined(block.inputs, "valid"), "ready_o": _joined(block.inputs, "ready")}
    if not isinstance(block, Copy):
        ports |= {"data_i": _joined(block.inputs, "data")}
    if not isinstance(block, Align):
        ports |= {"valid_o": _joined(block.outputs, "valid"), "ready_i": _joined(block.outputs, "ready")}
    if not isinstance(block, Copy):
        ports |= {"data_o": _joined(block.outputs, "data")}
    return ModuleInstance(module, f"u_{block.name}", values, ports)


def _joined(streams: tuple[Stream, ...], signal: str) -> str:
    names = [f"{stream.name}_{signal}" for stream in reversed(streams)]
    return names[0] if len(names) == 1 else "{" + ", ".join(names) + "}"


def _average(division: Division) -> Parameters:
    width = reciprocal_width(division.reciprocals)
    one = {"Reciprocal": f"{width}'h{division.reciprocals[0]:x}"} if len(division.reciprocals) == 1 else {}
    return {
        "Average": 1,
        "SumWidth": division.total.width,
        "SumSigned": int(division.total.signed),
        "Shift": division.shift,
        "ReciprocalWidth": width,
        **one,
        "Places": division.places,
    }


def _rom(kind: RomKind) -> Parameters:
    return {} if kind == "auto" else {"SmallRom": MOST_SMALL[kind]}


def _window(window: Window) -> Parameters:
    pairs = {
        "": window.size,
        "Kernel": window.kernel,
        "Stride": window.strides,
        "Out": window.out,
    }
    sizes: Parameters = {}
    for prefix, (rows, columns) in pairs.items():
        sizes |= {f"{prefix}Rows": rows, f"{prefix}Columns": columns}
    return {
        **sizes,
        "Words": window.words,
        "PadTop": window.before[0],
        "PadBottom": window.after[0],
        "PadLeft": window.before[1],
        "PadRight": window.after[1],
        "LogRing": window.log_ring,
    }


def _finish(finish: Finish) -> Parameters:
    requantize: Parameters = {}
    if finish.requantize:
        requantize = {
            "Requantize": 1,
            "Drop": finish.drop,
            "Relu": int(finish.relu),
            "Rounding": finish.to.rounding.value,
            "Overflow": finish.to.overflow.value,
        }
    return {
        **requantize,
        "InSigned": int(finish.source.signed),
        "OutWidth": finish.to.width,
        "OutSigned": int(finish.to.signed),
        "LogDepth": finish.log_depth,
    }
