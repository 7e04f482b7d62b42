"""Which findings stop a run before it begins: what a stage on its way would refuse after minutes of work."""

from __future__ import annotations

from collections.abc import Iterable

from siliconv.checks.preflight import Finding, Severity

_WITH_FIRMWARE = ("convert", "csim", "estimate", "report")
_ALWAYS = {
    *(
        "DATA-PATH",
        "DATA-NONE",
        "DATA-CLASSES",
        "DATA-NO-TEST",
        "OUTPUT-SHAPE",
        "TASK-TRAIN",
        "TRAIN-LOSS",
        "TRAIN-WEIGHTS",
    ),
    *("FIELD-TWICE", "FIELD-ALPHA", "FIELD-INPUT", "FIELD-HLS4ML", "RECIPE-LAYER"),
}
_FOR_FIRMWARE = {
    *("PART-BACKEND", "BRAM-FACTOR", "BRAM-STRATEGY", "FIFO-BACKEND", "LAYER-KIND", "PARALLEL-ARRAY"),
    *("REUSE-ILLEGAL", "REUSE-LAYER", "REUSE-NONE", "PARALLEL-ILLEGAL", "UNROLL-PRODUCTS", "UNROLL-VECTOR"),
    *("STRATEGY-TEMPLATE", "STRATEGY-BACKEND", "STRATEGY-ADDERS"),
}
"""Not among them: what does not fit a board (the estimate says by how much), and files of an earlier run."""


def stopping(findings: Iterable[Finding], until: str) -> tuple[Finding, ...]:
    """Give the errors that a run up to the stage `until` would end in."""
    codes = _ALWAYS | (_FOR_FIRMWARE if until in _WITH_FIRMWARE else set())
    return tuple(one for one in findings if one.severity is Severity.ERROR and one.code in codes)
