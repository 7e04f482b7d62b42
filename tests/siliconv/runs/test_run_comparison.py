"""Runs beside each other: what differs is told, what got worse ends with 1, names are found and refused."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from run_records import a_record

from siliconv.commands.cli import run_command_line
from siliconv.errors import ProjectError, WorkSaysNoError
from siliconv.runs.run_comparison import compare_runs, find_runs
from siliconv.search.run_record import write_record


def a_run(name, accuracy=0.95, lut=1000.0, *, exact=True, started="2026-01-01T00:00:00+00:00", changed=None, **details):
    """Make the record of a run of a project's stages."""
    record = a_record(name, accuracy, lut)
    return replace(
        record,
        kind="run",
        study=None,
        started=started,
        changes={"quantize.weights": 6, **(changed or {})},
        details={"exact": {"hls": exact}, "fit": "FITS", "set": changed or {}, "finished": started, **details},
        hashes={"network": name * 8},
    )


@pytest.fixture
def projects(tmp_path, monkeypatch):
    """Two projects with runs, in the current folder."""
    for name in ("mine", "yours"):
        folder = tmp_path / "firmware_projects" / name
        folder.mkdir(parents=True)
        (folder / "project.yml").write_text("model: {preset: digits}\n")
    folder = tmp_path / "firmware_projects" / "mine"
    write_record(folder, a_run("aa11", 0.96, 1000.0))
    write_record(folder, a_run("aa22", 0.95, 1200.0, started="2026-01-02T00:00:00+00:00"))
    write_record(
        folder, a_run("bb33", 0.90, 700.0, changed={"quantize.weights": 4}, started="2026-01-03T00:00:00+00:00")
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_project_is_its_last_run_of_the_project_file(projects):
    (found,) = find_runs(["mine"])
    assert found.id == "aa22", "the variant came later"


@pytest.mark.parametrize(
    "name", ["mine:bb33", "mine:bb", "bb33", "bb", "firmware_projects/mine/runs/records/bb33.json"]
)
def test_a_run_is_found_by_its_name_its_beginning_or_its_file(projects, name):
    assert find_runs([name])[0].id == "bb33"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("mine:aa", "RUN-AMBIGUOUS"),
        ("mine:zz", "RUN-UNKNOWN"),
        ("yours", "RUN-UNKNOWN"),
        ("nobodys", "PROJECT-NOT-FOUND"),
        ("nowhere.json", "RUN-RECORD"),
    ],
)
def test_what_is_not_there_is_told(projects, name, code):
    with pytest.raises(ProjectError, match=code):
        find_runs([name])


def test_what_differs_is_a_line_and_what_does_not_is_none():
    one, other = a_run("aa", 0.96, 1000.0), a_run("bb", 0.90, 700.0, exact=False, changed={"quantize.weights": 4})
    found = compare_runs(["a", "b"], [one, other])
    differing = {line.title: line.texts for line in found.lines if line.differs}
    assert differing["quantize.weights"] == ("6", "4")
    assert differing["core and network"] == ("EXACT", "NOT EXACT")
    assert differing["LUT"] == ("1,000", "700")
    assert differing["firmware, test accuracy"][0] == "0.9600 (0.9400 to 0.9800)"
    same = {line.title for line in found.lines if not line.differs}
    assert {"FF", "DSP", "images a second", "verdict"} <= same
    assert json.loads(json.dumps(found.as_json()))["runs"][1]["name"] == "b"


@pytest.mark.parametrize(
    ("other", "limits", "words"),
    [
        ({"accuracy": 0.949}, {"accuracy_drop": 1.0}, "1.10 points worse"),
        ({"accuracy": 0.951}, {"accuracy_drop": 1.0}, None),
        ({"lut": 1101.0}, {"lut_growth": 10.0}, "10.1 % more"),
        ({"lut": 1100.0}, {"lut_growth": 10.0}, None),
        ({"lut": 10.0}, {"lut_growth": 0.0}, None),
        ({"exact": False}, {"lut_growth": 0.0}, "not exact"),
        ({"exact": False, "accuracy": 0.1}, {}, None),
    ],
)
def test_the_gate_names_what_is_worse_than_the_first(other, limits, words):
    found = compare_runs(["a", "b"], [a_run("aa", 0.96), a_run("bb", **{"accuracy": 0.96, **other})])
    if words is None:
        found.check(**limits)
    else:
        with pytest.raises(WorkSaysNoError, match=words):
            found.check(**limits)


