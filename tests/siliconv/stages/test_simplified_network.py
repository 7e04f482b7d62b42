"""A project whose network is simplified: the same outputs, firmware of the smaller network, and all of it told."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from small_network import small_network
from trust_project import run_here, write_project

from siliconv.errors import WorkSaysNoError
from siliconv.network import network_file
from siliconv.network.graph import Weights
from siliconv.stages import simplified_network as tested
from siliconv.stages.simplified_network import SIMPLIFIED_FILE, as_lowered, simplified_network, told

SIMPLIFIED = """version: 1
model: {file: net.h5}
data: {source: npz, path: images.npz}
quantize: {train: null, calibration_images: 16, simplify: true}
csim: {images: 2, corner_vectors: true, jobs: 1}
"""


def write_network_with_a_dead_channel(path):
    """One filter of the first layer is never above zero; its weights go nowhere."""
    from siliconv.legacy_keras import load

    keras = load()
    keras.backend.reset_uids()
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(3, 3, activation="relu", name="conv"),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="dense"),
        ]
    )
    kernel, bias = model.get_layer("conv").get_weights()
    kernel[..., 1], bias[1] = -np.abs(kernel[..., 1]), -0.5
    model.get_layer("conv").set_weights([kernel, bias])
    model.save(path)


@pytest.mark.slow
def test_firmware_of_a_simplified_network_is_exact_and_says_what_was_taken_out(tmp_path, compiler):
    folder = write_project(tmp_path / "small")
    write_network_with_a_dead_channel(folder / "net.h5")
    (folder / "project.yml").write_text(SIMPLIFIED)
    ended = run_here(["run", str(folder)])
    assert ended.code == 0, ended.said
    network = folder / "build" / "network"
    found = json.loads((network / SIMPLIFIED_FILE).read_text())
    assert found["channels"]["conv"] == [3, 2]
    assert found["after"]["weight_bits"] < found["before"]["weight_bits"]
    assert found["inputs"] == 12
    assert told(found) in ended.said
    assert [one.by_name["conv"].shape[-1] for one in (network_file.load(network), as_lowered(network))] == [2, 3]
    certificate = json.loads((folder / "build" / "csim.json").read_text())
    assert certificate["exact"]
    (claim,) = (one for one in certificate["claims"] if "simplified" in one["claim"])
    vectors = certificate["vectors"]
    assert (claim["holds"], claim["ground"], claim["count"]) == (True, "test", 3 * vectors)
    assert any(line.startswith("channels: ") for line in claim["details"])
    assert "the simplified network computes" in (folder / "build" / "report.html").read_text()
    for between in ("quantized reference", "reference firmware"):
        assert run_here(["explain", str(folder), "--between", *between.split()]).code == 0
    refused = run_here(["explain", str(folder), "--between", "quantized", "firmware"])
    assert refused.code == 2
    assert "EXPLAIN-SIMPLIFIED" in refused.said
    assert run_here(["verify", str(folder)]).code == 0


def test_a_network_with_other_outputs_is_no_simpler_one(monkeypatch):
    network = small_network()
    first = network.matrices[0]
    kernel = first.kernel.codes.copy()
    kernel.flat[0] += 1 if kernel.flat[0] < first.kernel.type.codes.high else -1
    changed = replace(first, kernel=Weights(kernel, first.kernel.type))
    other = replace(network, nodes=tuple(changed if node is first else node for node in network.nodes))
    monkeypatch.setattr(tested, "simplify", lambda given: other)
    low, high = network.input.type.codes
    inputs = np.random.default_rng(0).integers(low, high + 1, (64, *network.input.shape))
    with pytest.raises(WorkSaysNoError, match="LOWER-SIMPLIFIED"):
        simplified_network(network, [inputs])


def test_nothing_to_take_out_is_told():
    found = {"nodes": [], "before": dict.fromkeys(("channels", "weight_bits", "value_bits", "products"), 4)}
    assert told({**found, "after": found["before"]}) == "nothing to take out"
