"""The real `ap_fixed` of the HLS headers that hls4ml ships, as a table from code to code for many pairs of types."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np

from siliconv.network.fixed_point import FixedPoint

PROGRAM = """\
#include <cstdio>
#include "ap_fixed.h"
template <class From, class To> void convert(int width) {
    From from; To to;
    for (int bits = 0; bits < (1 << width); bits++) {
        from.range(width - 1, 0) = bits;
        to = from;
        unsigned long long code = to.range(To::width - 1, 0).to_uint64();
        printf("%llu ", code);
    }
    printf("\\n");
}
int main() {
BODY
}
"""


def headers() -> Path | None:
    """Give the folder of the `ap_types` headers, or None where hls4ml is not installed."""
    spec = importlib.util.find_spec("hls4ml")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "templates" / "vivado" / "ap_types"
    return folder if folder.is_dir() else None


def missing() -> str:
    """Say what is missing, or nothing."""
    if shutil.which("g++") is None:
        return "g++ is not installed: the comparison with the real ap_fixed is skipped"
    return "" if headers() else "hls4ml's ap_types headers are not installed: the comparison is skipped"


def conversions(pairs: list[tuple[FixedPoint, FixedPoint]], folder: Path) -> list[np.ndarray]:
    """Compile and run one program that converts every code of each pair's first type into the second.

    Returns
    -------
    For each pair the resulting codes, in the order of the source's bits 0 to 2**width - 1.
    """
    body = "\n".join(f"convert<{_name(source)}, {_name(target)}>({source.width});" for source, target in pairs)
    (folder / "convert.cpp").write_text(PROGRAM.replace("BODY", body), encoding="utf-8")
    command = ["g++", "-std=c++11", "-O0", "-w", f"-I{headers()}", "convert.cpp", "-o", "convert"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300)
    output = subprocess.run([folder / "convert"], check=True, capture_output=True, text=True, timeout=60).stdout
    return [
        _signed(np.array(line.split(), dtype=np.int64), to)
        for line, (_, to) in zip(output.splitlines(), pairs, strict=False)
    ]


def source_codes(kind: FixedPoint) -> np.ndarray:
    """Give the codes of a type in the order of their bits."""
    return _signed(np.arange(1 << kind.width), kind)


def _signed(bits: np.ndarray, kind: FixedPoint) -> np.ndarray:
    return bits - ((bits >> (kind.width - 1)) << kind.width if kind.signed else 0)


def _name(kind: FixedPoint) -> str:
    return (
        f"ap_{'' if kind.signed else 'u'}fixed<{kind.width},{kind.integer},AP_{kind.rounding.value},"
        f"AP_{kind.overflow.value}>"
    )
