"""Another machine's instructions may give other last bits: stages know them, and going on with others is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siliconv.flow import flow
from siliconv.flow.flow import Stage, run_flow
from siliconv.legacy_keras import THREADS, threads
from siliconv.models.training import training
from siliconv.models.training.instruction_set import instruction_set
from siliconv.models.training.train_config import TrainConfig
from siliconv.project.project import ProjectConfig


class Told:
    """Progress that keeps the lines it is told."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)

    def begin(self, *words):
        """Keep nothing."""

    update = end = begin


def test_this_machine_has_a_name():
    assert instruction_set().split()[0] in ("x86_64", "aarch64", "arm64")


def test_a_stage_is_run_again_on_another_machine_and_says_so(tmp_path, monkeypatch):
    project = ProjectConfig.model_validate({"model": {"preset": "digits"}})

    def work(context):
        (context.out / "a.txt").write_text("bits")
        return ""

    def run(*, instructions):
        stage = Stage("train", work, ("a.txt",), (), lambda project: 1, (), instructions=instructions)
        told = Told()
        (result,) = run_flow((stage,), project, "name", tmp_path, told, until="train")
        return result.ran, told.lines

    assert run(instructions=True) == (True, [])
    assert run(instructions=True) == (False, [])
    monkeypatch.setattr(flow, "instruction_set", lambda: "x86_64 avx512f")
    ran, lines = run(instructions=True)
    assert ran
    assert "this one has x86_64 avx512f" in lines[0]
    assert run(instructions=True) == (False, [])
    monkeypatch.setenv("SILICONV_THREADS", "4")
    assert run(instructions=True)[0], "another number of threads is another training"


def test_a_training_that_goes_on_elsewhere_says_so(digits, tmp_path, monkeypatch):
    from siliconv.models.architectures.keras_model import build_model
    from siliconv.models.architectures.presets import preset

    few = replace(digits, train=digits.train.subset(range(64)), val=digits.val.subset(range(16)))

    def fit(epochs):
        told = Told()
        model = build_model(preset("digits"))
        training.fit(model, few, TrainConfig(epochs=epochs, schedule="constant"), work=tmp_path, progress=told)
        return told.lines

    fit(1)
    assert not [line for line in fit(2) if "began on a machine" in line]
    monkeypatch.setattr(training, "instruction_set", lambda: "x86_64 avx512f")
    assert [line for line in fit(3) if "goes on with x86_64 avx512f" in line]


def test_the_number_of_threads_is_fixed_and_no_other_variable_changes_it(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "7")
    assert threads() == THREADS
    for wrong in ("", "0", "-1", "many", "9" * 9, "\u0663"):
        monkeypatch.setenv("SILICONV_THREADS", wrong)
        with pytest.raises(Exception, match="TF-THREADS"):
            threads()
