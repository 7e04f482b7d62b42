"""Firmware of a network on the disk: written, compiled, or with an edited type."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.manifest import write_manifest
from siliconv.hls.csim.csim import Library, compile_project
from siliconv.network.graph import Network


def write_firmware(network: Network, folder: Path, config: HlsConfig | None = None) -> Path:
    """Write the sources of a network into a folder with their manifest, and give their project."""
    project = folder / "firmware"
    project.mkdir()
    config = config or HlsConfig()
    write_manifest(convert(network, config, project), network, config, project)
    return project


def compile_firmware(network: Network, folder: Path, config: HlsConfig | None = None) -> Library:
    """Write the sources of a network into a folder, and compile them."""
    return compile_project(write_firmware(network, folder, config), network.name, folder / "cache")


def edit_numbers(header: Path, change: Callable[[list[float]], list[float]]) -> None:
    """Edit the numbers of a header with weights or a table."""
    head, _, rest = header.read_text().partition("{")
    numbers, _, tail = rest.partition("}")
    changed = change([float(number) for number in numbers.split(",")])
    header.write_text(f"{head}{{{', '.join(map(repr, changed))}}}{tail}")


def edit_types(project: Path, pattern: str, replacement: str) -> None:
    """Edit the types in a project's sources."""
    defines = project / "firmware" / "defines.h"
    text = defines.read_text()
    changed = re.sub(pattern, replacement, text)
    assert changed != text
    defines.write_text(changed)
