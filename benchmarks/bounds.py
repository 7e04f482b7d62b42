"""What do inputs cost that were made to cost much: bombs, floods, giants, tools that hang?

    python benchmarks/bounds.py --json benchmarks/results/bounds.json

Each is met by one command in a process of its own. Seconds and peak memory are given beside those of the same command
on a project that is whole; what is beyond is held against 5 s and 1 GB.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

SECONDS, BYTES = 5.0, 1 << 30
LIMIT_SECONDS = 120.0
_MODEL = b'{"class_name": "Sequential", "config": {"name": "bomb", "layers": []}}'

PROJECT = """model: {input_shape: [6, 6, 1], layers: [{kind: flatten}, {kind: dense, units: 3}]}
data: {source: npz, path: images.npz}
"""


def main() -> None:
    """Measure all, print a table, exit 1 where a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help=", ".join(INPUTS))
    options = parser.parse_args()
    rows = [_measured(name) for name in options.inputs or INPUTS]
    for row in rows:
        print(
            f"{row['input']:<28} {row['command']:<18} exit {row['exit']:<4} {row['seconds']:6.1f} s "
            f"({row['seconds_beyond']:+.1f})  {row['peak_mib']:6.0f} MiB ({row['mib_beyond']:+.0f})  {row['said']}",
            flush=True,
        )
    broken = [row["input"] for row in rows if not row["within"]]
    if options.json:
        about = {
            "command": " ".join(["python", *sys.argv]),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        }
        options.json.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    sys.exit(f"beyond the bounds: {', '.join(broken)}" if broken else 0)


def _measured(name: str) -> dict[str, Any]:
    make, command = INPUTS[name]
    with tempfile.TemporaryDirectory() as scratch:
        whole = _run(_project(Path(scratch) / "whole"), command)
        project = _project(Path(scratch) / "bad")
        make(project)
        found = _run(project, command)
    seconds, mib = found["seconds"] - whole["seconds"], found["peak_mib"] - whole["peak_mib"]
    return {
        "input": name,
        "command": " ".join(command),
        **found,
        "seconds_beyond": round(seconds, 2),
        "mib_beyond": round(mib),
        "within": seconds <= SECONDS and mib <= BYTES / (1 << 20) and found["exit"] in (0, 1, 2, 3),
    }


def _run(project: Path, command: tuple[str, ...]) -> dict[str, Any]:
    """Run a command; P stands for the project, and tools beside it go first."""
    words = [word.replace("P", str(project), 1) if word.split("/")[0] == "P" else word for word in command]
    environment = {**os.environ, "PATH": f"{project / 'tools'}:{os.environ['PATH']}"}
    started, peak = time.monotonic(), 0
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "siliconv", *words], env=environment, stdout=said, stderr=said
        )
        watched = psutil.Process(process.pid)
        while process.poll() is None and time.monotonic() - started < LIMIT_SECONDS:
            with contextlib.suppress(psutil.Error):  # one ended meanwhile
                peak = max(peak, sum(one.memory_info().rss for one in (watched, *watched.children(recursive=True))))
            time.sleep(0.02)
        if process.poll() is None:
            process.kill()
        code = process.wait()
        said.seek(0)
        text = said.read(100_000).decode(errors="replace")
    told = next((line for line in text.splitlines() if line.startswith(("Error", "Internal"))), "")
    return {
        "exit": code,
        "seconds": round(time.monotonic() - started, 2),
        "peak_mib": round(peak / (1 << 20)),
        "said": told[:100],
    }


def _project(folder: Path) -> Path:
    (folder / "tools").mkdir(parents=True)
    (folder / "project.yml").write_text(PROJECT)
    labels = np.arange(30) % 3
    np.savez(
        folder / "images.npz",
        x=np.zeros((30, 6, 6, 1), np.uint8) + labels[:, None, None, None].astype(np.uint8),
        y=labels,
    )
    return folder


def _text(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "project.yml").write_text(text)


