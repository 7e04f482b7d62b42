"""A certificate holds as long as nothing it speaks about changes; what changed is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest
from written_firmware import edit_numbers

from siliconv.certificate import verification
from siliconv.certificate.certificate import Accuracies, content_hash
from siliconv.certificate.certification import certify
from siliconv.commands.cli import run_command_line
from siliconv.flow.flow import Record
from siliconv.hardware.file_hashes import file_hash
from siliconv.hls.configuration import HlsConfig
from siliconv.network import network_file
from siliconv.stages.firmware_project import write_firmware_project

pytestmark = pytest.mark.usefixtures("compiler")


@pytest.fixture(scope="module")
def network(build):
    return build((4,)).dense(3).relu(5, 3).network()


@pytest.fixture(scope="module")
def made(network, tmp_path_factory):
    """A project with firmware, network, test bench and certificate; compiled once."""
    folder = tmp_path_factory.mktemp("made") / "project"
    build = folder / "build"
    (build / "firmware").mkdir(parents=True)
    vectors = np.arange(20).reshape(5, 4)
    config = HlsConfig(io_type="io_parallel")
    write_firmware_project(network, config, vectors, build / "firmware")
    network_file.save(network, build / "network")
    (build / "quantized").mkdir()
    (build / "quantized" / "weights.npz").write_bytes(b"weights")
    (build / "estimate.json").write_text("{}")
    (build / ".stages").mkdir()
    record = Record("", "", 0.0, 0.0, {"estimate.json": file_hash(build / "estimate.json")})
    (build / ".stages" / "estimate.json").write_text(json.dumps(asdict(record)))
    write_certificate(folder, network, vectors)
    (folder / "project.yml").write_text("model: {preset: digits}\n")
    return folder


def write_certificate(folder, network, vectors):
    build = folder / "build"
    certificate = certify(
        build / "firmware",
        network,
        {"test images": vectors},
        agreement={"layers": [], "test_images": {}},
        accuracy=Accuracies(0.9, 0.9, 0.9),
        cache=folder / "cache",
        artefacts=[build / "quantized" / "weights.npz"],
        jobs=1,
    )
    (build / "csim.json").write_text(json.dumps(certificate.as_json()))
    return certificate


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "project")


def changes(folder, capsys):
    code = run_command_line(["verify", str(folder), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert code == int(not said["holds"])
    return {change["what"] for change in said["changes"]}


def append(path):
    path.write_text(path.read_text() + "\n")


def test_each_thing_that_changed_is_named(folder, capsys, monkeypatch):
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
        "estimate.json": {"estimate.json"},
        "firmware/siliconv.json": {"firmware/siliconv.json"},
        "firmware/net_asserts.cpp": {"firmware/net_asserts.cpp", "firmware sources"},
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


def test_another_network_and_an_edited_certificate_are_named(folder, capsys, build):
    path = folder / "build" / "csim.json"
    original = path.read_text()
    content = json.loads(original)
    content["accuracy"]["firmware"] = 1.0
    path.write_text(json.dumps(content))
    assert changes(folder, capsys) == {"the certificate itself was edited"}
    path.write_text(original)
    network_file.save(build((4,)).dense(2).network(), folder / "build" / "network")
    assert "network" in changes(folder, capsys)
    (folder / "build" / "network" / "network.json").write_text("{")
    assert changes(folder, capsys) == {"network", "vectors"}


@pytest.mark.parametrize("forged", [{"files": {}}, {"exact": "no"}, {"vectors": 1_000_000}, {"versions": {}}])
def test_a_forged_certificate_is_refused(folder, capsys, forged):
    path = folder / "build" / "csim.json"
    content = {**json.loads(path.read_text()), **forged}
    path.write_text(json.dumps({**content, "sha256": content_hash(content)}))
    assert run_command_line(["verify", str(folder)]) == 2
    assert "CERTIFICATE-DAMAGED" in capsys.readouterr().err


def test_an_older_certificate_is_made_anew(folder, capsys):
    path = folder / "build" / "csim.json"
    content = json.loads(path.read_text())
    for added in ("version", "claims", "edited", "reached"):
        del content[added]
    path.write_text(json.dumps({**content, "sha256": content_hash(content)}))
    assert run_command_line(["verify", str(folder)]) == 2
    assert "CERTIFICATE-OLD" in capsys.readouterr().err


def test_a_weight_that_no_vector_shows_makes_it_inexact_by_name(folder, network):
    header = folder / "build" / "firmware" / "firmware" / "weights" / "w2.h"
    edit_numbers(header, lambda numbers: [-numbers[0] or 0.5, *numbers[1:]])
    certificate = write_certificate(folder, network, np.zeros((2, 4), np.int64))
    assert not certificate.exact
    assert certificate.first_differing is None, "all inputs are zero"
    assert "w2.h: number 0 of the weight of dense_1" in certificate.why_not
    assert run_command_line(["verify", str(folder)]) == 1


def test_a_certificate_that_says_no_is_no_certificate(folder, network, capsys):
    header = folder / "build" / "firmware" / "firmware" / "weights" / "w2.h"
    edit_numbers(header, lambda numbers: [-number for number in numbers])
    write_certificate(folder, network, np.arange(20).reshape(5, 4))
    assert run_command_line(["verify", str(folder)]) == 1
    assert "VERIFY-NOT-EXACT" in capsys.readouterr().err


def test_a_clock_is_listed_and_the_bits_are_the_same(folder, network, capsys):
    script = folder / "build" / "firmware" / "project.tcl"
    script.write_text(script.read_text().replace("clock_period 5", "clock_period 1"))
    certificate = write_certificate(folder, network, np.arange(20).reshape(5, 4))
    assert certificate.exact
    assert "set clock_period 1" in certificate.verdict
    assert changes(folder, capsys) == set()
    assert run_command_line(["verify", str(folder)]) == 0
    assert "project.tcl was changed" in capsys.readouterr().out


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
