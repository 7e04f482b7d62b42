"""The Tcl commands and options of AMD's tools that generated scripts may use, and stubs that know nothing else.

Each row: the options, those with a value after them with a "=", and the document that has them with the release from
which on. No tool was at hand: a script that keeps to the table uses commands that exist, which is not to say that they
do what it wants.
"""

from __future__ import annotations

VITIS_HLS, VIVADO_HLS, VIVADO = "vitis_hls", "vivado_hls", "vivado"

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
        return [expr {[llength $arguments] == 1 ? $asked : "core/[lindex $arguments 3 0]"}]
    }
    return $::answers([expr {$name eq "get_property" ? $asked : $name}])
}
"""


def stub(tool: str) -> str:
    """A Tcl program that runs the script which is its argument, and knows the commands of a tool alone."""
    procedures = [
        f"proc {name} args {{ called {name} {{{' '.join(options)}}} $args{_EFFECTS.get(name, '')} }}"
        for name, (options, _) in COMMANDS[tool].items()
    ]
    return "\n".join([_STUB, *procedures, "source [lindex $argv 0]", ""])


_NAMES = ("get_ports", "get_bd_cells", "get_bd_pins", "get_runs", "get_files", "current_project")
_ANSWERS = ("get_board_parts", "get_ipdefs", "get_bd_intf_pins", "get_property")
_EFFECTS = {
    **dict.fromkeys(_NAMES, "; return $args"),
    # What a script asks for and goes on with; a test sets STUB_ANSWERS to others.
    **{name: f"; return [answer {name} $args]" for name in _ANSWERS},
}
