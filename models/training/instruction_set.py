"""The instructions of this machine that decide how floating-point sums are rounded."""

from __future__ import annotations

import platform
import re
from functools import cache
from pathlib import Path

_TELLING = (
    "sse4_2 avx avx2 fma avx_vnni avx512f avx512bw avx512dq avx512vl avx512_vnni avx512_bf16 avx512_fp16 amx_tile"
    " amx_bf16 amx_int8 asimd asimdhp asimddp bf16 i8mm sve sve2"
).split()
"""Names of Linux for what TensorFlow and oneDNN choose their kernels by."""


@cache
def instruction_set() -> str:
    """Give the machine's kind and those of its instructions that kernels are chosen by: ``x86_64 avx2 fma ...``."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, flags=re.MULTILINE)
    flags = set(found[1].split()) if found else set()
    return " ".join([platform.machine(), *(flag for flag in _TELLING if flag in flags)])
