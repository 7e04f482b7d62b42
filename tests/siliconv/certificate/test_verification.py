"""A certificate holds as long as nothing it speaks about changes; what changed is named."""

from __future__ import annotations

import json

import numpy as np
import pytest

from siliconv.certificate import verification
from siliconv.certificate.certificate import Accuracies, certify
from siliconv.commands.cli import run_command_line
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.testbench import write_testbench
from siliconv.network import network_file
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding

pytestmark = pytest.mark.usefixtures("compiler")

BODY = "for (int i = 0; i < 4; i++) out[i] = in[i];"


@pytest.fixture(scope="module")
def vectors():
    return np.arange(20).reshape(5, 4)


@pytest.fixture
def certified(build, tiny_project, tmp_path, vectors):
    """A project with firmware, network, test bench and certificate."""

    def make(body=BODY):
        folder = tmp_path / "project"
        network = build((4,)).requantize(FixedPoint(False, 8, 0, Rounding.RND_CONV, Overflow.SAT)).network()
        project = tiny_project(folder / "build" / "firmware", body)
        write_testbench(network, vectors, project, HlsConfig(io_type="io_parallel"))
        network_file.save(network, folder / "build" / "network")
        (folder / "build" / "quantized").mkdir()
        (folder / "build" / "quantized" / "weights.npz").write_bytes(b"weights")
        certificate = certify(
            project,
            network,
            {"test images": vectors},
            agreement={"layers": [], "test_images": {}},
            accuracy=Accuracies(0.9, 0.9, 0.9),
            cache=tmp_path / "cache",
            artefacts=[folder / "build" / "quantized" / "weights.npz"],
            jobs=1,
        )
        (folder / "build" / "csim.json").write_text(json.dumps(certificate.as_json()))
        (folder / "project.yml").write_text("model: {preset: digits}\n")
        return folder

    return make


def changes(folder, capsys):
    code = run_command_line(["verify", str(folder), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert code == int(not said["holds"])
    return {change["what"] for change in said["changes"]}


def append(path):
    path.write_text(path.read_text() + "\n")


def test_each_thing_that_changed_is_named(certified, capsys, monkeypatch):
    folder = certified()
    build = folder / "build"
    assert changes(folder, capsys) == set()
    (build / "firmware" / "csim").mkdir()
    (build / "firmware" / "csim" / "testbench").touch()
    (build / "firmware" / "tb_data" / "csim_results.log").touch()
    assert changes(folder, capsys) == set(), "what running the project leaves there is no change"
    with monkeypatch.context() as patch:
        was = verification.installed_versions()
        patch.setattr(verification, "installed_versions", lambda: {**was, "hls4ml": "9.9"})
        assert changes(folder, capsys) == {"version of hls4ml"}
    edits = {
        "firmware/firmware/net.cpp": {"firmware/firmware/net.cpp", "firmware sources"},
        "firmware/tb_data/golden_codes.dat": {"firmware/tb_data/golden_codes.dat"},
        "firmware/Makefile": {"firmware/Makefile"},
        "quantized/weights.npz": {"quantized/weights.npz"},
    }
    for relative, expected in edits.items():
        original = (build / relative).read_bytes()
        append(build / relative)
        assert changes(folder, capsys) == expected
        (build / relative).unlink()
        found = changes(folder, capsys)
        assert relative in found
        (build / relative).write_bytes(original)
    vectors = build / "firmware" / "tb_data" / "input_codes.dat"
    original = vectors.read_text()
    vectors.write_text(original.replace("19", "18"))
    assert changes(folder, capsys) == {"firmware/tb_data/input_codes.dat", "vectors"}
    vectors.write_text(original)
    added = build / "firmware" / "firmware" / "more.h"
    added.touch()
    assert changes(folder, capsys) == {"firmware sources"}, "a header that was added may be included"
    added.unlink()
    assert changes(folder, capsys) == set()


def test_another_network_and_an_edited_certificate_are_named(certified, capsys, build):
    folder = certified()
    path = folder / "build" / "csim.json"
    original = path.read_text()
    path.write_text(original.replace('"vectors": 5', '"vectors": 5000'))
    assert changes(folder, capsys) == {"the certificate itself was edited"}
    path.write_text(original)
    other = build((4,)).requantize(FixedPoint(False, 7, 0, Rounding.RND_CONV, Overflow.SAT)).network()
    network_file.save(other, folder / "build" / "network")
    assert changes(folder, capsys) == {"network"}
    (folder / "build" / "network" / "network.json").write_text("{")
    assert changes(folder, capsys) == {"network", "vectors"}


def test_a_certificate_that_says_no_is_no_certificate(certified, capsys):
    folder = certified("for (int i = 0; i < 4; i++) out[i] = 0;")
    assert run_command_line(["verify", str(folder)]) == 1
    assert "VERIFY-NOT-EXACT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "code"), [(None, "CERTIFICATE-MISSING"), ("{", "CERTIFICATE-DAMAGED"), ("{}", "CERTIFICATE-DAMAGED")]
)
def test_no_or_a_damaged_certificate_exits_2(tmp_path, capsys, text, code):
    (tmp_path / "project.yml").write_text("model: {preset: digits}\n")
    (tmp_path / "build").mkdir()
    if text is not None:
        (tmp_path / "build" / "csim.json").write_text(text)
    assert run_command_line(["verify", str(tmp_path)]) == 2
    assert code in capsys.readouterr().err
