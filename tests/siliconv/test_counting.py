"""Numbers of things, and the word for an example of the data."""

from __future__ import annotations

import pytest

from siliconv.counting import counted, example_word


@pytest.mark.parametrize(("number", "told"), [(1, "1 layer"), (2000, "2,000 layers"), (0, "0 layers")])
def test_numbers_have_their_word(number, told):
    assert counted(number, "layer") == told


@pytest.mark.parametrize(("shape", "word"), [([64, 64, 3], "image"), ([64, 1], "input"), ([16], "input")])
def test_features_and_waveforms_are_no_images(shape, word):
    assert example_word(shape) == word
