"""Vendor tools: where they are found, what their messages mean, and the timing they report."""

import pytest
from vendor_commands import PROGRAMS

from siliconv.errors import ToolError
from siliconv.hls.vendor.timing_reports import read_implementation, read_timing_summary
from siliconv.hls.vendor.vendor_failures import recognize
from siliconv.hls.vendor.vendor_tools import COMMANDS, find_tool


def executable(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_newest_command_on_the_path_is_taken(tmp_path):
    old, new = executable(tmp_path / "a", "vitis_hls"), executable(tmp_path / "b", "vitis-run")
    path = {"PATH": f"{old.parent}:{new.parent}"}
    found = find_tool("Vitis", environment=path, root=tmp_path)
    assert found.arguments("build.tcl") == [str(new), "--mode", "hls", "--tcl", "build.tcl"]
    new.unlink()
    assert find_tool("Vitis", environment=path, root=tmp_path).arguments("x") == [str(old), "-f", "x"]
    with pytest.raises(ToolError, match="vivado_hls"):
        find_tool("VivadoAccelerator", environment=path, root=tmp_path)


def test_programs_are_told_their_scripts_as_their_documents_have_it():
    told = {name: options for commands in COMMANDS.values() for name, options in commands}
    assert set(told) < set(PROGRAMS)
    for name, options in told.items():
        assert [f"{one}=" for one in options if one.startswith("-")] == list(PROGRAMS[name][0])


def test_variables_and_installations_are_looked_through(tmp_path):
    named = executable(tmp_path / "vitis" / "bin", "vitis_hls")
    found = find_tool("Vitis", environment={"XILINX_HLS": str(tmp_path / "vitis")}, root=tmp_path)
    assert found.command[0] == str(named)
    for release in ("2022.2", "2024.1"):
        installed = executable(tmp_path / "opt" / "Xilinx" / "Vitis_HLS" / release / "bin", "vitis_hls")
        (installed.parents[1] / "settings64.sh").write_text("")
    found = find_tool("Vitis", environment={}, root=tmp_path)
    assert found.settings == tmp_path / "opt/Xilinx/Vitis_HLS/2024.1/settings64.sh"
    assert found.arguments("x")[:2] == ["bash", "-c"]


def test_what_is_named_is_taken_or_refused(tmp_path):
    other = executable(tmp_path / "mine", "vitis_hls")
    for named in (other, other.parent):
        assert find_tool("Vitis", environment={"SILICONV_VENDOR_TOOL": str(named)}).command[0] == str(other)
    with pytest.raises(ToolError) as caught:
        find_tool("Vitis", asked=tmp_path / "nowhere", environment={"PATH": str(other.parent)})
    assert caught.value.exit_code == 3
    assert "nowhere" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ERROR: [XFORM 203-504] Stop unrolling loop 'MultLoop' (nnet_dense_resource.h:52)", "VENDOR-UNROLL"),
        (
            "ERROR: [XFORM 203-103] Array 'mult.V' (nnet_conv2d.h:122): partitioned elements number (1152) has"
            " exeeded the threshold (1024), which may cause long run-time.",
            "VENDOR-PARTITION",
        ),
        ('/Xilinx/Vivado/2019.2/bin/rdiArgs.sh: line 280:  2555 Killed      "$RDI_PROG" "$@"', "VENDOR-MEMORY"),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "VENDOR-MEMORY"),
        ("ERROR: [Common 17-345] A valid license was not found for feature 'HLS' and/or device", "VENDOR-LICENCE"),
        ("ERROR: License check-out failed for 'vivado_implementation'", "VENDOR-LICENCE"),
        ("ERROR: [HLS 200-1023] Part 'xc7a35ticsg324-1L-i' is not installed.", "VENDOR-PART"),
        ("vitis_hls: error while loading shared libraries: libtinfo.so.5: cannot open", "VENDOR-LIBRARY"),
        ("write error: No space left on device", "VENDOR-DISK"),
        (
            "ERROR: [HLS 214-126] Array partition/reshape can not be used on Parameter 'w2'",
            "VENDOR-PORT",
        ),
        ("// ERROR!!! DEADLOCK DETECTED at 1185000 ns!", "VENDOR-DEADLOCK"),
        ("ERROR: [COSIM 212-4] *** C/RTL co-simulation finished: FAIL ***", "VENDOR-COSIM"),
        ("ERROR: [SIM 211-100] 'csim_design' failed: compilation error(s).", "VENDOR-CSIM"),
        ("ERROR: '2201011128' is an invalid argument. Please specify an integer value.", "VENDOR-DATE"),
        ('couldn\'t execute "vivado": no such file or directory', "VENDOR-VIVADO"),
        ("ERROR: [HLS 200-642] The 'config_array_partition -maximum_size' command is not supp", "VENDOR-SETTING"),
        ("ERROR: [HLS 200-70] Pre-synthesis failed.", "VENDOR-COMPILE"),
        ("ERROR: [ABC 1-2] something nobody has seen", "VENDOR-FAILED"),
    ],
)
def test_messages_are_recognized(line, code):
    found = recognize(["INFO: [HLS 200-10] all is well", line, "ERROR: and what follows from it"], 1)
    assert found is not None
    assert found.code == code
    assert found.fix
    assert "{" not in found.what
    assert line.strip()[:40] in str(found.error("log"))


