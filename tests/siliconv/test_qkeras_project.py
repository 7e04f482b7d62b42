"""A project whose network is a trained QKeras model: taken as it is, from its file to a certificate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from qkeras_networks import in_a_row, with_random_weights

import siliconv
from siliconv import legacy_keras
from siliconv.checks.checks import examine
from siliconv.commands.cli import run_command_line
from siliconv.errors import ModelError
from siliconv.flow.apart import call_apart
from siliconv.network import network_file
from siliconv.plan import taken_network
from siliconv.project.project import load_project
from siliconv.project.taken_project import taken

keras = legacy_keras.load()

import qkeras  # noqa: E402

layers = keras.layers
DATA = "data: {source: npz, path: data.npz, input: {bits: 10, integer: 3, signed: true}}\n"


def bits(width=6, integer=0):
    return qkeras.quantized_bits(width, integer, alpha=1)


def classifier(last=None):
    return with_random_weights(
        in_a_row(
            layers.Input((9,)),
            qkeras.QDense(6, kernel_quantizer=bits(), bias_quantizer=bits(), activation="relu", name="first"),
            qkeras.QActivation("quantized_relu(6,2)", name="relu"),
            last or qkeras.QDense(3, kernel_quantizer=bits(4), bias_quantizer=bits(), name="head"),
            layers.Activation("softmax", name="end"),
        )
    )


def write_project(folder: Path, model, text: str) -> Path:
    model.save(folder / "model.h5")
    random = np.random.default_rng(4)
    x, y = random.normal(size=(80, 9)).astype(np.float32), random.integers(0, 3, 80)
    np.savez(folder / "data.npz", x=x, y=y)
    (folder / "project.yml").write_text(f"model: {{file: model.h5}}\n{DATA}csim: {{images: 3}}\n{text}")
    return folder


def codes_of(folder):
    return [finding.code for finding in examine(folder) if finding.severity == "error"]


REFUSED = {
    "a recipe": ("quantize: {weights: 4}\n", "weights would be another"),
    "fine-tuning": ("quantize: {train: {epochs: 2}}\n", "train would be another"),
    "training": ("train: {epochs: 2}\n", "taken as it is"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_another_recipe_beside_a_qkeras_model_is_refused(name, tmp_path):
    text, says = REFUSED[name]
    folder = write_project(tmp_path, classifier(), text)
    with pytest.raises(ModelError, match="MODEL-QUANTIZED") as caught:
        taken(load_project(folder))
    assert says in caught.value.what
    assert "MODEL-QUANTIZED" in codes_of(folder)


def test_bits_for_what_has_no_quantizer_are_for_qkeras_models_only(tmp_path):
    model = with_random_weights(in_a_row(layers.Input((9,)), layers.Dense(3)))
    folder = write_project(tmp_path, model, "quantize: {unquantized: {weights: 8}}\n")
    with pytest.raises(ModelError, match="MODEL-QUANTIZED"):
        taken(load_project(folder))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model: {file: model.h5, weights: other.h5}\n", "has its weights in itself"),
        ("model: {preset: lecture, fold: fine_tune}\n", "fold: is for a QKeras model"),
    ],
)
def test_fields_that_belong_to_other_models_are_refused(text, says, tmp_path, capsys):
    (tmp_path / "project.yml").write_text(text)
    assert run_command_line(["check", str(tmp_path)]) != 0
    assert says in " ".join(capsys.readouterr().out.split())


@pytest.mark.long
def test_a_check_and_a_summary_know_the_integer_network_before_anything_is_run(tmp_path, capsys, monkeypatch):
    folder = write_project(tmp_path, classifier(), "")
    assert codes_of(folder) == []
    calls = []

    def counted(*arguments, **named):
        calls.append(arguments)
        return call_apart(*arguments, **named)

    # What was lowered once is not lowered again.
    monkeypatch.setattr(taken_network, "call_apart", counted)
    assert run_command_line(["summary", str(folder), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    found = {row["name"]: row for row in (rows if isinstance(rows, list) else rows["layers"])}
    assert found["first"]["parameters"] == 9 * 6 + 6
    assert found["relu"]["type"] == "ufixed<6,2,RND_CONV,SAT>"
    assert found["softmax"]["kind"] == "softmax"
    assert not calls
    refused = write_project(tmp_path, classifier(layers.BatchNormalization(name="normal")), "")
    for _ in range(2):
        assert codes_of(refused) == ["LOWER-NORMALIZATION"]
    assert len(calls) == 1


@pytest.mark.long
def test_from_the_file_to_the_network_nothing_is_trained_or_requantized(tmp_path, capsys):
    folder = write_project(tmp_path, classifier(), "")
    assert run_command_line(["run", str(folder), "--until", "lower"]) == 0
    said = capsys.readouterr().err
    assert "a QKeras model taken as it is; QKeras 0.9.0 gives the same in every bit" in said
    assert "nothing requantized, nothing fine-tuned" in said
    assert "equal to QKeras in every bit" in said
    network = network_file.load(folder / "build" / "network")
    assert [node.name for node in network.nodes][1:4] == ["first", "relu", "head"]
    agreement = json.loads((folder / "build" / "network" / "agreement.json").read_text())
    assert agreement["test_images"]["differing"] == 0
    assert agreement["test_images"]["values"] > 0
    assert run_command_line(["run", str(folder), "--until", "lower"]) == 0
    assert "unchanged" in capsys.readouterr().err.splitlines()[-1]
    assert run_command_line(["explain", str(folder), "--between", "quantized", "reference"]) == 0


@pytest.mark.slow
@pytest.mark.long
def test_a_plain_last_layer_is_rounded_and_said(tmp_path, capsys):
    folder = write_project(
        tmp_path, classifier(layers.Dense(3, name="plain")), "quantize: {unquantized: {weights: 8}}\n"
    )
    assert run_command_line(["run", str(folder), "--until", "lower"]) == 0
    said = capsys.readouterr().err
    assert "without a quantizer, so rounded: plain.kernel to 8 bits, plain.bias to 8 bits (logits off by" in said
    assert network_file.load(folder / "build" / "network").by_name["plain"].kernel.type.width == 8


@pytest.mark.long
def test_a_model_that_is_not_what_qkeras_predicts_stops_the_run(tmp_path, capsys, monkeypatch):
    from siliconv.stages import taken_stages

    folder = write_project(tmp_path, classifier(), "")
    apart = taken_stages.call_apart

    def off_by_one_bit(*arguments, **more):
        found = apart(*arguments, **more)
        found[3, 1] = np.nextafter(found[3, 1], np.float32(9), dtype=np.float32)
        return found

    monkeypatch.setattr(taken_stages, "call_apart", off_by_one_bit)
    assert run_command_line(["run", str(folder), "--until", "train"]) != 0
    said = capsys.readouterr().err
    assert "MODEL-DIFFERS" in said
    assert "'image 3'" in said


@pytest.mark.long
def test_a_model_that_rescales_pixels_itself_is_given_pixels_of_0_to_255(tmp_path, capsys):
    first = [layers.Rescaling(1 / 255, name="unit"), layers.Flatten()]
    head = qkeras.QDense(3, kernel_quantizer=bits(), bias_quantizer=bits())
    with_random_weights(in_a_row(layers.Input((4, 4, 1)), *first, head)).save(tmp_path / "model.h5")
    random = np.random.default_rng(4)
    np.savez(tmp_path / "data.npz", x=random.integers(0, 256, (80, 4, 4, 1), np.uint8), y=random.integers(0, 3, 80))
    for more, passes in (("", False), (", pixel_scale: 0..255", True)):
        text = f"model: {{file: model.h5}}\ndata: {{source: npz, path: data.npz{more}}}\n"
        (tmp_path / "project.yml").write_text(text)
        assert (run_command_line(["run", str(tmp_path), "--until", "train"]) == 0) is passes
        said = " ".join(capsys.readouterr().err.split())
        assert passes or ("'unit' rescales pixels of 0 to 255" in said and "pixel_scale: 0..255" in said)


@pytest.mark.slow
@pytest.mark.long
def test_the_python_api_takes_one_without_calibration(tmp_path, compiler):
    model = classifier()
    kind = siliconv.InputConfig(bits=10, integer=3, signed=True)
    firmware = siliconv.convert(model, input=kind, name="taken")
    assert [node.name for node in firmware.network.nodes][1:4] == ["first", "relu", "head"]
    random = np.random.default_rng(0)
    certificate = firmware.simulate(np.round(random.normal(size=(4, 9)) * 128) / 128)
    assert certificate.exact
    with pytest.raises(ModelError, match="MODEL-QUANTIZED"):
        siliconv.convert(model, input=kind, weights=4)


@pytest.mark.long
def test_a_certificate_is_exact(tmp_path, compiler, capsys):
    folder = write_project(tmp_path, classifier(), "hls: {io_type: io_parallel}\n")
    assert run_command_line(["run", str(folder)]) == 0
    assert "EXACT" in capsys.readouterr().err
    page = (folder / "build" / "report.html").read_text()
    assert "The network is a trained QKeras model, taken as it is" in page
    assert "<dt>QKeras file</dt>" in page
    assert run_command_line(["verify", str(folder)]) == 0


@pytest.mark.slow
@pytest.mark.long
def test_a_normalization_that_no_type_holds_is_folded_and_fine_tuned_where_that_is_asked_for(tmp_path, capsys):
    model = classifier(qkeras.QDense(3, kernel_quantizer=bits(4), bias_quantizer=bits(7), name="head"))
    normalized = with_random_weights(
        in_a_row(
            layers.Input((9,)),
            qkeras.QDense(6, kernel_quantizer=bits(5), bias_quantizer=bits(8), name="first"),
            layers.BatchNormalization(name="normal"),
            qkeras.QActivation("quantized_relu(7,2)", name="relu"),
            *model.layers[2:],
        )
    )
    folder = write_project(tmp_path, normalized, "quantize: {train: {epochs: 1}}\n")
    text = (folder / "project.yml").read_text()
    (folder / "project.yml").write_text(text.replace("file: model.h5", "file: model.h5, fold: fine_tune"))
    assert codes_of(folder) == []
    assert run_command_line(["run", str(folder), "--until", "lower"]) == 0
    said = capsys.readouterr().err
    assert "its quantizers are left out, its batch normalizations folded" in said
    assert "of fine-tuning" in said
    network = network_file.load(folder / "build" / "network")
    assert network.by_name["first"].kernel.type.width == 5
    assert network.by_name["first"].bias.type.width == 8
    assert network.by_name["head"].kernel.type.width == 4
    assert network.by_name["relu"].type.width == 7
    assert "normal" not in network.by_name


@pytest.mark.slow
@pytest.mark.long
def test_float_models_inside_and_as_configuration_with_weights_are_compared_with_keras(tmp_path, capsys):
    inner = in_a_row(layers.Input((9,)), layers.Dense(5, activation="relu", name="deep"), layers.BatchNormalization())
    model = with_random_weights(in_a_row(layers.Input((9,)), inner, layers.Dense(3, name="last")))
    folder = write_project(tmp_path, model, "quantize: {train: null}\n")
    assert run_command_line(["run", str(folder), "--until", "train"]) == 0
    assert "gives the same within" in capsys.readouterr().err
    flat = with_random_weights(in_a_row(layers.Input((9,)), layers.Dense(3, name="last")))
    (folder / "model.json").write_text(flat.to_json())
    flat.save_weights(folder / "weights.h5")
    text = (folder / "project.yml").read_text()
    (folder / "project.yml").write_text(text.replace("file: model.h5", "file: model.json, weights: weights.h5"))
    assert run_command_line(["run", str(folder), "--until", "train"]) == 0
    assert "gives the same within" in capsys.readouterr().err
