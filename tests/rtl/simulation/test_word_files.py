"""Codes to words of the test bench and back."""

import numpy as np
import pytest

from siliconv.network.fixed_point import FixedPoint
from siliconv.rtl.plan.blocks import Stream
from siliconv.rtl.simulation.word_files import from_words, to_words


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("lanes", "width"), [(1, 1), (3, 6), (2, 8), (4, 16), (5, 13), (3, 31), (2, 62), (7, 9)])
def test_there_and_back(lanes, width, signed):
    stream = Stream("s", "n", lanes, FixedPoint(signed, width, width), 10)
    low, high = stream.type.codes
    codes = np.random.default_rng(1).integers(low, high, (10, lanes), endpoint=True)
    codes[0, 0], codes[1, 0] = low, high
    found = to_words(codes, stream)
    assert found.shape == (10, stream.kept_bytes)
    assert np.array_equal(from_words(found, stream), codes)


def test_words_lie_as_verilator_keeps_them():
    sizes = [Stream("s", "n", 1, FixedPoint(False, width, 0), 1).kept_bytes for width in (1, 8, 9, 16, 17, 32, 33, 62)]
    assert sizes == [1, 1, 2, 2, 4, 4, 8, 8]
    assert Stream("s", "n", 13, FixedPoint(False, 5, 0), 1).kept_bytes == 12
