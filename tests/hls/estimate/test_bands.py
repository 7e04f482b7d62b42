"""Bands: wider where nothing is known, with the repositories behind them; what is known to go either way."""

import dataclasses

import pytest
from small_designs import network

from siliconv.hls.design.design import FixedType, MatrixLayer, SoftmaxLayer, Tensor
from siliconv.hls.estimate import estimate
from siliconv.hls.estimate.either_way import either_way
from siliconv.hls.estimate.memory import memory_blocks, rom_blocks
from siliconv.hls.estimate.multipliers import dsps
from siliconv.hls.estimate.schedule import schedule
from siliconv.hls.kinds import Backend, Synthesis


def test_bands_are_wider_where_no_project_has_a_kind_of_layer_or_a_release():
    looped = network((27, 36, 200), backend=Backend.VITIS)
    known = estimate.estimate(looped)
    assert not known.warnings
    known_release = dataclasses.replace(looped, tool="vitis_hls 2024.2")
    assert estimate.estimate(known_release) == known
    new_release = estimate.estimate(dataclasses.replace(looped, tool="vitis_hls 2099.1"))
    assert any("no published result of Vitis HLS 2099.1" in one for one in new_release.warnings)
    coefficients = estimate.shipped()
    without = {kind: count for kind, count in coefficients.projects.items() if "looped convolutions" not in kind}
    new_kind = estimate.estimate(looped, coefficients=dataclasses.replace(coefficients, projects=without))
    assert any("no published result of this kind" in one for one in new_kind.warnings)
    for found, metrics in (
        (new_release, ("lut", "ff")),
        (new_kind, ("latency_cycles", "interval_cycles", "lut", "ff")),
    ):
        for metric in metrics:
            before, after = getattr(known, metric), getattr(found, metric)
            assert after.value == before.value
            assert after.low < before.low
            assert after.high > before.high


def test_the_repositories_behind_each_band_are_said():
    found = estimate.estimate(network((27, 36, 200), backend=Backend.VITIS))
    assert found.as_json()["repositories"] == found.repositories
    assert all(count >= 4 for count in found.repositories.values())
    coefficients = estimate.shipped()
    assert found.repositories == coefficients.repositories["convolution io_stream"]


@pytest.mark.parametrize(("memory", "either"), [("auto", True), ("block", False), ("luts", False)])
def test_shallow_weight_memories_may_become_tables_after_logic_synthesis_where_nothing_binds_them(memory, either):
    design = network((27, 36, 200), backend=Backend.VITIS)
    layers = [
        dataclasses.replace(layer, weight_memory=memory) if isinstance(layer, MatrixLayer) else layer
        for layer in design.layers
    ]
    design = dataclasses.replace(design, layers=tuple(layers))
    shallow = [layer for layer in layers if isinstance(layer, MatrixLayer) and layer.reuse_factor <= 64]
    assert shallow
    value = 1000.0
    before, after = (either_way("lut", value, design, stage) for stage in (Synthesis.CSYNTH, Synthesis.VSYNTH))
    assert before == (value, value)
    assert (after[1] > value) == either
    blocks = [either_way("bram18", value, design, stage)[0] for stage in (Synthesis.CSYNTH, Synthesis.VSYNTH)]
    assert (blocks[1] < blocks[0]) == either


def test_the_softmax_of_our_own_looks_all_classes_up_at_once_with_either_tool():
    logits = Tensor((10,), FixedType(16, 6))
    ours = SoftmaxLayer("softmax", logits, logits, tables=((1024, 18), (1024, 19)))
    for backend in (Backend.VITIS, Backend.VIVADO):
        design = dataclasses.replace(network((27, 36, 200), backend=backend), layers=(ours,))
        assert schedule(ours, design).latency == 5 + 4
        assert memory_blocks(ours, design) == 5 * rom_blocks(1024, 18) + rom_blocks(1024, 19)
        assert dsps(ours, design) == 10
    theirs = dataclasses.replace(ours, tables=())
    assert schedule(theirs, design).latency == 2 * 10 + 4, "Vivado HLS: one after the other"
    assert dsps(theirs, design) == 1
