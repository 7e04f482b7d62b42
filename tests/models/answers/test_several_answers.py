"""Each of several outputs has right answers of its own, a task and a score of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siliconv.errors import DataError, ModelError
from siliconv.models.answers.several_answers import answers_of, labels_of_one, outputs_of, several_answers
from siliconv.models.answers.task import Question
from siliconv.models.data.image_store import LoadedImages
from siliconv.models.training.scoring import Judge

KIND = Question("auto", "kind", (), (3,), "softmax", trains=True)
SIZE = Question("auto", "size", (), (1,), trains=True)
MARKS = Question("auto", "marks", (), (2, 2), trains=True)
WHOLE = Question("several", "output", (4,), (8,), None, True, (), (KIND, SIZE, MARKS))
RANDOM = np.random.default_rng(2)
CLASSES, SIZES = np.arange(12) % 3, RANDOM.normal(size=12)


def test_tasks_are_found_for_each_output_and_answers_stand_in_one_row():
    labels = {"kind": [CLASSES], "size": [SIZES]}
    found = several_answers(labels, [12], WHOLE, Path("x"), names={"kind": ("a", "b", "c")})
    assert found.task == "several"
    assert [(part.name, part.task, part.width) for part in found.parts] == [
        ("kind", "classification", 1),
        ("size", "regression", 1),
        ("marks", "none", 0),
    ]
    assert found.parts[0].names == ("a", "b", "c")
    assert found.values.shape == (12, 2)
    np.testing.assert_array_equal(found.strata, CLASSES)
    np.testing.assert_array_equal(answers_of(0, found.parts, found.values), CLASSES)
    np.testing.assert_allclose(answers_of(1, found.parts, found.values)[:, 0], SIZES, rtol=1e-6)


def test_labels_of_no_name_belong_to_the_one_output_that_they_fit():
    assert set(labels_of_one([CLASSES], WHOLE)) == {"kind"}
    assert set(labels_of_one([SIZES], WHOLE)) == {"size"}
    assert set(labels_of_one([RANDOM.normal(size=(12, 2, 2))], WHOLE)) == {"marks"}
    twin = Question("several", "output", (4,), (6,), None, False, (), (KIND, Question("auto", "other", (), (3,))))
    assert labels_of_one([CLASSES], twin) == {}


def test_labels_that_do_not_fit_their_output_are_refused():
    with pytest.raises((DataError, ModelError), match="DATA-"):
        several_answers({"kind": [np.arange(12) % 4]}, [12], WHOLE, Path("x"))
    with pytest.raises(ModelError, match="TASK-TRAIN"):
        several_answers({}, [12], WHOLE, Path("x"))


def test_each_output_is_scored_in_its_own_terms():
    found = several_answers({"kind": [CLASSES], "size": [SIZES]}, [12], WHOLE, Path("x"))
    judge = Judge("several", (), None, found.parts)
    logits = np.zeros((12, 8))
    logits[np.arange(12), CLASSES] = 1.0
    logits[:, 3] = SIZES + 0.5
    images = LoadedImages(np.zeros((12, 4), np.uint8), found.values, ())
    score = judge.score(judge.outputs(logits), images, judge.outputs(logits))
    assert score.metric == "accuracy of kind"
    assert score.value == 1.0
    written = score.as_json()["outputs"]
    assert written["size"]["value"] == pytest.approx(0.5, abs=1e-6)
    assert written["marks"]["value"] == 0.0
    assert outputs_of(2, found.parts, logits).shape == (12, 2, 2)
    logits[0] = -logits[0]
    assert judge.score(judge.outputs(logits), images).value == pytest.approx(11 / 12)
