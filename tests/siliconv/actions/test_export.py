"""siliconv export: the file is there, says what it ends with, and is executed by qonnx where that is installed."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from siliconv.actions import export
from siliconv.actions.export import export_qonnx
from siliconv.commands import cli
from siliconv.errors import ProjectError, WorkSaysNoError
from siliconv.network import graph as ir
from siliconv.network import network_file
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.qonnx.qonnx_execution import qonnx_version
from siliconv.project.project import load_project

needs_qonnx = pytest.mark.skipif(qonnx_version() is None, reason="the qonnx package is not installed")


def small_network(seed=0):
    random = np.random.default_rng(seed)
    weight = FixedPoint(True, 5, 1)
    kernel = ir.Weights(random.integers(-15, 16, (64, 4)), weight)
    bias = ir.Weights(random.integers(-15, 16, 4), weight)
    relu = FixedPoint(False, 6, 3, Rounding.RND_CONV, Overflow.SAT)
    nodes = (
        ir.Input("image", (), (8, 8, 1), FixedPoint(False, 8, 0)),
        ir.Reshape("flat", ("image",), (64,), FixedPoint(False, 8, 0)),
        ir.Dense("dense", ("flat",), (4,), FixedPoint(True, 20, 8), kernel, bias),
        ir.Requantize("logits", ("dense",), (4,), relu, True),
    )
    return ir.Network("small", nodes)


@pytest.fixture
def project_folder(tmp_path, digits_folder):
    folder = tmp_path / "small"
    (folder / "build").mkdir(parents=True)
    (folder / "project.yml").write_text("model:\n  preset: digits\n")
    (folder / "build" / "data").symlink_to(digits_folder)
    network_file.save(small_network(), folder / "build" / "network")
    return folder


def test_the_file_is_written_where_it_is_wanted_and_says_what_it_ends_with(project_folder, tmp_path):
    project = load_project(project_folder)
    done = export_qonnx("small", project, project_folder / "build", tmp_path / "a" / "model.onnx")
    graph = onnx.load(done.file).graph
    assert done.output == "logits"
    assert graph.output[0].name == "logits_values"
    assert any(node.op_type == "Quant" for node in graph.node)
    assert (done.qonnx is None) == (done.values == 0)
    assert export_qonnx("small", project, project_folder / "build").file.endswith("build/small.qonnx")


def test_from_the_command_line(project_folder):
    runner = CliRunner()
    found = runner.invoke(cli.app, ["export", str(project_folder), "--qonnx", "--json"], standalone_mode=False)
    assert json.loads(found.stdout)["output"] == "logits"


def test_without_a_network_or_a_format_or_a_place_it_says_what_to_do(project_folder, tmp_path):
    project = load_project(project_folder)
    with pytest.raises(ProjectError, match="EXPORT-BUILD") as raised:
        export_qonnx("small", project, tmp_path / "other" / "build")
    assert raised.value.fix == f"siliconv run {tmp_path / 'other'} --until lower"
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match=r"EXPORT-WRITE.*file is no folder"):
        export_qonnx("small", project, project_folder / "build", tmp_path / "file" / "model.onnx")
    for overwrite in (False, True):
        with pytest.raises(ProjectError, match=r"WRITE-EXISTS.*it is a folder"):
            export_qonnx("small", project, project_folder / "build", tmp_path, overwrite=overwrite)
    with pytest.raises(ProjectError, match="EXPORT-FORMAT"):
        cli.export(str(project_folder))


@needs_qonnx
def test_qonnx_executes_it_to_the_same_values_and_a_wrong_export_is_refused(project_folder, tmp_path, monkeypatch):
    project, build = load_project(project_folder), project_folder / "build"
    assert export_qonnx("small", project, build, tmp_path / "model.onnx").values >= 4 * export.IMAGES
    wrong = export.qonnx_model(small_network(seed=1))
    monkeypatch.setattr(export, "qonnx_model", lambda network: wrong)
    with pytest.raises(WorkSaysNoError, match="EXPORT-DIFFERS"):
        export_qonnx("small", project, build, tmp_path / "wrong.onnx")
    assert not (tmp_path / "wrong.onnx").exists()


def test_a_file_that_is_not_ours_is_not_overwritten(project_folder):
    project, build = load_project(project_folder), project_folder / "build"
    words = (project_folder / "project.yml").read_text()
    for name in ("project.yml", "build"):
        with pytest.raises(ProjectError, match="WRITE-EXISTS"):
            export_qonnx("small", project, build, project_folder / name)
    assert (project_folder / "project.yml").read_text() == words
    file = project_folder / "net.qonnx"
    for _ in range(2):
        export_qonnx("small", project, build, file)
    file.write_text("edited since")
    with pytest.raises(ProjectError, match="WRITE-EXISTS"):
        export_qonnx("small", project, build, file)
    assert file.read_text() == "edited since"
    export_qonnx("small", project, build, file, overwrite=True)
    assert onnx.load(file).graph.node
    assert sorted(path.name for path in project_folder.iterdir()) == ["build", "net.qonnx", "project.yml"]
