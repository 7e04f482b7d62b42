"""Fit: what it chooses is legal, fits, is balanced and reaches what was asked; else there are numbers."""

import dataclasses
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_designs import PIXEL, WIDE, convolution, matrix, network

from siliconv.hardware.boards import RESOURCES, board, boards
from siliconv.hls.conversion.reuse_factors import legal_reuse_factors
from siliconv.hls.design.design import (
    Design,
    ElementwiseLayer,
    FixedType,
    GlobalPoolLayer,
    MatrixLayer,
    PaddingLayer,
    PoolLayer,
    Tensor,
)
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.estimate.schedule import busy_cycles
from siliconv.hls.fit import fit, remedies
from siliconv.hls.kinds import Backend, IoType, LayerKind, Strategy, Synthesis


def lecture(head="pool"):
    """The CNN of the lecture: four 3x3 convolutions of 32 to 256 filters on 64x64x3, or with a flat head."""
    layers, size, channels = [], 64, 3

    def tensor(element, depth):
        return Tensor((size, size, depth), element)

    for number, filters in enumerate((32, 64, 128, 256)):
        padded = Tensor((size + 2, size + 2, channels), PIXEL)
        layers.append(PaddingLayer(f"pad_{number}", tensor(PIXEL, channels), padded))
        layers.append(convolution(f"conv_{number}", padded.shape, (size, size, filters), strategy=Strategy.RESOURCE))
        layers.append(ElementwiseLayer(f"relu_{number}", tensor(WIDE, filters), tensor(PIXEL, filters)))
        channels = filters
        if number < 3:
            before = tensor(PIXEL, filters)
            size //= 2
            layers.append(PoolLayer(f"pool_{number}", before, tensor(PIXEL, filters), kernel=(2, 2), stride=(2, 2)))
    if head == "pool":
        layers.append(GlobalPoolLayer("average", tensor(PIXEL, 256), Tensor((256,), PIXEL), average=True))
        widths = [1]
    else:
        widths = [16384, 1]
    for number, width in enumerate(widths):
        layers.append(matrix(f"dense_{number}", layers[-1].output.shape, (width,), strategy=Strategy.RESOURCE))
    return Design("lecture", tuple(layers), "xczu7ev-ffvc1156-2-e", 5.0, Backend.VITIS, IoType.STREAM)


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(["pynq-z2", "zcu104", "arty-a7-35t", "alveo-u250"]),
    rate=st.one_of(st.none(), st.floats(10, 1e6)),
    latency=st.one_of(st.none(), st.floats(1, 1e5)),
    filters=st.tuples(st.sampled_from([2, 4, 16]), st.sampled_from([8, 24])),
)
def test_what_is_chosen_is_legal_fits_and_reaches_what_was_asked(name, rate, latency, filters):
    design = network((1, 1, 1), filters=filters)
    found = fit.fit(design, board(name), images_per_second=rate, latency_us=latency)
    for one in found.best:
        for layer in design.layers:
            if isinstance(layer, MatrixLayer):
                strategy = one.strategies[layer.name]
                legal = legal_reuse_factors(layer.n_in, layer.n_out, strategy, kind=layer.kind)
                assert one.reuse_factors[layer.name] in legal
        assert one.fits == (max(one.shares.values()) <= fit.MOST_SHARE)
    if found.chosen is None:
        return
    chosen = found.chosen
    assert chosen is found.best[0]
    assert chosen.fits
    assert chosen.meets
    assert rate is None or chosen.images_per_second >= rate
    assert latency is None or chosen.latency_us <= latency
    # Applied to the design, with shallow FIFOs on that part, the estimate is the one that was promised.
    again = chosen.applied_to(design)
    placed = dataclasses.replace(
        again,
        part=found.board.part,
        clock_uncertainty_ns=None,
        layers=tuple(dataclasses.replace(layer, fifo_depth=2) for layer in again.layers),
    )
    assert estimate(placed, stage=Synthesis.VSYNTH) == chosen.estimate


def test_where_block_memory_is_short_fifos_and_weights_go_to_luts():
    design = network((1, 1, 1), filters=(16, 24), size=40)
    tight = dataclasses.replace(board("zcu104"), bram18=12)

    def as_generated(one):
        applied = one.applied_to(design)
        deep = [dataclasses.replace(layer, fifo_depth=40) for layer in applied.layers]
        layers = tuple(
            dataclasses.replace(layer, weight_memory=one.weight_memory) if isinstance(layer, MatrixLayer) else layer
            for layer in deep
        )
        words = 128 if one.fifo_memory == "shift_registers" else 0
        return dataclasses.replace(applied, layers=layers, part=tight.part, shift_register_words=words)

    places = [(fifos, weights) for weights in ("auto", "luts") for fifos in ("auto", "shift_registers")]
    found = fit.fit(design, tight, as_generated=as_generated, placements=places)
    assert found.chosen is not None
    assert (found.chosen.fifo_memory, found.chosen.weight_memory) != ("auto", "auto")
    only = fit.fit(design, tight, as_generated=as_generated)
    assert only.chosen is None


