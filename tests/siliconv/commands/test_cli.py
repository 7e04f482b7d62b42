"""The command line: exit codes, one message an error, and the whole road on the embedded digits."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from written_firmware import edit_numbers

from siliconv.actions import run_project
from siliconv.checks.doctor import Finding
from siliconv.commands.cli import run_command_line
from siliconv.commands.doctor_command import verdict
from siliconv.stages import stages
from siliconv.stages.firmware_stages import write_firmware

pytestmark = pytest.mark.compiles

ROOT = Path(__file__).resolve().parents[3]
QUICK = """
    model: {preset: digits}
    train: {epochs: 3, batch_size: 128}
    quantize: {train: {epochs: 1, batch_size: 128}}
    csim: {images: 6}
    hls: {max_multipliers: 64}
    """


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A digits project, run once through all stages."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ on the PATH: firmware can't be compiled here")
    folder = tmp_path_factory.mktemp("projects") / "digits"
    folder.mkdir()
    (folder / "project.yml").write_text(textwrap.dedent(QUICK))
    assert run_command_line(["run", str(folder)]) == 0
    return folder


def one_message(captured):
    """What was said on stderr: one error, no stack trace."""
    assert "Traceback" not in captured.err
    assert captured.err.count("Error ") == 1
    assert "fix:" in captured.err
    return captured.err


def test_help_lists_the_commands(capsys):
    assert run_command_line(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in ("run", "train", "csim", "summary", "predict", "doctor", "new"):
        assert command in shown


def test_unknown_options_projects_and_stages_exit_2(capsys, built):
    assert run_command_line(["run", "digits", "--nonsense"]) == 2
    capsys.readouterr()
    assert run_command_line(["run", "no_such_project"]) == 2
    assert "PROJECT-NOT-FOUND" in one_message(capsys.readouterr())
    assert run_command_line(["run", str(built), "--until", "nowhere"]) == 2
    assert "STAGE-UNKNOWN" in one_message(capsys.readouterr())


def test_a_mistake_in_the_project_exits_2_with_one_message(tmp_path, capsys):
    (tmp_path / "project.yml").write_text("model: {preset: digits}\ntrian: {epochs: 3}\n")
    assert run_command_line(["run", str(tmp_path)]) == 2
    message = one_message(capsys.readouterr())
    assert "trian" in message
    assert "project.yml:2" in message


@pytest.mark.parametrize(
    ("fill", "code"), [("missing", "DATA"), ("empty", "DATA"), ("one_class", "DATA"), ("corrupt", "DATA")]
)
def test_bad_data_folders_exit_2_and_lose_nothing(tmp_path, capsys, built, fill, code):
    shutil.copytree(built, tmp_path / "digits")
    folder = tmp_path / "images"
    if fill != "missing":
        folder.mkdir()
    if fill == "one_class":
        (folder / "cats").mkdir()
        for i in range(20):
            Image.fromarray(np.full((8, 8, 3), i, np.uint8)).save(folder / "cats" / f"{i}.png")
    if fill == "corrupt":
        for name in ("cats", "dogs"):
            (folder / name).mkdir()
            for i in range(5):
                (folder / name / f"{i}.jpg").write_bytes(b"not an image")
    before = (built / "build" / "csim.json").read_text()
    assert run_command_line(["run", str(tmp_path / "digits"), "--data", str(folder)]) == 2
    assert code in one_message(capsys.readouterr())
    assert (tmp_path / "digits" / "build" / "csim.json").read_text() == before
    # The folder that did not work is not remembered.
    assert run_command_line(["run", str(tmp_path / "digits"), "--until", "data"]) == 0


def test_no_compiler_exits_3(capsys, built, tmp_path, monkeypatch):
    copy = tmp_path / "digits"
    shutil.copytree(built, copy)
    (copy / "build" / "csim.json").unlink()
    shutil.rmtree(copy / "build" / ".work" / "csim")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_command_line(["csim", str(copy)]) == 3
    assert "TOOL-GXX" in one_message(capsys.readouterr())


def test_a_back_end_that_cannot_be_simulated_is_told_before_the_work(capsys, built, tmp_path):
    copy = with_backend(built, tmp_path, "oneAPI")
    assert run_command_line(["run", str(copy)]) == 3
    assert "CSIM-BACKEND" in one_message(capsys.readouterr())
    assert run_command_line(["run", str(copy), "--until", "convert"]) == 0
    assert (copy / "build" / "firmware" / "CMakeLists.txt").exists()


def test_a_back_end_without_an_estimate_has_a_certificate_and_a_report(built, tmp_path):
    copy = with_backend(built, tmp_path, "Quartus, io_type: io_parallel")
    assert run_command_line(["run", str(copy)]) == 0
    assert json.loads((copy / "build" / "csim.json").read_text())["exact"] is True
    estimate = json.loads((copy / "build" / "estimate.json").read_text())
    assert estimate["source"] == "none"
    assert [layer["name"] for layer in estimate["layers"]] == ["conv2d_1", "conv2d_2", "dense_1", "dense_2"]
    assert estimate["reason"] in (copy / "build" / "report.html").read_text()


def with_backend(built, tmp_path, backend):
    copy = tmp_path / "digits"
    shutil.copytree(built, copy)
    text = (copy / "project.yml").read_text()
    (copy / "project.yml").write_text(text.replace("hls: {", f"hls: {{backend: {backend}, "))
    return copy


def test_the_certificate_says_exact_with_every_layer(built):
    certificate = json.loads((built / "build" / "csim.json").read_text())
    assert certificate["exact"] is True
    directed = certificate["vectors_by_origin"]["directed"]
    assert certificate["vectors"] == 6 + 6 + directed
    assert 4 <= directed <= 2 * len(certificate["reached"])
    assert all(claim["holds"] and claim["count"] for claim in certificate["claims"])
    assert {claim["subject"] for claim in certificate["claims"]} >= {"firmware", "firmware/weights", "firmware sources"}
    assert certificate["edited"] == []
    files = certificate["files"]
    assert {"float/weights.npz", "quantized/weights.npz", "network/weights.npz"} <= set(files)
    assert any(name.startswith("data/") for name in files)
    assert {layer["max_abs_difference"] for layer in certificate["layers"]} == {0.0}
    assert len(certificate["layers"]) == 9
    assert set(certificate["accuracy"]) == {"float", "quantized", "firmware", "metric"}
    assert certificate["accuracy"]["quantized"] == certificate["accuracy"]["firmware"]


def test_csim_exits_1_when_a_type_is_broken_on_purpose(built, tmp_path, capsys, monkeypatch):
    copy = tmp_path / "digits"
    shutil.copytree(built, copy)

    def convert_and_break(context):
        summary = write_firmware(context)
        defines = context.out / "firmware" / "firmware" / "defines.h"
        text = defines.read_text()
        broken = re.sub(r"AP_RND_CONV,AP_SAT,0> conv2d_2_relu_result_t|AP_RND_CONV", "AP_TRN", text, count=1)
        assert broken != text
        defines.write_text(broken)
        return summary

    broken_stages = tuple(
        stage if stage.name != "convert" else type(stage)(**{**vars(stage), "run": convert_and_break})
        for stage in stages.STAGES
    )
    monkeypatch.setattr(run_project, "STAGES", broken_stages)
    (copy / "build" / ".stages" / "convert.json").unlink()
    assert run_command_line(["csim", str(copy)]) == 1
    message = one_message(capsys.readouterr())
    assert "CSIM-DIFFERS" in message
    assert "conv2d_1_relu" in message
    assert json.loads((copy / "build" / "csim.json").read_text())["exact"] is False


def test_csim_exits_1_when_the_generated_sources_were_edited(built, tmp_path, capsys):
    copy = tmp_path / "digits"
    shutil.copytree(built, copy)
    defines = copy / "build" / "firmware" / "firmware" / "defines.h"
    edited = re.sub("AP_RND_CONV", "AP_TRN", defines.read_text(), count=1)
    defines.write_text(edited)
    assert run_command_line(["csim", str(copy)]) == 1
    message = one_message(capsys.readouterr())
    assert "CSIM-DIFFERS" in message
    assert "edited since: firmware/firmware/defines.h" in message
    assert defines.read_text() == edited
    assert run_command_line(["explain", str(copy)]) == 1
    said = capsys.readouterr().out
    assert "differ first in layer 'conv2d_1_relu'" in said
    assert re.search(r"cause   \[ROUNDING-(TIE|MODE)\] in the firmware execution", said)
    assert run_command_line(["check", str(copy)]) == 1
    assert "FIRMWARE-TYPE" in capsys.readouterr().out
    assert run_command_line(["csim", str(copy), "--force", "--json"]) == 0


def test_the_certificate_holds_until_a_file_is_edited(built, tmp_path, capsys):
    assert run_command_line(["verify", str(built)]) == 0
    assert "The certificate holds" in capsys.readouterr().out
    copy = tmp_path / "digits"
    shutil.copytree(built, copy)
    weights = copy / "build" / "firmware" / "firmware" / "weights" / "w2.h"
    weights.write_text(weights.read_text().replace("0", "1", 1))
    assert run_command_line(["verify", str(copy)]) == 1
    captured = capsys.readouterr()
    assert "firmware/firmware/weights/w2.h" in captured.out
    assert "VERIFY-CHANGED" in captured.err


def test_predict_exits_1_where_firmware_and_network_differ(built, tmp_path, capsys):
    copy = tmp_path / "digits"
    shutil.copytree(built, copy)
    image = tmp_path / "image.png"
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4).save(image)
    assert run_command_line(["predict", str(copy), str(image)]) == 0
    weights = copy / "build" / "firmware" / "firmware" / "weights" / "w11.h"
    edit_numbers(weights, lambda numbers: [-number for number in numbers])
    assert run_command_line(["predict", str(copy), str(image)]) == 1
    assert "PREDICT-DIFFERS" in one_message(capsys.readouterr())
    assert run_command_line(["predict", str(copy), str(image), "--json"]) == 1
    (said,) = json.loads(capsys.readouterr().out)
    assert said["exact"] is False


def test_the_estimate_and_the_images_are_verified_too(built, tmp_path, capsys):
    copy = tmp_path / "digits"
    shutil.copytree(built, copy)
    for relative in ("estimate.json", "float/weights.npz", "data/test.npy"):
        path = next(iter((copy / "build").glob(relative)), None) or next((copy / "build" / "data").glob("test*"))
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert run_command_line(["verify", str(copy)]) == 1
        assert path.relative_to(copy / "build").as_posix() in capsys.readouterr().out
        path.write_bytes(content)
    assert run_command_line(["verify", str(copy)]) == 0


def test_explain_says_equal_or_of_what_a_float_networks_difference_consists(built, capsys):
    assert run_command_line(["explain", str(built), "--between", "reference", "quantized", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["equal"] is True
    assert run_command_line(["explain", str(built), "--between", "float", "reference", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["layer"], found["causes"][0]["code"]) == ("conv2d_1", "FLOAT-VS-QUANTIZED")
    parts = {part["layer"]: part for part in found["contributions"]}
    assert list(parts) == ["conv2d_1", "conv2d_2", "dense_1", "dense_2"]
    for part in parts.values():
        total = part["weights"] + part["bias"] + part["activations"] + part["rounding"]
        assert total == pytest.approx(part["total"])
    assert run_command_line(["explain", str(built), "--between", "float", "board"]) == 2


def test_a_second_run_is_all_unchanged_and_json_goes_to_stdout(built, capsys):
    assert run_command_line(["run", str(built), "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert not any(stage["ran"] for stage in result["stages"].values())
    assert result["certificate"]["exact"] is True
    assert "unchanged" in captured.err


def test_changing_the_quantizer_runs_from_there(built, tmp_path, capsys):
    copy = tmp_path / "digits"
    shutil.copytree(built, copy)
    text = (copy / "project.yml").read_text().replace("quantize: {", "quantize: {weights: 5, ")
    (copy / "project.yml").write_text(text)
    assert run_command_line(["run", str(copy), "--until", "lower", "--json"]) == 0
    ran = {name: stage["ran"] for name, stage in json.loads(capsys.readouterr().out)["stages"].items()}
    assert ran == {"data": False, "train": False, "quantize": True, "lower": True}


def test_the_estimate_and_the_report_are_complete(built):
    estimate = json.loads((built / "build" / "estimate.json").read_text())
    assert estimate["source"] == "estimate"
    for metric in ("latency_cycles", "interval_cycles", "lut", "ff", "dsp", "bram18", "uram"):
        assert estimate[metric]["low"] <= estimate[metric]["value"] <= estimate[metric]["high"]
    by_name = {layer["name"]: layer for layer in estimate["layers"]}
    assert by_name["conv2d_2"]["multipliers"] * by_name["conv2d_2"]["reuse_factor"] == 8 * 9 * 16
    assert by_name["dense_2"]["weight_bits"] == 320 * 6 + 10 * 8
    html = (built / "build" / "report.html").read_text()
    for part in (
        "EXACT",
        "FITS" if estimate["board"]["fit"]["surely"] else "AT RISK",
        "float network",
        "Block diagram",
        "conv2d_2_relu",
        "mistakes with the highest confidence",
        "kept: epoch",
    ):
        assert part in html
    pictures = {path.name for path in (built / "build" / "pictures").iterdir()}
    assert pictures >= {"predictions.png", "learning_float_loss.svg", "learning_quantized_metric.svg"}
    assert html.count("data:image/png;base64") == len(list((built / "build" / "pictures").glob("*.png")))
    certificate = json.loads((built / "build" / "csim.json").read_text())
    for digest in (*certificate["hashes"].values(), certificate["sha256"]):
        assert digest in html
    assert str(built.parent) not in html, "no path of this machine"
    assert "http://" not in html
    assert "https://" not in html


def test_predict_shows_the_three_networks_side_by_side(built, tmp_path, capsys):
    picture = tmp_path / "digit.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 14, 3), dtype=np.uint8)).save(picture)
    assert run_command_line(["predict", str(built), str(picture), "--json"]) == 0
    (prediction,) = json.loads(capsys.readouterr().out)
    assert prediction["same_bits"] is True
    assert prediction["firmware"] == prediction["quantized"]
    assert 0 <= prediction["float_model"]["score"] <= 1
    (tmp_path / "broken.png").write_bytes(b"nothing")
    assert run_command_line(["predict", str(built), str(tmp_path / "broken.png")]) == 2


def test_summary_knows_shapes_before_and_types_after_training(built, tmp_path, capsys):
    assert run_command_line(["summary", str(built), "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["conv2d_2"]["parameters"] == 8 * 9 * 16 + 16
    assert rows["conv2d_2"]["type"].startswith("fixed<")
    shutil.copy(built / "project.yml", tmp_path / "project.yml")
    assert run_command_line(["summary", str(tmp_path)]) == 0
    assert "3,658" in capsys.readouterr().out


def test_new_writes_a_project_that_can_be_summarized(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command_line(["new", "faces", "--preset", "lecture"]) == 0
    assert run_command_line(["new", "faces", "--preset", "lecture"]) == 2
    assert run_command_line(["summary", "faces"]) == 0
    assert "388,673" in capsys.readouterr().out


def test_doctor_lists_tools_and_exits_3_without_a_compiler(capsys, monkeypatch, tmp_path):
    assert run_command_line(["doctor", "--json"]) in (0, 3)
    findings = {finding["name"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert findings["tensorflow"]["found"]
    monkeypatch.setenv("PATH", str(tmp_path))
    capsys.readouterr()
    assert run_command_line(["doctor"]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "g++ (C simulation)" in said[said.index("Not ready: ") :]


def test_the_verdict_of_doctor_names_the_work_that_is_not_possible():
    there, missing, other = (
        Finding("g++", "12", "C simulation", True, None),
        Finding("make", None, "C simulation", True, "install it"),
        Finding("vivado", None, "logic synthesis", False, "only for synthesis"),
    )
    assert verdict([there]) == "Ready: what every project needs is there."
    assert verdict([there, other, other]).endswith("is there. Not possible here: logic synthesis.")
    assert verdict([missing, other]) == "Not ready: make (C simulation) missing. Not possible here: logic synthesis."


def test_an_internal_error_is_one_message_with_a_file_to_report(monkeypatch, capsys):
    import siliconv.checks.doctor

    def broken():
        raise RuntimeError("boom")

    monkeypatch.setattr(siliconv.checks.doctor, "examine", broken)
    assert run_command_line(["doctor"]) == 70
    said = capsys.readouterr().err
    assert "Traceback" not in said
    crash = Path(re.search(r"\S+siliconv-crash-\S+\.txt", said).group())
    assert "boom" in crash.read_text()
    crash.unlink()


def test_records_are_estimated_and_compared(tmp_path, capsys):
    record = {
        "id": "a-dense-network",
        "tool": "vivado_hls 2020.1",
        "part": "xc7z020clg400-1",
        "clock_ns": 5.0,
        "backend": "Vivado",
        "io_type": "io_parallel",
        "kind": "mlp_parallel",
        "tier": "A",
        "layers": [
            {"name": "layer2", "type": "dense", "n_in": 16, "n_out": 8, "reuse_factor": 1, "strategy": "latency"}
        ],
        "results": {"latency_cycles": [4, 4], "lut": 3000},
    }
    (tmp_path / "records.json").write_text(json.dumps([record]))
    assert run_command_line(["estimate", "--records", str(tmp_path / "records.json"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["records"][0]["id"] == "a-dense-network"
    assert set(found["records"][0]["predicted"]["lut"]) == {"value", "low", "high"}
    assert run_command_line(["estimate"]) == 2
    assert "ESTIMATE-WHAT" in one_message(capsys.readouterr())
    assert run_command_line(["estimate", "--records", str(tmp_path / "none.json")]) == 2


def test_boards_are_listed(capsys):
    assert run_command_line(["boards", "--json"]) == 0
    names = {board["name"] for board in json.loads(capsys.readouterr().out)}
    assert {"pynq-z2", "zcu104", "kv260"} <= names


def test_a_run_says_first_what_the_checks_find_and_needs_no_validation_images(tmp_path, capsys):
    project = tmp_path / "small"
    project.mkdir()
    (project / "project.yml").write_text(
        "model: {input_shape: [8, 8, 1], layers: [{kind: flatten}, {kind: dense, units: 10}]}\n"
        "data: {source: digits, validation: 0, limit: 200}\ntrain: {epochs: 1}\n"
        "quantize: {train: {epochs: 1}, calibration_images: 16}\n"
    )
    assert run_command_line(["run", str(project), "--until", "lower"]) == 0
    said = capsys.readouterr().err
    for code in ("DATA-NO-VALIDATION", "CALIBRATION-FEW"):
        assert f"warning   {code}" in said
        assert said.index(code) < said.index("\ndata ")
    assert "equal to QKeras in every bit" in said


@pytest.mark.parametrize(
    ("layers", "code"),
    [
        ("{kind: conv2d, filters: 10}", "OUTPUT-SHAPE"),
        ("{kind: flatten}, {kind: dense, units: 7}", "DATA-CLASSES"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_before_it_is_trained(tmp_path, capsys, layers, code):
    (tmp_path / "project.yml").write_text(
        f"model: {{input_shape: [8, 8, 1], layers: [{layers}]}}\ndata: {{limit: 100}}\ntrain: {{epochs: 1}}\n"
    )
    assert run_command_line(["run", str(tmp_path), "--until", "train"]) == 2
    said = capsys.readouterr().err
    assert f"Error [{code}]" in said
    assert "\ntrain " not in said
    assert run_command_line(["check", str(tmp_path)]) == 1
    assert code in capsys.readouterr().out
