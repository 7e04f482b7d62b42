"""Saved networks come back equal; damaged, truncated or hostile files give a NetworkError and nothing else."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import input_codes, networks

from siliconv.errors import NetworkError
from siliconv.network import network_file, reference
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.graph import Dense, Input, Network, Requantize, Weights
from siliconv.network.network_file import GRAPH_FILE, WEIGHTS_FILE, load, network_hash, save

EXAMPLE = Network(
    "example",
    (
        Input("image", (), (3, 3, 2), FixedPoint(False, 8, 0)),
        Dense(
            "dense",
            ("image",),
            (3, 3, 2),
            FixedPoint(True, 14, 6),
            Weights(np.array([[1, -8], [7, 0]]), FixedPoint(True, 4, 4)),
            Weights(np.array([3, -4]), FixedPoint(True, 3, 3)),
        ),
        Requantize("relu", ("dense",), (3, 3, 2), FixedPoint(False, 4, 2), True),
    ),
    {"classes": ("cat", "dög"), "note": "any"},
)
QUICK = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(network=networks(), seed=st.integers(0, 99))
def test_round_trip(network, seed, tmp_path):
    digest = save(network, tmp_path)
    again = load(tmp_path)
    assert digest == network_hash(network) == network_hash(again)
    assert [(type(n), n.name, n.inputs, n.shape, n.type) for n in again.nodes] == [
        (type(n), n.name, n.inputs, n.shape, n.type) for n in network.nodes
    ]
    codes = input_codes(network, seed)
    expected = reference.run(network, codes)
    for name, tensor in reference.run(again, codes).items():
        np.testing.assert_array_equal(tensor, expected[name])


def test_metadata_comes_back(tmp_path):
    save(EXAMPLE, tmp_path)
    assert load(tmp_path).metadata == EXAMPLE.metadata


def test_every_bit_of_meaning_changes_the_hash():
    def changed(**fields):
        return Network("example", (*EXAMPLE.nodes[:2], Requantize("relu", ("dense",), (3, 3, 2), **fields)))

    same = {"type": FixedPoint(False, 4, 2), "relu": True}
    digests = {
        network_hash(changed(**(same | change)))
        for change in [{}, {"relu": False}, {"type": FixedPoint(False, 4, 1)}, {"type": FixedPoint(True, 4, 2)}]
    }
    weights = EXAMPLE.nodes[1].kernel.codes
    before = network_hash(EXAMPLE)
    weights[0, 0] += 1
    digests |= {before, network_hash(EXAMPLE)}
    weights[0, 0] -= 1
    assert len(digests) == 6
    assert network_hash(EXAMPLE) == before


def assert_refused_or_equal(folder):
    """A damaged file must be refused; damage that changes nothing (unused zip fields) may load the same network."""
    try:
        network = load(folder)
    except NetworkError:
        return
    assert network_hash(network) == network_hash(EXAMPLE)


@pytest.mark.parametrize("file", [GRAPH_FILE, WEIGHTS_FILE])
def test_truncated_files_are_refused(file, tmp_path):
    save(EXAMPLE, tmp_path)
    content = (tmp_path / file).read_bytes()
    for end in range(0, len(content) - 1, 7):
        (tmp_path / file).write_bytes(content[:end])
        with pytest.raises(NetworkError, match="NETWORK-FILE"):
            load(tmp_path)


@pytest.mark.parametrize("file", [GRAPH_FILE, WEIGHTS_FILE])
def test_fuzzed_bytes_are_refused(file, tmp_path):
    save(EXAMPLE, tmp_path)
    content = (tmp_path / file).read_bytes()
    rng = np.random.default_rng(1)
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(8)
        (tmp_path / file).write_bytes(bytes(damaged))
        assert_refused_or_equal(tmp_path)


def rewrite(folder, graph):
    """Write a graph with a hash that matches it, as someone who knows the format would."""
    with np.load(folder / WEIGHTS_FILE) as archive:
        arrays = dict(archive)
    graph["sha256"] = network_file._hash(graph, arrays)
    (folder / GRAPH_FILE).write_text(json.dumps(graph), encoding="utf-8")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["Conv", "Input", "Pad", "fixed<8,99999999999>", "fixed<99,1>", "image", "../x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(parent=QUICK, max_examples=300)
@given(data=st.data())
def test_any_field_replaced_under_a_valid_hash_is_refused_or_means_a_network(data, tmp_path):
    save(EXAMPLE, tmp_path)
    graph = json.loads((tmp_path / GRAPH_FILE).read_text(encoding="utf-8"))
    spots = [(graph, key) for key in graph if key != "sha256"]
    for node in graph["nodes"]:
        spots += [(node, key) for key in node]
        spots += [(value, key) for value in node.values() if isinstance(value, dict) for key in value]
        spots += [(value, i) for value in node.values() if isinstance(value, list) for i in range(len(value))]
    place, key = data.draw(st.sampled_from(range(len(spots))).map(lambda i: spots[i]))
    place[key] = data.draw(JSON)
    try:
        rewrite(tmp_path, graph)
    except (ValueError, KeyError, TypeError):
        return
    try:
        network = load(tmp_path)
    except NetworkError:
        return
    reference.run(network, np.zeros((1, *network.input.shape), np.int64))


@pytest.mark.parametrize("missing", [GRAPH_FILE, WEIGHTS_FILE, None])
def test_missing_files_are_refused(missing, tmp_path):
    save(EXAMPLE, tmp_path)
    if missing:
        (tmp_path / missing).unlink()
    with pytest.raises(NetworkError, match="NETWORK-FILE"):
        load(tmp_path if missing else tmp_path / "nowhere")


class _Bomb:
    def __reduce__(self):
        return pytest.fail, ("a pickle was executed",)


def replace_weights(folder, members):
    with zipfile.ZipFile(folder / WEIGHTS_FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_pickle_among_the_weights_is_refused_and_never_executed(tmp_path):
    save(EXAMPLE, tmp_path)
    buffer = io.BytesIO()
    np.save(buffer, np.array([_Bomb()], dtype=object), allow_pickle=True)
    for content in (buffer.getvalue(), pickle.dumps(_Bomb())):
        replace_weights(tmp_path, {"dense.kernel.npy": content, "dense.bias.npy": content})
        with pytest.raises(NetworkError, match="NETWORK-FILE"):
            load(tmp_path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    save(EXAMPLE, tmp_path)
    replace_weights(tmp_path, {"dense.kernel.npy": bytes(50_000_000), "dense.bias.npy": b""})
    with pytest.raises(NetworkError, match="larger than"):
        load(tmp_path)


def test_types_are_proven_again(tmp_path):
    """A file with a valid hash whose accumulator could overflow does not load."""
    image, dense, relu = EXAMPLE.nodes
    narrow = Dense("dense", ("image",), (3, 3, 2), FixedPoint(True, 10, 2), dense.kernel, dense.bias)
    save(Network("example", (image, narrow, relu)), tmp_path)
    with pytest.raises(NetworkError, match="TYPE-TOO-NARROW"):
        load(tmp_path)
