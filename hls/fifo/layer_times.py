"""When each layer of a design works, and how full the FIFOs between them get, before any vendor tool has run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from siliconv.hardware.stream.stream_work import stream_work
from siliconv.hls.design.design import Design, ForkLayer
from siliconv.hls.estimate.schedule import schedule
from siliconv.hls.fifo.stream_actors import stream_graph
from siliconv.hls.kinds import IoType

_COPIES = ".clone"


def layer_times(design: Design) -> dict[str, Any]:
    """Give when the layers work on two images that follow each other without a pause.

    Of a stream it is simulated with the depths of its FIFOs; of a design that takes everything at once each layer
    begins when what it reads is there.

    Returns
    -------
    ``source``: ``stream model`` or ``latencies``; ``cycles``: until the second image is done; ``layers``: name, spans
    of first and last cycle by image, busy cycles an image; ``fifos``: name, depth and width, the most words in it, and
    a curve of them. Layers and FIFOs are in the order of the data.

    Raises
    ------
    FirmwareError
        As `siliconv.hls.fifo.stream_actors.stream_graph`.
    """
    if design.io_type is not IoType.STREAM:
        return _one_after_the_other(design)
    found = stream_work(stream_graph(design))
    layers = [asdict(one) for one in found.actors if not one.name.endswith(_COPIES)]
    return {
        "source": "stream model",
        "cycles": found.cycles,
        "layers": layers,
        "fifos": [asdict(one) for one in found.fifos],
    }


def _one_after_the_other(design: Design) -> dict[str, Any]:
    layers = [layer for layer in design.layers if not isinstance(layer, ForkLayer)]
    cycles = {layer.name: schedule(layer, design) for layer in layers}
    interval = max((one.interval for one in cycles.values()), default=1)
    ends: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    for number, layer in enumerate(layers):
        before = [layers[number - 1].name] if number else []
        start = max((ends.get(name, 0) for name in design.inputs.get(layer.name, before)), default=0)
        ends[layer.name] = start + cycles[layer.name].latency
        last = max(ends[layer.name] - 1, start)
        rows.append(
            {
                "name": layer.name,
                "spans": [[start, last], [start + interval, last + interval]],
                "busy": cycles[layer.name].interval,
            }
        )
    end = max((row["spans"][1][1] for row in rows), default=0) + 1
    return {"source": "latencies", "cycles": end, "layers": rows, "fifos": []}
