"""Each fault that is planted into generated sources is found where it is, with its cause.

What the faulty firmware computes is computed here by the reference of a network with the same fault; one of them is
also compiled and run.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from written_firmware import edit_numbers, edit_types, write_firmware

from siliconv.hls.conversion.weight_headers import as_written, expected_numbers
from siliconv.hls.csim.csim import compile_project, simulate_apart
from siliconv.hls.csim.firmware_causes import firmware_execution
from siliconv.network import reference
from siliconv.network.explanation.first_difference import explain, reference_execution
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, requantize, to_values
from siliconv.network.graph import Conv, Network, Weights
from siliconv.network.output_sigmoid import with_sigmoid
from siliconv.network.output_softmax import with_softmax

RELU = FixedPoint(False, 6, 2, Rounding.RND_CONV, Overflow.SAT)
IN_HLS = "ap_ufixed<6,2,AP_RND_CONV,AP_SAT,0>"


@pytest.fixture(scope="module")
def written(tmp_path_factory, build):
    """A network of every kind that can be faulty, and its sources, written once."""
    builder = build((8, 4, 2)).conv(4, (3, 3)).relu(6, 2).global_average().dense(1)
    network = with_sigmoid(builder.network(), name="sigmoid")
    return network, write_firmware(network, tmp_path_factory.mktemp("written"))


@pytest.fixture
def project(written, tmp_path):
    shutil.copytree(written[1], tmp_path / "firmware")
    return tmp_path / "firmware"


@pytest.fixture
def network(written):
    return written[0]


def state_accumulator(project, kind):
    stated = f"typedef ap_fixed<{kind.width},{kind.integer}> conv_1_accum_t;"
    edit_types(project, r"typedef ap_fixed<\d+,\d+> conv_1_accum_t;", stated)


def vectors(network, n=40):
    return np.random.default_rng(0).integers(0, 256, (n, *network.input.shape))


def explained(project, network, values, codes):
    inputs = to_values(codes, network.input.type)
    firmware = firmware_execution(project, network, values, inputs)
    return explain(network, codes, firmware, reference_execution(network, reference.run(network, codes)))


def values_of(network: Network, codes):
    return {name: to_values(found, network.by_name[name].type) for name, found in reference.run(network, codes).items()}


def with_node(network, name, **changes):
    nodes = tuple(replace(node, **changes) if node.name == name else node for node in network.nodes)
    return replace(network, nodes=nodes)


def test_sound_sources_are_equal(project, network):
    codes = vectors(network)
    found = explained(project, network, values_of(network, codes), codes)
    assert found.equal


@pytest.mark.parametrize(
    ("kind", "cause", "words"),
    [
        (replace(RELU, rounding=Rounding.RND), "ROUNDING-TIE", "in the middle"),
        (replace(RELU, rounding=Rounding.TRN), "ROUNDING-MODE", "TRN takes"),
        (replace(RELU, overflow=Overflow.WRAP), "SATURATION", "is outside of"),
        (replace(RELU, width=5), "RESULT-TYPE", "1 fractional bits too few"),
    ],
)
def test_a_result_type_that_rounds_or_saturates_otherwise(project, network, kind, cause, words):
    modes = (
        ""
        if kind.overflow is Overflow.WRAP and kind.rounding is Rounding.TRN
        else f",AP_{kind.rounding},AP_{kind.overflow},0"
    )
    edit_types(project, re.escape(IN_HLS), f"ap_ufixed<{kind.width},{kind.integer}{modes}>")
    codes = vectors(network)
    if cause == "SATURATION":
        biased = with_node(network, "conv_1", bias=Weights(np.full(4, 31), network.by_name["conv_1"].bias.type))
        network = biased
    faulty = with_node(network, "requantize_1", type=kind)
    values = values_of(faulty, codes)
    values["requantize_1"] = to_values(reference.run(faulty, codes, keep=["requantize_1"])["requantize_1"], kind)
    found = explained(project, network, values, codes)
    assert (found.layer, found.causes[0].code) == ("requantize_1", cause)
    assert words in found.causes[0].what


def narrowed(network, name, kind, codes):
    """What a sum of products gives whose accumulator is too narrow, added up in Python."""
    node = network.by_name[name]
    assert isinstance(node, Conv)
    exact = reference.run(network, codes, keep=[name])[name]
    return to_values(requantize(exact, node.type.fraction, kind), kind)


def test_an_accumulator_that_overflows_says_at_which_bit_and_with_which_term(project, network):
    node = network.by_name["conv_1"]
    narrow = FixedPoint(True, node.type.width - 3, node.type.integer - 3)
    state_accumulator(project, narrow)
    codes = vectors(network)
    values = values_of(network, codes)
    values["conv_1"] = narrowed(network, "conv_1", narrow, codes)
    found = explained(project, network, values, codes)
    (cause,) = found.causes
    assert (found.layer, cause.code) == ("conv_1", "ACCUMULATOR-OVERFLOW")
    assert f"overflows at bit {narrow.width}" in cause.what
    assert "computed again with it, the element has the firmware's value" in cause.what
    number = int(re.search(r"with term (\d+) of", cause.what).group(1))
    partial = [term.partial for term in found.trace.terms]
    assert not narrow.codes.low <= partial[number - 1] <= narrow.codes.high
    assert all(narrow.codes.low <= one <= narrow.codes.high for one in partial[: number - 1])


def test_an_accumulator_that_drops_bits(project, network):
    node = network.by_name["conv_1"]
    coarse = FixedPoint(True, node.type.width - 4, node.type.integer)
    state_accumulator(project, coarse)
    codes = vectors(network)
    values = values_of(network, codes)
    values["conv_1"] = values["conv_1"] - coarse.step
    found = explained(project, network, values, codes)
    assert found.causes[0].code == "ACCUMULATOR-TRUNCATION"
    assert "drops 4 bits" in found.causes[0].what


@pytest.mark.parametrize(("shift", "words"), [(1, "steps away"), (None, "no entry of the network's table")])
def test_a_table_that_is_read_or_filled_otherwise(project, network, shift, words):
    table = network.by_name["sigmoid"].table
    wrong = np.roll(table.codes, -shift) if shift else np.full_like(table.codes, 12345)
    assert 12345 not in table.codes
    codes = vectors(network)
    faulty = with_node(network, "sigmoid", table=Weights(wrong, table.type))
    found = explained(project, network, values_of(faulty, codes), codes)
    assert (found.layer, found.causes[0].code) == ("sigmoid", "TABLE-STEP")
    assert words in found.causes[0].what


def test_edited_weights(project, network):
    kernel = network.by_name["conv_1"].kernel
    path = project / "firmware" / "weights" / "w2.h"
    edit_numbers(path, lambda numbers: [numbers[0] + kernel.type.step, *numbers[1:]])
    changed = kernel.codes.copy()
    changed.ravel()[0] += 1
    codes = vectors(network)
    faulty = with_node(network, "conv_1", kernel=Weights(changed, kernel.type))
    found = explained(project, network, values_of(faulty, codes), codes)
    assert (found.layer, found.causes[0].code) == ("conv_1", "WEIGHTS")
    assert "w2.h" in found.causes[0].what


def test_weights_that_changed_places(project, network):
    codes = vectors(network)
    kernel = network.by_name["conv_1"].kernel
    swapped = kernel.codes.copy()
    flat = swapped.ravel()
    other = int(np.flatnonzero(flat != flat[0])[0])
    flat[[0, other]] = flat[[other, 0]]
    faulty = with_node(network, "conv_1", kernel=Weights(swapped, kernel.type))
    path = project / "firmware" / "weights" / "w2.h"
    (order,) = (one["order"] for one in as_written(project, network) if one["file"] == "w2.h")
    edit_numbers(path, lambda _numbers: expected_numbers(swapped, kernel.type, order).tolist())
    found = explained(project, network, values_of(faulty, codes), codes)
    assert (found.layer, found.causes[0].code) == ("conv_1", "WEIGHTS")
    assert "w2.h: number 0 of the weight of conv_1 is" in found.causes[0].what
    assert "(2 numbers differ)" in found.causes[0].what


def test_a_kernel_that_is_written_wider_than_the_network_has_it_is_not_blamed(build, tmp_path):
    """A strided window of one row goes into streams as a larger one with zeros."""
    network = build((5, 6, 2)).conv(2, (1, 3), strides=(2, 1)).relu(4, 0).flatten().dense(2).network()
    project, codes = write_firmware(network, tmp_path), vectors(network)
    values = values_of(network, codes)
    (conv,) = network.of_kind(Conv)
    values[conv.name] = values[conv.name] + conv.type.step
    found = explained(project, network, values, codes)
    assert found.layer == conv.name
    assert "WEIGHTS" not in [cause.code for cause in found.causes]


def test_a_firmware_that_was_given_other_inputs(project, network):
    codes = vectors(network)
    values = values_of(network, codes)
    del values["image"]
    firmware = firmware_execution(project, network, values, codes / 255)
    found = explain(network, codes, firmware, reference_execution(network, reference.run(network, codes)))
    assert (found.layer, found.causes[0].code) == ("image", "INPUT-NOT-QUANTIZED")


def test_the_accumulator_of_a_global_average_narrowed_by_hand_compiled_and_run(project, network, tmp_path, compiler):
    """Hls4ml's own choice, fixed<16,6>, overflows for the sums of this network when it is made a little narrower."""
    edit_types(project, r"typedef ap_u?fixed<\d+,\d+> (global_average_1_accum_t);", r"typedef ap_fixed<14,4> \1;")
    codes = np.full((1, *network.input.shape), 255)
    library = compile_project(project, network.name, tmp_path / "cache")
    found = explained(project, network, simulate_apart(library, network, codes), codes)
    assert (found.layer, found.causes[0].code) == ("global_average_1", "ACCUMULATOR-OVERFLOW")
    assert "overflows at bit 14" in found.causes[0].what
    assert "computed again with it, the element has the firmware's value" in found.causes[0].what


