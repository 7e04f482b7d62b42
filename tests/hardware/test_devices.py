"""Device families by part number."""

import pytest

from siliconv.hardware.devices import family_of


@pytest.mark.parametrize(
    ("part", "family"),
    [
        ("xc7z020clg400-1", "series7"),
        ("XC7A35TICSG324-1L", "series7"),
        ("xcu250-figd2104-2L-e", "ultrascale+"),
        ("xcvu13p-flga2577-2-e", "ultrascale+"),
        ("xcvu9p-flgb2104-2-i", "ultrascale+"),
        ("xczu7ev-ffvc1156-2-e", "ultrascale+"),
        ("xck26-sfvc784-2LV-c", "ultrascale+"),
        ("xcku5p-ffvb676-2-e", "ultrascale+"),
        ("xcku115-flvb2104-2-i", "ultrascale"),
        ("xcvu190-flga2577-2-e", "ultrascale"),
        ("xcvc1902-vsva2197-2MP-e-S", "versal"),
        ("5CSEBA6U23I7", "ultrascale+"),  # unknown: counted as the most common
    ],
)
def test_family_of_a_part(part, family):
    assert family_of(part).name == family
