"""Signs that an encoding lacks: plain letters for those that messages have, a number for all else."""

from __future__ import annotations

import io

import pytest

from siliconv.commands.plain_streams import plain_where_needed


def written(text: str, encoding: str) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    plain_where_needed(stream)
    stream.write(text)
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "9.5 µs, 8 × 8"), ("ascii", "9.5 us, 8 x 8"), ("latin-1", "9.5 µs, 8 × 8")],
)
def test_microseconds_are_legible_in_every_encoding(encoding, told):
    assert written("9.5 µs, 8 × 8", encoding) == told


def test_other_signs_are_given_by_number():
    assert written("café", "ascii") == "caf\\xe9"
