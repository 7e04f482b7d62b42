"""The Tcl commands and options of AMD's tools that generated scripts may use, and stubs that know nothing else.

Each row: the options, those with a value after them with a "=", and the document that has them with the release from
which on. No tool was at hand: a script that keeps to the table uses commands that exist, which is not to say that they
do what it wants.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

VITIS_RUN, VITIS_HLS, VIVADO_HLS, VIVADO = "vitis-run", "vitis_hls", "vivado_hls", "vivado"

PROGRAMS = {
    VITIS_RUN: (("--mode=", "--tcl="), "UG1399 2023.2"),
    VITIS_HLS: (("-f=",), "UG1399 2020.2, until 2024.2"),
    VIVADO_HLS: (("-f=",), "UG902 2018.3, until 2020.1"),
    VIVADO: (("-mode=", "-source="), "UG835 2018.3"),
}
"""How each program is told its script."""

_HLS = {
    "open_project": (("-reset",), "UG902 2018.3, UG1399 2020.2"),
    "set_top": ((), "UG902 2018.3, UG1399 2020.2"),
    "add_files": (("-tb", "-cflags="), "UG902 2018.3, UG1399 2020.2"),
    "open_solution": (("-reset",), "UG902 2018.3, UG1399 2020.2"),
    "set_part": ((), "UG902 2018.3, UG1399 2020.2"),
    "create_clock": (("-period=", "-name="), "UG902 2018.3, UG1399 2020.2"),
    "set_clock_uncertainty": ((), "UG902 2018.3, UG1399 2020.2"),
    "config_rtl": (("-reset=",), "UG902 2018.3, UG1399 2020.2"),
    "csim_design": ((), "UG902 2018.3, UG1399 2020.2"),
    "csynth_design": ((), "UG902 2018.3, UG1399 2020.2"),
    "cosim_design": (("-trace_level=",), "UG902 2018.3, UG1399 2020.2"),
    "export_design": (("-format=", "-version="), "UG902 2018.3, UG1399 2020.2"),
}
COMMANDS: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    VIVADO_HLS: {
        **_HLS,
        "config_array_partition": (("-maximum_size=",), "UG902 2018.3"),
        "config_compile": (("-name_max_length=",), "UG902 2018.3"),
    },
    VITIS_HLS: {
        **_HLS,
        "config_compile": (("-name_max_length=", "-pipeline_style="), "UG1399 2020.2; the style UG1399 2021.1"),
        "config_schedule": (("-enable_dsp_full_reg",), "UG1399 2020.2"),
    },
    VIVADO: {
        "add_files": (("-norecurse",), "UG835 2018.3"),
        "update_compile_order": (("-fileset=",), "UG835 2018.3"),
        "synth_design": (("-top=", "-part=", "-mode="), "UG835 2018.3"),
        "opt_design": (("-retarget", "-propconst", "-sweep", "-bram_power_opt", "-shift_register_opt"), "UG835 2018.3"),
        "report_utilization": (("-file=",), "UG835 2018.3"),
        "report_timing_summary": (("-file=",), "UG835 2018.3"),
        "create_clock": (("-period=", "-name="), "UG835 2018.3"),
        "get_ports": ((), "UG835 2018.3"),
        "create_project": (("-part=", "-force"), "UG835 2018.3"),
        "get_board_parts": (("-quiet", "-latest_file_version"), "UG835 2018.3"),
        "current_project": ((), "UG835 2018.3"),
        "set_property": (("-dict=",), "UG835 2018.3"),
        "update_ip_catalog": ((), "UG835 2018.3"),
        "get_ipdefs": (("-filter=",), "UG835 2018.3"),
        "create_bd_design": ((), "UG835 2018.3"),
        "create_bd_cell": (("-type=", "-vlnv=", "-reference="), "UG835 2018.3"),
        "apply_bd_automation": (("-rule=", "-config="), "UG835 2018.3"),
        "get_bd_cells": ((), "UG835 2018.3"),
        "get_bd_pins": ((), "UG835 2018.3"),
        "get_bd_intf_pins": (("-of_objects=", "-filter="), "UG835 2018.3"),
        "connect_bd_net": ((), "UG835 2018.3"),
        "connect_bd_intf_net": ((), "UG835 2018.3"),
        "assign_bd_address": ((), "UG835 2018.3"),
        "validate_bd_design": ((), "UG835 2018.3"),
        "save_bd_design": ((), "UG835 2018.3"),
        "get_files": ((), "UG835 2018.3"),
        "make_wrapper": (("-files=", "-top", "-import"), "UG835 2018.3"),
        "launch_runs": (("-to_step=", "-jobs="), "UG835 2018.3"),
        "wait_on_run": ((), "UG835 2018.3"),
        "get_runs": ((), "UG835 2018.3"),
        "get_property": ((), "UG835 2018.3"),
        "open_run": ((), "UG835 2018.3"),
    },
}
OF_HLS4ML: dict[str, tuple[tuple[str, ...], str]] = {
    "startgroup": ((), "UG835 2018.3"),
    "endgroup": ((), "UG835 2018.3"),
    "group_bd_cells": ((), "UG835 2018.3"),
    "reset_run": ((), "UG835 2018.3"),
    "wait_on_run": (("-timeout=",), "UG835 2018.3"),
    "report_utilization": (("-file=", "-hierarchical", "-hierarchical_percentages"), "UG835 2018.3"),
}
"""What hls4ml's own block designs use of Vivado besides."""

