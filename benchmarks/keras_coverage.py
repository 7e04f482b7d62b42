"""Count the networks of hls4ml's own tests that go from a Keras file to an integer network which computes the same.

    python benchmarks/keras_coverage.py [--only FILE]

Each is saved as a file, read, compared with Keras' own prediction, quantized by the default recipe, lowered, and
compared with QKeras on every layer. What is refused is counted by its code.
"""

from __future__ import annotations

import argparse
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
from siliconv.legacy_keras import load
from siliconv.models.architectures.folding import without_batch_normalization
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.user_model import load_user_model
from siliconv.quantize.lowering.agreement import agree
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import choose_types

RESULTS = Path(__file__).parent / "results" / "keras_coverage.json"


def judged(network: TestedNetwork, folder: Path) -> str:
    """Say what becomes of one network: exact, wrong, the code of a refusal, or the class of a crash."""
    model = network.build(load())
    path = folder / "model.keras"
    model.save(path)
    try:
        return exact_or_wrong(model, path)
    except SiliconvError as error:
        return error.code
    except Exception as error:  # noqa: BLE001  (a crash is what is counted)
        return f"crash: {type(error).__name__}"


def exact_or_wrong(model: Any, path: Path) -> str:
    """Read a file and lower it, and compare it on the way with Keras and with QKeras."""
    user = load_user_model(path.name, folder=path.parent)
    architecture, deployed = without_batch_normalization(user.build(), user.architecture)
    pixels = np.random.default_rng(0).integers(0, 256, (8, *user.architecture.input_shape))
    values = (pixels / 256).astype(np.float32)
    probabilities = user.build(output=user.output_as_written)
    expected = np.asarray(model(values, training=False))
    if not np.allclose(probabilities(values), expected, rtol=1e-4, atol=1e-5 * max(np.abs(expected).max(), 1.0)):
        return "wrong: not what Keras computes"
    types = choose_types(deployed, Recipe(), values)
    quantized = quantized_model(deployed, types)
    snap_weights(quantized)

    def again() -> Any:
        copy = quantized_model(build_model(architecture), types)
        copy.set_weights(quantized.get_weights())
        return copy

    found = agree(quantized, again, lower(quantized, name="net"), pixels)
    return "exact" if not found.exact.differing else "wrong: not what QKeras computes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="the networks of one file of hls4ml's tests")
    only = parser.parse_args().only
    found: dict[str, dict[str, str]] = {}
    for network in networks():
        if only in (None, network.file):
            with tempfile.TemporaryDirectory() as folder:
                result = judged(network, Path(folder))
            found.setdefault(network.file, {})[network.which] = result
            print(f"{network.file:20} {network.which:40} {result}", flush=True)
    counted = Counter(result for results in found.values() for result in results.values())
    print(dict(counted))
    if only is None:
        RESULTS.write_text(json.dumps({"counted": counted, "networks": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
