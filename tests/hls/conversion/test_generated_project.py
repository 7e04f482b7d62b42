"""The generated project stands alone: make and g++ run its test benches, the vendor's Tcl has every step, and the
driver of a board speaks the same codes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from vendor_commands import OF_HLS4ML, VITIS_HLS, VITIS_RUN, VIVADO, VIVADO_HLS, program, stub
from written_firmware import edit_numbers

from siliconv.hardware.beat_format import beat_format
from siliconv.hardware.file_hashes import file_hash
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.axi import write_axi
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.manifest import write_manifest
from siliconv.hls.conversion.project_readme import write_readme
from siliconv.hls.conversion.testbench import write_testbench
from siliconv.network import reference
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import FixedPoint, exact_codes, to_values

pytestmark = pytest.mark.usefixtures("compiler")
MAKE = ("make", "-f", "Makefile")


# Arrays of one back end, and streams of one of each library of numbers; the others are slow.
MADE = [
    pytest.param(
        (backend, io_type),
        id=f"{backend} {io_type}",
        marks=[pytest.mark.slow] if backend == "Catapult" or (io_type == "io_parallel" and backend != "Vitis") else [],
    )
    for backend in ("Vitis", "VivadoAccelerator", "Quartus", "Catapult")
    for io_type in ("io_stream", "io_parallel")
]


@pytest.fixture(scope="module", params=MADE)
def made(request, build, tmp_path_factory):
    """A project as the stage `convert` writes it, compiled at the first `make`."""
    network = build((4, 4, 2)).conv(2, (3, 3)).relu().flatten().dense(3).network()
    backend, io_type = request.param
    config = HlsConfig(backend=backend, io_type=io_type)
    folder = tmp_path_factory.mktemp("made") / "firmware"
    folder.mkdir()
    firmware = convert(network, config, folder)
    codes = np.random.default_rng(0).integers(0, 256, (6, *network.input.shape))
    write_testbench(network, codes, folder, config)
    if BACKENDS[backend].is_amd:
        write_axi(network, config, folder)
    write_readme(firmware, network, config, vectors=len(codes))
    write_manifest(firmware, network, config, folder)
    return SimpleNamespace(network=network, folder=folder, codes=codes, backend=backend, stream=io_type == "io_stream")


@pytest.fixture
def amd(made):
    """A project for AMD's tools."""
    if not BACKENDS[made.backend].is_amd:
        pytest.skip("for AMD's tools only")
    return made


def make(made, *arguments):
    return subprocess.run([*MAKE, *arguments], cwd=made.folder, capture_output=True, text=True, check=False)


@pytest.fixture
def vectors(made):
    """The vector files; put back what a test does to them."""
    folder = made.folder / "tb_data"
    originals = {path: path.read_text() for path in folder.glob("*.dat")}
    yield folder
    for path, text in originals.items():
        path.write_text(text)


@pytest.mark.parametrize("target", ["csim", "axi"])
def test_a_test_bench_passes_and_fails_on_any_difference_and_on_missing_or_cut_vectors(made, vectors, target):
    if target == "axi" and not BACKENDS[made.backend].is_amd:
        pytest.skip("for AMD's tools only")
    passed = make(made, target)
    assert passed.returncode == 0, passed.stderr
    assert "PASS: 6 vectors" in passed.stdout
    for name in ("input_codes.dat", "golden_codes.dat"):
        path = vectors / name
        original = path.read_text()
        lines = original.splitlines()
        damaged = {
            "the last vector is missing": "\n".join(lines[:-1]) + "\n",
            "the last vector is cut": original.rstrip().rsplit(" ", 1)[0],
            "only the count is there": lines[0],
            "nothing is there": "",
            "one vector less is announced": "\n".join(["5", *lines[1:-1]]),
            "no vector is announced": "0\n",
            "a code is no number": original.replace(lines[3].split()[0], "x", 1),
        }
        for what, text in damaged.items():
            path.write_text(text)
            failed = make(made, target)
            assert failed.returncode != 0, (name, what)
            assert "FAIL" in failed.stderr, (name, what)
        path.unlink()
        assert make(made, target).returncode != 0, f"{name} is missing"
        path.write_text(original)
    golden = vectors / "golden_codes.dat"
    lines = golden.read_text().splitlines()
    numbers = lines[2].split()
    golden.write_text("\n".join([*lines[:2], " ".join([*numbers[:-1], str(int(numbers[-1]) ^ 1)]), *lines[3:]]))
    assert make(made, target).returncode != 0


