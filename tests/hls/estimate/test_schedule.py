"""Cycles of single layers against published reports that the templates' loops explain to the cycle."""

from __future__ import annotations

import published_records
import pytest

from siliconv.hls.calibration import records
from siliconv.hls.estimate.schedule import schedule
from siliconv.hls.kinds import LayerKind


def record(identity):
    (entry,) = (entry for entry in published_records.entries() if entry["id"] == identity)
    return records.record_of(entry).design


def convolution_intervals(design):
    return [
        schedule(layer, design).interval
        for layer in design.layers
        if getattr(layer, "kind", None) in (LayerKind.CONV2D, LayerKind.CONV1D)
    ]


def test_a_reuse_loop_in_vitis_streams_takes_five_cycles_more_at_a_slow_clock():
    """Vitis HLS 2024.2 at 30 ns: 4096 x 55 + 1, 900 x 55 + 1, 169 x 55 + 1, 25 x 50 + 1."""
    assert convolution_intervals(record("tsopeter-best")) == [225281, 49501, 9296, 1251]


def test_vivado_does_not_pipeline_the_pixels_of_its_resource_template():
    """Vivado HLS 2020.1 at 5 ns, reuse factor 1: 10 to 13 cycles a pixel for 27 to 144 inputs, not one."""
    design = record("jeanleos-depth")
    reported = [43561, 47917, 12717, 15029, 13873, 47917, 43561]
    for found, truth in zip(convolution_intervals(design), reported, strict=True):
        assert found == pytest.approx(truth, rel=0.1)
