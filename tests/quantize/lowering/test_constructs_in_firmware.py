"""Constructs of QKeras models in firmware: the compiled sources compute the same bits, streams and parallel."""

from __future__ import annotations

import numpy as np
import pytest
from qkeras_networks import all_or_random_codes, in_a_row, prediction_of, values_of, with_random_weights

import siliconv
from siliconv import legacy_keras
from siliconv.hls.configuration import HlsConfig
from siliconv.network.fixed_point import PIXEL, FixedPoint
from siliconv.quantize.lowering.lowering import lower

keras = legacy_keras.load()

import qkeras  # noqa: E402
from qkeras.qconv2d_batchnorm import QConv2DBatchnorm  # noqa: E402

layers = keras.layers


def bits(width=6, integer=0, **more):
    return qkeras.quantized_bits(width, integer, **{"alpha": 1, **more})


def of_maps():
    return in_a_row(
        layers.Input((8, 8, 2)),
        QConv2DBatchnorm(3, 3, kernel_quantizer=bits(), bias_quantizer=bits(8, 2)),
        qkeras.QActivation(qkeras.quantized_relu(6, 2, negative_slope=0.25), name="leaky"),
        layers.BatchNormalization(name="normal"),
        qkeras.QActivation("ternary", name="signs"),
        qkeras.QSeparableConv2D(
            4, 3, padding="same", depthwise_quantizer=bits(4), pointwise_quantizer=bits(4), bias_quantizer=bits(5)
        ),
        qkeras.QActivation("quantized_tanh(5)", name="tanh"),
        qkeras.QAveragePooling2D(3, average_quantizer=bits(6)),
        layers.Flatten(),
        qkeras.QDense(3, kernel_quantizer=bits(1), bias_quantizer=bits(5, 1), activation=qkeras.binary(), name="head"),
    )


def of_vectors():
    return in_a_row(
        layers.Input((6,)),
        qkeras.QActivation(bits(4, 4, keep_negative=False, alpha=1 / 15), name="scaled"),
        qkeras.QDense(5, kernel_quantizer=bits(), bias_quantizer=bits(), name="dense"),
        qkeras.QActivation(qkeras.quantized_relu(5, 1), name="relu"),
        layers.BatchNormalization(name="normal"),
        qkeras.QActivation("binary", name="signs"),
        qkeras.QDense(4, kernel_quantizer=qkeras.ternary(alpha="auto"), bias_quantizer=bits(5, 1), name="ternary"),
        qkeras.QActivation("binary_tanh", name="end"),
    )


NETWORKS = {"maps": (of_maps, PIXEL), "vectors": (of_vectors, FixedPoint(False, 4, 4))}


@pytest.mark.long
@pytest.mark.parametrize("io_type", ["io_stream", pytest.param("io_parallel", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["vectors", pytest.param("maps", marks=pytest.mark.slow)])
def test_the_firmware_of_qkeras_constructs_computes_their_bits(name, io_type, compiler):
    make, kind = NETWORKS[name]
    model = with_random_weights(make(), seed=5)
    network = lower(model, name="constructs", input_type=kind)
    codes = all_or_random_codes(kind, network.input.shape, 12)
    found = values_of(network, codes)
    assert len(np.unique(found)) > 1
    if name == "maps":
        assert np.array_equal(found, prediction_of(model, network, codes))
    firmware = siliconv.convert(network, hls=HlsConfig(io_type=io_type))
    values = codes * kind.step if kind != PIXEL else codes.astype(np.uint8)
    certificate = firmware.simulate(values)
    assert certificate.exact, certificate