def test_weights_outside_the_core_are_a_remedy_with_its_figures():
    design = lecture()
    small = dataclasses.replace(board("alveo-u250"), bram18=40)
    found = fit.fit(design, small)
    assert found.chosen is None
    texts = [str(one) for one in remedies.remedies(design, found)]
    assert any("hls.bram_factor: 73728" in one and "1,769,472 bits" in one for one in texts)


def test_without_a_target_the_fastest_that_fits_is_best():
    found = fit.fit(network((1, 1, 1)), board("zcu104"))
    fitting = [one for one in found.best if one.fits]
    assert found.chosen is fitting[0]
    assert all(one.images_per_second <= found.chosen.images_per_second for one in fitting)


def test_no_loop_is_unrolled_beyond_what_the_tools_take():
    huge = dataclasses.replace(board("alveo-u250"), **dict.fromkeys(("lut", "ff", "dsp", "bram18", "uram"), 10**9))
    chosen = fit.fit(lecture(), huge).chosen
    for layer in chosen.applied_to(lecture()).layers:
        if isinstance(layer, MatrixLayer):
            assert layer.products <= fit.MOST_MULTIPLIERS * layer.reuse_factor


def test_layers_are_balanced():
    """No layer could take a larger legal reuse factor without becoming the slowest."""
    design = lecture()
    chosen = fit.fit(design, board("alveo-u250")).chosen
    applied = dataclasses.replace(chosen.applied_to(design), part=board("alveo-u250").part)
    busy = [busy_cycles(layer, applied) for layer in applied.layers]
    for layer, found, cycles in zip(applied.layers, chosen.estimate.layers, busy, strict=True):
        if not isinstance(layer, MatrixLayer) or cycles == max(busy):
            continue
        legal = legal_reuse_factors(layer.n_in, layer.n_out, Strategy.RESOURCE, kind=layer.kind)
        larger = [factor for factor in legal if factor > layer.reuse_factor]
        if not larger:
            continue
        slower = dataclasses.replace(layer, reuse_factor=larger[0], strategy=Strategy.RESOURCE)
        after = estimate(dataclasses.replace(applied, layers=(slower,)), stage=Synthesis.VSYNTH).layers[0]
        cheaper = (after.lut, after.bram18, after.ff) < (found.lut, found.bram18, found.ff)
        assert busy_cycles(slower, applied) > max(busy) or not cheaper


@pytest.mark.parametrize("name", ["zcu104", "alveo-u250"])
def test_the_lecture_network_fits_the_larger_boards_in_seconds(name):
    started = time.process_time()
    found = fit.fit(lecture(), board(name))
    assert found.chosen is not None
    assert found.chosen.images_per_second > 30
    assert time.process_time() - started < 5


def test_the_lecture_network_on_a_small_board_gets_numbers_and_remedies():
    design, small = lecture(), board("arty-a7-35t")
    found = fit.fit(design, small)
    assert found.chosen is None
    name, share = found.binding
    assert name in RESOURCES
    assert share > fit.MOST_SHARE
    helpful = remedies.remedies(design, found)
    assert any(remedy.fits and "--board" in remedy.change for remedy in helpful)
    error = remedies.does_not_fit(design, found, helpful)
    least = max(found.least, key=lambda one: found.least[one])
    assert share >= found.least[least] > fit.MOST_SHARE
    assert f"with no reuse factor, strategy or clock less than {found.least[least]:.0%}" in str(error)
    assert error.code == "FIT-NONE"
    assert error.exit_code == 1
    assert f"{share:.0%}" in str(error)
    assert "use the" in str(error)


@pytest.mark.parametrize("one", [one for one in boards() if one.is_calibrated], ids=lambda one: one.name)
def test_the_flat_head_of_the_lecture_fits_no_board(one):
    """16384 x 16384 weights: 268 million of 6 bits are more than any device's memory."""
    found = fit.fit(lecture("flat"), one)
    assert found.chosen is None


def test_an_impossible_rate_is_not_reached():
    found = fit.fit(network((1, 1, 1)), board("zcu104"), images_per_second=1e9)
    assert found.chosen is None
    assert found.best[0].fits
    assert not found.best[0].meets
    helpful = remedies.remedies(network((1, 1, 1)), found, images_per_second=1e9)
    error = remedies.does_not_fit(network((1, 1, 1)), found, helpful)
    assert error.what.startswith("nothing fits as it was asked for (at least 1,000,000,000 images/s): ")
    assert "images/s with " in error.what
    # What does not reach it is not offered as if it did.
    assert error.fix.startswith("ask for less, or ")


