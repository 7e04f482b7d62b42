"""Random networks as firmware: converted, compiled and simulated, every layer equal to the integer network."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st
from strategies import codes_of_inputs, networks

from siliconv.errors import FirmwareError, NetworkError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.csim.csim import compare, compile_project
from siliconv.network.rows import input_rows
from siliconv.network.vectors.corners import corner_vectors

SEEDS = 100
DRAWN = 15
BACKENDS = ("Vitis", "Vivado", "Quartus", "Catapult")


def run(seed: int) -> dict[str, Any]:
    """Draw one network and one road, and say whether it was exact or refused, and with which code."""
    drawn: list[tuple[Any, HlsConfig]] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=DRAWN, deadline=None, database=None, phases=[hypothesis.Phase.generate])
    @hypothesis.given(
        network=st.one_of(networks(most=8, widest=30), networks(most=8, widest=30, inputs=2)),
        backend=st.sampled_from(BACKENDS),
        io_type=st.sampled_from(["io_stream", "io_parallel"]),
    )
    def draw(network: Any, backend: Any, io_type: Any) -> None:
        drawn.append((network, HlsConfig(backend=backend, io_type=io_type)))

    draw()
    network, config = drawn[-1]  # the first ones are the simplest
    road = f"{config.backend} {config.io_type}"
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "firmware"
        project.mkdir()
        try:
            convert(network, config, project)
        except (FirmwareError, NetworkError) as error:
            return {"road": road, "refused": error.code}
        library = compile_project(project, network.name, Path(scratch) / "cache")
        corners = np.stack(list(corner_vectors(network).values()))
        rows = input_rows(network, codes_of_inputs(network, seed, batch=8))
        layers = compare(library, network, np.concatenate([corners, rows]), jobs=1)
    wrong = [layer.name for layer in layers if layer.differing]
    assert not wrong, f"{road}: {wrong} of {network}"
    return {"road": road, "layers": len(layers), "values": sum(layer.values for layer in layers)}