@pytest.fixture
def driver(amd):
    return loaded_driver(amd.folder)


def loaded_driver(folder):
    (path,) = (folder / "driver").glob("*_driver.py")
    spec = importlib.util.spec_from_file_location("driver", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_the_driver_packs_runs_through_the_top_level_and_is_unpacked_as_the_emulator_says(made, driver, tmp_path):
    assert make(made, "csim/axi_testbench").returncode == 0
    driver.pack(made.codes).tofile(tmp_path / "in.bin")
    bench = str(made.folder / "csim" / "axi_testbench")
    subprocess.run([bench, str(tmp_path / "in.bin"), str(tmp_path / "out.bin")], cwd=made.folder, check=True)
    codes = driver.unpack(np.fromfile(tmp_path / "out.bin", dtype=driver.OUTPUT_LANE))
    output = made.network.output
    expected = emulator.compile(made.network).run(made.codes)[output.name]
    assert np.array_equal(codes, expected)
    assert (codes < 0).any(), "no sign was extended"
    assert np.array_equal(driver.to_values(codes), to_values(codes, output.type))
    assert np.array_equal(exact_codes(driver.to_values(codes), output.type, where="driver"), codes)


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_pixels_wider_than_a_beat_come_in_several(build, tmp_path, io_type):
    """Three pixels of 40 signed codes of 12 bits, two beats each; one result of 70 codes."""
    signed = FixedPoint(True, 12, 4)
    network = build((3, 40), input_type=signed).conv(2, (3,)).relu().flatten().dense(70).network()
    config = HlsConfig(io_type=io_type)
    convert(network, config, tmp_path)
    codes = np.random.default_rng(0).integers(*signed.codes, (5, 3, 40), endpoint=True)
    write_testbench(network, codes, tmp_path, config)
    write_axi(network, config, tmp_path)
    done = subprocess.run([*MAKE, "axi"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    driver = loaded_driver(tmp_path)
    lanes = driver.pack(codes)
    assert lanes.shape == (5, 3, 64), "two beats of 32 lanes of 16 bits"
    assert np.array_equal(driver.to_codes(to_values(codes, signed)), codes), "real values are codes again"
    step = signed.step
    assert driver.to_codes([0.5 * step, 1.5 * step, 100.0, -100.0]).tolist() == [0, 2, *reversed(signed.codes)]
    lanes.tofile(tmp_path / "in.bin")
    subprocess.run(["csim/axi_testbench", "in.bin", "out.bin"], cwd=tmp_path, check=True)
    found = driver.unpack(np.fromfile(tmp_path / "out.bin", np.uint8))
    output = beat_format(network.output.shape, network.output.type)
    assert output.beats > 1
    assert (tmp_path / "out.bin").stat().st_size == 5 * output.beats * 64
    assert np.array_equal(found, reference.run(network, codes)[network.output.name])


def test_the_driver_refuses_what_are_no_codes(made, driver):
    with pytest.raises(TypeError, match="integer codes"):
        driver.pack(made.codes / 256)
    with pytest.raises(ValueError, match="expected 0 to 255"):
        driver.pack(made.codes + 1000)
    with pytest.raises(ValueError, match="expected \\(4, 4, 2\\)"):
        driver.pack(made.codes[:, :2])


def test_the_driver_runs_a_board_that_computes_what_the_reference_does(made, driver, monkeypatch):
    network = made.network

    class Channel:
        def transfer(self, buffer, nbytes):
            log.append((self, buffer[: nbytes // buffer[0].nbytes]))
            assert log[-1][1].nbytes == nbytes

        def wait(self):
            sent = next(buffer for channel, buffer in log if channel is overlay.axi_dma_0.sendchannel)
            images = sent.astype(np.int64).reshape(-1, *network.input.shape)
            result = next(buffer for channel, buffer in log if channel is overlay.axi_dma_0.recvchannel)
            result[:, : network.output.shape[-1]] = reference.run(network, images)[network.output.name]
            waited.append(self)
            batches.append(len(images))
            if len(waited) % 2 == 0:
                log.clear()

    log: list = []
    waited: list = []
    batches: list = []
    overlay = SimpleNamespace(axi_dma_0=SimpleNamespace(sendchannel=Channel(), recvchannel=Channel()))
    pynq = SimpleNamespace(Overlay=lambda bitstream: overlay, allocate=lambda shape, dtype: np.zeros(shape, dtype))
    monkeypatch.setitem(sys.modules, "pynq", pynq)
    found = driver.Firmware("net.bit", batch=4).predict(made.codes)
    expected = reference.run(network, made.codes)[network.output.name]
    assert np.array_equal(found, to_values(expected, network.output.type))
    assert batches == [4, 4, 2, 2], "six images are two transfers, there and back"


def test_a_wrong_tlast_and_a_packet_that_leaks_into_the_next_are_seen(amd):
    made = amd
    if not made.stream:
        pytest.skip("the same lines as with streams")
    source = made.folder / "axi" / "net_axi.cpp"
    original = source.read_text()
    for wrong, right in (
        ("beat.last = 1;", "beat.last = last;"),
        ("static bool ended = false;", "bool ended = false;"),
        ("packet_ends.write(true);", "packet_ends.write(ended);"),
    ):
        assert right in original
        source.write_text(original.replace(right, wrong))
        failed = make(made, "axi")
        source.write_text(original)
        assert failed.returncode != 0, right
        assert "FAIL" in failed.stderr


@pytest.mark.parametrize(
    ("edit", "said"),
    [("layer2_out.read();", "is read while empty"), ("layer2_out.write({});", "contains leftover data")],
    ids=["dry", "left over"],
)
def test_a_stream_that_runs_dry_or_keeps_a_word_fails_the_test_bench(made, edit, said):
    if not made.stream:
        pytest.skip("no streams between the layers")
    source = made.folder / "firmware" / "net.cpp"
    original = source.read_text()
    # Behind the layer that reads it to its end.
    source.write_text(re.sub(r"^.*nnet::relu<.*$", rf"\g<0>\n    {edit}", original, flags=re.MULTILINE))
    assert source.read_text() != original
    failed = make(made, "csim")
    source.write_text(original)
    assert failed.returncode != 0
    assert said in failed.stdout
    assert "FAIL: a stream" in failed.stderr


def test_a_weight_that_was_edited_fails_the_test_bench(made):
    weights = made.folder / "firmware" / "weights" / "w2.h"
    original = weights.read_text()
    edit_numbers(weights, lambda numbers: [-numbers[0] or 0.25, *numbers[1:]])
    failed = make(made, "csim")
    weights.write_text(original)
    assert failed.returncode != 0
    assert "outputs differ" in failed.stderr
    assert not list(weights.parent.glob("*.txt")), "what only simulation would read is not written"


def test_the_test_bench_finds_its_files_from_another_folder(made, tmp_path):
    if made.backend != "Catapult":
        pytest.skip("SCVerify is Catapult's")
    assert make(made, "csim/testbench").returncode == 0
    bench = [str(made.folder / "csim" / "testbench"), str(made.folder / "firmware" / "weights")]
    done = subprocess.run(bench, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "PASS: 6 vectors" in done.stdout


def test_what_no_compiler_reads_is_left_out(made):
    files = [path for path in made.folder.rglob("*") if path.is_file() and "csim" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 4_000_000
    assert not [path for path in files if path.suffix in (".pdf", ".gz", ".so")]


@pytest.mark.skipif(shutil.which("tclsh") is None, reason="no tclsh on the PATH")
def test_the_scripts_know_the_tools_commands_and_have_every_step(amd, tmp_path):
    made = amd
    tools = [VITIS_RUN, VITIS_HLS] if made.backend == "Vitis" else [VIVADO_HLS]
    for name in (tools[0], VIVADO):
        program(name, tmp_path)

    def calls(target, steps):
        # The Makefile finds the tool on the PATH.
        environment = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}
        command = [*MAKE, target, f"STEPS={steps}"]
        ran = subprocess.run(command, cwd=made.folder, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        for named in re.findall(r"^CALL add_files (?:-tb )?(\S+)", ran.stdout, flags=re.MULTILINE):
            assert (made.folder / named).exists() or named.endswith("syn/verilog"), named
        return ran.stdout

    wrapped = made.backend == "VivadoAccelerator"
    for target, function, project in (
        ("hls", "net_axi" if wrapped else "net", "net_prj"),
        ("hls-axi", "net_axi", "net_axi_prj"),
    ):
        said = calls(target, "reset csim synth cosim export vsynth")
        for call in (
            f"open_project -reset {project}",
            f"set_top {function}",
            "csim_design",
            "csynth_design",
            "cosim_design -trace_level none",
            "export_design -format ip_catalog",
            "config_rtl -reset state",
            f"synth_design -top {function}",
            f"report_timing_summary -file {project}/vivado_timing.rpt",
            "add_files -tb tb_data",
            tools[0],
            "vivado -mode batch -source",
        ):
            assert f"CALL {call}" in said, (call, said)
        assert ("CALL config_compile -pipeline_style flp" in said) == (made.backend == "Vitis")
        assert ("CALL config_array_partition" in said) == (made.backend != "Vitis")
        assert ("-DSILICONV_AXI_TOP" in said) == (target == "hls-axi")
        only = calls(target, "synth")
        assert "CALL csynth_design" in only
        assert "CALL csim_design" not in only
    (tmp_path / tools[0]).unlink()
    program(tools[-1], tmp_path)
    assert f"CALL {tools[-1]} -" in calls("hls", "synth")


@pytest.mark.skipif(shutil.which("tclsh") is None, reason="no tclsh on the PATH")
def test_hls4mls_own_block_design_knows_vivados_commands(amd, tmp_path):
    if amd.backend != "VivadoAccelerator":
        pytest.skip("hls4ml writes none for the others")
    # Its properties and pins are its authors', who ran it.
    design = (amd.folder / "design.tcl").read_text().replace("set_property -dict", "#")
    (tmp_path / "design.tcl").write_text(re.sub(r"\[get_bd_(?:intf_)?pins [^]]*\]", "pin", design))
    shutil.copyfile(amd.folder / "project.tcl", tmp_path / "project.tcl")
    (tmp_path / "vivado.tcl").write_text(stub(VIVADO, others=OF_HLS4ML))
    done = subprocess.run(["tclsh", "vivado.tcl", "design.tcl"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CALL launch_runs impl_1 -to_step write_bitstream" in done.stdout


def test_a_stub_refuses_what_a_tool_does_not_know(tmp_path):
    (tmp_path / "tool.tcl").write_text(stub(VITIS_HLS))
    for line in ("config_array_partition -maximum_size 4096", "csim_design -fast", "open_nothing"):
        (tmp_path / "script.tcl").write_text(line)
        ran = subprocess.run(["tclsh", "tool.tcl", "script.tcl"], cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode != 0, line
    (tmp_path / "tool.tcl").write_text(stub(VIVADO))
    dma = "create_bd_cell -type ip -vlnv xilinx.com:ip:axi_dma dma\n"
    for line, right in (
        ("get_bd_pins dma/reset", "get_bd_pins dma/axi_resetn"),
        ("get_bd_intf_pins dma/M_AXIS", "get_bd_intf_pins dma/M_AXIS_MM2S"),
        ("set_property -dict [list CONFIG.c_sg {0}] dma", "set_property -dict [list CONFIG.c_include_sg {0}] dma"),
        (
            "create_bd_cell -type ip -vlnv xilinx.com:ip:dma d",
            "create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect d",
        ),
        ("get_bd_pins other/aclk", "get_bd_cells other"),
        ("set_property board x [current_project]", "set_property board_part x [current_project]"),
    ):
        for script, fails in ((line, True), (right, False)):
            (tmp_path / "script.tcl").write_text(dma + script)
            ran = subprocess.run(["tclsh", "tool.tcl", "script.tcl"], cwd=tmp_path, capture_output=True, text=True)
            assert (ran.returncode != 0) == fails, (script, ran.stderr)
    for name, arguments in ((VITIS_RUN, ["-f", "x.tcl"]), (VITIS_HLS, ["--mode", "hls", "--tcl", "x.tcl"])):
        assert subprocess.run([program(name, tmp_path), *arguments], cwd=tmp_path, capture_output=True).returncode != 0


def test_the_core_leaves_its_ports_to_the_top_level_around_it(amd):
    text = (amd.folder / "firmware" / "net.cpp").read_text()
    ports = re.findall(r"^.*#pragma HLS INTERFACE.*$", text, flags=re.MULTILINE)
    guarded = re.findall(r"#ifndef SILICONV_AXI_TOP\n((?:.*INTERFACE.*\n)+)#endif", text)
    assert sum(block.count("INTERFACE") for block in guarded) == len(ports)
    assert ports or amd.backend == "VivadoAccelerator"


def test_make_hls_gives_the_vendors_compiler_the_projects_own_files(made):
    if BACKENDS[made.backend].is_amd:
        pytest.skip("the scripts of AMD's tools are run by another test")
    done = make(made, "hls", "STEPS=synth vsynth", "HLS=echo CALL")
    assert done.returncode == 0, done.stderr
    (call,) = [line for line in done.stdout.splitlines() if line.startswith("CALL")]
    if made.backend == "Quartus":
        assert "-march=Arria10" in call
        assert "--quartus-compile" in call
        named = re.findall(r"\S+\.cpp", call)
    else:
        assert "synth=1" in call
        assert "csim=0" in call
        script = (made.folder / "build_prj.tcl").read_text()
        named = [str(made.folder / "build_prj.tcl"), *re.findall(r"\$sfd/(\S+\.cpp)", script)]
        assert 'INVOKE_ARGS "$sfd/firmware/weights"' in script
    assert len(named) >= 2
    assert all((made.folder / name).exists() for name in named)


def test_the_manifest_has_the_hash_of_every_file_and_the_readme_names_what_is_there(made):
    files = json.loads((made.folder / "siliconv.json").read_text())["files"]
    for relative, digest in files.items():
        assert file_hash(made.folder / relative) == digest, relative
    of_amd = ("build_prj.tcl", "axi/net_axi.cpp") if BACKENDS[made.backend].is_amd else ()
    for needed in ("README.md", "Makefile", "tb_data/golden_codes.dat", *of_amd):
        assert needed in files
    text = (made.folder / "README.md").read_text()
    assert ("No board was at hand" in text) == BACKENDS[made.backend].is_amd, "both default parts are on a board"
    for layer in made.network.nodes:
        assert f"| {layer.name} |" in text
    for path in re.findall(r"`([\w/]+(?:\.\w+|/))`", text):
        assert (made.folder / path).exists(), path
    for command in re.findall(r"^    make (\w+)", text, flags=re.MULTILINE):
        assert re.search(rf"^{command}:", (made.folder / "Makefile").read_text(), flags=re.MULTILINE), command
