"""Beats of images and results: the table of docs/stream_format.md."""

import numpy as np
import pytest

from siliconv.hardware.beat_format import as_beats, beat_format, from_beats
from siliconv.network.fixed_point import FixedPoint


@pytest.mark.parametrize(
    ("shape", "kind", "lane", "beat", "beats_of_image"),
    [
        ((64, 64, 3), FixedPoint(False, 8, 0), 8, 32, 4096),
        ((8, 8, 1), FixedPoint(False, 8, 0), 8, 8, 64),
        ((100, 1), FixedPoint(False, 12, 0), 16, 16, 100),
        ((16,), FixedPoint(True, 16, 6), 16, 256, 1),
        ((10,), FixedPoint(True, 18, 7), 32, 512, 1),
        ((640,), FixedPoint(True, 8, 1), 8, 512, 10),
        ((1,), FixedPoint(False, 1, 1), 8, 8, 1),
        ((2, 9), FixedPoint(True, 40, 8), 64, 512, 4),
    ],
)
def test_a_pixel_is_a_beat_where_it_fits_one(shape, kind, lane, beat, beats_of_image):
    found = beat_format(shape, kind)
    assert (found.lane_bits, found.beat_bits, found.beats_of_image) == (lane, beat, beats_of_image)
    assert shape[-1] <= found.padded_channels == found.beats * found.lanes
    codes = np.random.default_rng(0).integers(*kind.codes, (3, *shape), endpoint=True)
    beats = as_beats(codes, found)
    assert beats.shape == (3, beats_of_image, beat // 8)
    assert np.array_equal(from_beats(beats, found, kind).reshape(codes.shape), codes)
    if found.beats == 1 and found.padded_channels > shape[-1]:
        assert not beats[..., lane // 8 * shape[-1] :].any(), "lanes behind the channels are zero"
