"""ONNX Runtime tells nobody that it runs here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

PROGRAM = """
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


def _user(home):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "XDG_"))}
    return environment | {"HOME": str(home), "TMPDIR": str(home)}


def test_telemetry_is_off_before_onnx_runtime_is_imported(tmp_path):
    """No file in the user's cache or the temporary folder, and the variable set at the moment of the import."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=_user(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_no_host_is_looked_up(tmp_path):
    """Left on, the telemetry opens sockets some seconds after the first session, and asks for a host."""
    calls = tmp_path.with_suffix(".strace")
    program = f"{PROGRAM}\nimport time; time.sleep(40)\n"
    traced = ["strace", "-f", "-e", "trace=socket,connect,sendto", "-o", str(calls), sys.executable, "-c", program]
    done = subprocess.run(traced, env=_user(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "exited with 0" in calls.read_text()
    assert "AF_INET" not in calls.read_text()
