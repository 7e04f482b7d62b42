"""A Dask cluster of two workers on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

SECONDS_TO_BEGIN = 600.0


def _path() -> list[str]:
    return [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []


class Cluster:
    """A scheduler and two workers of one thread, each a process, which import what tests bring."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        # Without its own nanny a worker that is killed stays dead.
        commands = [
            ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file)],
            *[["worker", "--scheduler-file", str(self.file), "--nthreads", "1", "--no-nanny", "--no-dashboard"]] * 2,
        ]
        self.said = (folder / "cluster.txt").open("wb")
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *_path()])},
                stdout=self.said,
                stderr=self.said,
            )
            for command in commands
        ]

    @property
    def address(self) -> str:
        """The scheduler's, once it is there."""
        begun = time.monotonic()
        while not self.file.is_file() or not self.file.stat().st_size:
            assert self.processes[0].poll() is None
            assert time.monotonic() - begun < SECONDS_TO_BEGIN
            time.sleep(0.2)
        return json.loads(self.file.read_text())["address"]

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.said.close()
