"""A network between two streams of AXI: every beat and end of a packet, with pauses and packets that are cut off."""

import os
import shutil
import subprocess
from math import prod

import numpy as np
import pytest
from network_builder import NetworkBuilder
from rtl_designs import skip_without_verilator
from strategies import input_codes
from vendor_commands import VIVADO, stub

from siliconv.network import graph as ir
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, plain
from siliconv.rtl.configuration import FAMILY_OF_BOARD, RtlConfig
from siliconv.rtl.plan.lanes import Lanes
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.simulation.verilator import verilator
from siliconv.rtl.writing.axi_top import beats_of, part_of, write_axi_vectors, write_block_design
from siliconv.rtl.writing.rtl_project import write_project

IMAGES = 40
WIDE = FixedPoint(True, 12, 3)


def rgb_image():
    """Three channels in a beat of four lanes; ten results in a beat of sixteen."""
    network = NetworkBuilder((6, 5, 3)).conv(4, (3, 3)).relu().flatten().dense(10).network()
    return network, {next(network.of_kind(ir.Conv)).name: Lanes(3, 2)}


def long_vector():
    """Features in several beats, the last one not full, and more results than a beat holds."""
    network = NetworkBuilder((70,), input_type=WIDE).dense(45).network()
    return network, {node.name: Lanes(10, 9) for node in network.matrices}


def map_out():
    """A map of results, a pixel a beat, whose lanes are as many as its channels."""
    network = NetworkBuilder((5, 4, 2), input_type=FixedPoint(False, 5, 1)).conv(3, (3, 3)).relu().network()
    return network, {node.name: Lanes(1, 3) for node in network.matrices}


def flat_image():
    """An image that is read as a vector, more pixels a word than one."""
    network = NetworkBuilder((4, 4, 2)).flatten().dense(6).relu().network()
    return network, {node.name: Lanes(8, 6) for node in network.matrices}


def folded_result():
    """Results that leave as a map of other channels than they were computed in."""
    network = NetworkBuilder((7,)).dense(12).relu().network()
    last = network.output
    folded = ir.Reshape("folded", (last.name,), (4, 3), plain(last.type))
    return ir.Network("folded", (*network.nodes, folded)), {node.name: Lanes(7, 4) for node in network.matrices}


CASES = [rgb_image, long_vector, map_out, flat_image, folded_result]


def designed(case):
    return plan(*case())


@pytest.mark.parametrize("case", CASES)
def test_words_between_beats_and_core_divide_both(case):
    design = designed(case)
    for stream, node in ((design.source, design.network.input), (design.sink, design.network.output)):
        part, beats = part_of(stream, beats_of(node)), beats_of(node)
        assert stream.lanes % part.lanes == 0
        assert beats.channels % part.lanes == 0
        assert beats.beats == 1 or beats.lanes % part.lanes == 0
        assert part.words * part.lanes == prod(node.shape)


@pytest.fixture(scope="module", params=CASES)
def top_level(request, tmp_path_factory):
    """A project with the vectors of its AXI top level, built."""
    skip_without_verilator()
    folder = tmp_path_factory.mktemp("axi")
    design = designed(request.param)
    write_project([design], folder, images=IMAGES)
    codes = input_codes(design.network, 1, IMAGES)
    results = reference.run(design.network, codes)[design.network.output.name]
    write_axi_vectors(design, codes, results, folder / "vectors")
    assert make(folder, "obj_axi/Vaxi").returncode == 0
    return design, folder


def make(folder, *arguments):
    tool = verilator()
    options = [f"VERILATOR={tool.program}", "OPTIMIZE=-O0", f"MAKE_OPTIONS={tool.make_options}"]
    environment = os.environ | tool.environment
    return subprocess.run(
        ["make", *arguments, *options], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_every_beat_and_every_end_of_a_packet_is_right(top_level):
    _, folder = top_level
    for seed, (pause_in, pause_out) in enumerate([(0, 0), (50, 50), (0, 90), (90, 0)]):
        done = make(folder, "axi", f"OPTIONS=seed {seed} pause_in {pause_in} pause_out {pause_out}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "0 differ" in done.stdout


@pytest.mark.slow
def test_a_wrong_bit_is_seen(top_level):
    _, folder = top_level
    expected = folder / "vectors" / "axi_expected.bin"
    kept = np.fromfile(expected, np.uint8)
    wrong = kept.copy()
    wrong[0] ^= 1
    wrong.tofile(expected)
    done = make(folder, "axi")
    kept.tofile(expected)
    assert done.returncode != 0
    assert " 1 differ" in done.stdout


@pytest.mark.slow
def test_verilator_has_no_warning_for_the_top_level(top_level):
    _, folder = top_level
    done = make(folder, "lint")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("tclsh") is None, reason="no tclsh on the PATH")
@pytest.mark.parametrize("name", ["pynq-z2", "zcu104"])
def test_the_block_design_takes_the_module_as_it_is(name, tmp_path):
    design = designed(rgb_image)
    write_project([design], tmp_path)
    codes = input_codes(design.network, 1, 3)
    results = reference.run(design.network, codes)[design.network.output.name]
    config = RtlConfig(board=name, family=FAMILY_OF_BOARD[name], clock_mhz=125)
    write_block_design(design, config, codes, results, tmp_path)
    rows = (tmp_path / "tb_data" / "input_codes.dat").read_text().splitlines()
    assert rows[0] == "3"
    assert [int(one) for one in rows[2].split()] == codes[1].ravel().tolist()
    left = {"net_overlay.runs/impl_1": "net_wrapper.bit", "net_overlay.gen/sources_1/bd/net/hw_handoff": "net.hwh"}
    for folder, file in left.items():
        (tmp_path / "net_overlay_prj" / folder).mkdir(parents=True)
        (tmp_path / "net_overlay_prj" / folder / file).write_text(file)
    (tmp_path / "vivado.tcl").write_text(stub(VIVADO))
    command = ["tclsh", "vivado.tcl", "block_design.tcl"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    said = done.stdout
    assert "CALL create_bd_cell -type module -reference net_axi core" in said
    assert "FREQMHZ 125.000000" in said
    assert "c_m_axis_mm2s_tdata_width 32" in said
    added = {line.split("/")[-1] for line in said.splitlines() if line.startswith("CALL add_files")}
    assert {"net_axi.v", f"{design.name}.sv", "mvu.sv"} < added
    memories = {path.name for path in tmp_path.iterdir() if ".hex" in path.name}
    assert memories
    assert memories < added
    assert "bench.sv" not in added
    assert {path.name for path in (tmp_path / "overlay").iterdir()} >= {"net.bit", "net_driver.py", "check_board.py"}


def test_a_board_of_another_family_is_refused():
    with pytest.raises(ValueError, match="board: pynq-z2 needs family: xc7"):
        RtlConfig(board="pynq-z2")
