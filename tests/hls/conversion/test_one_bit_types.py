"""Types of one bit on back ends with `ac_fixed`: hls4ml writes two, of other values; the sources have one again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from network_builder import NetworkBuilder
from written_firmware import compile_firmware

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.firmware_types import stated_types
from siliconv.hls.csim.csim import compare
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding


def network() -> ir.Network:
    """A dense layer without a bias, whose weights have one bit, between values of one bit."""
    builder = NetworkBuilder((6,), input_type=FixedPoint(True, 5, 2), seed=3)
    builder.requantize(FixedPoint(True, 1, 1, Rounding.RND_CONV, Overflow.SAT), relu=False)
    builder.dense(4, width=1)
    dense = builder.last
    assert isinstance(dense, ir.Dense)
    none = ir.Weights(np.zeros(4, np.int64), FixedPoint(True, 1, 1))
    builder.nodes[-1] = ir.Dense(dense.name, dense.inputs, dense.shape, dense.type, dense.kernel, none)
    builder.requantize(FixedPoint(False, 1, -1, Rounding.TRN, Overflow.WRAP), relu=False)
    return ir.Network("bits", tuple(builder.nodes))


@pytest.mark.slow
@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
@pytest.mark.parametrize("backend", ["Quartus", "Catapult"])
def test_firmware_of_one_bit_types_is_exact(backend: str, io_type: str, tmp_path: Path) -> None:
    written, config = network(), HlsConfig(backend=backend, io_type=io_type)
    library = compile_firmware(written, tmp_path, config)
    codes = np.random.default_rng(0).integers(-16, 16, (64, 6))
    layers = compare(library, written, codes, jobs=1)
    assert {layer.name: layer.differing for layer in layers} == dict.fromkeys([layer.name for layer in layers], 0)


@pytest.mark.parametrize("backend", ["Quartus", "Catapult"])
def test_the_sources_state_one_bit(backend: str, tmp_path: Path) -> None:
    convert(network(), HlsConfig(backend=backend), tmp_path)
    narrow = [one for one in stated_types(tmp_path, network()) if one.expected.width == 1]
    assert {one.role for one in narrow} == {"weight", "bias", "result"}
    assert all(one.stated.width == 1 for one in narrow)
