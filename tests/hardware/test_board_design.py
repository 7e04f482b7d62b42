"""The block design of a board: its script keeps to Vivado's commands and stops where it has to, and the check on the
board sees a wrong bit. No board and no Vivado was here.
"""

import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from network_builder import NetworkBuilder
from vendor_commands import VIVADO, stub

from siliconv.hardware.beat_format import beat_format
from siliconv.hardware.board_design.board_design import StreamCore, board_for, write_board_design
from siliconv.hardware.boards import board, boards
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.axi import write_axi
from siliconv.hls.conversion.testbench import write_hls4ml_vectors
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint

KNOWN = [one.name for one in boards() if one.processing_system]


def test_boards_with_a_block_design_are_found_by_their_part():
    assert KNOWN == ["pynq-z2", "zcu104", "kv260"]
    for name in KNOWN:
        assert board_for(board(name).part) == board(name)
    assert board_for(board("alveo-u250").part) is None
    assert board_for(board("zcu106").part, "zcu106") is None, "the same device on another board"


@pytest.fixture(params=KNOWN)
def script(request, tmp_path):
    """A board's script, with what implementation and export would have left."""
    (tmp_path / "driver").mkdir()
    rgb, logits = beat_format((64, 64, 3), FixedPoint(False, 8, 0)), beat_format((10,), FixedPoint(True, 18, 7))
    core = StreamCore("net_axi", "net_axi_prj/solution1/impl/ip", rgb, logits)
    write_board_design(board(request.param), core, "net", 8.0, tmp_path)
    run = tmp_path / "net_overlay_prj" / "net_overlay.runs" / "impl_1"
    handoff = tmp_path / "net_overlay_prj" / "net_overlay.gen" / "sources_1" / "bd" / "net" / "hw_handoff"
    for folder in (run, handoff, tmp_path / "tb_data"):
        folder.mkdir(parents=True)
    (run / "net_wrapper.bit").write_text("bits")
    (handoff / "net.hwh").write_text("description")
    for name in ("driver/net_driver.py", "tb_data/input_codes.dat", "tb_data/golden_codes.dat"):
        (tmp_path / name).write_text(name)
    (tmp_path / "vivado.tcl").write_text(stub(VIVADO))
    return SimpleNamespace(folder=tmp_path, board=board(request.param))


def run(script, answers=""):
    command = ["tclsh", "vivado.tcl", "block_design.tcl"]
    environment = {**os.environ, "STUB_ANSWERS": answers}
    return subprocess.run(command, cwd=script.folder, env=environment, capture_output=True, text=True)


needs_tclsh = pytest.mark.skipif(shutil.which("tclsh") is None, reason="no tclsh on the PATH")


@needs_tclsh
def test_a_script_connects_clock_reset_and_streams_and_gathers_the_overlay(script):
    done = run(script)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    said = done.stdout
    assert f"create_project net_overlay {script.folder}/net_overlay_prj -part {script.board.part} -force" in said
    assert "FREQMHZ 125.000000" in said
    assert "c_m_axis_mm2s_tdata_width 32 CONFIG.c_m_axi_mm2s_data_width 32" in said
    assert "c_s_axis_s2mm_tdata_width 512 CONFIG.c_m_axi_s2mm_data_width 512" in said
    clocked = re.findall(r"CALL connect_bd_net ps/(?:FCLK_CLK0|pl_clk0) (\S+)", said)
    wanted = ["core/ap_clk", "reset/slowest_sync_clk", "to_control/aclk", "to_memory/aclk"]
    assert set(wanted) < set(clocked)
    assert len(clocked) == 9, "four of the DMA and its neighbours, two of the processing system"
    assert "CALL connect_bd_net reset/peripheral_aresetn core/ap_rst_n" in said
    overlay = {path.name for path in (script.folder / "overlay").iterdir()}
    assert overlay == {"net.bit", "net.hwh", "net_driver.py", "check_board.py", "input_codes.dat", "golden_codes.dat"}


@needs_tclsh
@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ("STATS.WNS -0.31", "misses the clock of 125.000000 MHz by 0.31 ns"),
        ("STATS.WHS -0.02", "misses the clock"),
        ("PROGRESS 45% STATUS {place_design ERROR}", "implementation ended with: place_design ERROR"),
        ("get_board_parts {}", "the board files of the"),
        ("get_ipdefs {}", "export it first"),
    ],
)
def test_a_script_stops_where_the_design_would_not_run(script, answers, says):
    done = run(script, answers)
    assert done.returncode == 1
    assert f"ERROR: {done.stdout.split('ERROR: ')[1].splitlines()[0]}" in done.stdout
    assert says in done.stdout
    assert not (script.folder / "overlay").exists()


@pytest.fixture
def overlay(tmp_path):
    """What the board gets, with a stand-in for PYNQ that computes what the reference does."""
    network = NetworkBuilder((4, 4, 3)).conv(2, (3, 3)).relu().flatten().dense(3).network()
    config = HlsConfig(part=board("pynq-z2").part)
    codes = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3))
    write_axi(network, config, tmp_path)
    write_hls4ml_vectors(network, codes, tmp_path)
    golden = reference.run(network, codes)[network.output.name]
    for name, tensor in (("input_codes.dat", codes), ("golden_codes.dat", golden)):
        rows = "\n".join(" ".join(map(str, row.ravel())) for row in tensor)
        (tmp_path / "driver" / name).write_text(f"{len(tensor)}\n{rows}\n")
    (tmp_path / "driver" / "net.bit").write_text("bits")
    weights = golden.tolist()
    (tmp_path / "driver" / "pynq.py").write_text(
        f"""
import json, os
import numpy as np
INPUTS, GOLDEN = np.array({codes.tolist()}), np.array({weights})
def allocate(shape, dtype): return np.zeros(shape, dtype)
class Channel:
    def __init__(self, board): self.board = board
    def transfer(self, buffer, nbytes): self.buffer = buffer.reshape(len(buffer), -1)[: nbytes // buffer[0].nbytes]
    def wait(self):
        if self is not self.board.recvchannel: return
        sent = self.board.sendchannel.buffer.reshape(-1, 16, 4)[..., :3].reshape(-1, 4, 4, 3)
        for row, image in zip(self.buffer, sent):
            (number,) = np.flatnonzero((INPUTS == image).all(axis=(1, 2, 3)))
            row[:3] = GOLDEN[number]
            if os.environ.get("WRONG") == str(number): row[0] ^= 1
class Board:
    buffer_max_size = 1 << 26
    def __init__(self): self.sendchannel, self.recvchannel = Channel(self), Channel(self)
class Overlay:
    def __init__(self, bitstream): self.axi_dma_0 = Board()
"""
    )
    return tmp_path / "driver"


@pytest.mark.parametrize("wrong", ["", "3"])
def test_the_check_compares_every_bit_one_by_one_and_in_one_transfer(overlay, wrong):
    environment = {**os.environ, "WRONG": wrong, "PYTHONSAFEPATH": ""}
    done = subprocess.run(
        [sys.executable, "check_board.py"], cwd=overlay, env=environment, capture_output=True, text=True
    )
    assert done.returncode == (1 if wrong else 0), done.stdout + done.stderr
    assert ("FAIL" if wrong else "PASS: every bit equal on the board") in done.stdout
    assert f"{1 if wrong else 0} of 5 vectors differ, 5 a transfer" in done.stdout
    found = (overlay / "board.json").read_text()
    assert f'"exact": {"false" if wrong else "true"}' in found
    assert '"vectors": 5' in found
