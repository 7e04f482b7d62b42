"""The slowest path in the words of the network, and cells by the block that they stand in."""

import pytest
from small_network import small_network

from siliconv.rtl.plan.planning import plan
from siliconv.rtl.synthesis.critical_path import place_of, told
from siliconv.rtl.synthesis.yosys import by_block


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("u_relu.u_weights.gen_banks.gen_bank[0].address_q_TRELLIS_FF_Q_8", "the memory of the weights of relu"),
        ("u_relu.gen_pixel[1].u_finish.u_fifo.pop_q_TRELLIS_FF_Q", "rounding and the FIFO behind it of relu"),
        ("u_network.u_relu.u_window.gen_ring[0].ring.0.2", "the ring and its counters of relu"),
        ("u_relu.start_LUT4_Z", "control of relu"),
        ("u_serial.u_receiver.bits_q", "outside of the layers (u_serial.u_receiver.bits_q)"),
        ("ready_i_LUT4_D", "outside of the layers (ready_i_LUT4_D)"),
    ],
)
def test_a_cell_is_placed_in_a_layer(cell, place):
    assert place_of(cell, plan(small_network(), {})) == place


def test_a_path_is_told_with_its_time():
    design = plan(small_network(), {})
    inside = told("u_relu.u_mac.a", "u_relu.gen_pixel[0].u_mac.b", 1.24, 3.06, design)
    assert inside == "in the products and sums of relu: 1.2 ns of logic, 3.1 ns of wires"
    across = told("u_relu.u_window.a", "u_relu.u_mac.b", 1, 2, design)
    assert across.startswith("from the ring and its counters of relu to the products and sums of relu: ")


def test_cells_are_added_up_by_block():
    kinds = {
        "u_conv.u_mac.a": "LUT4",
        "u_conv.gen_pixel[0].u_finish.b": "CCU2C",
        "u_conv.u_mac.c": "TRELLIS_FF",
        "u_network.u_pool.u_window.d": "DP16KD",
        "u_pool.e": "MULT18X18D",
        "ready_i_LUT4_D": "LUT4",
    }
    assert by_block({name: {"type": kind} for name, kind in kinds.items()}, "ecp5") == {
        "": {"lut": 1, "ff": 0, "dsp": 0, "block_memory": 0},
        "conv": {"lut": 3, "ff": 1, "dsp": 0, "block_memory": 0},
        "pool": {"lut": 0, "ff": 0, "dsp": 1, "block_memory": 1},
    }
