"""Quantizers with arguments drawn at random, in activations and kernels: equal to QKeras in every bit, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from qkeras_networks import EIGHT, all_or_random_codes, in_a_row, prediction_of, values_of, with_random_weights

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.network.fixed_point import FixedPoint
from siliconv.quantize.lowering.lowering import lower

keras = legacy_keras.load()
tf = legacy_keras.tensorflow()

import qkeras  # noqa: E402

DRAWS = 60


def draw(random, *, kernel):
    """Give a quantizer of QKeras' with random arguments, whatever they mean together."""
    kind = random.choice(["bits", "bits", "bits", "relu", "binary", "ternary", "po2", "tanh", "sigmoid"])
    stochastic = bool(random.random() < 0.1)
    alphas = [None, 1, 1.0, 0.5, 2.0, 0.3] + (["auto", "auto_po2"] if kernel or random.random() < 0.2 else [])
    alpha = alphas[random.integers(len(alphas))]
    width, integer = int(random.integers(1, 9)), int(random.integers(0, 5))
    noise = 1.0 if random.random() < 0.9 else 0.5
    if kind == "bits":
        return qkeras.quantized_bits(
            width,
            integer,
            int(random.integers(2)),
            bool(random.random() < 0.8),
            alpha,
            stochastic,
            qnoise_factor=noise,
            use_ste=False,  # without the rounding of x + (q - x)
        )
    if kind == "relu":
        slope, bound = [0.0, 0.0, 0.25, 0.5, 1.0][random.integers(5)], [None, None, 1.5, 6.0][random.integers(4)]
        return qkeras.quantized_relu(
            width,
            integer,
            int(random.random() < 0.1),
            slope,
            stochastic,
            bound,
            bool(random.random() < 0.7),
            qnoise_factor=noise,
        )
    if kind == "binary":
        return qkeras.binary(bool(random.random() < 0.3), alpha, stochastic)
    if kind == "ternary":
        threshold = None if isinstance(alpha, str) else [None, 0.0, 0.2, 0.5, 1.25][random.integers(5)]
        return qkeras.ternary(alpha, threshold, stochastic and isinstance(alpha, str))
    if kind == "po2":
        return qkeras.quantized_po2(
            int(random.integers(2, 8)), [None, 1, 2, 4][random.integers(4)], stochastic, bool(random.random() < 0.2)
        )
    real, symmetric = bool(random.random() < 0.4), bool(random.random() < 0.3)
    if kind == "tanh":
        return qkeras.quantized_tanh(width, stochastic, symmetric, real)
    return qkeras.quantized_sigmoid(width, symmetric, real, stochastic)


def lowered(model, kind):
    """Lower a model; None where it is refused, which says where and what to do."""
    refused = None
    try:
        return lower(model, name="net", input_type=kind)
    except NetworkError as error:
        refused = error
    assert refused.code.startswith(("LOWER-", "TABLE-", "VALUE-"))
    assert refused.fix
    assert refused.where
    return None


@pytest.mark.parametrize("seed", range(4))
def test_a_random_activation_is_equal_or_refused(seed):
    random, equal = np.random.default_rng(seed), 0
    for _ in range(DRAWS):
        quantizer = draw(random, kernel=False)
        model = in_a_row(keras.layers.Input((1,)), qkeras.QActivation(quantizer, name="a"))
        network = lowered(model, EIGHT)
        if network is None:
            continue
        codes = all_or_random_codes(EIGHT, (1,), 0)
        inputs = (codes * EIGHT.step).astype(np.float32)
        found, own = values_of(network, codes), np.asarray(model(inputs, training=False), np.float64)
        # QKeras' x + (q - x) rounds where q is no multiple of the input's step, as a scale of 0.3 is.
        rounds = getattr(quantizer, "alpha", None) == 0.3
        assert np.allclose(found, own, rtol=0, atol=5e-7) if rounds else np.array_equal(found, own), quantizer
        equal += 1
    assert equal > DRAWS / 3


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))])
def test_a_random_kernel_is_equal_or_refused(seed):
    random, equal, kind = np.random.default_rng(100 + seed), 0, FixedPoint(True, 6, 2)
    for number in range(DRAWS):
        quantizer, bias = draw(random, kernel=True), qkeras.quantized_bits(5, 1)
        dense = qkeras.QDense(3, kernel_quantizer=quantizer, bias_quantizer=bias, name="d")
        try:
            model = with_random_weights(in_a_row(keras.layers.Input((7,)), dense), seed=number, size=1.7)
        except (ValueError, AssertionError, tf.errors.InvalidArgumentError):
            continue  # QKeras itself cannot compute it
        network = lowered(model, kind)
        if network is None:
            continue
        codes = all_or_random_codes(kind, (7,), 40)
        found, own = values_of(network, codes), prediction_of(model, network, codes)
        # QKeras' x + (q - x) may leave a kernel a unit of float32 off; a wrong code is a hundred thousand times that.
        assert np.allclose(found, own, rtol=0, atol=4e-6 * max(1.0, np.abs(own).max())), quantizer
        equal += 1
    assert equal > DRAWS / 3
