"""Small QKeras networks with random weights, and how what siliconv makes of one is compared with QKeras itself."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from siliconv import legacy_keras
from siliconv.legacy_keras import double_precision
from siliconv.models.architectures.nested_models import flat_model
from siliconv.models.qkeras_files.qkeras_reading import QKerasFile, qkeras_model_of
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, to_values
from siliconv.network.graph import Network
from siliconv.network.intervals import prove
from siliconv.quantize.taken.exact_model import exact_model

keras = legacy_keras.load()

SIXTEEN = FixedPoint(True, 16, 6)
"""What hls4ml's own tests feed their networks."""
EIGHT = FixedPoint(True, 8, 3)


def in_a_row(*layers: Any) -> Any:
    return keras.Sequential(list(layers))


def with_random_weights(model: Any, seed: int = 3, size: float = 1.0) -> Any:
    """Give every weight another value; scales of batch normalizations of either sign."""
    random, values = np.random.default_rng(seed), []
    for variable in model.weights:
        if "iteration" in variable.name:
            values.append(np.array(-1))
        elif "variance" in variable.name:
            values.append(random.uniform(0.2, 2.0, variable.shape))
        elif "gamma" in variable.name:
            values.append(random.uniform(-2.0, 2.0, variable.shape))
        else:
            values.append(random.uniform(-size, size, variable.shape))
    model.set_weights(values)
    return model


def all_or_random_codes(kind: FixedPoint, shape: tuple[int, ...], count: int, seed: int = 0) -> np.ndarray:
    """Give codes of inputs; of a single number, every code of a small type."""
    low, high = kind.codes
    if shape == (1,) and high - low < 70_000:
        return np.arange(low, high + 1).reshape(-1, 1)
    return np.random.default_rng(seed).integers(low, high + 1, (count, *shape))


def values_of(network: Network, codes: np.ndarray) -> np.ndarray:
    """Run the integer network, whose types are proven; its output in real units."""
    prove(network)
    return to_values(reference.run(network, codes)[network.output.name], network.output.type)


def prediction_of(model: Any, network: Network, codes: np.ndarray) -> np.ndarray:
    """Run the Keras model on the same inputs, as QKeras computes them: float32, compiled."""
    found = model.predict(to_values(codes, network.input.type).astype(np.float32), verbose=0, batch_size=256)
    return np.asarray(found, np.float64).reshape(len(codes), *network.output.shape)


def exact_prediction_of(model: Any, network: Network, codes: np.ndarray) -> np.ndarray:
    """Run what the model means in float64: a sum of scaled signs that is zero stays zero there."""
    file = read_back(model)
    with double_precision():
        exact = exact_model(file.model, file.weights)
        found = exact.predict(to_values(codes, network.input.type), verbose=0)
    return np.asarray(found).reshape(len(codes), *network.output.shape)


def read_back(model: Any) -> QKerasFile:
    """Read a live model as its file would be read."""
    named = {
        layer.name: [(one.name, value) for one, value in zip(layer.weights, layer.get_weights(), strict=True)]
        for layer in model.layers
    }
    config, weights = flat_model(json.loads(model.to_json()), named, where="model")
    return qkeras_model_of(config, weights, where="model", made=model)
