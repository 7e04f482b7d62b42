"""Weights in the order of use, against loops; words as hexadecimal text."""

import numpy as np
from small_network import small_network

from siliconv.rtl.plan.lanes import Lanes
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.writing.memory_words import banks, memories, weight_lanes, words


def test_the_first_lane_stands_in_the_low_bits():
    assert words(np.array([[1, -1], [-8, 7]]), 4) == ["f1", "78"]


def test_words_of_any_width():
    assert words(np.array([[5, 2, 7]]), 3) == ["1d5"]
    assert words(np.array([[-1]]), 62) == ["3fffffffffffffff"]


def test_weights_stand_by_repeat_then_word():
    (block,) = plan(small_network(4), {"dense": Lanes(2, 2)}).blocks
    kernel = block.node.kernel.codes
    expected = [
        [kernel[word * 2 + i, repeat * 2 + o] for o in range(2) for i in range(2)]
        for repeat in range(2)
        for word in range(2)
    ]
    assert weight_lanes(block).tolist() == expected
    files = memories(block)
    assert sorted(files) == ["relu_bias.hex", "relu_weights.hex"]
    assert len(files["relu_bias.hex"]) == 2


def test_a_long_rom_is_a_file_a_bank():
    found = banks("w.hex", [str(n) for n in range(1100)])
    assert list(found) == ["w.hex.00", "w.hex.01", "w.hex.02"]
    assert [len(lines) for lines in found.values()] == [512, 512, 76]