def test_halving_the_filters_keeps_input_and_output():
    design = lecture()
    half = remedies._halved(design)
    assert half.layers[0].input == design.layers[0].input
    assert half.layers[-1].output == design.layers[-1].output
    assert half.layers[1].output.channels == 16
    for before, after in zip(half.layers, half.layers[1:], strict=False):
        assert before.output.size == after.input.size


def test_narrower_weights_are_a_remedy_where_memory_binds():
    wide = tuple(
        dataclasses.replace(layer, weight=FixedType(16, 6)) if isinstance(layer, MatrixLayer) else layer
        for layer in lecture().layers
    )
    design = dataclasses.replace(lecture(), layers=wide)
    short = dataclasses.replace(board("alveo-u250"), bram18=100)
    found = fit.fit(design, short)
    assert found.binding[0] == "bram18"
    changes = {one.change: one for one in remedies.remedies(design, found)}
    assert changes["weights of 4 bits"].share < changes["weights of 6 bits"].share < found.binding[1]


def test_narrower_activations_narrow_what_layers_of_weights_read():
    narrow = remedies._with_activations(lecture(), 4)
    widths = {layer.input.type.width for layer in narrow.layers if isinstance(layer, MatrixLayer)}
    assert widths == {4}
    assert narrow.layers[1].output.type == WIDE


def test_what_fits_with_its_band_comes_before_what_is_faster_and_may_fit():
    found = fit.fit(lecture(), board("zcu104"))
    assert found.chosen is not None
    assert found.chosen.surely
    assert found.chosen.chance >= 0.9, "an end of a band of 80 %"
    assert found.at_risk is not None
    assert not found.at_risk.surely
    assert found.at_risk.images_per_second > found.chosen.images_per_second
    assert 0.5 <= found.at_risk.chance < 0.9
    assert all(one.chance < 0.5 for one in [found.beyond] if one is not None), "its values are too large"


def test_of_designs_at_risk_the_surest_that_reaches_a_rate_is_chosen():
    tight = dataclasses.replace(board("zcu104"), lut=190_000)
    fastest = fit.fit(lecture(), tight, clocks_ns=[5.0])
    enough = fit.fit(lecture(), tight, images_per_second=300, clocks_ns=[5.0])
    assert not fastest.chosen.surely
    assert enough.chosen.images_per_second >= 300
    assert enough.chosen.surely or enough.chosen.chance >= fastest.chosen.chance
    assert enough.chosen.images_per_second < fastest.chosen.images_per_second


def test_rates_are_those_of_the_steady_state():
    """A stride of two halves both axes: three of four pixels complete no window, and C synthesis charges them all."""
    strided = dataclasses.replace(
        convolution("conv", (33, 33, 8), (16, 16, 8), strategy=Strategy.RESOURCE), stride=(2, 2)
    )
    design = Design("strided", (strided,), "xczu7ev-ffvc1156-2-e", 5.0, Backend.VITIS, IoType.STREAM)
    one = fit.fit(design, board("zcu104"), images_per_second=100).best[0]
    assert one.steady_cycles is not None
    assert one.steady_cycles < 0.6 * one.estimate.interval_cycles.value
    assert one.images_per_second == 1e9 / (one.steady_cycles * one.clock_ns)


def test_a_rate_that_the_steady_state_reaches_takes_no_design_for_the_worst_case():
    """The smallest that reaches a rate, where what C synthesis states is two to three times too slow for it."""
    layers = (
        dataclasses.replace(convolution("a", (65, 65, 4), (32, 32, 8), strategy=Strategy.RESOURCE), stride=(2, 2)),
        dataclasses.replace(convolution("b", (32, 32, 8), (15, 15, 16), strategy=Strategy.RESOURCE), stride=(2, 2)),
    )
    design = Design("strided", layers, "xczu7ev-ffvc1156-2-e", 5.0, Backend.VITIS, IoType.STREAM)
    wanted = 5000.0
    chosen = fit.fit(design, board("zcu104"), images_per_second=wanted, clocks_ns=[5.0]).chosen
    assert chosen.images_per_second >= wanted
    assert 1e9 / (chosen.estimate.interval_cycles.value * chosen.clock_ns) < wanted
    alone = [
        option
        for option in legal_reuse_factors(36, 8, Strategy.RESOURCE, kind=LayerKind.CONV2D)
        if option > chosen.reuse_factors["a"]
    ]
    slower = dataclasses.replace(layers[0], reuse_factor=alone[0])
    assert 1e9 / (busy_cycles(slower, design) * 5.0) < wanted, "the next larger reuse factor is too slow"
