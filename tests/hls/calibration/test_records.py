"""Records: whatever is missing is filled in, whatever is unknown is named, siblings stay together."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siliconv.errors import ProjectError
from siliconv.hls.calibration import record_estimates, record_layers, records
from siliconv.hls.design.design import FixedType, MatrixLayer, UnknownLayer
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.kinds import Backend, IoType, LayerKind, Strategy, Synthesis

CONV = {
    "name": "conv",
    "type": "conv_2d_cl",
    "in_shape": [8, 8, 3],
    "out_shape": [6, 6, 4],
    "kernel": [3, 3],
    "n_in": 27,
    "n_out": 4,
    "reuse_factor": 27,
    "strategy": "resource",
    "weight_precision": "ap_fixed<6,1>",
    "accum_precision": "ap_fixed<32,16>",
    "result_precision": "ap_ufixed<6,0,AP_RND_CONV,AP_SAT>",
    "weights": {"w2": {"n": 108, "nonzero_q": 100, "pow2_q": 30, "distinct_abs_q": 12}},
}
ENTRY = {
    "id": "one",
    "source": {"repo": "somebody/something"},
    "tool": "vitis_hls 2024.1",
    "part": "xczu7ev-ffvc1156-2-e",
    "clock_ns": 5.0,
    "clock_uncertainty_ns": 1.35,
    "backend": "Vitis",
    "io_type": "io_stream",
    "kind": "conv2d_stream",
    "tier": "A",
    "layers": [CONV, {"name": "relu", "type": "relu", "n_in": 144, "out_pack": 4}],
    "results": {"latency_max_cycles": 2000, "interval_max": 1999, "lut": 10, "ff": 10, "dsp": 1, "bram18": 0},
}


def test_a_full_entry():
    record = records.record_of(ENTRY)
    assert record.project == "somebody/something"
    assert record.stage is Synthesis.CSYNTH
    assert record.reported["latency_cycles"] == 2000
    design = record.design
    assert (design.backend, design.io_type, design.part) == (
        Backend.VITIS,
        IoType.STREAM,
        "xczu7ev-ffvc1156-2-e",
    )
    assert design.usable_clock_ns == pytest.approx(3.65)
    conv, relu = design.layers
    assert isinstance(conv, MatrixLayer)
    assert (conv.kind, conv.strategy, conv.n_in, conv.n_out) == (LayerKind.CONV2D, Strategy.RESOURCE, 27, 4)
    assert conv.weight == FixedType(6, 1)
    assert conv.output.type == FixedType(6, 0, signed=False, rounds=True, saturates=True)
    assert conv.weights.nonzero == 100
    assert relu.input.shape == (6, 6, 4)


def test_results_of_a_record_do_not_reach_its_design():
    """The prediction of a record must not change when what was measured changes."""
    other = {**ENTRY, "results": {}, "fifos": [{"depth": 7}], "per_layer_results": [], "modules": []}
    assert records.design_of(ENTRY) == records.design_of(other)


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("ap_fixed<16,6>", FixedType(16, 6)),
        ("ap_ufixed<8,0,AP_RND_CONV,AP_SAT>", FixedType(8, 0, False, True, True)),
        ("ap_int<6>", FixedType(6, 6)),
        ("fixed<4,2>", FixedType(4, 2)),
        ("4 bit (QKeras quantized_bits)", FixedType(4, 1)),
        (None, FixedType(16, 6)),
        ("nonsense", FixedType(16, 6)),
    ],
)
def test_types_are_read_as_spelled(spelled, expected):
    assert record_layers.fixed_type(spelled) == expected


def test_a_separable_convolution_is_two_layers():
    part = {k: CONV[k] for k in ("in_shape", "out_shape", "kernel", "n_in", "n_out", "reuse_factor")}
    entry = {**ENTRY, "layers": [{"type": "separable_conv_2d_cl", "depthwise": part, "pointwise": part}]}
    kinds = [layer.kind for layer in records.design_of(entry).layers]
    assert kinds == [LayerKind.DEPTHWISE2D, LayerKind.CONV2D]


def test_an_unknown_layer_is_named_and_not_fatal():
    entry = {**ENTRY, "layers": [{"name": "odd", "type": "garnet_stack", "n_in": 4}, CONV]}
    design = records.design_of(entry)
    assert isinstance(design.layers[0], UnknownLayer)
    found = estimate(design)
    assert "garnet_stack" in found.warnings[0]
    assert found.lut.value > 0


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_field_is_required(data):
    """Whatever is left out of a record, it is still estimated, with finite bands around the value."""
    keep = data.draw(st.sets(st.sampled_from(sorted(ENTRY))))
    entry = {key: ENTRY[key] for key in keep}
    if "layers" in entry:
        entry["layers"] = [
            {key: value for key, value in layer.items() if data.draw(st.booleans())} for layer in ENTRY["layers"]
        ]
    record = records.record_of(entry)
    found = estimate(record.design, stage=record.stage)
    for metric in ("latency_cycles", "interval_cycles", "lut", "ff", "dsp", "bram18"):
        value = getattr(found, metric)
        assert 0 <= value.low <= value.value <= value.high < 1e12


JUNK = st.one_of(st.none(), st.text(max_size=5), st.integers(-3, 3), st.just([]), st.just({}), st.just([None, "x"]))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_junk_in_a_layer_or_a_setting_does_no_harm(data):
    layer = {**CONV, data.draw(st.sampled_from(sorted(CONV))): data.draw(JUNK)}
    setting = data.draw(st.sampled_from(["part", "clock_ns", "clock_uncertainty_ns", "tool", "strategy"]))
    record = records.record_of({**ENTRY, "layers": [layer, *ENTRY["layers"][1:]], setting: data.draw(JUNK)})
    found = estimate(record.design, stage=record.stage)
    assert 0 <= found.latency_cycles.low <= found.latency_cycles.high < 1e12


def test_a_file_is_reported_in_the_shape_of_the_command_line(tmp_path):
    path = tmp_path / "records.json"
    path.write_text(json.dumps([ENTRY, {"id": "empty"}]))
    report = record_estimates.estimate_records(path)
    first = report["records"][0]
    assert first["id"] == "one"
    assert set(first["predicted"]["lut"]) == {"value", "low", "high"}
    assert first["reported"]["dsp"] == 1
    assert report["errors"]["conv2d_stream"]["latency_cycles"]["n"] == 1
    assert any("one" in line for line in record_estimates.as_lines(report))
    json.dumps(report)


@pytest.mark.parametrize("content", ["{", "{}", "[1]"])
def test_a_file_that_is_no_list_of_records_is_refused(tmp_path, content):
    path = tmp_path / "records.json"
    path.write_text(content)
    with pytest.raises(ProjectError) as caught:
        records.read_records(path)
    assert caught.value.code == "RECORDS-READ"


def test_what_a_record_does_not_say_is_said():
    def assumed(**fields):
        return records.record_of({**ENTRY, **fields}).assumed

    assert assumed() == ()
    for fields, words in (
        ({"part": None}, "no part: xcvu13p"),
        ({"part": "EP4CE115"}, "part 'EP4CE115' is none of AMD"),
        ({"tool": None, "backend": None}, "no tool: Vivado HLS is assumed"),
        ({"tool": "catapult 2024.1", "backend": "Catapult"}, "'Catapult catapult 2024.1' is unknown"),
        ({"tool": "vitis_hls"}, "no release"),
        ({"clock_ns": "fast"}, "clock_ns 'fast' is no period"),
        ({"clock_ns": -1}, "5 ns are assumed"),
        ({"io_type": None, "kind": None}, "no io_type"),
        ({"results": {}}, "no results among latency_max_cycles, interval_max, lut"),
        ({"results": {"LUT": 5}}, "it judges nothing"),
        ({"results": {**ENTRY["results"], "lut": "12k"}}, "results.lut '12k' is no count"),
        ({"results": {**ENTRY["results"], "dsp": True}}, "results.dsp True is no count"),
        ({"layers": [{**CONV, "strategy": None}]}, "no strategy: Latency"),
        ({"layers": []}, "nothing can be predicted"),
    ):
        found = assumed(**fields)
        assert len(found) == 1, (fields, found)
        assert words in found[0]


def test_records_without_layers_are_named_and_not_judged(tmp_path):
    path = tmp_path / "records.json"
    path.write_text(json.dumps([ENTRY, {**ENTRY, "id": "bare", "layers": []}, {**ENTRY, "id": "odd", "part": None}]))
    report = record_estimates.estimate_records(path)
    assert [record["id"] for record in report["records"]] == ["one", "odd"]
    assert report["not_predicted"] == ["bare"]
    assert report["groups"]["convolution io_stream"]["lut"]["records"] == 2
    lines = "\n".join(record_estimates.as_lines(report))
    assert "not predicted, for they have no layers: bare" in lines
    assert "no part: xcvu13p" in lines
    path.write_text(json.dumps([{**ENTRY, "layers": None}, {}]))
    with pytest.raises(ProjectError, match="none of the 2 records has layers"):
        record_estimates.estimate_records(path)


def test_siblings_are_one_project():
    def project(**fields):
        return records.project_of(fields)

    assert project(id="wahls4ml-dense-8-9-6b-rf10", tier="W") == project(id="wahls4ml-dense-8-9-8b-rf20", tier="W")
    assert project(id="a-x", source={"repo": "o/r"}) == project(id="b-y", source={"repo": "o/r"})
    assert project(id="a-x", source={"repo": "o/r"}) != project(id="a-x", source={"repo": "o/s"})
    variants = {"tier": "A", "source": {"repo": "ArgyKokk/hls4ml_MLP_estimator"}}
    assert project(id="argykokk-cardio-dsp_reuse1", **variants) == project(id="argykokk-cardio-lut_reuse2", **variants)
    assert project(id="argykokk-cardio-dsp_reuse1", **variants) == project(id="argykokk-mnist-dsp_reuse1", **variants)


def test_the_example_of_the_documentation_says_all_that_is_needed(tmp_path):
    text = (Path(__file__).parents[3] / "docs" / "estimator.md").read_text()
    (example,) = re.findall(r"^    \[\{\"id\".*?\}\]$", text, flags=re.MULTILINE | re.DOTALL)
    path = tmp_path / "records.json"
    path.write_text(example)
    (record,) = record_estimates.estimate_records(path)["records"]
    assert record["assumed"] == record["warnings"] == []
    assert set(record["reported"]) == set(record["predicted"])
