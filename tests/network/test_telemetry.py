"""ONNX Runtime tells nobody that it runs here."""

from __future__ import annotations

import os
import subprocess
import sys


def test_telemetry_is_off_before_onnx_runtime_is_imported(tmp_path):
    """No file in the user's cache or the temporary folder, and the variable set at the moment of the import."""
    program = """
import builtins, os, sys
plain, seen = builtins.__import__, []
def watched(name, *rest):
    if name == "onnxruntime" and "onnxruntime" not in sys.modules:
        seen.append(os.environ.get("ORT_DISABLE_TELEMETRY"))
    return plain(name, *rest)
builtins.__import__ = watched
import numpy as np
from siliconv.network import graph as ir
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import FixedPoint
byte = FixedPoint(False, 8, 0)
nodes = (ir.Input("image", (), (2, 2, 1), byte), ir.Reshape("flat", ("image",), (4,), byte))
emulator.compile(ir.Network("net", nodes)).run(np.zeros((1, 2, 2, 1), np.uint8))
assert seen and set(seen) == {"1"}, seen
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "XDG_"))}
    environment |= {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
