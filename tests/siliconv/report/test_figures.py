"""How the report writes times."""

from __future__ import annotations

import pytest

from siliconv.report.figures import time_in_words


@pytest.mark.parametrize(
    ("nanoseconds", "told"),
    [(3.0, "3 ns"), (9490, "9.49 µs"), (999_600, "1 ms"), (123_456, "123 µs"), (2.5e9, "2.5 s"), (999.4, "999 ns")],
)
def test_times_have_three_digits(nanoseconds, told):
    assert time_in_words(nanoseconds) == told
