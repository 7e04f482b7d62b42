"""Finish the project that hls4ml wrote: a Makefile, no traces of this run, and what its writers leave wrong."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from siliconv.hls.backends import BACKENDS, SIMULATION
from siliconv.hls.configuration import SHIFT_REGISTER_WORDS, HlsConfig
from siliconv.hls.conversion.build_scripts import write_build_scripts
from siliconv.hls.conversion.weight_headers import READER, read_in_simulation
from siliconv.hls.kinds import Backend
from siliconv.hls.rendering import TEMPLATES, render
from siliconv.hls.vendor.vendor_tools import COMMANDS

TABLE_KERNELS = ("nnet_table.h", "nnet_softmax_tables.h")
"""Kernels of our own that look values up: a port of its memory for each that a cycle reads."""

_VARYING = ("OutputDir:", "Stamp:")

_UNREAD = ("ac_math/lutgen", "ac_math/pdfdocs", "ac_math/tests", "ac_types/gdb", "ac_types/pdfdocs")
"""What comes with Siemens' libraries and no compiler reads: megabytes."""


def finish(graph: Any, config: HlsConfig, folder: Path, top: str) -> None:
    """Finish a project.

    Parameters
    ----------
    graph
        hls4ml's graph, which wrote the project.
    config
        What it was made from.
    folder
        Where the project lies.
    top
        Name of its top function.
    """
    facts, source = BACKENDS[config.backend], folder / "firmware" / f"{top}.cpp"
    # A top level with AXI-Stream ports has one for the input and one for the output.
    axi = facts.is_amd and len(graph.inputs) == 1 and len(graph.outputs) == 1
    _remove_traces_of_this_run(folder, top, graph.config.get_config_value("Stamp"))
    for name in _UNREAD:
        shutil.rmtree(folder / "firmware" / name, ignore_errors=True)
    if facts.is_simulated:
        simulation = folder / "firmware" / SIMULATION
        simulation.mkdir()
        for header in (TEMPLATES / SIMULATION).glob("*.h" if facts.has_ac_kernels else READER):
            shutil.copyfile(header, simulation / header.name)
        read_in_simulation(source, folder / "firmware" / "weights")
    if facts.is_amd:
        write_build_scripts(folder, top, config, axi=axi)
    if facts.family is Backend.VITIS:
        for header in (folder / "firmware" / "nnet_utils").glob("*.h"):
            _inline_without_instances(header)
        _count_in_place_of_dividing(folder / "firmware" / "nnet_utils" / "nnet_dense_resource.h")
        for name in TABLE_KERNELS:
            _bind_tables(folder / "firmware" / "nnet_utils" / name)
    if config.weight_memory != "auto":
        _bind_weights(folder / "firmware" / "nnet_utils" / "nnet_dense_resource.h", config.weight_memory)
    if config.fifo_memory == "shift_registers":
        _bind_fifos(source)
    if config.backend == "Quartus":
        for header in (folder / "firmware" / "weights").glob("*.h"):
            _read_in_simulation(header)
        if config.io_type == "io_stream":
            _trace_own_outputs(graph, source)
    if facts.is_simulated:
        write_makefile(config, folder, top, axi=axi)


def write_makefile(config: HlsConfig, folder: Path, top: str, *, axi: bool = True) -> None:
    """Write the Makefile of a project, for g++ and for the vendor's tool; `axi`: with the AXI-Stream top level."""
    facts = BACKENDS[config.backend]
    text = render(
        "Makefile.j2",
        top=top,
        backend=config.backend,
        amd=facts.is_amd,
        axi=axi and facts.is_amd,
        part=config.part,
        includes=facts.includes,
        steps="synth cosim" if config.backend == "Quartus" else "csim synth",
        tools=COMMANDS.get(facts.family, ()),
    )
    (folder / "Makefile").write_text(text, encoding="utf-8")


def _inline_without_instances(header: Path) -> None:
    """Leave `function_instantiate` out of functions that are inlined: Vitis HLS refuses both (hls4ml issue 897)."""
    text = header.read_text(encoding="utf-8")
    # An inlined function goes on to the brace at the beginning of a line.
    inlined = re.compile(r"^ *#pragma HLS INLINE\n(?:(?!^\}).*\n)*", flags=re.MULTILINE)
    without = inlined.sub(
        lambda body: re.sub(r"^.*#pragma HLS function_instantiate.*\n", "", body[0], flags=re.M), text
    )
    if without != text:
        header.write_text(without, encoding="utf-8")


