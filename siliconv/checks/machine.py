"""What the pre-flight rules ask about this machine: versions, tools, memory, disk; no tool is started."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from siliconv.flow.code_version import library_version

LIBRARIES = ("tensorflow", "tf-keras", "qkeras", "tensorflow-model-optimization", "hls4ml", "numpy")
TOOLS = ("g++", "make")
_VARIABLES = ("CXXFLAGS", "TF_XLA_FLAGS")


@dataclass(frozen=True)
class Machine:
    """What was found on a machine.

    Parameters
    ----------
    python
        Version, such as (3, 11).
    versions
        Of libraries by name; ``none`` for what is missing.
    tools
        Those of the tools that are on the PATH.
    cores, memory, disk
        Cores, bytes of memory that are available, and bytes free where the project lies.
    may_execute
        Whether programs may run from the project's folder.
    environment
        Variables that change what tools do.
    """

    python: tuple[int, int]
    versions: Mapping[str, str]
    tools: frozenset[str]
    cores: int
    memory: int
    disk: int
    may_execute: bool
    environment: Mapping[str, str]


def this_machine(folder: Path) -> Machine:
    """Look at this machine, for a project in a folder."""
    return Machine(
        (sys.version_info[0], sys.version_info[1]),
        {name: library_version(name) for name in LIBRARIES},
        frozenset(tool for tool in TOOLS if shutil.which(tool)),
        os.cpu_count() or 1,
        psutil.virtual_memory().available,
        psutil.disk_usage(str(folder)).free,
        not os.statvfs(folder).f_flag & os.ST_NOEXEC,
        {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    )
