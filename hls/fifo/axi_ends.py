"""The AXI-Stream top level around a core's stream graph: a process at each end, that takes or gives a beat a cycle."""

from __future__ import annotations

from dataclasses import replace

from siliconv.hardware.beat_format import END_WORDS, BeatFormat
from siliconv.hardware.stream.stream_graph import Actor, Fifo, StreamGraph, steps

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
