"""Distributed arithmetic by layer: what is solved, what is told of it, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.errors import FirmwareError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion import distributed_arithmetic
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.distributed_arithmetic import (
    MOST_SOLVER_SECONDS,
    adder_function,
    expected_digits,
    solver_seconds,
)
from siliconv.hls.conversion.layer_settings import plan_layers
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.kinds import Strategy
from siliconv.hls.weight_statistics import csd_digits
from siliconv.network.fixed_point import FixedPoint
from siliconv.progress import Silent

ADDERS = Strategy.DISTRIBUTED_ARITHMETIC


@pytest.fixture
def network(build):
    return build((6, 6, 2)).conv(4, (3, 3)).relu().max_pool(2, 2).flatten().dense(3).network()


class Told(Silent):
    """Keeps what it is told."""

    def __init__(self):
        self.notes = []

    def update(self, done, note=""):
        self.notes.append(note)


def test_the_same_weights_give_the_same_bytes():
    random = np.random.default_rng(0)
    weights, biases = random.integers(-16, 16, (3, 3, 2, 8)) / 16, random.integers(-32, 32, 8) / 32
    source = FixedPoint(False, 5, 2)
    assert adder_function(weights, biases, source) == adder_function(weights.copy(), biases.copy(), source)


def test_each_layer_is_told_before_its_adders_are_searched(network, tmp_path):
    told = Told()
    firmware = convert(network, HlsConfig(strategies={"conv_1": ADDERS}), tmp_path, progress=told)
    assert told.notes == ["conv_1: about 1 s", ""]
    assert {layer.name: layer.strategy for layer in firmware.layers}["conv_1"] is ADDERS
    code = (tmp_path / "firmware" / "nnet_utils" / "nnet_code_gen.h").read_text()
    assert "dense_da_" in code
    assert "FUNCTION_NAME" not in code


def test_as_the_strategy_of_all_layers_it_needs_no_multipliers(network, tmp_path):
    firmware = convert(network, HlsConfig(strategy=ADDERS, max_multipliers=1), tmp_path)
    products = [layer for layer in firmware.layers if layer.products]
    assert [(layer.strategy, layer.reuse_factor) for layer in products] == [(ADDERS, 1)] * 2


def test_a_reuse_factor_is_refused(network):
    with pytest.raises(FirmwareError, match="REUSE-ILLEGAL"):
        plan_layers(network, HlsConfig(strategy=ADDERS, reuse_factors={"conv_1": 2}))


def test_a_layer_that_would_take_too_long_is_refused(network, tmp_path, monkeypatch):
    monkeypatch.setattr(distributed_arithmetic, "solver_seconds", lambda n_in, digits: 2 * MOST_SOLVER_SECONDS)
    with pytest.raises(FirmwareError, match="20 minutes") as raised:
        convert(network, HlsConfig(strategies={"dense_1": ADDERS}), tmp_path)
    assert raised.value.code == "STRATEGY-ADDERS"
    assert "dense_1: resource" in raised.value.fix


def test_weights_that_the_solver_would_round_are_refused(build, tmp_path):
    network = build((5,)).dense(3, width=30).network()
    with pytest.raises(FirmwareError, match="STRATEGY-WEIGHTS"):
        convert(network, HlsConfig(strategy=ADDERS), tmp_path)


@pytest.mark.parametrize(
    ("backend", "strategy"),
    [("VivadoAccelerator", "resource_unrolled"), ("Quartus", "distributed_arithmetic"), ("Catapult", ADDERS)],
)
def test_a_strategy_that_a_back_end_has_not_is_refused(network, backend, strategy):
    with pytest.raises(FirmwareError) as raised:
        plan_layers(network, HlsConfig(backend=backend, strategies={"dense_1": strategy}))
    assert raised.value.code == "STRATEGY-BACKEND"
    assert "resource" in raised.value.fix


@pytest.mark.parametrize("bits", [3, 4, 6, 8])
def test_the_expected_digits_are_those_of_weights_of_any_value(bits):
    codes = np.arange(-(2 ** (bits - 1)), 2 ** (bits - 1))
    assert csd_digits(np.abs(codes)).sum() == pytest.approx(expected_digits(codes.size, bits), rel=0.08)


@pytest.mark.parametrize(
    ("n_in", "n_out", "digits", "seconds"),
    [(27, 32, 1797, 0.43), (72, 16, 2384, 1.1), (256, 10, 2788, 3.9), (144, 32, 9668, 25.1), (288, 64, 7568, 20.5)],
)
def test_measured_times_of_the_solver_are_near_the_predicted(n_in, n_out, digits, seconds):
    assert seconds / 3 < solver_seconds(n_in, digits) < seconds * 3


@pytest.mark.parametrize("strategy", [ADDERS, Strategy.RESOURCE_UNROLLED])
def test_an_estimate_says_that_no_report_has_the_strategy(network, strategy):
    found = estimate(design_of(network, HlsConfig(strategies={"dense_1": strategy})))
    assert "dense_1" in found.warnings[0]
    assert strategy in found.warnings[0]
    assert not estimate(design_of(network, HlsConfig())).warnings
