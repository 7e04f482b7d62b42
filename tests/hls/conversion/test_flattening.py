"""Which flattenings of a stream are layers of their own."""

from __future__ import annotations

import pytest

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.flattening import flattened_apart
from siliconv.hls.conversion.layer_settings import describe_layers
from siliconv.hls.fifo.sized_design import design_of
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding

PIXEL = FixedPoint(False, 4, 0)


def network(shape: tuple[int, ...], *, behind: bool) -> ir.Network:
    size = 1
    for one in shape:
        size *= one
    image = ir.Input("image", (), shape, FixedPoint(False, 8, 0))
    coarse = ir.Requantize("coarse", ("image",), shape, FixedPoint(False, 4, 0, Rounding.TRN, Overflow.SAT), False)
    flat = ir.Reshape("flat", ("coarse",), (size,), PIXEL)
    last = ir.Requantize("last", ("flat",), (size,), FixedPoint(False, 3, 0, Rounding.RND, Overflow.SAT), False)
    return ir.Network("net", (image, coarse, flat, last) if behind else (image, coarse, flat))


@pytest.mark.parametrize(
    ("shape", "behind", "apart"),
    [((2, 3, 2), True, True), ((1, 1, 4), True, False), ((2, 3, 2), False, True), ((1, 1, 4), False, True)],
)
def test_a_stream_is_gathered_for_readers_of_words_and_at_the_end(shape, behind, apart, tmp_path):
    made = network(shape, behind=behind)
    expected = frozenset({"flat"} if apart else ())
    assert flattened_apart(made.nodes, "io_stream") == expected
    assert flattened_apart(made.nodes, "io_parallel") == frozenset()
    config = HlsConfig(part="xc7z020clg400-1")
    described = describe_layers(made, config)["flat"].attributes["class_name"]
    assert described == ("ReshapeWords" if apart else "Reshape")
    assert ("flat" in [layer.name for layer in design_of(made, config).layers]) == apart
    # hls4ml keeps every layer under its name.
    (tmp_path / "firmware").mkdir()
    convert(made, config, tmp_path / "firmware")


def test_a_product_reads_the_words_of_the_image():
    made = network((2, 3, 2), behind=False)
    kernel, bias = ir.Weights(*_ones(12, 2)), ir.Weights(*_ones(2))
    dense = ir.Dense("dense", ("flat",), (2,), FixedPoint(False, 12, 8), kernel, bias)
    assert flattened_apart((*made.nodes, dense), "io_stream") == frozenset()


def _ones(*shape: int):
    import numpy as np

    return np.ones(shape, dtype=np.int64), FixedPoint(False, 1, 1)
