"""The compiler holds types and shapes, and the AXI-Stream top level has to pass its vectors: in csim and in make."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest
from written_firmware import edit_numbers, edit_types

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.evidence.compiled_sources import asserts_claim, axi_claim
from siliconv.stages.firmware_project import write_firmware_project

pytestmark = [pytest.mark.usefixtures("compiler"), pytest.mark.long]


@pytest.fixture(scope="module")
def written(build, tmp_path_factory):
    network = build((4, 4, 2)).conv(3, (3, 3)).relu(6, 2).flatten().dense(2).network()
    folder = tmp_path_factory.mktemp("written") / "firmware"
    folder.mkdir()
    codes = np.random.default_rng(0).integers(0, 256, (3, *network.input.shape))
    write_firmware_project(network, HlsConfig(), codes, folder)
    return folder


@pytest.fixture
def project(written, tmp_path):
    return shutil.copytree(written, tmp_path / "firmware")


def said(claim):
    return "" if claim.holds else " ".join(claim.details)


def test_types_and_shapes_are_held_by_assertions(project):
    claim = asserts_claim(project, "net", project / "csim", "g++")
    assert claim.holds
    assert claim.count > 50
    edit_types(project, r"ap_fixed<(\d+),(\d+)> conv_1_accum_t", "ap_fixed<9,4> conv_1_accum_t")
    assert "conv_1_accum_t is not" in said(asserts_claim(project, "net", project / "csim", "g++"))


@pytest.mark.parametrize("name", ["filt_height", "n_filt", "in_width"])
def test_a_shape_is_named(project, name):
    parameters = project / "firmware" / "parameters.h"
    text = parameters.read_text()
    parameters.write_text(re.sub(rf"(struct config2 .*?{name} = )\d+", r"\g<1>2", text, count=1, flags=re.DOTALL))
    assert parameters.read_text() != text
    assert f"config2::{name} is not" in said(asserts_claim(project, "net", project / "csim", "g++"))


def test_a_file_of_assertions_that_was_emptied_proves_nothing(project):
    (project / "net_asserts.cpp").write_text("")
    assert not asserts_claim(project, "net", project / "csim", "g++").holds


def test_the_axi_top_level_has_to_compile_and_to_pass(project):
    claim = axi_claim(project, "net", project / "csim", "g++", vectors=2, seconds=100)
    assert claim is not None
    assert (claim.holds, claim.count) == (True, 2)
    source = project / "axi" / "net_axi.cpp"
    original = source.read_text()
    source.write_text(original.replace("beat.last = last;", "beat.last = true;"))
    assert not axi_claim(project, "net", project / "csim", "g++", vectors=2, seconds=100).holds
    source.write_text("#error no\n" + original)
    assert "no" in said(axi_claim(project, "net", project / "csim", "g++", vectors=2, seconds=100))
    shutil.rmtree(project / "axi")
    assert axi_claim(project, "net", project / "csim", "g++", vectors=2, seconds=100) is None


def test_make_csim_alone_names_a_flipped_weight_a_type_and_what_was_edited(project):
    def make():
        return subprocess.run(["make", "csim"], cwd=project, capture_output=True, text=True, check=False)

    passed = make()
    assert passed.returncode == 0, passed.stderr
    assert "EDITED" not in passed.stderr
    # The last weight of the dense layer, under an input that no vector may reach.
    edit_numbers(project / "firmware" / "weights" / "w5.h", lambda numbers: [*numbers[:-1], -numbers[-1] or 0.5])
    flipped = make()
    assert flipped.returncode != 0
    assert "w5.h: number" in flipped.stderr
    assert "the weight of dense_1" in flipped.stderr
    assert "EDITED: firmware/weights/w5.h" in flipped.stderr
    edit_types(project, r"ap_fixed<(\d+),(\d+)> conv_1_accum_t", "ap_fixed<9,4> conv_1_accum_t")
    assert "the accumulator of conv_1" in make().stderr
