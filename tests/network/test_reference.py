"""The reference against plain loops over fractions, node kind by node kind."""

import numpy as np
import pytest
from exact_model import as_array
from exact_model import run as run_exactly
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import BUILDERS, input_codes, networks

from siliconv.errors import NetworkError
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.graph import Dense, Input, Network, Weights
from siliconv.network.intervals import prove


def assert_equal_to_loops(network, seed):
    """Compare every tensor of a network with the independent model."""
    prove(network)
    codes = input_codes(network, seed, batch=2)
    tensors = reference.run(network, codes)
    for number, image in enumerate(codes):
        for name, tensor in run_exactly(network, image).items():
            expected = as_array(tensor, network.by_name[name].shape)
            np.testing.assert_array_equal(tensors[name][number], expected, err_msg=f"{network.by_name[name]}")


@pytest.mark.parametrize("kind", BUILDERS, ids=lambda kind: kind.__name__)
def test_node_kind_equals_loops(kind):
    @settings(max_examples=50, deadline=None, derandomize=True)
    @given(network=networks(first=kind, most=2), seed=st.integers(0, 1000))
    def check(network, seed):
        assert_equal_to_loops(network, seed)

    check()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(network=networks(most=8), seed=st.integers(0, 1000))
def test_deep_network_equals_loops(network, seed):
    assert_equal_to_loops(network, seed)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(network=networks(most=3, widest=61, input_width=30, weight_width=30), seed=st.integers(0, 1000))
def test_wide_types_equal_loops(network, seed):
    """Accumulators beyond 24 and 53 bits take the float64 and the int64 road."""
    assert_equal_to_loops(network, seed)


@pytest.mark.parametrize("width", [8, 18, 24, 25, 26, 29])
def test_all_roads_of_the_matrix_product_at_their_largest_sums(width):
    """Sums at the very end of the accumulator's range, where a significand that is too short shows."""
    kind = FixedPoint(True, width, width)
    weights = Weights(np.full((5, 2), kind.codes.low + 1), kind)
    weights.codes[0, 0] += 1
    bias = Weights(np.array([3, -3]), FixedPoint(True, 3, 3))
    accumulator = FixedPoint(True, 2 * width + 3, 2 * width + 3)
    image = Input("image", (), (5,), kind)
    network = Network("ends", (image, Dense("sum", ("image",), (2,), accumulator, weights, bias)))
    codes = np.full((1, 5), kind.codes.low)
    expected = [
        sum(int(w) * int(x) for w, x in zip(weights.codes[:, out], codes[0], strict=True)) + int(bias.codes[out])
        for out in range(2)
    ]
    assert reference.run(network, codes)["sum"].tolist() == [expected]


@settings(max_examples=10, deadline=None, derandomize=True)
@given(network=networks(most=6), seed=st.integers(0, 1000))
def test_keep_and_batches_change_nothing(network, seed):
    codes = input_codes(network, seed, batch=5)
    everything = reference.run(network, codes)
    name = network.output.name
    kept = reference.run(network, codes, keep=[name])
    assert list(kept) == [name]
    np.testing.assert_array_equal(kept[name], everything[name])
    np.testing.assert_array_equal(reference.run_batches(network, codes, name, batch=2), everything[name])
    assert reference.run(network, codes[:0])[name].shape == (0, *network.output.shape)
    assert reference.run_batches(network, codes[:0], name).shape == (0, *network.output.shape)


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        (np.zeros((1, 4), np.int64), "INPUT-SHAPE"),
        (np.full((1, 5), 8), "INPUT-RANGE"),
        (np.full((1, 5), -9), "INPUT-RANGE"),
        (np.full((1, 5), 2**63, np.uint64), "INPUT-RANGE"),
        (np.full((1, 5), 0.5), "INPUT-TYPE"),
    ],
)
def test_wrong_inputs_are_refused(codes, code):
    with pytest.raises(NetworkError) as caught:
        reference.run(small_network(), codes)
    assert caught.value.code == code


def test_unknown_node_is_refused():
    with pytest.raises(NetworkError, match="NODE-UNKNOWN"):
        reference.run(small_network(), np.zeros((1, 5), np.int64), keep=["sum", "nowhere"])


def small_network():
    """Five codes of four bits, summed."""
    kind = FixedPoint(True, 4, 4)
    ones = Weights(np.ones((5, 1), np.int64), FixedPoint(False, 1, 1))
    zero = Weights(np.zeros(1, np.int64), FixedPoint(True, 1, 1))
    image = Input("image", (), (5,), kind)
    return Network("small", (image, Dense("sum", ("image",), (1,), FixedPoint(True, 7, 7), ones, zero)))