_PROJECT_PROPERTIES = ("board_part", "ip_repo_paths", "file_type")
_DMA_WIDTHS = ("m_axis_mm2s_tdata", "m_axi_mm2s_data", "s_axis_s2mm_tdata", "m_axi_s2mm_data")
CORES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str]] = {
    "processing_system7": (
        ("M_AXI_GP0", "S_AXI_HP0"),
        ("FCLK_CLK0", "FCLK_RESET0_N", "M_AXI_GP0_ACLK", "S_AXI_HP0_ACLK"),
        ("PCW_USE_M_AXI_GP0", "PCW_USE_S_AXI_HP0", "PCW_FPGA0_PERIPHERAL_FREQMHZ"),
        "PG082 5.5",
    ),
    "zynq_ultra_ps_e": (
        ("M_AXI_HPM0_FPD", "S_AXI_HP0_FPD"),
        ("pl_clk0", "pl_resetn0", "maxihpm0_fpd_aclk", "saxihp0_fpd_aclk"),
        (
            *(f"PSU__USE__M_AXI_GP{number}" for number in range(3)),
            *("PSU__USE__S_AXI_GP2", "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ"),
        ),
        "PG201 3.0",
    ),
    "proc_sys_reset": ((), ("slowest_sync_clk", "ext_reset_in", "peripheral_aresetn"), (), "PG164 5.0"),
    "smartconnect": (("S00_AXI", "S01_AXI", "M00_AXI"), ("aclk", "aresetn"), ("NUM_SI", "NUM_MI"), "PG247 1.0"),
    "axi_dma": (
        ("M_AXIS_MM2S", "S_AXIS_S2MM", "S_AXI_LITE", "M_AXI_MM2S", "M_AXI_S2MM"),
        ("s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk", "axi_resetn"),
        (
            *("c_include_sg", "c_sg_include_stscntrl_strm", "c_sg_length_width"),
            *(f"c_{one}_width" for one in _DMA_WIDTHS),
            "c_s_axis_s2mm_tdata_width.VALUE_SRC",
        ),
        "PG021 7.1",
    ),
}
"""Of each of Vivado's cores: ports that are interfaces, single pins, properties, and the document with its version."""

