"""Generated sources as the vendors' front ends see them: clang with the synthesis branch taken."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from siliconv.hls.rendering import TEMPLATES

CLANG = importlib.util.find_spec("ziglang")

# The number types that come with hls4ml have another side for the vendors' compilers; everything else is taken as
# synthesis takes it.
PRELUDE = """
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <vector>
#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"
#define __SYNTHESIS__
"""
OWN = tuple(path.name for path in (TEMPLATES / "nnet_utils").glob("*.h"))
SANITIZED = ("BUILD=sanitized", "CXXFLAGS=-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined")
_SHOWN = 64


def views(top):
    """The sources that a tool reads, each with its flags: the core alone, under its top level, and that."""
    return (
        (f"firmware/{top}.cpp", ()),
        (f"firmware/{top}.cpp", ("-DSILICONV_AXI_TOP",)),
        (f"axi/{top}_axi.cpp", ("-DSILICONV_AXI_TOP", "-Iaxi/sim")),
    )


def clang_says(folder, source, flags, standard):
    """Check a source as synthesis reads it; the warnings about files of our own, an empty list where it is clean."""
    (folder / "prelude.h").write_text(PRELUDE)
    command = [sys.executable, "-m", "ziglang", "clang", "-x", "c++", f"-std={standard}", "-fsyntax-only"]
    headers = ["-isystem", str(Path(CLANG.origin).parent / "lib" / "include"), "-include", "prelude.h"]
    warnings = ["-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Wno-unused-parameter", "-Wno-unused-label"]
    done = subprocess.run(
        [*command, *headers, *warnings, *flags, "-Ifirmware/ap_types", source],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[:3000]
    told = [line for line in done.stderr.splitlines() if "warning:" in line]
    files = {line: Path(line.split(":")[0]) for line in told}
    return [line for line, file in files.items() if file.name in OWN or file.parent.name == "axi"]


def make_says(folder, target):
    """Build and run a test bench under sanitizers; what it prints."""
    done = subprocess.run(["make", "-f", "Makefile", target, *SANITIZED], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, (target, done.stdout[-1000:], done.stderr[-3000:])
    assert "runtime error" not in done.stderr, done.stderr[-3000:]
    return done.stdout


def cut_long_initializers(folder):
    """Leave the first values of each array of weights: a compiler takes minutes for hundreds of thousands."""
    for header in (folder / "firmware" / "weights").glob("*.h"):
        text = header.read_text()
        shorter = re.sub(r"= \{([^{}]*)\};", lambda found: "= {" + ", ".join(found[1].split(",")[:_SHOWN]) + "};", text)
        header.write_text(shorter)
