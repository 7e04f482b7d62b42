"""Outputs of whole test sets are held as narrow as their types, and their values are exact."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.flow.artefacts import code_type, narrow_values
from siliconv.network.fixed_point import FixedPoint, to_values
from siliconv.network.graph import Input


@pytest.mark.parametrize(
    ("kind", "narrowest"),
    [
        (FixedPoint(True, 8, 2), np.int8),
        (FixedPoint(False, 8, 2), np.int16),
        (FixedPoint(False, 7, 2), np.int8),
        (FixedPoint(True, 16, 2), np.int16),
        (FixedPoint(True, 17, 2), np.int32),
        (FixedPoint(False, 32, 2), np.int64),
        (FixedPoint(True, 48, 2), np.int64),
    ],
)
def test_the_narrowest_integers_hold_both_ends(kind: FixedPoint, narrowest: type) -> None:
    assert code_type(kind) == narrowest
    ends = np.array(kind.codes, np.int64)
    np.testing.assert_array_equal(ends.astype(code_type(kind)), ends)


@pytest.mark.parametrize("kind", [FixedPoint(True, 24, 3), FixedPoint(False, 24, 40), FixedPoint(True, 25, 3)])
@pytest.mark.parametrize("far", [0, 200])
def test_values_are_exact_in_float32_or_stay_in_float64(kind: FixedPoint, far: int) -> None:
    kind = FixedPoint(kind.signed, kind.width, kind.integer - far)
    codes = np.array([[*kind.codes, kind.codes.high - 1, 1, 0]], np.int64)
    values = narrow_values([Input("output", (), (5,), kind)], codes)
    np.testing.assert_array_equal(values.astype(np.float64), to_values(codes, kind))
    assert values.dtype == (np.float32 if kind.width <= 24 and not far else np.float64)