_STUB = """
rename unknown unknown_to_tcl
proc unknown {name args} { error "no command $name in this tool" }
proc called {name known arguments} {
    set value 0
    foreach one $arguments {
        if {$value || ![string match -* $one]} { set value 0; continue }
        set option [lindex [split $one =] 0]
        set value [expr {"$option=" in $known && $option eq $one}]
        if {!$value && $option ni $known && "$option=" ni $known} { error "$name has no option $option" }
    }
    if {$value} { error "$name: no value behind $one" }
    puts "CALL $name $arguments"
}
array set answers {get_board_parts a:board:1.0 get_ipdefs a:core:1.0}
array set answers {PROGRESS 100% STATUS done STATS.WNS 0.5 STATS.WHS 0.1}
if {[info exists env(STUB_ANSWERS)]} { array set answers $env(STUB_ANSWERS) }
proc answer {name arguments} {
    set asked [lindex $arguments 0]
    if {$name eq "get_bd_intf_pins"} {
        if {[llength $arguments] > 1} { return "core/[lindex $arguments 3 0]" }
        named interfaces $asked
        return $asked
    }
    return $::answers([expr {$name eq "get_property" ? $asked : $name}])
}
# Which of Vivado's cores a cell is; what is told of others, of the project's own, nobody here knows.
proc made {arguments} {
    if {[regexp {xilinx.com:ip:(\\w+)} $arguments - core] && ![info exists ::interfaces($core)]} {
        error "there is no core $core"
    }
    set ::cells([lindex $arguments end]) [expr {[info exists core] ? $core : ""}]
}
proc known {kind cell one} {
    if {![info exists ::cells($cell)]} { error "there is no cell $cell" }
    set core $::cells($cell)
    if {$core ne "" && $one ni [set ::${kind}($core)]} { error "$core has no $one among its $kind" }
}
proc named {kind path} { known $kind {*}[split $path /] }
proc settled {arguments} {
    if {[lindex $arguments 0] eq "-dict"} {
        foreach {name value} [lindex $arguments 1] {
            known properties [lindex $arguments 2] [string range $name [string length CONFIG.] end]
        }
    } elseif {[lindex $arguments 0] ni $::project_properties} {
        error "there is no property [lindex $arguments 0]"
    }
}
"""


def stub(tool: str, *, others: Mapping[str, tuple[tuple[str, ...], str]] | None = None) -> str:
    """A Tcl program that runs the script which is its argument, and knows a tool's commands alone, and `others`."""
    known = {**COMMANDS[tool], **(others or {})}
    procedures = [
        f"proc {name} args {{ called {name} {{{' '.join(options)}}} $args{_EFFECTS.get(name, '')} }}"
        for name, (options, _) in known.items()
    ]
    tables = [f"set project_properties {{{' '.join(_PROJECT_PROPERTIES)}}}"]
    for core, (interfaces, pins, properties, _) in CORES.items():
        for kind, names in (("interfaces", interfaces), ("pins", pins), ("properties", properties)):
            tables.append(f"set {kind}({core}) {{{' '.join(names)}}}")
    return "\n".join([_STUB, *tables, *procedures, "source [lindex $argv 0]", ""])


def program(name: str, folder: Path) -> Path:
    """Write a stub of a program beside its Tcl stub into a folder: it takes the options of the table, each once."""
    tool = VITIS_HLS if name == VITIS_RUN else name
    (folder / f"{tool}.tcl").write_text(stub(tool))
    options, _ = PROGRAMS[name]
    cases = "\n".join(f"    {one.rstrip('=')}) script=$2; shift 2 ;;" for one in options)
    # A script may stand behind the last option alone.
    path = folder / name
    path.write_text(
        f"""#!/bin/sh
echo "CALL {name} $*"
while [ $# -gt 0 ]; do
    case $1 in
{cases}
    *) echo "{name} has no option $1" >&2; exit 1 ;;
    esac
done
PATH=/usr/bin:/bin:{folder} exec tclsh {folder}/{tool}.tcl "$script"
"""
    )
    path.chmod(0o755)
    return path


_NAMES = ("get_ports", "get_bd_cells", "get_runs", "get_files", "current_project")
_ANSWERS = ("get_board_parts", "get_ipdefs", "get_bd_intf_pins", "get_property")
_EFFECTS = {
    **dict.fromkeys(_NAMES, "; return $args"),
    "create_bd_cell": "; made $args",
    "get_bd_pins": "; named pins [lindex $args 0]; return $args",
    "set_property": "; settled $args",
    # What a script asks for and goes on with; a test sets STUB_ANSWERS to others.
    **{name: f"; return [answer {name} $args]" for name in _ANSWERS},
}
