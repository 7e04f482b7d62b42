"""A certificate that no run of siliconv writes is refused: forged, older, or in contradiction to itself."""

from __future__ import annotations

import json

import pytest

from siliconv.certificate.certificate import Accuracies, Certificate, CertifiedLayer, content_hash, from_json
from siliconv.errors import ProjectError
from siliconv.hardware.claims import Claim, Ground
from siliconv.network.vectors.reached import Reached

HASH = "0" * 64
PROVEN = Claim("types hold", "interval arithmetic", "network", Ground.PROOF, 4, "nodes", holds=True)
EQUAL = Claim("firmware is network", "Verilator", "rtl", Ground.TEST, 100, "values", holds=True)
WRONG = Claim("weights are the network's", "the network", "weights", Ground.COMPARISON, 9, "numbers", False, ("w2.h",))


def certificate(**fields):
    """Of a core that is not hls4ml's: the format does not mind."""
    known = {
        "exact": True,
        "claims": (PROVEN, EQUAL),
        "edited": (),
        "vectors": 3,
        "vectors_by_origin": {"test images": 2, "all zero": 1},
        "layers": (CertifiedLayer("conv", 0.0, 100, 0, 0, None),),
        "reached": (Reached("conv", "Conv", True, 0.5, -10, 10, -9, 3),),
        "quantized_test_set": None,
        "accuracy": Accuracies(0.5, 1.0, 0.0),
        "hashes": {"network": HASH, "vectors": HASH},
        "files": {"network/weights.npz": HASH},
        "versions": {"python": "3.11"},
    }
    return Certificate(**{**known, **fields})


def test_what_is_written_is_read():
    for one in (certificate(), certificate(exact=False, claims=(PROVEN, EQUAL, WRONG)), certificate(accuracy=None)):
        assert from_json(json.loads(json.dumps(one.as_json()))) == one


@pytest.mark.parametrize(
    ("forged", "said"),
    [
        ({"exact": "no"}, "exact"),
        ({"exact": 1}, "exact"),
        ({"files": {}}, "files"),
        ({"files": {"a": "b"}}, "files.a"),
        ({"versions": {}}, "versions"),
        ({"hashes": {}}, "hashes of network"),
        ({"vectors": 1_000_000}, "origins"),
        ({"vectors": "3"}, "vectors"),
        ({"vectors": 0, "vectors_by_origin": {}}, "vectors"),
        ({"claims": []}, "claims nothing"),
        ({"layers": []}, "compares no layer"),
        ({"accuracy": {"float": 2.0, "quantized": 1.0, "firmware": 1.0}}, "accuracy.float"),
        ({"accuracy": {"float": 0.5}}, "accuracy"),
        ({"signed_by": "me"}, "signed_by"),
        ({"version": 3}, "version"),
        ({"version": "2"}, "version"),
        ({"edited": "nothing"}, "edited"),
        ({"exact": False}, "all its claims hold"),
    ],
)
def test_a_forged_field_is_refused(forged, said):
    content = {**certificate().as_json(), **forged}
    content["sha256"] = content_hash(content)
    with pytest.raises(ProjectError, match="CERTIFICATE-DAMAGED") as error:
        from_json(content)
    assert said in error.value.what
    assert "pydantic" not in str(error.value)


@pytest.mark.parametrize(
    "forged",
    [
        {"claims": (PROVEN, EQUAL, WRONG)},
        {"claims": (PROVEN, Claim("c", "e", "s", Ground.TEST, 0, "values", holds=True))},
        {"claims": (EQUAL,)},
        {"layers": (CertifiedLayer("conv", 0.5, 100, 1, 0, None),)},
        {"layers": (CertifiedLayer("conv", 0.5, 100, 0, 2, None),)},
    ],
    ids=["a claim fails", "a test of nothing", "no proof", "firmware differs", "QKeras differs"],
)
def test_exact_in_contradiction_to_what_it_says_is_refused(forged):
    with pytest.raises(ProjectError, match="CERTIFICATE-DAMAGED"):
        from_json(certificate(**forged).as_json())


@pytest.mark.parametrize("content", [[], {}, {"exact": True}, "EXACT", None, {"version": 2}])
def test_what_is_no_certificate_is_refused(content):
    with pytest.raises(ProjectError, match="CERTIFICATE-DAMAGED"):
        from_json(content)


def test_an_older_one_is_told_to_be_made_anew_and_never_misread():
    older = {"exact": True, "vectors": 70, "layers": [], "files": {}, "hashes": {}, "versions": {}}
    with pytest.raises(ProjectError, match="CERTIFICATE-OLD") as error:
        from_json(older)
    assert "csim" in error.value.fix


def test_the_line_of_the_stage_says_what_fails_and_what_was_edited():
    assert certificate().verdict == "EXACT: 3 vectors, 1 layer, every bit equal"
    edited = certificate(edited=("project.tcl was changed: line 5: set clock_period 1",))
    assert edited.verdict.endswith("edited since it was written: project.tcl was changed: line 5: set clock_period 1")
    assert certificate(exact=False, claims=(PROVEN, EQUAL, WRONG)).verdict == "NOT EXACT: w2.h"