def test_errors_that_grow_are_worse_too_and_other_measures_are_refused():
    error = replace(a_run("aa").test, metric="root mean square error", value=0.5, goodness=-0.5, low=None, high=None)
    base, worse = replace(a_run("aa"), test=error), replace(a_run("bb"), test=replace(error, value=0.6, goodness=-0.6))
    with pytest.raises(WorkSaysNoError, match=r"10\.00 points worse"):
        compare_runs(["a", "b"], [base, worse]).check(accuracy_drop=5.0)
    with pytest.raises(ProjectError, match="COMPARE-METRIC"):
        compare_runs(["a", "b"], [base, a_run("bb")]).check(accuracy_drop=5.0)
    with pytest.raises(ProjectError, match="COMPARE-LUT"):
        compare_runs(["a", "b"], [base, replace(base, costs={})]).check(lut_growth=5.0)


def test_a_trial_has_no_firmware():
    assert a_record("aa", 0.9, 1.0).exact is None
    assert a_run("aa", exact=False).exact is False


def test_the_commands_show_and_gate(projects, capsys):
    assert run_command_line(["history", "mine"]) == 0
    said = capsys.readouterr().out
    assert [said.index(name) for name in ("aa11", "aa22", "bb33")] == sorted(
        said.index(n) for n in ("aa11", "aa22", "bb33")
    )
    assert run_command_line(["history", "yours"]) == 0
    assert "siliconv run yours" in capsys.readouterr().err
    assert run_command_line(["compare", "mine", "bb33", "--html", "page.html"]) == 0
    said = capsys.readouterr().out
    assert "quantize.weights" in said
    assert "images a second" not in said
    page = (projects / "page.html").read_text()
    assert "<svg" in page
    assert "quantize.weights" in page
    assert "https://" not in page.replace("http://www.w3.org", "")
    assert run_command_line(["compare", "mine", "bb33", "--max-accuracy-drop", "1"]) == 1
    assert "COMPARE-WORSE" in capsys.readouterr().err
    assert run_command_line(["compare", "mine", "bb33", "--max-lut-growth", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["id"] == "aa22"
    assert run_command_line(["compare", "mine"]) == 2
    assert "COMPARE-RUNS" in capsys.readouterr().err


def test_where_nothing_differs_one_sentence_says_so(projects, capsys):
    again = replace(a_run("aa22", 0.95, 1200.0), project="mine", id="cc44")
    write_record(projects / "firmware_projects" / "yours", again)
    assert run_command_line(["compare", "mine:aa22", "yours:cc44"]) == 0
    assert capsys.readouterr().out.startswith("Nothing differs between mine:aa22 and yours:cc44: all ")
    assert run_command_line(["compare", "mine", "mine:aa22", "--max-accuracy-drop", "0"]) == 0
    assert capsys.readouterr().out == "Nothing differs: mine and mine:aa22 are one and the same run, aa22.\n"
    assert run_command_line(["compare", "mine", "mine", "--all"]) == 0
    assert "test images" in capsys.readouterr().out


def test_a_record_in_a_file_is_a_base_for_ci(projects):
    base = projects / "baseline.json"
    base.write_text(json.dumps(asdict(a_run("aa99", 0.99, 900.0))))
    assert run_command_line(["compare", "baseline.json", "mine", "--max-accuracy-drop", "1"]) == 1
    assert (
        run_command_line(["compare", "baseline.json", "mine", "--max-accuracy-drop", "5", "--max-lut-growth", "50"])
        == 0
    )
