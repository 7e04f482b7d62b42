"""The AXI-Stream top level around a core's stream graph: a process at each end, that takes or gives a beat a cycle."""

from __future__ import annotations

from dataclasses import replace

from siliconv.hardware.beat_format import END_WORDS, BeatFormat
from siliconv.hardware.stream.stream_graph import Actor, Fifo, Step, StreamGraph, steps
from siliconv.hls.estimate.schedule import LOOP_OVERHEAD, Cycles
from siliconv.hls.kinds import Backend

_ENDS = ("axi.in", "axi.out")


def with_axi_ends(graph: StreamGraph, images: BeatFormat, results: BeatFormat) -> StreamGraph:
    """Return the graph with the two processes of its top level, as `templates/axi.cpp.j2` writes them.

    Parameters
    ----------
    graph
        Of the core: actors without a FIFO to read take the image's pixels, those without one to write give results.
    images, results
        The beats of both ends; a pixel takes as many cycles as it has beats.
    """
    read = {fifo.reader for fifo in graph.fifos}
    written = {fifo.writer for fifo in graph.fifos}
    source, sink = (
        Actor(name, steps(form.pixels, cycles=form.beats)) for name, form in zip(_ENDS, (images, results), strict=True)
    )
    fifos = [
        *(
            Fifo(f"{source.name}->{one.name}", source.name, one.name, images.beat_bits, END_WORDS)
            for one in graph.actors
            if one.name not in read
        ),
        *(
            Fifo(f"{one.name}->{sink.name}", one.name, sink.name, results.beat_bits, END_WORDS)
            for one in graph.actors
            if one.name not in written
        ),
    ]
    return replace(graph, actors=(source, *graph.actors, sink), fifos=(*graph.fifos, *fifos))


def around_an_array(core: Cycles, images: BeatFormat, results: BeatFormat, backend: Backend) -> StreamGraph:
    """Return the graph of the top level of an io_parallel core, which takes an image and gives a result as a whole.

    Parameters
    ----------
    core
        Its latency and interval.
    images, results
        The beats of both ends. A loop over the beats of one image starts anew for the next one.
    backend
        Whose cycles to fill and drain a loop are counted.
    """
    around = LOOP_OVERHEAD[backend]
    last = Step(reads=False, cycles=1 + around, writes=True)
    first = Step(reads=True, cycles=1 + around, writes=False)
    source = Actor(_ENDS[0], (*steps(images.beats_of_image - 1, reads=False, writes=False), last))
    sink = Actor(_ENDS[1], (first, *steps(results.beats_of_image - 1, reads=False, writes=False)))
    computing = Actor("core", (Step(True, core.interval, True),), max(core.latency - core.interval, 0))
    bits = images.beat_bits * images.beats_of_image, results.beat_bits * results.beats_of_image
    # An array between two processes of a dataflow region is there twice.
    fifos = (
        Fifo(f"{source.name}->core", source.name, "core", bits[0], 2),
        Fifo(f"core->{sink.name}", "core", sink.name, bits[1], 2),
    )
    return StreamGraph((source, computing, sink), fifos)
