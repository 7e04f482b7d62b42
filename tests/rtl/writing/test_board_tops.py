"""A network on a board's serial line: the bits that come back, a word that is lost, the script at the other end."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from rtl_designs import skip_without_verilator
from small_network import small_network
from strategies import input_codes

from siliconv.network import reference
from siliconv.rtl.plan.lanes import Lanes
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.simulation.verilator import verilator
from siliconv.rtl.simulation.word_files import to_words
from siliconv.rtl.writing.board_tops import BOARD_TOPS
from siliconv.rtl.writing.rtl_project import write_project

BENCH = r"""
#include "Vulx3s_top.h"
#include <cstdio>
#include <cstdlib>
#include <vector>
// arguments: bytes of an image, bytes of its result; images on stdin, results on stdout; at last the LEDs
static Vulx3s_top top;
static std::vector<unsigned char> got;
static int state = 0, waited = 0, value = 0;
static void tick() {
  top.clk_25mhz = 0; top.eval(); top.clk_25mhz = 1; top.eval();
  if (state == 0) { if (!top.ftdi_rxd) { state = 1; waited = 6; value = 0; } }
  else if (--waited == 0) {
    waited = 4;
    if (state <= 8) value |= top.ftdi_rxd << (state - 1);
    else { got.push_back(value); if (!top.ftdi_rxd) exit(4); }
    state = state == 9 ? 0 : state + 1;
  }
}
int main(int argc, char **argv) {
  int in = atoi(argv[1]), out = atoi(argv[2]), sent = 0;
  bool wait = atoi(argv[3]);
  top.ftdi_txd = 1;
  for (int n = 0; n < 40; n++) tick();
  for (int byte; (byte = getchar()) != EOF;) {
    int frame = byte << 1 | 0x200;
    for (int bit = 0; bit < 10; bit++) { top.ftdi_txd = frame >> bit & 1; for (int n = 0; n < 4; n++) tick(); }
    if (++sent % in == 0 && wait)
      for (int n = 0; (int)got.size() < sent / in * out && n < 100000; n++) tick();
  }
  for (int n = 0; n < 3000; n++) tick();
  for (unsigned char one : got) putchar(one);
  putchar(top.led);
}
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """A project with a network on a ULX3S, and its simulation with four cycles a bit."""
    skip_without_verilator()
    folder = tmp_path_factory.mktemp("board")
    design = plan(small_network(), {"dense": Lanes(1, 3)})
    write_project([design], folder)
    (folder / "serial.cpp").write_text(BENCH)
    tool = verilator()
    environment = os.environ | tool.environment
    sources = [f"{design.name}.sv", "ulx3s/ulx3s_top.sv", "../serial.cpp"]
    command = [
        tool.program,
        "--cc",
        "--exe",
        "--top-module",
        "ulx3s_top",
        "-GCyclesPerBit=4",
        "-y",
        "library",
        *sources,
    ]
    subprocess.run([*command, "--Mdir", "obj"], cwd=folder, env=environment, check=True)
    make = ["make", "-C", "obj", "-f", "Vulx3s_top.mk", "OPT_FAST=-O0", "OPT_SLOW=", "OPT_GLOBAL=-O0"]
    subprocess.run([*make, *tool.make_options.split()], cwd=folder, env=environment, check=True, capture_output=True)
    return design, folder


def words_of(codes, stream):
    """The bytes of words as they go over the line."""
    return to_words(codes, stream)[:, : -(-stream.bits // 8)].tobytes()


def over_the_line(board, sent, results, *, wait):
    design, folder = board
    sizes = [design.source.words * -(-design.source.bits // 8), results, int(wait)]
    command = [folder / "obj" / "Vulx3s_top", *map(str, sizes)]
    return subprocess.run(command, cwd=folder, input=sent, capture_output=True, check=True).stdout


@pytest.mark.slow
def test_results_come_back_bit_for_bit(board):
    design, _ = board
    codes = input_codes(design.network, 1, 20)
    expected = words_of(reference.run(design.network, codes)[design.network.output.name], design.sink)
    *found, leds = over_the_line(board, words_of(codes, design.source), len(expected) // 20, wait=True)
    assert bytes(found) == expected
    assert leds & 0b11 == 0b01, "ready, and no word was lost"


@pytest.mark.slow
def test_the_pins_are_those_of_the_top(board):
    _, folder = board
    top = (folder / "ulx3s" / "ulx3s_top.sv").read_text()
    ports = {name for name in ("clk_25mhz", "ftdi_txd", "ftdi_rxd", "wifi_gpio0") if f" {name}" in top}
    located = {line.split('"')[1] for line in BOARD_TOPS["ulx3s"].pins.splitlines() if line.startswith("LOCATE")}
    assert located == ports | {f"led[{n}]" for n in range(8)}


@pytest.mark.parametrize("wrong", [False, True])
def test_the_script_compares_every_bit(wrong, tmp_path):
    design = plan(small_network(), {"dense": Lanes(1, 3)})
    write_project([design], tmp_path)
    codes = input_codes(design.network, 1, 5)
    results = reference.run(design.network, codes)[design.network.output.name]
    to_words(codes, design.source).tofile(tmp_path / "vectors" / "in_0.bin")
    to_words(results, design.sink).tofile(tmp_path / "vectors" / "expected_0.bin")
    sent = np.frombuffer(words_of(codes, design.source), np.uint8).reshape(5, -1)
    given = np.frombuffer(words_of(results, design.sink), np.uint8).reshape(5, -1).copy()
    given[3, 0] ^= wrong
    near, far = os.openpty()
    seen = []

    def answer():
        for number in range(5):
            found = b""
            while len(found) < sent.shape[1]:
                found += os.read(near, sent.shape[1] - len(found))
            seen.append(found == sent[number].tobytes())
            os.write(near, given[number].tobytes())

    threading.Thread(target=answer, daemon=True).start()
    command = [sys.executable, tmp_path / "ulx3s" / "check_board.py", os.ttyname(far)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (int(wrong), "")
    assert done.stdout.startswith("image 3:" if wrong else "EXACT: 5 images")
    assert all(seen)
    assert len(seen) >= 4


def test_a_line_that_is_not_there_is_told(tmp_path):
    design = plan(small_network(), {})
    write_project([design], tmp_path)
    command = [sys.executable, tmp_path / "ulx3s" / "check_board.py", "/dev/nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "/dev/nothing" in done.stderr
