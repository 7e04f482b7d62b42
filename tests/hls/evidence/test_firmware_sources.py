"""Types, weights and tables on the disk are compared with the network, one by one, without running anything."""

from __future__ import annotations

import shutil

import pytest
from written_firmware import edit_numbers, edit_types, write_firmware

from siliconv.hls.evidence.edits import edits_of, trusted_manifest
from siliconv.hls.evidence.firmware_sources import source_claims
from siliconv.network.output_sigmoid import with_sigmoid


@pytest.fixture(scope="module")
def written(build, tmp_path_factory):
    base = build((4, 4, 2)).conv(3, (3, 3)).relu(6, 2).flatten().dense(1).network()
    network = with_sigmoid(base, name="sigmoid")
    return network, write_firmware(network, tmp_path_factory.mktemp("written"))


@pytest.fixture
def network(written):
    return written[0]


@pytest.fixture
def project(written, tmp_path):
    return shutil.copytree(written[1], tmp_path / "firmware")


def failed(project, network):
    manifest = trusted_manifest(project)
    claims = source_claims(project, network, manifest, edits_of(project, manifest))
    return {claim.subject: " ".join(claim.details) for claim in claims if not claim.holds}


def test_what_was_written_is_what_the_network_says(project, network):
    assert failed(project, network) == {}
    manifest = trusted_manifest(project)
    counts = {claim.subject: claim.count for claim in source_claims(project, network, manifest, ())}
    weights = sum(node.kernel.codes.size + node.bias.codes.size for node in network.matrices)
    assert counts["firmware/weights"] == weights + network.by_name["sigmoid"].table.codes.size
    assert counts["firmware/defines.h"] >= 8


@pytest.mark.parametrize("change", [lambda n: [-n[0], *n[1:]], lambda n: [n[1], n[0], *n[2:]], lambda n: n[:-1]])
def test_a_flipped_a_swapped_and_a_lost_weight_are_named(project, network, change):
    edit_numbers(project / "firmware" / "weights" / "w2.h", change)
    said = failed(project, network)
    assert set(said) == {"firmware/weights"}
    assert "w2.h" in said["firmware/weights"]
    assert "weight of conv_1" in said["firmware/weights"]


def test_an_entry_of_a_table_is_named(project, network):
    (path,) = (project / "firmware" / "weights").glob("table*.h")
    edit_numbers(path, lambda numbers: [*numbers[:3], numbers[3] / 2, *numbers[4:]])
    assert "number 3 of the table of sigmoid" in failed(project, network)["firmware/weights"]


def test_another_spelling_of_a_number_is_the_same_number(project, network):
    path = project / "firmware" / "weights" / "w2.h"
    path.write_text(path.read_text().replace(", ", "0 , "))
    assert failed(project, network) == {}


def test_a_header_that_is_gone_is_named(project, network):
    (project / "firmware" / "weights" / "b2.h").unlink()
    assert "b2.h" in failed(project, network)["firmware/weights"]


@pytest.mark.parametrize("name", ["conv_1_accum_t", "conv_1_weight_t", "conv_1_bias_t", "dense_1_accum_t"])
def test_a_narrowed_type_is_named(project, network, name):
    edit_types(project, rf"fixed<\d+,(-?\d+)> {name}", rf"fixed<3,\1> {name}")
    said = failed(project, network)
    assert name in said["firmware/defines.h"]
    assert "defines.h" in said["firmware sources"], "the code is another, too"


def test_a_kernel_that_the_templates_get_with_a_row_of_zeros_is_the_networks(build, tmp_path):
    network = build((6, 6, 2)).conv(3, (1, 3), strides=(2, 1)).relu(6, 2).flatten().dense(2).network()
    project = write_firmware(network, tmp_path)
    assert failed(project, network) == {}
    edit_numbers(project / "firmware" / "weights" / "w2.h", lambda numbers: [*numbers[:-1], 0.5])
    assert "weight of conv_1" in failed(project, network)["firmware/weights"]
