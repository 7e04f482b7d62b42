"""Whatever is edited in a generated project is named; only what cannot change a bit leaves the code the same."""

from __future__ import annotations

import shutil

import pytest
from written_firmware import edit_numbers, edit_types, write_firmware

from siliconv.hls.evidence.edits import edits_of, trusted_manifest


@pytest.fixture(scope="module")
def written(build, tmp_path_factory):
    network = build((4, 4, 2)).conv(3, (3, 3)).relu(6, 2).flatten().dense(2).network()
    return write_firmware(network, tmp_path_factory.mktemp("written"))


@pytest.fixture
def project(written, tmp_path):
    return shutil.copytree(written, tmp_path / "firmware")


def edited(project, written=None):
    return {edit.path: edit for edit in edits_of(project, trusted_manifest(project, written))}


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_nothing_is_named_in_an_untouched_project_nor_what_running_it_leaves(project):
    (project / "csim").mkdir()
    (project / "csim" / "testbench.cpp").touch()
    (project / "tb_data").mkdir(exist_ok=True)
    (project / "tb_data" / "csim_results.log").touch()
    assert edited(project) == {}


def test_a_clock_is_listed_with_its_line_and_the_code_is_the_same(project):
    replace(project / "project.tcl", "set clock_period 5", "set clock_period 1")
    (edit,) = edited(project).values()
    assert (edit.path, edit.state, edit.same_code) == ("project.tcl", "changed", True)
    assert "set clock_period 1" in str(edit)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("#pragma HLS DATAFLOW", "#pragma HLS DATAFLOW disable_start_propagation", True),
        ("    // NETWORK INSTANTIATION", "    /* another\n comment */", True),
        ("nnet::relu<", "nnet :: relu<", True),
        ("w2, b2)", "w2, w2)", False),
        ("#pragma HLS DATAFLOW", "#pragma pack(1)", False),
        ("// NETWORK INSTANTIATION", "\n#undef __SYNTHESIS__\n", False),
    ],
)
def test_comments_spaces_and_pragmas_are_no_code_and_all_else_is(project, old, new, same):
    replace(project / "firmware" / "net.cpp", old, new)
    (edit,) = edited(project).values()
    assert (edit.path, edit.same_code) == ("firmware/net.cpp", same)
    assert edit.lines


def test_a_type_is_code_but_another_spelling_of_it_is_not(project):
    edit_types(project, r"ap_fixed<(\d+),(\d+)> conv_1_weight_t", r"ap_fixed<\1, \2, AP_TRN, AP_WRAP> conv_1_weight_t")
    assert edited(project)["firmware/defines.h"].same_code
    edit_types(project, r"AP_TRN, AP_WRAP> conv_1_weight_t", "AP_TRN, AP_SAT> conv_1_weight_t")
    assert not edited(project)["firmware/defines.h"].same_code


def test_the_numbers_of_a_header_count_apart_and_the_rest_of_it_is_code(project):
    header = project / "firmware" / "weights" / "w2.h"
    edit_numbers(header, lambda numbers: [-numbers[0], *numbers[1:]])
    assert edited(project)["firmware/weights/w2.h"].same_code
    replace(header, "#ifndef __SYNTHESIS__", "#ifdef __SYNTHESIS__")
    assert not edited(project)["firmware/weights/w2.h"].same_code


def test_what_is_missing_or_added_is_named(project):
    (project / "firmware" / "nnet_utils" / "nnet_conv.h").unlink(missing_ok=True)
    (project / "firmware" / "nnet_utils" / "nnet_mult.h").unlink()
    (project / "firmware" / "ap_int.h").touch()
    (project / "notes.md").touch()
    found = edited(project)
    assert found["firmware/nnet_utils/nnet_mult.h"].state == "missing"
    assert not found["firmware/nnet_utils/nnet_mult.h"].same_code
    assert not found["firmware/ap_int.h"].same_code, "a header that was added may take another's place"
    assert found["notes.md"].same_code


def test_a_manifest_that_was_edited_or_is_gone_vouches_for_nothing(project):
    replace(project / "siliconv.json", '"top"', ' "top"')
    assert edited(project) == {}, "without its hash nobody knows"
    assert "itself was edited" in str(edited(project, "0" * 64)["siliconv.json"])
    (project / "siliconv.json").write_text("{")
    assert not edited(project)["siliconv.json"].same_code