def test_a_table_edited_on_the_disk_compiled_and_run(build, tmp_path, compiler):
    network = with_sigmoid(build((6, 2)).conv(1, (3,)).relu(4, 0).flatten().dense(1).network(), name="sigmoid")
    codes = vectors(network, 30)
    project = write_firmware(network, tmp_path)
    (path,) = (project / "firmware" / "weights").glob("table*.h")
    (source,) = network.sources(network.by_name["sigmoid"])
    entry = int(reference.run(network, codes)[source.name][0, 0]) % (1 << source.type.width)
    edit_numbers(path, lambda numbers: [*numbers[:entry], numbers[entry] / 2, *numbers[entry + 1 :]])
    library = compile_project(project, network.name, tmp_path / "cache")
    found = explained(project, network, simulate_apart(library, network, codes), codes)
    assert (found.layer, found.vector, found.causes[0].code) == ("sigmoid", 0, "TABLE-STEP")
    assert f"number {entry} of the table of sigmoid is" in found.causes[0].what


@pytest.mark.parametrize("table", ["exponential", "reciprocal"])
def test_a_table_of_a_softmax_edited_on_the_disk_compiled_and_run(build, tmp_path, compiler, table):
    network = with_softmax(build((6, 2)).conv(2, (3,)).relu(4, 0).flatten().dense(3).network(), name="softmax")
    codes = vectors(network, 30)
    project = write_firmware(network, tmp_path)
    (path,) = (project / "firmware" / "weights").glob(f"{table}*.h")
    # Half of every exponential would be the same shares.
    halved = slice(0, 1) if table == "exponential" else slice(None)

    def halve(numbers):
        return [*(number / 2 for number in numbers[halved]), *numbers[len(numbers[halved]) :]]

    edit_numbers(path, halve)
    library = compile_project(project, network.name, tmp_path / "cache")
    found = explained(project, network, simulate_apart(library, network, codes), codes)
    assert (found.layer, found.causes[0].code) == ("softmax", "TABLE-STEP")
    assert path.name in found.causes[0].what
    trace, (logits,) = found.trace, network.sources(network.output)
    assert [term.input for term in trace.terms] == list(reference.run(network, codes)[logits.name][found.vector])
    *_, reciprocal, product = trace.steps
    shift = int(product.rsplit(" ", 2)[1])
    factor, inverse = (int(number) for number in product.split(" = ")[0].split(" * "))
    assert (factor * inverse + (1 << (shift - 1))) >> shift == trace.code
    assert str(inverse) in reciprocal
