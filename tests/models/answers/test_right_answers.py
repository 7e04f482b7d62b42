"""Which task network and labels say, and what is refused because it answers none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siliconv.errors import DataError, ModelError
from siliconv.models.answers.right_answers import check_answers, found_task, right_answers
from siliconv.models.answers.task import Question

WHOLE, REAL = np.arange(12) % 3, np.linspace(0.1, 1.9, 12)
TWO = np.arange(12) % 2
HOT = np.eye(4)[np.arange(12) % 4]
SEVERAL = np.array([[1, 0, 1, 0], [0, 0, 0, 1]] * 6)
MAPS = np.zeros((12, 4, 4, 2))


def question(output, inputs=(8,), asked="auto", function=None, *, trains=False) -> Question:
    return Question(asked, "last", inputs, output, function, trains=trains)


@pytest.mark.parametrize(
    ("labels", "asked", "task"),
    [
        (WHOLE, question((3,)), "classification"),
        (TWO, question((1,)), "classification"),
        (TWO, question((1,), function="sigmoid"), "classification"),
        (HOT, question((4,)), "classification"),
        (HOT, question((4,), function="sigmoid"), "classification"),
        (np.array(["a", "b"] * 6), question((2,)), "classification"),
        (WHOLE, question((5,)), "classification"),  # and refused for its classes
        (WHOLE, question((1,)), "regression"),
        (REAL, question((1,)), "regression"),
        (REAL.reshape(12, 1), question((1,)), "regression"),
        (np.stack([REAL, REAL], 1), question((2,)), "regression"),
        (REAL, question((4,)), "classification"),  # and refused for its labels
        (SEVERAL, question((4,)), "multilabel"),
        (SEVERAL.astype(np.float32), question((4,), function="sigmoid"), "multilabel"),
        (MAPS, question((4, 4, 2)), "regression"),
        (MAPS[..., 0], question((4, 4, 1)), "regression"),
        (None, question((8,)), "autoencoder"),
        (None, question((3,)), "none"),
        (TWO, question((8,)), "autoencoder"),
        (WHOLE, question((4, 4, 2)), "none"),
        (WHOLE, question((4, 4, 2), trains=True), "classification"),  # and refused for its output
    ],
)
def test_the_task_is_found_from_network_and_labels(labels, asked, task):
    assert found_task(None if labels is None else [labels], asked) == task


def test_an_autoencoder_repeats_its_input_or_its_targets_are_its_inputs():
    asked = question((4, 4, 2), inputs=(4, 4, 2))
    assert found_task([MAPS], asked, repeats_input=True) == "autoencoder"
    assert found_task([MAPS], asked) == "regression"  # a denoiser has other targets


def answers(labels, asked, **more):
    counts = [12]
    return right_answers(None if labels is None else [labels], counts, asked, Path("data.npz"), **more)


def test_the_answers_have_the_form_of_the_task():
    found = answers(SEVERAL, question((4,)), names=("a", "b", "c", "d"))
    assert (found.task, found.values.dtype, found.names) == ("multilabel", np.uint8, ("a", "b", "c", "d"))
    found = answers(REAL, question((1,)))
    assert (found.task, found.values.shape, found.names) == ("regression", (12, 1), ("target",))
    assert found.values[:, 0].tolist() == REAL.astype(np.float32).tolist()
    found = answers(TWO, question((8,)))
    assert (found.task, found.values.tolist(), found.names) == ("autoencoder", TWO.tolist(), ("0", "1"))
    found = answers(None, question((3,)))
    assert (found.task, found.values.tolist(), found.names) == ("none", [0] * 12, ())
    found = answers(WHOLE, question((3,), asked="none"))
    assert (found.task, found.names) == ("none", ())
    assert answers(WHOLE, question((3,))).strata.tolist() == WHOLE.tolist()
    assert answers(REAL, question((1,))).strata.tolist() == [0] * 12


@pytest.mark.parametrize(
    ("labels", "asked", "code"),
    [
        (None, question((3,), asked="classification"), "DATA-TASK"),
        (None, question((3,), asked="regression"), "DATA-TASK"),
        (REAL, question((3,), asked="classification"), "DATA-LABELS"),
        (SEVERAL, question((3,)), "DATA-LABELS"),
        (REAL, question((4,)), "DATA-LABELS"),
        (REAL, question((4,), asked="multilabel"), "DATA-LABELS"),
        (REAL, question((2,), asked="regression"), "DATA-LABELS"),
        (np.full(12, np.nan), question((1,), asked="regression"), "DATA-LABELS"),
        (np.array(["a"] * 12), question((1,), asked="regression"), "DATA-LABELS"),
        (np.zeros(11), question((1,)), "DATA-LAYOUT"),
        (np.zeros(()), question((1,)), "DATA-LAYOUT"),
        (MAPS, question((3,)), "DATA-LABELS"),
    ],
)
def test_labels_that_answer_nothing_are_refused(labels, asked, code):
    with pytest.raises(DataError) as found:
        answers(labels, asked)
    assert found.value.code == code


@pytest.mark.parametrize(
    ("asked", "task", "names", "code"),
    [
        (question((4, 4, 2)), "classification", ("a", "b"), "OUTPUT-SHAPE"),
        (question((4,)), "classification", ("a", "b"), "DATA-CLASSES"),
        (question((3,)), "multilabel", ("a", "b"), "OUTPUT-SHAPE"),
        (question((2,), function="softmax"), "multilabel", ("a", "b"), "OUTPUT-SHAPE"),
        (question((4, 4, 2)), "autoencoder", (), "OUTPUT-SHAPE"),
        (question((4,), trains=True), "none", (), "TASK-TRAIN"),
    ],
)
def test_an_output_that_cannot_answer_is_refused_before_any_work(asked, task, names, code):
    with pytest.raises(ModelError) as found:
        check_answers(asked, task, names)
    assert found.value.code == code


def test_an_output_that_can_answer_is_taken():
    check_answers(question((2,)), "classification", ("a", "b"))
    check_answers(question((1,)), "classification", ("a", "b"))
    check_answers(question((8,)), "autoencoder", ())
    check_answers(question((4, 4, 2)), "none", ())
    check_answers(question((4, 4, 2), trains=True), "regression", ())


def test_one_hot_rows_and_names_say_how_many_classes_there_are():
    three_of_four = np.eye(4)[np.arange(12) % 3]
    found = answers(three_of_four, question((4,)))
    assert (found.names, found.classes_without_examples) == (("0", "1", "2", "3"), ("3",))
    assert found.values.tolist() == WHOLE.tolist()
    found = answers(np.array([0, 3] * 6), question((4,)), names=("a", "b", "c", "d"))
    assert (found.names, found.values.tolist()) == (("a", "b", "c", "d"), [0, 3] * 6)
    assert found.classes_without_examples == ("b", "c")
    found = answers(np.array([0, 3] * 6), question((2,)))
    assert (found.names, found.values.tolist(), found.classes_without_examples) == (("0", "3"), [0, 1] * 6, ())


def test_one_hot_rows_of_two_widths_are_refused():
    with pytest.raises(DataError, match="of 3 and of 4 classes") as found:
        right_answers([HOT, np.eye(3)[WHOLE]], [12, 12], question((4,)), Path("data.npz"))
    assert found.value.code == "DATA-LABELS"


@pytest.mark.parametrize("trains", [False, True])
def test_a_wrong_number_of_outputs_says_which_classes_there_are(trains):
    with pytest.raises(ModelError) as found:
        check_answers(question((10,), trains=trains), "classification", tuple("012345678"))
    assert found.value.what == "10 outputs for 9 classes in the data: 0, 1, 2, 3, 4, 5, 6, 7, 8"
    assert "class_names of all 10" in found.value.fix
    assert ("give the last layer 9 units" in found.value.fix) == trains