def _tool(name: str, lines: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        (folder / "tools" / name).write_text(f"#!/bin/sh\n{lines}\n")
        (folder / "tools" / name).chmod(0o755)

    return make


def _header(shape: tuple[int, ...]) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def _packed(path: Path, members: dict[str, tuple[bytes, int]]) -> None:
    """Write an archive of members that are a beginning and so many zeros."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (beginning, zeros) in members.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(beginning)
                for _ in range(zeros >> 24):
                    member.write(bytes(1 << 24))


def _npz_bomb(folder: Path) -> None:
    _packed(folder / "images.npz", {"x.npy": (_header((4 << 30,)), 4 << 30), "y.npy": (_header((0,)), 0)})


def _keras_bomb(folder: Path) -> None:
    _packed(folder / "bomb.keras", {"config.json": (_MODEL, 0), "model.weights.h5": (b"\x89HDF\r\n\x1a\n", 4 << 30)})
    (folder / "project.yml").write_text("model: {file: bomb.keras}\n")


def _keras_text_bomb(folder: Path) -> None:
    _packed(folder / "bomb.keras", {"config.json": (b" ", 2 << 30), "model.weights.h5": (b"", 0)})
    (folder / "project.yml").write_text("model: {file: bomb.keras}\n")


def _lying_header(folder: Path) -> None:
    _packed(folder / "images.npz", {"x.npy": (_header((1 << 46,)), 0), "y.npy": (_header((30,)), 0)})


def _giant_pictures(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(8):
            Image.new("L", (16, 16), 20 * number).save(folder / "pictures" / name / f"{number}.png")
    Image.new("1", (20_000, 10_000)).save(folder / "pictures" / "a" / "giant.png")
    (folder / "project.yml").write_text(
        PROJECT.replace("{source: npz, path: images.npz}", "{source: folder, path: pictures}")
    )


def _table(folder: Path) -> None:
    with (folder / "images.csv").open("w") as file:
        file.write("a,b,label\n" + "1,2,0\n" * 30 + "1,")
        for _ in range(300):
            file.write("2" * (1 << 20))
    (folder / "project.yml").write_text(
        PROJECT.replace("{source: npz, path: images.npz}", "{source: csv, path: images.csv}")
    )


def _hdf5(folder: Path) -> None:
    import h5py

    with h5py.File(folder / "images.h5", "w") as file:
        file.create_dataset("x", (1 << 40, 6, 6, 1), "u1", chunks=(1024, 6, 6, 1))
        file.create_dataset("y", (1 << 40,), "u1", chunks=(1 << 20,))
    (folder / "project.yml").write_text(
        PROJECT.replace("{source: npz, path: images.npz}", "{source: hdf5, path: images.h5}")
    )


_ALIASES = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20)
)
_FLOOD = "head -c 300000000 /dev/zero | tr '\\0' x"
_CHECK, _SUMMARY, _DATA = ("check", "P"), ("summary", "P"), ("run", "P", "--until", "data")

INPUTS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "alias bomb": (_text(_ALIASES), _CHECK),
    "alias bomb, summary": (_text(_ALIASES), _SUMMARY),
    "60 MB of comments": (_text("# " + "x" * (60 << 20) + "\n" + PROJECT), _CHECK),
    "60 MB of fields": (_text("x: [" + "1," * (30 << 20) + "1]\n"), _CHECK),
    "250 KB of fields": (_text("x: [" + "1," * 125_000 + "1]\n"), _CHECK),
    "250 KB of brackets": (_text("x: " + "[" * 125_000), _CHECK),
    "input of 65536 x 65536": (_text(PROJECT.replace("[6, 6, 1]", "[65536, 65536, 1]")), _DATA),
    ".npz of 4 GB": (_npz_bomb, _DATA),
    ".npz announcing 64 TB": (_lying_header, _DATA),
    "table with a line of 300 MB": (_table, _DATA),
    "HDF5 announcing 36 TB": (_hdf5, _DATA),
    ".keras of 4 GB": (_keras_bomb, _SUMMARY),
    ".keras, 2 GB of text": (_keras_text_bomb, _CHECK),
    "200 megapixels in a folder": (_giant_pictures, _DATA),
    "g++ says 300 MB": (_tool("g++", _FLOOD), ("doctor",)),
    "g++ hangs": (_tool("g++", "sleep 1000"), ("doctor",)),
    "make hangs, TERM ignored": (_tool("make", "trap '' TERM; sleep 1000"), ("doctor",)),
    "vitis_hls says 300 MB": (_tool("vitis_hls", _FLOOD), ("doctor",)),
}


if __name__ == "__main__":
    if shutil.which("tr") is None:
        sys.exit("no tr on the PATH")
    main()
