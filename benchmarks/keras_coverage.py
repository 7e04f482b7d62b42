"""Count the networks of hls4ml's own tests that go from a Keras file to an integer network which computes the same.

    python benchmarks/keras_coverage.py [--only FILE...] [--firmware N]

Each is saved as a file, read, compared with Keras' own prediction, quantized by the default recipe, lowered, and
compared with QKeras on every layer; every Nth goes on through C simulation, where every layer of its firmware is
compared. What is refused is counted by its code. With --only, the figures of other files stay as they are.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from keras_test_networks import TestedNetwork, networks

from siliconv.errors import SiliconvError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.csim.csim import compare, compile_project
from siliconv.hls.fifo.sized_design import design_of, fifo_depths
from siliconv.legacy_keras import load
from siliconv.models.architectures.folding import without_batch_normalization
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.keras_prediction import predict_file
from siliconv.models.architectures.ports import ports_of
from siliconv.models.architectures.user_model import load_user_model
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.network.vectors.corners import corner_vectors
from siliconv.progress import Silent
from siliconv.quantize.lowering.agreement import agree
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import choose_types
from siliconv.stages.lowered_network import lowered_network

RESULTS = Path(__file__).parent / "results" / "keras_coverage.json"


def judged(network: TestedNetwork, folder: Path, *, firmware: bool = False) -> str:
    """Say what becomes of one network: exact, wrong, the code of a refusal, or the class of a crash."""
    keras = load()  # before the other Keras, which is built on the same TensorFlow
    if network.keras == 3:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        keras = importlib.import_module("keras")
    model = network.build(keras)
    path = folder / "model.keras"
    model.save(path)
    try:
        return exact_or_wrong(path, firmware=firmware)
    except SiliconvError as error:
        return error.code
    except Exception as error:  # noqa: BLE001  (a crash is what is counted)
        return f"crash: {type(error).__name__}"


def exact_or_wrong(path: Path, *, firmware: bool) -> str:
    """Read a file and lower it, and compare it on the way with Keras and with QKeras, and in the end its firmware."""
    user = load_user_model(path.name, folder=path.parent)
    architecture, deployed = without_batch_normalization(user.build(), user.architecture)
    pixels = np.random.default_rng(0).integers(0, 256, (8, *user.architecture.input_shape))
    values = (pixels / 256).astype(np.float32)
    probabilities = user.build(output=user.output_as_written)
    expected = predict_file(str(path), values, [], None, user.ports, progress=Silent()).outputs
    if not np.allclose(probabilities(values), expected, rtol=1e-4, atol=1e-5 * max(np.abs(expected).max(), 1.0)):
        return "wrong: not what Keras computes"
    types = choose_types(deployed, Recipe(), values)
    quantized = quantized_model(deployed, types)
    snap_weights(quantized)

    def again() -> Any:
        copy = quantized_model(build_model(architecture), types)
        copy.set_weights(quantized.get_weights())
        return copy

    network = lower(quantized, name="net")
    if agree(quantized, again, network, pixels).exact.differing:
        return "wrong: not what QKeras computes"
    if not firmware:
        return "exact"
    whole = lowered_network(quantized, name="net", ports=ports_of(user.architecture))
    return "exact in firmware" if firmware_is_exact(whole, pixels, path.parent) else "wrong: not in firmware"


def firmware_is_exact(network: Network, codes: Codes, folder: Path) -> bool:
    """Whether every layer of the firmware computes what the network does, on these inputs and on corner vectors."""
    project, config = folder / "firmware", HlsConfig()
    project.mkdir()
    convert(network, config, project, fifo_depths=fifo_depths(design_of(network, config)))
    library = compile_project(project, network.name, folder / "cache")
    vectors = np.concatenate([codes, np.stack(list(corner_vectors(network).values()))])
    return not any(layer.differing for layer in compare(library, network, vectors, jobs=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", help="the networks of some files of hls4ml's tests")
    parser.add_argument("--firmware", type=int, default=0, help="every so many-th goes on through C simulation")
    arguments = parser.parse_args()
    only, every = arguments.only, arguments.firmware
    known = json.loads(RESULTS.read_text(encoding="utf-8"))["networks"] if only is not None else {}
    found: dict[str, dict[str, str]] = {}
    for number, network in enumerate(networks()):
        if only is None or network.file in only:
            with tempfile.TemporaryDirectory() as folder:
                result = judged(network, Path(folder), firmware=every > 0 and number % every == 0)
            found.setdefault(network.file, {})[network.which] = result
            print(f"{network.file:20} {network.which:40} {result}", flush=True)
            write({**known, **found})
    print(dict(Counter(result for results in found.values() for result in results.values())))


def write(found: dict[str, dict[str, str]]) -> None:
    """Write what is known so far."""
    counted = Counter(result for name in sorted(found) for result in found[name].values())
    content = {"counted": counted, "networks": {name: found[name] for name in sorted(found)}}
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
