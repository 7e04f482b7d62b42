"""Legal reuse factors: exactly those that hls4ml keeps and its template computes correctly with."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siliconv.errors import FirmwareError
from siliconv.hls.conversion import reuse_factors
from siliconv.hls.kinds import IoType, LayerKind, Strategy

SIZES = st.integers(1, 12)


def hls4ml_keeps(n_in, n_out, rf):
    """hls4ml 1.3.0, FPGABackend._validate_reuse_factor."""
    limit = -(-n_in * n_out // min(n_in, rf))
    return (limit % n_out == 0 or rf >= n_in) and (rf % n_in == 0 or rf < n_in) and n_in * n_out % rf == 0


def dense_products(n_in, n_out, rf, *, only_leq_nin=False):
    """The (input, weight, output) triples that the loops of nnet_dense_resource.h multiply, in its words.

    Returns None where an assertion of the template stops, or an index leaves its array.
    """
    multfactor = min(n_in, rf)
    limit = -(-n_in * n_out // multfactor)
    block = -(-n_in * n_out // rf)
    multscale = limit // n_out
    if not (limit % n_out == 0 or rf >= n_in):
        return None
    triples = []
    if rf <= n_in or only_leq_nin:
        if only_leq_nin and rf > n_in:  # nnet_conv2d_resource.h: "correct only for RF <= ..."
            return None
        for ir in range(rf):
            w, i, out, step = ir, ir, 0, 0
            for _ in range(block):
                triples.append((i, w, out))
                w, i = w + rf, i + rf
                if i >= n_in:
                    i = ir
                out, step = (out + 1, 0) if step + 1 >= multscale else (out, step + 1)
    elif rf % n_in == 0:
        i, outscale = 0, rf // n_in
        for ir in range(rf):
            w, out = ir, ir // n_in
            for _ in range(block):
                triples.append((i, w, out))
                w += rf
                if w >= n_in * n_out:
                    break
                out += outscale
            i = (i + 1) % n_in
    else:
        for ir in range(rf):
            for im in range(block):
                w = ir + rf * im
                if w < n_in * n_out:
                    triples.append((w % n_in, w, w // multfactor))
    if any(i >= n_in or w >= n_in * n_out or out >= n_out for i, w, out in triples):
        return None
    return triples


def depthwise_products(n_in, n_out, rf):
    """The (input, output) pairs of nnet_depthwise_product.h, which multiplies data[k] by weights[k]."""
    block = -(-n_in // min(rf, n_in))
    pairs = []
    for ir in range(min(rf, n_in)):
        out = ir if rf <= n_out else ir % n_out
        for im in range(block):
            i = ir + im * min(rf, n_in)
            if i >= n_in or out >= n_out:
                return None
            pairs.append((i, out))
            if rf <= n_out or rf % n_out:
                out += rf if rf <= n_out else rf % n_out
                out -= n_out if out >= n_out else 0
    return pairs


def complete(n_in, n_out):
    """The triples of a full product with the weights transposed, as the Resource strategy stores them."""
    return sorted((i, out * n_in + i, out) for out in range(n_out) for i in range(n_in))


@settings(max_examples=60, deadline=None)
@given(n_in=SIZES, n_out=SIZES, parallel_conv=st.booleans())
def test_resource_is_legal_exactly_when_hls4ml_keeps_it_and_the_template_is_right(n_in, n_out, parallel_conv):
    kind, io_type = (LayerKind.CONV2D, IoType.PARALLEL) if parallel_conv else (LayerKind.CONV2D, IoType.STREAM)
    legal = reuse_factors.legal_reuse_factors(n_in, n_out, Strategy.RESOURCE, kind=kind, io_type=io_type)
    right = [
        rf
        for rf in range(1, n_in * n_out + 2)
        if hls4ml_keeps(n_in, n_out, rf)
        and (found := dense_products(n_in, n_out, rf, only_leq_nin=parallel_conv)) is not None
        and sorted(found) == complete(n_in, n_out)
    ]
    assert list(legal) == right


@settings(max_examples=60, deadline=None)
@given(pixels=st.integers(1, 9), channels=SIZES)
def test_depthwise_resource_is_legal_exactly_when_the_template_is_right(pixels, channels):
    n_in = pixels * channels
    legal = reuse_factors.legal_reuse_factors(
        n_in, channels, "resource", kind=LayerKind.DEPTHWISE2D, io_type=IoType.STREAM
    )
    right = [
        rf
        for rf in range(1, n_in + 1)
        if hls4ml_keeps(n_in, channels, rf)
        and (found := depthwise_products(n_in, channels, rf)) is not None
        and sorted(found) == [(i, i % channels) for i in range(n_in)]
    ]
    assert list(legal) == right


def test_hls4ml_817_larger_factors_of_parallel_convolutions_are_refused():
    stream = reuse_factors.legal_reuse_factors(27, 8, "resource", kind="conv2d", io_type="io_stream")
    parallel = reuse_factors.legal_reuse_factors(27, 8, "resource", kind="conv2d", io_type="io_parallel")
    assert list(stream) == [1, 3, 9, 27, 54, 108, 216]
    assert list(parallel) == [1, 3, 9, 27]


def test_our_transcription_of_hls4mls_rule_is_hls4mls():
    backend_module = pytest.importorskip("hls4ml.backends.fpga.fpga_backend")
    validate = backend_module.FPGABackend._validate_reuse_factor
    for n_in, n_out in [(27, 8), (12, 7), (1, 5), (64, 10)]:
        for rf in range(1, n_in * n_out + 1):
            assert bool(validate(None, n_in, n_out, rf)) == hls4ml_keeps(n_in, n_out, rf)


def test_smallest_legal_factors_of_the_lecture_network():
    found = []
    for n_in, n_out in [(27, 32), (288, 64), (576, 128), (1152, 256)]:
        legal = reuse_factors.legal_reuse_factors(n_in, n_out, "resource", kind="conv2d")
        found.append(reuse_factors.smallest_legal(legal, n_in * n_out, 4096))
    assert found == [1, 6, 18, 72]


@pytest.mark.parametrize(
    ("strategy", "kind", "io_type", "expected"),
    [
        ("latency", "dense", "io_parallel", list(range(1, 13))),
        ("distributed_arithmetic", "conv2d", "io_stream", [1]),
        ("resource_unrolled", "dense", "io_stream", [2, 4]),  # hls4ml replaces 1 and the largest, 12
        ("resource_unrolled", "conv2d", "io_parallel", []),
        ("resource", "depthwise2d", "io_parallel", []),
    ],
)
def test_the_other_strategies(strategy, kind, io_type, expected):
    found = reuse_factors.legal_reuse_factors(4, 3, strategy, kind=kind, io_type=io_type)
    assert list(found) == expected


def test_an_illegal_factor_names_the_nearest_legal_ones():
    with pytest.raises(FirmwareError, match="use 54 or 108") as caught:
        reuse_factors.check_reuse_factor(64, 27, 8, "resource", kind="conv2d", layer="conv_1")
    assert caught.value.code == "REUSE-ILLEGAL"
    assert "layer conv_1" in str(caught.value)
    reuse_factors.check_reuse_factor(54, 27, 8, "resource", kind="conv2d")
    with pytest.raises(FirmwareError) as caught:
        reuse_factors.check_reuse_factor(1, 9, 3, "resource", kind="depthwise2d", io_type="io_parallel")
    assert caught.value.code == "REUSE-STRATEGY"


def test_nearest_legal_at_the_ends():
    legal = (2, 4, 8)
    assert reuse_factors.nearest_legal(1, legal) == (2,)
    assert reuse_factors.nearest_legal(5, legal) == (4, 8)
    assert reuse_factors.nearest_legal(9, legal) == (8,)
    assert reuse_factors.nearest_legal(4, legal) == (4,)


def test_parallelization_factors_divide_the_pixels():
    assert reuse_factors.legal_parallelization_factors(12, io_type="io_parallel") == (1, 2, 3, 4, 6, 12)
    assert reuse_factors.legal_parallelization_factors(12, io_type="io_stream") == (1,)
