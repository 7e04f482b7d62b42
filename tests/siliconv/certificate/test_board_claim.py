"""The board's own result is the last line of a certificate, and only if it speaks of this build."""

import json

import pytest

from siliconv.actions.verify import Verification
from siliconv.certificate.board_claim import board_claim
from siliconv.errors import ProjectError, WorkSaysNoError
from siliconv.hardware.claims import Ground
from siliconv.hardware.file_hashes import file_hash

NAMES = ("net.bit", "input_codes.dat", "golden_codes.dat")


@pytest.fixture
def build(tmp_path):
    """A build folder with an overlay, vectors, and what a board said of them."""
    overlay, vectors = tmp_path / "synthesis" / "overlay", tmp_path / "firmware" / "tb_data"
    for folder in (overlay, vectors):
        folder.mkdir(parents=True)
    files = dict(zip(NAMES, (overlay / NAMES[0], vectors / NAMES[1], vectors / NAMES[2]), strict=True))
    for name, path in files.items():
        path.write_text(name)
    (overlay / "board.json").write_text(json.dumps(said(files)))
    return tmp_path


def said(files, **changes):
    result = {
        "exact": True,
        "board": "pynq-z2",
        "vectors": 64,
        "differing": 0,
        "differing_one_by_one": 0,
        "seconds": 0.25,
        "sha256": {name: file_hash(path) for name, path in files.items()},
    }
    return {**result, **changes}


def rewritten(build, **changes):
    path = build / "synthesis" / "overlay" / "board.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def verification(build):
    return Verification(build, {"exact": True}, (), board=board_claim(build))


def test_a_board_that_computed_every_bit_is_the_last_claim(build):
    claim = board_claim(build)
    assert (claim.holds, claim.count, claim.ground) == (True, 64, Ground.TEST)
    assert "pynq-z2" in claim.executor
    found = verification(build)
    assert found.holds
    assert found.as_json()["board"]["count"] == 64
    found.require()


def test_without_a_board_nothing_is_claimed(tmp_path):
    assert board_claim(tmp_path) is None


def test_a_board_that_differs_is_told_and_exits_1(build):
    rewritten(build, exact=False, differing_one_by_one=3)
    found = verification(build)
    assert not found.holds
    with pytest.raises(WorkSaysNoError, match="VERIFY-BOARD") as caught:
        found.require()
    assert "3 one by one" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exact": True, "differing": 1}, "contradicts itself"),
        ({"exact": False}, "contradicts itself"),
        ({"exact": False, "differing": 65}, "more vectors differ"),
        ({"vectors": 0}, "can't be read"),
        ({"sha256": {}}, "does not name"),
        ({"sha256": {"../net.bit": "0" * 64, "input_codes.dat": "0" * 64, "golden_codes.dat": "0" * 64}}, "not name"),
        ({"more": 1}, "can't be read"),
    ],
)
def test_a_result_that_no_board_wrote_is_refused(build, changes, words):
    rewritten(build, **changes)
    with pytest.raises(ProjectError, match=words):
        board_claim(build)


@pytest.mark.parametrize("name", NAMES)
def test_a_result_of_another_bitstream_or_other_vectors_is_refused(build, name):
    (path,) = build.rglob(name)
    path.write_text("another")
    with pytest.raises(ProjectError, match=f"another {name}"):
        board_claim(build)
