"""Finding Vitis HLS, Vivado HLS and Vivado: on the PATH, by environment variables, or by a settings script."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from siliconv.errors import ToolError
from siliconv.hls.backends import BACKENDS
from siliconv.hls.kinds import Backend

TOOL_VARIABLE = "SILICONV_VENDOR_TOOL"
"""Names an executable, a folder of executables, or a settings script."""

# The executables that run a project's Tcl script, the newest first, and how each is told which script.
COMMANDS: Mapping[Backend | None, tuple[tuple[str, tuple[str, ...]], ...]] = {
    # vitis-run came with 2023.2, and vitis_hls went with 2025.1.
    Backend.VITIS: (("vitis-run", ("--mode", "hls", "--tcl")), ("vitis_hls", ("-f",))),
    Backend.VIVADO: (("vivado_hls", ("-f",)),),
}
VIVADO = (("vivado", ("-mode", "batch", "-source")),)
# What the vendor's own settings scripts set.
_ROOT_VARIABLES = ("XILINX_VITIS", "XILINX_HLS", "XILINX_VIVADO")
# Where the installers put the settings scripts, below their root folder.
_INSTALLED = (
    "*/Vitis/settings64.sh",
    "Vitis/*/settings64.sh",
    "Vitis_HLS/*/settings64.sh",
    "*/Vivado/settings64.sh",
    "Vivado/*/settings64.sh",
)
_ROOTS = ("opt/Xilinx", "tools/Xilinx", "opt/xilinx", "tools/xilinx", "opt/amd", "tools/amd")


@dataclass(frozen=True)
class VendorTool:
    """A tool that runs a project's script.

    ``command``: the arguments before the script; ``settings``: a script to source first, or None; ``name``: of the
    executable; ``found``: how it was found.
    """

    name: str
    command: tuple[str, ...]
    found: str
    settings: Path | None = None

    def arguments(self, script: str) -> list[str]:
        """Return the command line that runs a Tcl script."""
        plain = [*self.command, script]
        if self.settings is None:
            return plain
        return ["bash", "-c", 'source "$0" >/dev/null && exec "$@"', str(self.settings), *plain]


def find_tool(
    backend: str, *, asked: Path | None = None, environment: Mapping[str, str] | None = None, root: Path | None = None
) -> VendorTool:
    """Find the tool for a back end.

    Looked for in this order: what is asked for, the variable SILICONV_VENDOR_TOOL, the PATH, the folders that the
    vendor's variables name, and the settings scripts of usual installations, the newest release first.

    Parameters
    ----------
    backend
        One of `siliconv.hls.backends.BACKENDS`.
    asked
        An executable, a folder of executables, or a settings script.
    environment, root
        The environment and the root of the file system by default.

    Raises
    ------
    ToolError
        ``VENDOR-NO-TOOL`` with where was looked, ``VENDOR-BACKEND`` for a back end whose tool siliconv does not run.
    """
    if not BACKENDS[backend].is_amd:
        raise ToolError(
            "VENDOR-BACKEND",
            f"siliconv runs AMD's tools alone, not those for {backend}",
            where="hls.backend",
            fix="see the README of build/firmware for the command",
        )
    return _found(COMMANDS[BACKENDS[backend].family], asked, environment, root)


def find_vivado(
    *, asked: Path | None = None, environment: Mapping[str, str] | None = None, root: Path | None = None
) -> VendorTool:
    """Find Vivado, which implements block designs, as `find_tool` finds the tool for a back end."""
    return _found(VIVADO, asked, environment, root)


def _found(
    commands: Sequence[tuple[str, tuple[str, ...]]],
    asked: Path | None,
    environment: Mapping[str, str] | None,
    root: Path | None,
) -> VendorTool:
    known = os.environ if environment is None else environment
    named = asked or (Path(known[TOOL_VARIABLE]) if known.get(TOOL_VARIABLE) else None)
    if named is not None:
        found = _named(named, commands)
        if found is None:
            there = "" if named.exists() else ": nothing lies at this path"
            raise ToolError(
                "VENDOR-NO-TOOL",
                f"no {_names(commands)} was found{there}",
                where=str(named),
                fix="name the tool itself, its folder or its settings64.sh; everything but synthesis works without it",
            )
        return found
    folders = [(folder, "on the PATH") for folder in known.get("PATH", "").split(os.pathsep) if folder]
    folders += [(f"{known[name]}/bin", name) for name in _ROOT_VARIABLES if known.get(name)]
    for executable, options in commands:
        for folder, how in folders:
            path = shutil.which(executable, path=folder)
            if path:
                return VendorTool(executable, (path, *options), how)
    for settings in _settings_scripts(root or Path("/")):
        found = _by_settings(settings, commands)
        if found is not None:
            return found
    raise _no_tool(commands, where=", ".join(["PATH", *_ROOT_VARIABLES, *(f"/{one}" for one in _ROOTS)]))


def _named(path: Path, commands: Sequence[tuple[str, tuple[str, ...]]]) -> VendorTool | None:
    if path.suffix == ".sh" and path.is_file():
        return _by_settings(path, commands, sure=True)
    folders = [path, path / "bin"] if path.is_dir() else []
    for executable, options in commands:
        for folder in folders:
            if found := shutil.which(executable, path=str(folder)):
                return VendorTool(executable, (found, *options), str(path))
        if path.is_file() and path.name == executable and os.access(path, os.X_OK):
            return VendorTool(executable, (str(path), *options), str(path))
    return None


def _by_settings(
    settings: Path, commands: Sequence[tuple[str, tuple[str, ...]]], *, sure: bool = False
) -> VendorTool | None:
    """Return the tool that a settings script makes available: one that lies beside it, else the first if `sure`."""
    for executable, options in commands:
        if shutil.which(executable, path=str(settings.parent / "bin")):
            return VendorTool(executable, (executable, *options), str(settings), settings.resolve())
    executable, options = commands[0]
    return VendorTool(executable, (executable, *options), str(settings), settings.resolve()) if sure else None


def _settings_scripts(root: Path) -> Iterator[Path]:
    found = [path for base in _ROOTS for pattern in _INSTALLED for path in (root / base).glob(pattern)]
    yield from sorted(found, key=lambda path: [part for part in path.parts if part[:2] == "20"], reverse=True)


def _names(commands: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    return " or ".join(executable for executable, _ in commands)


def _no_tool(commands: Sequence[tuple[str, tuple[str, ...]]], *, where: str) -> ToolError:
    return ToolError(
        "VENDOR-NO-TOOL",
        f"no {_names(commands)} was found",
        where=where,
        fix=f"source the vendor's settings64.sh, or name the tool or that script in {TOOL_VARIABLE}; everything but "
        "synthesis works without it",
    )
