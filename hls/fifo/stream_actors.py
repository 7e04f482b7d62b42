"""The stream graph of a design: one actor a layer, with the steps that its template takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch

from siliconv.errors import FirmwareError
from siliconv.hardware.stream.stream_graph import (
    Actor,
    Fifo,
    Step,
    StreamGraph,
    padded_window_steps,
    padding_steps,
    resampling_steps,
    steps,
    window_steps,
)
from siliconv.hls.design.design import (
    Design,
    ForkLayer,
    GlobalPoolLayer,
    Layer,
    MatrixLayer,
    PaddingLayer,
    PoolLayer,
    ResizeLayer,
    SoftmaxLayer,
)
from siliconv.hls.estimate.memory import fifo_blocks, fifo_geometry
from siliconv.hls.estimate.schedule import matrix_vector, pixel_cycles, schedule
from siliconv.hls.kinds import Backend


def stream_graph(design: Design, inputs: Mapping[str, Sequence[str]] | None = None) -> StreamGraph:
    """Return the stream graph of a design.

    Parameters
    ----------
    design
        Its layers' `fifo_depth` become the depths; None is a whole image, hls4ml's default.
    inputs
        In place of the design's own: layer to the layers whose outputs it reads. A layer that several others read, or
        that is read and leaves the core as well, gets an actor `<layer>.clone`, as hls4ml inserts one; the depths of
        its copies are those of the `ForkLayer`s.

    Raises
    ------
    FirmwareError
        STREAM-SHAPES when a layer reads another number of words than its producer writes.
    """
    layers = [layer for layer in design.layers if not isinstance(layer, ForkLayer)]
    copies = {layer.name: layer for layer in design.layers if isinstance(layer, ForkLayer)}
    known, names = design.inputs if inputs is None else inputs, [layer.name for layer in layers]
    readers: dict[str, list[str]] = {}
    for number, layer in enumerate(layers):
        for source in known.get(layer.name, names[number - 1 : number] if number else ()):
            readers.setdefault(source, []).append(layer.name)
    actors, fifos = [], []
    for layer in layers:
        program = actor_program(layer, design)
        cycles = schedule(layer, design)
        latency = 0 if isinstance(layer, MatrixLayer | SoftmaxLayer) else min(cycles.latency, 3)
        actors.append(Actor(layer.name, program, latency))
        depth, bits = _channel(layer, design)
        reading = readers.get(layer.name, [])
        copied = len(reading) > 1 or any(f"{layer.name}->{reader}" in copies for reader in reading)
        if reading and not copied:
            fifos.append(Fifo(layer.name, layer.name, reading[0], bits, depth))
        elif copied:
            clone = f"{layer.name}.clone"
            actors.append(Actor(clone, steps(layer.output.pixels)))
            fifos.append(Fifo(layer.name, layer.name, clone, bits, depth))
            for reader in reading:
                depth, bits = _channel(copies.get(f"{layer.name}->{reader}", layer), design)
                fifos.append(Fifo(f"{layer.name}->{reader}", clone, reader, bits, depth))
    # What several layers read and no layer writes is the design's input.
    for copy in copies.values():
        if copy.writer not in names:
            clone = f"{copy.writer}.clone"
            if clone not in [actor.name for actor in actors]:
                actors.append(Actor(clone, steps(copy.output.pixels)))
            depth, bits = _channel(copy, design)
            fifos.append(Fifo(copy.name, clone, copy.reader, bits, depth))
    graph = StreamGraph(tuple(actors), tuple(fifos))
    if wrong := graph.unbalanced():
        raise FirmwareError(
            "STREAM-SHAPES",
            "words written and read differ in " + ", ".join(wrong),
            where=design.name or "the design",
            fix="the shapes of the layers on both sides have to agree",
        )
    return graph


def fifo_memory(graph: StreamGraph, design: Design) -> int:
    """Return the 18-Kb blocks that the FIFOs of a graph take with their depths."""
    channels = {
        layer.writer if isinstance(layer, ForkLayer) else layer.name: layer.output.channels for layer in design.layers
    }
    total = 0
    for fifo in graph.fifos:
        depth = fifo.depth if fifo.depth is not None else 0
        lanes = channels[fifo.name.split("->")[0]] if design.backend is Backend.VIVADO else 1
        total += lanes * fifo_blocks(depth, fifo.bits // lanes, design.backend)
    return total


@singledispatch
def actor_program(layer: Layer, design: Design) -> tuple[Step, ...]:
    """Return the steps of a layer for one image; the default maps word to word at its interval."""
    read, written = layer.input.pixels, layer.output.pixels
    cycles = schedule(layer, design)
    each = max(cycles.interval // max(read, written, 1), 1)
    if read == written:
        return steps(read, cycles=each)
    return resampling_steps(read, written, each)


@actor_program.register
def _(layer: MatrixLayer, design: Design) -> tuple[Step, ...]:
    if not layer.kind.is_convolution:
        words = layer.input.pixels
        product = matrix_vector(layer, design)
        return (*steps(words - 1, writes=False), Step(True, product.latency + 1, True))
    each = pixel_cycles(layer, design)
    spatial = len(layer.input.shape) - 1
    program = window_steps(
        layer.input.shape[:-1],
        layer.kernel[-spatial:],
        layer.stride[-spatial:] or (1,) * spatial,
        layer.output.shape[:-1],
        (each.filling, each.completing),
    )
    return _writing(program, layer)


@actor_program.register
def _(layer: PoolLayer, design: Design) -> tuple[Step, ...]:
    spatial, out = layer.input.shape[:-1], layer.output.shape[:-1]
    if layer.before:
        return padded_window_steps(spatial, layer.kernel, layer.stride, out, layer.before, layer.raster)
    return _writing(window_steps(spatial, layer.kernel, layer.stride, out, (1, 1)), layer)


@actor_program.register
def _(layer: GlobalPoolLayer, design: Design) -> tuple[Step, ...]:
    return (*steps(layer.input.pixels - 1, writes=False), Step(True, 1, True))


@actor_program.register
def _(layer: SoftmaxLayer, design: Design) -> tuple[Step, ...]:
    if layer.tables and layer.input.pixels > 1:
        return steps(layer.input.pixels)
    return steps(layer.input.pixels, cycles=max(schedule(layer, design).latency, 1))


@actor_program.register
def _(layer: ResizeLayer, design: Design) -> tuple[Step, ...]:
    if layer.held_rows is None:
        # An element a cycle, from words of one length into words of another.
        return _regrouped(layer.input.pixels, layer.output.pixels, layer.input.channels)
    if layer.held_rows > 1 or layer.input.pixels == layer.row:
        return (
            *steps(layer.input.pixels, writes=False),
            *steps(layer.output.pixels, reads=False),
        )
    rows_out = layer.output.shape[0] // layer.repeats
    program: list[Step] = []
    for row in range(layer.input.shape[0]):
        program += steps(layer.row, writes=False)
        if 0 <= row - layer.before < rows_out:
            program += steps(layer.output.pixels // rows_out, reads=False)
    return tuple(program)


def _regrouped(read: int, written: int, lanes: int) -> tuple[Step, ...]:
    """Return the program of words of so many elements that become longer or shorter ones, an element a cycle."""
    size = read * lanes
    after = size // written
    return tuple(Step(at % lanes == 0, 1, at % after == after - 1) for at in range(size))


@actor_program.register
def _(layer: PaddingLayer, design: Design) -> tuple[Step, ...]:
    return padding_steps(layer.input.shape[:-1], layer.output.shape[:-1])


def _writing(program: tuple[Step, ...], layer: Layer) -> tuple[Step, ...]:
    """Return the program if it writes what the layer puts out, else one that does it evenly.

    Windows that hang over the edge ('same' padding inside the template) have no raster rule of their own.
    """
    if sum(step.writes for step in program) == layer.output.pixels:
        return program
    cycles = max((step.cycles for step in program), default=1)
    return resampling_steps(layer.input.pixels, layer.output.pixels, cycles)


def _channel(layer: Layer, design: Design) -> tuple[int, int]:
    depth, bits, count = fifo_geometry(layer, design)
    return depth, bits * count
