"""The flow: skips what did not change, keeps what was built, and survives being killed at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from siliconv.errors import DataError, ProjectError
from siliconv.flow.flow import RECORDS, Stage, run_flow
from siliconv.progress import Silent
from siliconv.project.project import ProjectConfig


@pytest.fixture
def project():
    return ProjectConfig.model_validate({"model": {"preset": "digits"}})


class Counter:
    """Two stages that write a file each and count their runs."""

    def __init__(self):
        self.runs = {"first": 0, "second": 0}
        self.text = "one"
        self.fail = False

    def stages(self, setting=1):
        def first(context):
            self.runs["first"] += 1
            (context.out / "a").mkdir()
            (context.out / "a" / "file.txt").write_text(self.text)
            return "first done"

        def second(context):
            self.runs["second"] += 1
            (context.out / "b.txt").write_text((context.build / "a" / "file.txt").read_text() + "!")
            if self.fail:
                raise DataError("X", "broken", where="there", fix="mend")
            return "second done"

        modules = ("siliconv.network.fixed_point",)
        return (
            Stage("first", first, ("a",), (), lambda project: setting, modules),
            Stage("second", second, ("b.txt",), ("first",), lambda project: None, modules),
        )


@pytest.fixture
def counter():
    return Counter()


def run(counter, project, build, setting=1, **options):
    results = run_flow(counter.stages(setting), project, "name", build, Silent(), **{"until": "second", **options})
    return [result.name for result in results if result.ran]


def test_a_second_run_does_nothing(counter, project, tmp_path):
    assert run(counter, project, tmp_path) == ["first", "second"]
    assert run(counter, project, tmp_path) == []
    assert (tmp_path / "b.txt").read_text() == "one!"


def test_a_changed_setting_runs_from_there_and_stops_where_outputs_are_equal(counter, project, tmp_path):
    run(counter, project, tmp_path)
    assert run(counter, project, tmp_path, setting=2) == ["first"], "the same output needs no second stage"
    counter.text = "two"
    assert run(counter, project, tmp_path, setting=3) == ["first", "second"]
    assert (tmp_path / "b.txt").read_text() == "two!"


def test_a_missing_output_is_made_again(counter, project, tmp_path):
    run(counter, project, tmp_path)
    (tmp_path / "a" / "file.txt").unlink()
    assert run(counter, project, tmp_path) == ["first"]


def test_an_output_edited_by_hand_is_kept_told_and_seen_by_the_stages_after_it(counter, project, tmp_path):
    run(counter, project, tmp_path)
    (tmp_path / "a" / "file.txt").write_text("edited")
    (tmp_path / "a" / "stray.txt").write_text("left by a build inside the folder")
    results = run_flow(counter.stages(), project, "name", tmp_path, Silent(), until="second")
    assert [(result.name, result.ran, result.edited) for result in results] == [
        ("first", False, ("a/file.txt",)),
        ("second", True, ()),
    ]
    assert (tmp_path / "b.txt").read_text() == "edited!"
    assert run(counter, project, tmp_path, force=True) == ["first", "second"]
    assert (tmp_path / "b.txt").read_text() == "one!"


def test_force_runs_everything_and_until_stops(counter, project, tmp_path):
    run(counter, project, tmp_path)
    assert run(counter, project, tmp_path, force=True) == ["first", "second"]
    assert run(counter, project, tmp_path, force=True, until="first") == ["first"]


def test_a_failing_stage_leaves_the_earlier_build_untouched(counter, project, tmp_path):
    run(counter, project, tmp_path)
    counter.text, counter.fail = "two", True
    with pytest.raises(DataError):
        run(counter, project, tmp_path, setting=2)
    assert (tmp_path / "b.txt").read_text() == "one!"
    counter.fail = False
    assert run(counter, project, tmp_path, setting=2) == ["second"]
    assert (tmp_path / "b.txt").read_text() == "two!"


def test_time_and_memory_of_each_stage_are_recorded(counter, project, tmp_path):
    run(counter, project, tmp_path)
    record = json.loads((tmp_path / RECORDS / "first.json").read_text())
    assert record["seconds"] >= 0
    assert record["peak_mib"] > 10


def test_a_damaged_record_means_run_again(counter, project, tmp_path):
    run(counter, project, tmp_path)
    (tmp_path / RECORDS / "second.json").write_text("{")
    assert run(counter, project, tmp_path) == ["second"]


def test_two_runs_at_once_are_refused(counter, project, tmp_path):
    def inside(context):
        with pytest.raises(ProjectError, match="BUILD-BUSY"):
            run_flow(counter.stages(), project, "name", tmp_path, Silent(), until="second")
        (context.out / "c").write_text("")
        return ""

    stage = Stage("busy", inside, ("c",), (), lambda project: None, ())
    run_flow((stage,), project, "name", tmp_path, Silent(), until="busy")


def test_a_folder_that_cannot_be_written_is_told(counter, project, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ProjectError, match="BUILD-WRITE") as raised:
        run(counter, project, blocked / "build")
    assert str(blocked) in raised.value.where


DIGITS = """
model: {preset: digits}
train: {epochs: 6, batch_size: 64}
quantize: {train: {epochs: 3, batch_size: 64}}
csim: {images: 4}
"""


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-m", "siliconv", "run", str(folder), "--until", "convert"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished_files(build):
    """Every finished artefact with its content; records and scratch left out."""
    names = ("data", "float", "quantized", "network", "firmware")
    return {
        str(path.relative_to(build)): path.read_bytes()
        for name in names
        for path in sorted((build / name).rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
@pytest.mark.long
def test_a_run_killed_in_training_and_in_conversion_ends_with_the_same_bits(tmp_path):
    folders = [tmp_path / name for name in ("undisturbed", "killed")]
    for folder in folders:
        (folder / "digits").mkdir(parents=True)
        (folder / "digits" / "project.yml").write_text(textwrap.dedent(DIGITS))
    undisturbed, killed = (folder / "digits" for folder in folders)
    assert start(undisturbed).wait() == 0
    build = killed / "build"
    # In the middle of training (a checkpoint of a few epochs), of fine-tuning, and of conversion.
    moments = [
        build / ".work/train/checkpoint.npz",
        build / ".work/quantize/checkpoint.npz",
        build / ".partial/convert",
    ]
    for moment in moments:
        process = start(killed)
        while not moment.exists() and process.poll() is None:
            time.sleep(0.01)
        assert process.poll() is None, f"finished before it could be killed at {moment}"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    final = start(killed)
    _, words = final.communicate()
    assert final.returncode == 0, words
    expected, found = finished_files(undisturbed / "build"), finished_files(build)
    assert set(found) == set(expected)
    different = [name for name in expected if found[name] != expected[name]]
    assert different == []
    assert "unchanged" in words, "the last run should have found the first stages done"
