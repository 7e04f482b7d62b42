"""Several values of a field: all are checked first, each is run whatever becomes of the others, and compared."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from run_records import a_record

from siliconv import Project
from siliconv.commands import sweep
from siliconv.commands.cli import run_command_line
from siliconv.commands.sweep import run_sweep
from siliconv.errors import FirmwareError, ProjectError, ToolError, WorkSaysNoError
from siliconv.runs.variants import build_folder
from siliconv.search.run_record import write_record

SWEEP = tuple({"quantize.weights": bits, "quantize.biases": 8} for bits in (3, 4, 5))


class Done:
    """A run that is exact."""

    def __init__(self, changes):
        self.changes = changes

    def require_exact(self):
        return None

    def as_json(self):
        return {"stages": {}}


def remembered(folder, *, wrong=()):
    """Give a function that stands in for a run: it leaves a record, or raises for some widths."""

    def run(changes):
        bits = changes["quantize.weights"]
        if bits in wrong:
            raise FirmwareError("REUSE-NONE", f"none for {bits} bits", where="hls", fix="use other bits")
        build = build_folder(folder, changes).relative_to(folder).as_posix()
        record = a_record(f"aa{bits}", 0.9 + bits / 100, 1000.0 * bits)
        details = {"exact": {"hls": True}, "fit": "FITS", "build": build, "finished": "2026-01-01"}
        write_record(folder, replace(record, kind="run", study=None, changes=dict(changes), details=details))
        return Done(changes)

    return run


def test_each_value_is_run_and_they_are_compared(project, capsys):
    assert run_sweep(Project(str(project)), SWEEP, remembered(project), json_output=False, quiet=False) == 0
    said = capsys.readouterr()
    assert [line for line in said.err.splitlines() if " of 3: " in line] == [
        "1 of 3: quantize.weights=3",
        "2 of 3: quantize.weights=4",
        "3 of 3: quantize.weights=5",
    ]
    for shown in ("quantize.weights=3", "quantize.weights=5", "3,000", "5,000"):
        assert shown in said.out


def test_an_error_of_one_stops_no_other_and_is_the_end_of_all(project, capsys):
    with pytest.raises(WorkSaysNoError, match="SWEEP-ERROR") as raised:
        run_sweep(Project(str(project)), SWEEP, remembered(project, wrong=(3,)), json_output=True, quiet=False)
    assert "1 of 3 variants" in raised.value.what
    assert raised.value.where == "--set quantize.weights=3"
    said = capsys.readouterr()
    assert "[REUSE-NONE] none for 3 bits" in said.err
    found = json.loads(said.out)
    assert [one["set"]["quantize.weights"] for one in found["variants"]] == [4, 5]
    assert [one["name"] for one in found["comparison"]["runs"]] == ["quantize.weights=4", "quantize.weights=5"]


def test_a_value_that_is_wrong_is_refused_before_any_is_run(project):
    def run(changes):
        raise AssertionError("nothing is run")

    with pytest.raises(ProjectError, match=r"PROJECT-VALUE(?s:.*)--set quantize.weights=99"):
        run_sweep(
            Project(str(project)),
            ({"quantize.weights": 4}, {"quantize.weights": 99}),
            run,
            json_output=False,
            quiet=False,
        )
    assert not (project / "runs").exists()


def test_what_was_not_simulated_is_not_compared(project, capsys):
    assert run_sweep(Project(str(project)), SWEEP, Done, json_output=False, quiet=False) == 0
    assert "nothing is compared" in capsys.readouterr().err
    assert run_sweep(Project(str(project)), SWEEP, Done, json_output=False, quiet=True) == 0
    said = capsys.readouterr()
    assert said.out == said.err == ""


def test_one_value_is_no_sweep(project, monkeypatch, capsys):
    monkeypatch.setattr(sweep, "console", None)
    assert run_command_line(["run", str(project), "--until", "data", "--set", "data.limit=200"]) == 0
    assert run_command_line(["run", str(project), "--until", "data", "--set", 'task="a,b"']) == 2
    assert "PROJECT-VALUE" in capsys.readouterr().err


def test_a_variant_begins_with_what_another_variant_built(project, capsys):
    assert run_command_line(["run", str(project), "--until", "data", "--set", "quantize.weights=3,4"]) == 0
    said = capsys.readouterr().err
    data = [line for line in said.splitlines() if line.startswith("data ")]
    assert len(data) == 2
    assert "unchanged" not in data[0]
    assert "unchanged" in data[1]
    assert not (project / "build" / "data").exists()


def test_of_several_builds_that_is_taken_of_which_most_can_be_kept(project, capsys):
    assert run_command_line(["run", str(project), "--until", "data"]) == 0
    assert run_command_line(["run", str(project), "--until", "data", "--set", "data.limit=200"]) == 0
    (project / "project.yml").write_text("model: {preset: digits}\ndata: {limit: 200}\n")
    capsys.readouterr()
    assert run_command_line(["run", str(project), "--until", "data", "--set", "quantize.weights=4"]) == 0
    assert "(unchanged)" in capsys.readouterr().err, "the project's own build has all images"


def test_a_tool_that_is_missing_is_missed_once(project, capsys):
    def run(changes):
        raise ToolError("TOOL-GXX", "there is no g++", where="PATH", fix="install it")

    with pytest.raises(ToolError, match="TOOL-GXX"):
        run_sweep(Project(str(project)), SWEEP, run, json_output=False, quiet=False)
    assert "2 of 3" not in capsys.readouterr().err


def test_values_that_python_takes_for_equal_have_names_of_their_own(project):
    names = Project(str(project)).name_variants(
        [{"data.limit": 200, "data.seed": 1}, {"data.limit": None, "data.seed": 1}]
    )
    assert names == ("data.limit=200", "data.limit=null")
    augmentation = [{"train.augmentation.rotation": one} for one in (1, 1.0)]
    assert len(set(Project(str(project)).name_variants(augmentation))) == 2
