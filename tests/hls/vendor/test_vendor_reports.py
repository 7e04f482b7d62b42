"""Vendor reports: read as the tools of 2019 and 2024 wrote them."""

import published_records
import pytest

from siliconv.errors import ToolError
from siliconv.hls.vendor import vendor_reports
from siliconv.hls.vendor.report_tables import number, tables

VITIS, VIVADO = "vitis_hls_2024.1_conv1d", "vivado_hls_2019.2_conv2d"


@pytest.fixture(scope="module")
def vendor():
    return published_records.folder() / "vendor"


def test_c_synthesis_of_vitis_hls(vendor):
    found = vendor_reports.read_csynthesis(vendor / VITIS / "myproject_csynth.rpt")
    assert (found.tool, found.version, found.function) == ("Vitis HLS", "2024.1", "myproject")
    assert found.part == "xcu250-figd2104-2L-e"
    assert (found.clock_ns, found.estimated_ns, found.uncertainty_ns) == (5.0, 3.53, 1.35)
    assert (found.latency_min, found.latency_max, found.interval_min, found.interval_max) == (
        395,
        395,
        390,
        390,
    )
    assert found.pipeline == "dataflow"
    assert found.resources == {"bram18": 29, "dsp": 467, "ff": 7123, "lut": 17966, "uram": 0}
    assert found.available == {"bram18": 5376, "dsp": 12288, "ff": 3456000, "lut": 1728000, "uram": 1280}
    conv = found.instances[0]
    assert conv.module.startswith("conv_1d_cl")
    assert (conv.latency_max, conv.interval_max, conv.resources["dsp"]) == (393, 390, 370)
    assert sum(one.resources["lut"] for one in found.instances) == 16695
    assert {(one.depth, one.bits, one.bram18) for one in found.fifos} == {
        (128, 256, 8),
        (1, 256, 0),
        (1, 96, 0),
        (130, 144, 8),
    }


def test_c_synthesis_of_vivado_hls(vendor):
    found = vendor_reports.read_csynthesis(vendor / VIVADO / "myproject_axi_csynth.rpt")
    assert (found.tool, found.version, found.function) == ("Vivado HLS", "2019.2", "myproject_axi")
    assert (found.latency_max, found.interval_max) == (15409, 15363)
    assert found.resources == {"bram18": 101, "dsp": 22, "ff": 63828, "lut": 259959, "uram": 0}
    assert found.available["lut"] == 117120
    top = next(one for one in found.instances if one.module == "myproject")
    assert (top.latency_max, top.resources["bram18"], top.resources["lut"]) == (15408, 98, 256073)
    assert len(found.fifos) == 24


def test_logic_synthesis(vendor):
    new = vendor_reports.read_logic_synthesis(vendor / VITIS / "vivado_synth.rpt")
    assert new.resources == {"lut": 8565, "ff": 4864, "dsp": 467, "uram": 0, "bram18": 24}
    assert (new.version, new.part, new.state) == ("2024.1", "xcu250-figd2104-2L-e", "Optimized")
    old = vendor_reports.read_logic_synthesis(vendor / VIVADO / "vivado_synth.rpt")
    assert old.resources == {"lut": 121299, "ff": 120219, "dsp": 27, "bram18": 66}
    assert old.available == {"lut": 53200, "ff": 106400, "dsp": 220, "bram18": 280}
    assert (old.version, old.state) == ("2019.2", "Synthesized")


def test_reports_agree_with_the_published_records(vendor):
    """The same two projects are in the records, read by other people's code."""
    by_id = {entry["id"]: entry for entry in published_records.entries()}
    ours = vendor_reports.read_csynthesis(vendor / VITIS / "myproject_csynth.rpt")
    theirs = by_id["seanlipps-ece226"]["results"]
    assert ours.resources == {name: theirs[name] for name in ours.resources}
    assert ours.latency_max == theirs["latency_max_cycles"]


COSIM = """
Report time       : Wed 18 Mar 2026
+----------+----------+-----------------------------+-----------------------------+
|          |          |    Latency(Clock Cycles)    |    Interval(Clock Cycles)   |
+   RTL    +  Status  +-----------------------------+-----------------------------+
|          |          |   min   |   avg   |   max   |   min   |   avg   |   max   |
+----------+----------+-----------------------------+-----------------------------+
|      VHDL|        NA|       NA|       NA|       NA|       NA|       NA|       NA|
|   Verilog|      {}|    13942|    18680|    23011|      476|     6972|       NA|
+----------+----------+-----------------------------+-----------------------------+
"""


@pytest.mark.parametrize("status", ["Pass", "Fail"])
def test_cosimulation(tmp_path, status):
    path = tmp_path / "myproject_cosim.rpt"
    path.write_text(COSIM.format(status))
    found = vendor_reports.read_cosimulation(path)
    assert found.passed == (status == "Pass")
    assert (found.latency_min, found.latency_average, found.latency_max) == (13942, 18680, 23011)
    assert (found.interval_min, found.interval_average, found.interval_max) == (476, 6972, None)


@pytest.mark.parametrize(
    "read",
    [
        vendor_reports.read_csynthesis,
        vendor_reports.read_logic_synthesis,
        vendor_reports.read_cosimulation,
    ],
)
def test_what_is_not_a_report_is_refused(tmp_path, read):
    path = tmp_path / "some.rpt"
    with pytest.raises(ToolError) as caught:
        read(path)
    assert caught.value.code == "REPORT-READ"
    path.write_text("+---+\n| a |\n+---+\n")
    with pytest.raises(ToolError) as caught:
        read(path)
    assert caught.value.code == "REPORT-FORMAT"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("15409", 15409),
        ("5.00 ns", 5.0),
        ("17966 (1%)", 17966),
        ("1.975e+03", 1975),
        ("~0", 0),
        ("-", None),
        ("?", None),
    ],
)
def test_numbers(cell, expected):
    assert number(cell) == expected


def test_a_table_has_a_header_and_rows():
    (found,) = tables("title\n+--+--+\n|a |b |\n+--+--+\n|1 |2 |\n+--+--+\n|3 |4 |\n+--+--+\n")
    assert found.header == (("a", "b"),)
    assert found.rows == (("1", "2"), ("3", "4"))
    assert found.above == "title"