def test_a_run_without_errors_did_not_fail():
    harmless = ["INFO: Killed nobody", "WARNING: [HLS 200-786] Stop unrolling loop 'x'", "0 errors"]
    assert recognize(harmless, 0) is None
    assert recognize(harmless, 1).code == "VENDOR-FAILED"
    assert recognize(harmless, -9).code == "VENDOR-MEMORY"


SUMMARY = """\
| Tool Version : Vivado v.2020.1 (lin64) Build 2902540 Wed May 27 19:54:35 MDT 2020
| Device       : xczu7ev-ffvc1156

    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)  THS Failing Endpoints
    -------      -------  ---------------------  -------------------      -------      -------  ---------------------
     {}      -12.500                     17                20480        0.031        0.000                      0


{}
"""


@pytest.mark.parametrize(
    ("slack", "words", "expected", "met"),
    [
        ("-0.731", "Timing constraints are not met.", -0.731, False),
        ("0.120", "All user specified timing constraints are met.", 0.12, True),
        ("NA", "There are no user specified timing constraints.", None, None),
    ],
)
def test_timing_summaries(tmp_path, slack, words, expected, met):
    path = tmp_path / "timing.rpt"
    path.write_text(SUMMARY.format(slack, words))
    found = read_timing_summary(path)
    assert (found.setup_slack_ns, found.met) == (expected, met)
    assert (found.hold_slack_ns, found.failing, found.endpoints) == (0.031, 17, 20480)
    assert (found.version, found.part) == ("2020.1", "xczu7ev-ffvc1156")


EXPORT = """\
Implementation tool: Xilinx Vivado v.2020.1
Device target:       xczu7ev-ffvc1156-2-e

#=== Post-Implementation Resource usage ===
CLB:           4012
LUT:          20145
FF:           18760
DSP:             12
BRAM:            44
SRL:            310
#=== Final timing ===
CP required:                     5.000
CP achieved post-synthesis:      3.412
CP achieved post-implementation: 4.873
Timing met
"""


def test_implementation_reports(tmp_path):
    path = tmp_path / "net_export.rpt"
    path.write_text(EXPORT)
    found = read_implementation(path)
    assert (found.required_ns, found.synthesis_ns, found.implementation_ns, found.met) == (5.0, 3.412, 4.873, True)
    assert found.resources == {"lut": 20145, "ff": 18760, "dsp": 12, "bram18": 44}


@pytest.mark.parametrize("read", [read_timing_summary, read_implementation])
def test_other_files_are_refused(tmp_path, read):
    path = tmp_path / "some.rpt"
    path.write_text("nothing of the kind")
    with pytest.raises(ToolError, match="REPORT-FORMAT"):
        read(path)
