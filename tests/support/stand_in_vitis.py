"""A stand-in for vitis-run: replays a run of Vitis HLS 2024.1 on hls4ml's script, with real reports, or a failure.

STAND_IN_REPORTS: the folder of the reports; STAND_IN_FAILURE: a failure's name, or empty.
"""

import os
import re
import shutil
import signal
import sys
from pathlib import Path

TIMING = """\
| Tool Version : Vivado v.2024.1 (lin64) Build 5076996 Wed May 22 18:36:09 MDT 2024
| Device       : xcu250-figd2104

------------------------------------------------------------------------------------------------
| Design Timing Summary
| ---------------------
------------------------------------------------------------------------------------------------

    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)
    -------      -------  ---------------------  -------------------      -------      -------
      1.347        0.000                      0                16024        0.041        0.000


All user specified timing constraints are met.
"""
COSIM = """\
+----------+----------+-----------------------------+-----------------------------+
|          |          |    Latency(Clock Cycles)    |    Interval(Clock Cycles)   |
+   RTL    +  Status  +-----------------------------+-----------------------------+
|          |          |   min   |   avg   |   max   |   min   |   avg   |   max   |
+----------+----------+-----------------------------+-----------------------------+
|      VHDL|        NA|       NA|       NA|       NA|       NA|       NA|       NA|
|   Verilog|      Pass|      391|      392|      393|      390|      390|      390|
+----------+----------+-----------------------------+-----------------------------+
"""
FAILURES = {
    "unroll": "ERROR: [XFORM 203-504] Stop unrolling loop 'Product1' (firmware/nnet_utils/nnet_dense_latency.h:37) in"
    " function 'nnet::dense_latency' because it may cause large runtime and excessive memory usage due to increase in"
    " code size. Please avoid unrolling the loop or form sub-functions for code in the loop body.",
    "licence": "ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'xcu250'.",
    "part": "ERROR: [HLS 200-1023] Part 'xcu250-nonsense' is not installed.",
}


def say(text: str) -> None:
    """Write to the log as it goes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Do what build_axi.tcl or build_prj.tcl would, by the options that they read."""
    *options, script = sys.argv[1:]
    assert options == ["--mode", "hls", "--tcl"], sys.argv
    options = dict(re.findall(r"^\s+(\w+)\s+(\d)$", Path("build_opt.tcl").read_text(), re.MULTILINE))
    text = Path(script).read_text()
    top, folder = (
        Path(re.search(pattern, text, re.MULTILINE)[1]) for pattern in (r"^set_top (\w+)", r"^    open_project (\w+)")
    )
    reports, failure = Path(os.environ["STAND_IN_REPORTS"]), os.environ.get("STAND_IN_FAILURE", "")
    solution = folder / "solution1"
    say("****** Vitis HLS - High-Level Synthesis from C, C++ and OpenCL v2024.1 (64-bit)")
    if options["csim"] == "1":
        say("***** C SIMULATION *****\n***** C SIMULATION COMPLETED IN 0h0m1s *****")
    if options["synth"] == "1":
        say("***** C/RTL SYNTHESIS *****\nINFO: [HLS 200-1510] Running: csynth_design")
        if failure == "memory":
            os.kill(os.getpid(), signal.SIGKILL)
        if failure:
            # As the tools do: an error, what follows from it, and at times no exit code.
            say(f"{FAILURES[failure]}\nERROR: [HLS 200-70] Pre-synthesis failed.")
            return 0 if failure == "unroll" else 1
        (solution / "syn/report").mkdir(parents=True)
        say("INFO: [HLS 200-42] -- Implementing module 'dense_array_array_ap_fixed_10u_config3_s'")
        say("INFO: [HLS 200-1470] Pipelining result : Target II = 1, Final II = 4, Depth = 40, loop 'DataPrepare'")
        say("WARNING: [HLS 200-960] Cannot flatten loop 'ReuseLoop' in function 'dense'")
        shutil.copy(reports / "myproject_csynth.rpt", solution / f"syn/report/{top}_csynth.rpt")
        say("***** C/RTL SYNTHESIS COMPLETED IN 0h0m40s *****")
    if options["cosim"] == "1":
        (solution / "sim/report").mkdir(parents=True)
        (solution / f"sim/report/{top}_cosim.rpt").write_text(COSIM)
        say("***** C/RTL SIMULATION *****\n***** C/RTL SIMULATION COMPLETED IN 0h2m3s *****")
    if options["vsynth"] == "1":
        synthesis = re.search(r"-source \[file join \$folder (\w+\.tcl)\]", text)[1]
        assert f"report_timing_summary -file {folder}/vivado_timing.rpt" in Path(synthesis).read_text()
        shutil.copy(reports / "vivado_synth.rpt", folder / "vivado_synth.rpt")
        (folder / "vivado_timing.rpt").write_text(TIMING)
        say("***** VIVADO SYNTHESIS *****\n***** VIVADO SYNTHESIS COMPLETED IN 0h5m3s *****")
    if options.get("bitstream") == "1":
        assert "block_design.tcl" in text
        Path("overlay").mkdir()
        say("***** BITSTREAM *****\n***** BITSTREAM COMPLETED IN 0h9m3s *****")
    return 0


if __name__ == "__main__":
    sys.exit(main())
