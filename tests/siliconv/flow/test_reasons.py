"""Why a stage runs again: the field with its two values, an earlier stage, code, libraries; never a hash."""

from __future__ import annotations

import pytest

from siliconv.flow.flow import Stage, run_flow
from siliconv.flow.reasons import why_again
from siliconv.progress import Silent
from siliconv.project.project import ProjectConfig

BEFORE = {
    "name": "mine",
    "settings": {"quantize": {"weights": 6, "layers": {}}, "images": 32, "start": "a" * 64, "weights": "c" * 64},
    "code": ["1", "2"],
    "libraries": {"qkeras": "0.9.0"},
    "inputs": {"data": "d1", "train": "t1"},
}
FIELDS = {"quantize": {"weights": 6, "train": {"seed": 1}}, "csim": {"images": 32}, "train": {"seed": 1}}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"settings": {"quantize": {"weights": 4}}}, "quantize.weights changed 6 -> 4"),
        ({"settings": {"images": 64}}, "csim.images changed 32 -> 64"),
        ({"settings": {"start": "b" * 64}}, "the file of quantize.start changed"),
        ({"settings": {"weights": "b" * 64}}, "the weights that it starts from changed"),
        ({"settings": {"quantize": {"layers": {"a": {"weights": 2}}}}}, "quantize.layers.a changed null -> {"),
        ({"settings": {"seed": 3}}, "seed changed null -> 3"),
        ({"settings": {"unknown": "e" * 64}}, "unknown changed"),
        ({"inputs": {"train": "t2"}}, "train gave something else"),
        ({"libraries": {"qkeras": "1.0"}}, "qkeras changed 0.9.0 -> 1.0"),
        ({"code": ["1", "3"]}, "the code of siliconv changed"),
        ({"beside": {"synthesis.json": "h"}}, "synthesis.json changed"),
        ({"name": "other"}, "the name of the project changed"),
        ({"settings": {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}}, "a changed null -> 1, b changed null -> 2, c"),
    ],
)
def test_a_reason_is_in_the_words_of_the_project_file(changes, why):
    now = merged(BEFORE, changes)
    said = why_again(BEFORE, now, FIELDS)
    assert said.startswith(why)
    assert bool(said) == bool(changes)
    assert not any(letter * 64 in said for letter in "abcde")


def test_many_differences_are_counted():
    said = why_again(BEFORE, merged(BEFORE, {"settings": {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}}), FIELDS)
    assert said.endswith(" and 2 more")


def test_of_a_record_of_an_older_version_nothing_is_known():
    assert why_again({}, BEFORE, FIELDS) == ""


def merged(old, new):
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}


class Said(Silent):
    """Keeps the lines."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


def test_a_run_says_it_once_and_not_of_what_runs_for_the_first_time(tmp_path):
    def write(context):
        (context.out / "a.txt").write_text(str(context.project.quantize.weights))
        return "done"

    stage = Stage(
        *("first", write, ("a.txt",), ()),
        lambda project: {"quantize": {"weights": project.quantize.weights}},
        ("siliconv.network.fixed_point",),
    )

    def lines(weights, **options):
        said = Said()
        project = ProjectConfig.model_validate({"model": {"preset": "digits"}, "quantize": {"weights": weights}})
        run_flow((stage,), project, "name", tmp_path, said, until="first", **options)
        return said.lines

    assert lines(6) == []
    assert lines(6) == []
    assert lines(4) == ["first runs again: quantize.weights changed 6 -> 4"]
    (tmp_path / "a.txt").unlink()
    assert lines(4) == ["first runs again: a.txt is not there any more"]
    assert lines(4, force=True) == []