def _bind_fifos(source: Path) -> None:
    """Bind the FIFOs that are not too deep to shift registers; hls4ml itself has no such setting."""
    lines = []
    for line in source.read_text(encoding="utf-8").splitlines():
        lines.append(line)
        found = re.fullmatch(r"(\s*)#pragma HLS STREAM variable=(\w+) depth=(\d+)", line)
        if found and int(found[3]) <= SHIFT_REGISTER_WORDS:
            lines.append(f"{found[1]}#pragma HLS BIND_STORAGE variable={found[2]} type=fifo impl=srl")
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _count_in_place_of_dividing(header: Path) -> None:
    """Count the inputs of a reuse loop: for a remainder of its steps Vitis HLS builds a divider (hls4ml issue 629)."""
    text = header.read_text(encoding="utf-8")
    divided = re.compile(
        r"(?P<at> *)int outidx\[rufactor\];\n(?P<loop>IndexLoop:\n.*\n.*outidx\[ir\] = outstep;\n)"
        r" *if \(\(ir \+ 1\) % nin == 0\) \{\n"
    )
    counted = divided.sub(
        r"\g<at>int outidx[rufactor];\n\g<at>int instep = 0;\n\g<loop>\g<at>    if (++instep == nin) {\n"
        r"\g<at>        instep = 0;\n",
        text,
    )
    if counted == text:
        raise RuntimeError(f"no index table of a reuse loop in {header.name}: another release of hls4ml?")
    header.write_text(counted, encoding="utf-8")


def _bind_tables(header: Path) -> None:
    """Bind the tables of our kernels as Vitis HLS names it; the pragma that is written is Vivado HLS's."""
    if header.is_file():
        text = header.read_text(encoding="utf-8")
        spelled = r"#pragma HLS RESOURCE variable=(\w+) core=ROM_nP_BRAM"
        bound = re.sub(spelled, r"#pragma HLS BIND_STORAGE variable=\1 type=rom_np impl=bram", text)
        header.write_text(bound, encoding="utf-8")


def _bind_weights(header: Path, memory: str) -> None:
    """Bind the weights of the reuse loops: the pragma of the template is Vivado HLS's, and Vitis HLS decides itself."""
    kind = {"block": "bram", "luts": "lutram"}[memory]
    text = header.read_text(encoding="utf-8")
    bound = re.sub(
        r"#pragma HLS RESOURCE variable=weights core=ROM_nP_BRAM",
        f"#pragma HLS BIND_STORAGE variable=weights type=rom_np impl={kind}",
        text,
    )
    if bound == text:
        raise RuntimeError(f"no storage of weights is named in {header.name}: another release of hls4ml?")
    header.write_text(bound, encoding="utf-8")


def _read_in_simulation(header: Path) -> None:
    """Let g++ read weights when the simulation starts: the constructors of a large array take it too long."""
    text = header.read_text(encoding="utf-8")
    declared = re.compile(
        r"#ifdef __INTELFPGA_COMPILER__\n(?P<memory>(?:hls_.*\n)*)#endif\n"
        r"(?P<array>static const (?P<type>\w+) (?P<name>\w+)\[(?P<size>\d+)\] = .*;\n)"
    )
    text = declared.sub(
        "#ifdef __INTELFPGA_COMPILER__\n\\g<memory>\\g<array>#else\n"
        f'#include "{READER}"\n'
        f'static const simulation::weights<\\g<type>, \\g<size>> \\g<name>("{header.name}");\n#endif\n',
        text,
    )
    header.write_text(text, encoding="utf-8")


def _trace_own_outputs(graph: Any, source: Path) -> None:
    """Let each trace read its own layer's stream: hls4ml's Quartus writer lets all of them read the last one's."""
    text = source.read_text(encoding="utf-8")
    for layer in graph.get_layers():
        variable = layer.get_output_variable()
        text = re.sub(
            rf'nnet::save_layer_output<\w+>\(\w+, "{layer.name}", [\w*]+\)',
            f'nnet::save_layer_output<{variable.type.name}>({variable.name}, "{layer.name}", {variable.size_cpp()})',
            text,
        )
    source.write_text(text, encoding="utf-8")


def _remove_traces_of_this_run(folder: Path, top: str, stamp: str) -> None:
    """Leave out what differs from run to run, so that the same network gives the same project to the byte."""
    # oneAPI's kernels and its library are called by the run.
    for stamped in [*folder.glob("CMakeLists.txt"), *folder.glob("src/*.cpp")]:
        stamped.write_text(stamped.read_text(encoding="utf-8").replace(stamp, "firmware"), encoding="utf-8")
    # Compiles into a library with a random name; the Makefile takes its place.
    (folder / "build_lib.sh").unlink(missing_ok=True)
    settings = folder / "hls4ml_config.yml"
    kept = [line for line in settings.read_text(encoding="utf-8").splitlines() if not line.startswith(_VARYING)]
    settings.write_text("\n".join(kept) + "\n", encoding="utf-8")
    # The folder by its whole path; the Makefile says it where the firmware is compiled.
    for bridge in folder.glob(f"{top}_bridge.cpp"):
        text = bridge.read_text(encoding="utf-8")
        bridge.write_text(re.sub(r'(std::string s_weights_dir = )"[^"]*";', r"\1WEIGHTS_DIR;", text), encoding="utf-8")
