"""The Tcl commands and options of AMD's tools that generated scripts may use, and stubs that know nothing else.

Each row: the options, and the document that has them with the release from which on. No tool was at hand: a script that
keeps to the table uses commands that exist, which is not to say that they do what it wants.
"""

from __future__ import annotations

VITIS_HLS, VIVADO_HLS, VIVADO = "vitis_hls", "vivado_hls", "vivado"

_HLS = {
    "open_project": (("-reset",), "UG902 2018.3, UG1399 2020.2"),
    "set_top": ((), "UG902 2018.3, UG1399 2020.2"),
    "add_files": (("-tb", "-cflags"), "UG902 2018.3, UG1399 2020.2"),
    "open_solution": (("-reset",), "UG902 2018.3, UG1399 2020.2"),
    "set_part": ((), "UG902 2018.3, UG1399 2020.2"),
    "create_clock": (("-period", "-name"), "UG902 2018.3, UG1399 2020.2"),
    "set_clock_uncertainty": ((), "UG902 2018.3, UG1399 2020.2"),
    "config_rtl": (("-reset",), "UG902 2018.3, UG1399 2020.2"),
    "csim_design": ((), "UG902 2018.3, UG1399 2020.2"),
    "csynth_design": ((), "UG902 2018.3, UG1399 2020.2"),
    "cosim_design": (("-trace_level",), "UG902 2018.3, UG1399 2020.2"),
    "export_design": (("-format", "-version"), "UG902 2018.3, UG1399 2020.2"),
}
COMMANDS: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    VIVADO_HLS: {
        **_HLS,
        "config_array_partition": (("-maximum_size",), "UG902 2018.3"),
        "config_compile": (("-name_max_length",), "UG902 2018.3"),
    },
    VITIS_HLS: {
        **_HLS,
        "config_compile": (("-name_max_length", "-pipeline_style"), "UG1399 2020.2; the style UG1399 2021.1"),
        "config_schedule": (("-enable_dsp_full_reg",), "UG1399 2020.2"),
    },
    VIVADO: {
        "add_files": ((), "UG835 2018.3"),
        "synth_design": (("-top", "-part", "-mode"), "UG835 2018.3"),
        "opt_design": (("-retarget", "-propconst", "-sweep", "-bram_power_opt", "-shift_register_opt"), "UG835 2018.3"),
        "report_utilization": (("-file",), "UG835 2018.3"),
        "report_timing_summary": (("-file",), "UG835 2018.3"),
        "create_clock": (("-period", "-name"), "UG835 2018.3"),
        "get_ports": ((), "UG835 2018.3"),
    },
}

_STUB = """
rename unknown unknown_to_tcl
proc unknown {name args} { error "no command $name in this tool" }
proc called {name known arguments} {
    foreach one $arguments {
        set option [lindex [split $one =] 0]
        if {[string match -* $one] && $option ni $known} { error "$name has no option $option" }
    }
    puts "CALL $name $arguments"
}
"""


def stub(tool: str) -> str:
    """A Tcl program that runs the script which is its argument, and knows the commands of a tool alone."""
    procedures = [
        f"proc {name} args {{ called {name} {{{' '.join(options)}}} $args{_EFFECTS.get(name, '')} }}"
        for name, (options, _) in COMMANDS[tool].items()
    ]
    return "\n".join([_STUB, *procedures, "source [lindex $argv 0]", ""])


_EFFECTS = {"get_ports": "; return $args"}
