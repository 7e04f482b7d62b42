"""What the report says of the SystemVerilog core: figures of this network alone, and a picture of the simulation."""

import json

import pytest

from siliconv.flow.output_state import content_hash
from siliconv.report.report import TEMPLATES
from siliconv.report.rtl_content import rtl_content

PLAN = {
    "latency_cycles": 1000,
    "interval_cycles": 400.0,
    "products": 24,
    "network": "abc",
    "blocks": [
        {"name": "conv_1", "kind": "mvu", "node": "conv_1_relu", "products": 24, "busy": 400},
        {"name": "pool_1", "kind": "pool", "node": "pool_1", "products": 0, "busy": 64},
    ],
}
CYCLES = {
    "latency_cycles": 1013,
    "interval_cycles": 400.0,
    "words": 5000,
    "runs": 2,
    "cycles_differ": 0,
    "times": [
        {"block": "conv_1", "node": "conv_1_relu", "words": 64, "images": [[100, 499], [500, 899]]},
        {"block": "pool_1", "node": "pool_1", "words": 16, "images": [[300, 599], [700, 999]]},
    ],
}
CELLS = {"lut": 100, "ff": 200, "dsp": 12, "block_memory": 3}
SYNTH = {
    "family": "ecp5",
    "lut": 150,
    "lut_memory": 7,
    "ff": 230,
    "dsp": 12,
    "block_memory": 3,
    "by_block": {"conv_1": CELLS, "": {"lut": 57, "ff": 30, "dsp": 0, "block_memory": 0}},
}
PLACE = {
    "part": "LFE5U-85F-6BG381",
    "seed": 1,
    "mhz": 150.0,
    "used": {"MULT18X18D": 12},
    "available": {"MULT18X18D": 156},
    "critical_path": {"told": "in the products and sums of conv_1_relu: 2.0 ns of logic, 4.0 ns of wires"},
}
ESTIMATE = {
    "source": "estimate",
    "part": "xc7z020clg400-1",
    **{key: {"value": 9000} for key in ("latency_cycles", "interval_cycles")},
    "logic_synthesis": {key: {"value": 7777} for key in ("lut", "ff", "dsp", "bram18")},
}


@pytest.fixture
def build(tmp_path):
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl" / "plan.json").write_text(json.dumps(PLAN))
    plan = content_hash(tmp_path / "rtl" / "plan.json")
    for name, content in (("rtl_cycles.json", CYCLES), ("synth.json", SYNTH), ("place.json", PLACE)):
        (tmp_path / name).write_text(json.dumps({"plan": plan, **content}))
    return tmp_path


def rendered(content):
    return TEMPLATES.get_template("rtl.html.j2").render(
        rtl=content, name="net", estimate=ESTIMATE, thing="image", things="images"
    )


def test_without_a_core_nothing_is_said(tmp_path):
    assert rtl_content(tmp_path, "abc") is None


def test_what_was_measured_mapped_and_placed_is_shown_by_layer(build):
    content = rtl_content(build, "abc")
    assert [(row["node"], row["cells"]) for row in content["blocks"]] == [
        ("conv_1_relu", CELLS),
        ("pool_1", None),
        ("between the blocks", SYNTH["by_block"][""]),
    ]
    assert content["times"] == {
        "source": "Verilator",
        "cycles": 1000,
        "layers": [
            {"name": "conv_1_relu", "spans": [[100, 499], [500, 899]], "busy": 400},
            {"name": "pool_1", "spans": [[300, 599], [700, 999]], "busy": 64},
        ],
        "fifos": [],
    }
    page = rendered(content)
    for text in (
        "1,013 cycles",
        "150.0 MHz",
        "375,000 images a second",
        "in the products and sums of conv_1_relu",
    ):
        assert text in page
    assert "7,777" in page, "hls4ml's estimate beside it"


@pytest.mark.parametrize("name", ["rtl_cycles.json", "synth.json", "place.json"])
def test_figures_of_another_core_are_left_out(build, name):
    path = build / name
    path.write_text(json.dumps(json.loads(path.read_text()) | {"plan": "other"}))
    content = rtl_content(build, "abc")
    kept = {"rtl_cycles.json": "cycles", "synth.json": "synth", "place.json": "place"}
    assert [content[part] is None for part in kept.values()] == [part == name for part in kept]
    assert "limits the clock" not in rendered(content) or name != "place.json"


def test_a_core_of_another_network_is_told(build):
    page = rendered(rtl_content(build, "def"))
    assert "written from another network" in page
    assert "1,013" not in page


RECORD = {"fingerprint": "f", "summary": "done", "seconds": 2.0, "peak_mib": 100.0}


def test_stages_of_the_core_are_those_of_what_is_shown(build):
    (build / ".stages").mkdir()
    for stage in ("rtl", "rtlsim", "synth", "place", "bitstream"):
        (build / ".stages" / f"{stage}.json").write_text(json.dumps(RECORD))
    assert list(rtl_content(build, "abc")["stages"]) == ["rtl", "rtlsim", "synth", "place"]
    of_plan = {"plan": content_hash(build / "rtl" / "plan.json")}
    packed = of_plan | {"placed": content_hash(build / "place.json"), "bytes": 7}
    (build / "bitstream.json").write_text(json.dumps(packed))
    assert list(rtl_content(build, "abc")["stages"]) == ["rtl", "rtlsim", "synth", "place", "bitstream"]
    (build / "place.json").write_text(json.dumps(of_plan | PLACE | {"seed": 2}))
    assert "bitstream" not in rtl_content(build, "abc")["stages"], "packed of another placement"
    (build / "synth.json").write_text(json.dumps({"plan": "other"} | SYNTH))
    (build / ".stages" / "rtlsim.json").write_text("{")
    assert list(rtl_content(build, "abc")["stages"]) == ["rtl", "place"]
