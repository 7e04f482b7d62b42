"""Networks of several inputs and outputs: lists and rows, the reference against loops, the emulator, files, vectors."""

import json
from dataclasses import replace

import numpy as np
import pytest
from exact_model import as_array
from exact_model import run as run_exactly
from hypothesis import given, settings
from hypothesis import strategies as st
from several_network import crossing
from strategies import codes_of_inputs, networks

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network import network_file, reference
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import to_values
from siliconv.network.intervals import prove
from siliconv.network.rows import ends_of, input_rows, joined, parts_of, row_shape, values_of
from siliconv.network.vectors.corners import corner_vectors
from siliconv.network.vectors.directed import directed_vectors
from siliconv.network.vectors.reached import reached

SEVERAL = networks(inputs=2, most=8)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(network=SEVERAL, seed=st.integers(0, 1000))
def test_networks_of_two_inputs_equal_loops(network, seed):
    prove(network)
    batch = codes_of_inputs(network, seed, batch=2)
    tensors = reference.run(network, batch)
    for number in range(2):
        for name, tensor in run_exactly(network, [one[number] for one in batch]).items():
            expected = as_array(tensor, network.by_name[name].shape)
            np.testing.assert_array_equal(tensors[name][number], expected)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(network=networks(inputs=3, most=6), seed=st.integers(0, 1000))
def test_the_emulator_equals_the_reference_on_lists_and_rows(network, seed):
    batch = codes_of_inputs(network, seed, batch=5)
    expected, emulated = reference.run(network, batch), emulator.compile(network)
    found = emulated.run(batch)
    assert set(found) == {node.name for node in network.outputs}
    traced = emulated.run(input_rows(network, batch), keep=[node.name for node in network.nodes])
    for name in found:
        np.testing.assert_array_equal(found[name], expected[name])
    for name, tensor in traced.items():
        np.testing.assert_array_equal(tensor, expected[name])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(network=SEVERAL, seed=st.integers(0, 1000))
def test_rows_are_taken_apart_as_they_were_joined(network, seed):
    batch = codes_of_inputs(network, seed)
    rows = input_rows(network, batch)
    assert rows.shape == (3, *row_shape(network.inputs))
    for one, part in zip(batch, parts_of(network.inputs, rows), strict=True):
        np.testing.assert_array_equal(one, part)
    values = joined([to_values(one, node.type) for one, node in zip(batch, network.inputs, strict=True)])
    np.testing.assert_array_equal(values_of(network.inputs, rows), values)
    low, high = ends_of(network.inputs)
    assert (low <= rows).all()
    assert (rows <= high).all()


def test_a_saved_network_of_several_is_the_same_and_of_version_2(tmp_path):
    network = crossing()
    network_file.save(network, tmp_path)
    found = network_file.load(tmp_path)
    assert found.ends == network.ends == ("sum", "small")
    assert [node.name for node in found.inputs] == ["image", "vector"]
    assert network_file.network_hash(found) == network_file.network_hash(network)
    written = json.loads((tmp_path / "network.json").read_text())
    assert written["format"].endswith("version 2")
    assert written["outputs"] == ["sum", "small"]


def test_a_network_of_one_output_is_written_as_ever(tmp_path):
    whole = crossing()
    needed = tuple(node for node in whole.nodes if node.name in ("image", "conv", "small"))
    one = ir.Network("one", needed, ends=("small",))
    assert one.ends == ()
    network_file.save(one, tmp_path)
    written = json.loads((tmp_path / "network.json").read_text())
    assert written["format"].endswith("version 1")
    assert "outputs" not in written


def test_a_file_with_other_outputs_than_it_was_saved_with_is_refused(tmp_path):
    network_file.save(crossing(), tmp_path)
    file = tmp_path / "network.json"
    written = json.loads(file.read_text())
    file.write_text(json.dumps(written | {"outputs": ["small", "sum"]}))
    with pytest.raises(NetworkError, match=r"NETWORK-FILE.*hash"):
        network_file.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda nodes: {"nodes": (*nodes[:2], nodes[0], *nodes[3:])}, "not well connected"),
        (lambda nodes: {"nodes": (nodes[0], nodes[2], nodes[1], *nodes[3:])}, "behind other nodes"),
        (lambda nodes: {"ends": ("sum", "image")}, "not all of them nodes"),
        (lambda nodes: {"ends": ("sum", "sum")}, "named once"),
        (lambda nodes: {"ends": ("sum", "other")}, "not all of them nodes"),
        (lambda nodes: {"ends": ("small",)}, "not the last node"),
    ],
)
def test_graphs_of_several_that_are_none_are_refused(change, says):
    network = crossing()
    with pytest.raises(NetworkError, match=says):
        replace(network, **change(network.nodes))


def test_what_takes_one_refuses_several_by_name():
    network = crossing()
    for ask in (lambda: network.input, lambda: network.output, lambda: network.logits):
        with pytest.raises(NetworkError, match="NETWORK-SEVERAL"):
            ask()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda batch: batch[:1], "INPUT-COUNT"),
        (lambda batch: [batch[0], batch[1][:1]], "INPUT-SHAPE"),
        (lambda batch: batch[::-1], "INPUT-SHAPE"),
        (lambda batch: [batch[0], batch[1] + 1000], "INPUT-RANGE"),
        (lambda batch: [batch[0], batch[1].astype(float)], "INPUT-TYPE"),
        (lambda batch: batch[0], "INPUT-SHAPE"),
    ],
)
def test_other_inputs_are_refused(change, code):
    network = crossing()
    batch = codes_of_inputs(network, 1)
    for run in (reference.run, emulator.compile(network).run):
        with pytest.raises(NetworkError, match=code):
            run(network, change(batch)) if run is reference.run else run(change(batch))


def test_vectors_of_several_inputs_reach_both_ends_of_what_reads_them():
    network = crossing()
    corners = corner_vectors(network)
    assert {"input image alone", "input vector alone", "all lowest"} <= set(corners)
    rows = np.concatenate([np.stack(list(corners.values())), directed_vectors(network)])
    traced = reference.run(network, rows)
    shares = {one.name: min(one.share_low, one.share_high) for one in reached(network, traced)}
    assert min(shares["conv"], shares["of_vector"]) > 0.9
    assert min(shares.values()) > 0.4
