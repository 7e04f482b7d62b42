"""Records of runs that were never run."""

from __future__ import annotations

from siliconv.search.run_record import Measured, RunRecord


def a_record(name: str, accuracy: float, lut: float) -> RunRecord:
    """Make the record of a trial of so much accuracy and so many LUTs."""
    measured = Measured("accuracy", accuracy, accuracy, accuracy - 0.02, accuracy + 0.02, 200)
    costs = {"span_operations": 1000 * lut, "lut": lut, "ff": 0.0, "dsp": 0.0, "images_per_second": 1e5}
    return RunRecord(
        name,
        "trial",
        "digits",
        "search-1",
        "by hand",
        "siliconv search digits",
        "2026-01-01T00:00:00+00:00",
        1.5,
        1,
        {"data.pixel_bits": 3, "quantize.layers": {"dense_1": {"weights": "ternary"}}},
        None,
        measured,
        measured,
        costs,
        {},
        True,
        {"float": "00"},
        {"siliconv": "0"},
    )
