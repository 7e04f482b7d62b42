"""Scores against numbers that can be worked out by hand, and against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error, precision_score, r2_score, recall_score, roc_auc_score

from siliconv.errors import ModelError
from siliconv.models.answers.scores import difference_score, multilabel_score, reconstruction_score, regression_score
from siliconv.models.data.image_store import LoadedImages
from siliconv.models.data.number_type import NumberType
from siliconv.models.training.scoring import Judge

RANDOM = np.random.default_rng(1)


def test_errors_of_numbers_are_bias_resolution_and_their_sums():
    targets = RANDOM.normal(5, 3, (500, 2)).astype(np.float32)
    outputs = targets + RANDOM.normal(0.25, 0.5, (500, 2))
    score = regression_score(outputs, targets, ("energy", "angle"))
    errors = outputs - targets
    assert score.value == pytest.approx(np.sqrt(mean_squared_error(targets, outputs)))
    assert score.goodness == -score.value
    for number, one in enumerate(score.targets):
        assert one.name == ("energy", "angle")[number]
        assert one.bias == pytest.approx(errors[:, number].mean())
        assert one.resolution == pytest.approx(errors[:, number].std())
        assert one.rmse**2 == pytest.approx(one.bias**2 + one.resolution**2)
        assert one.explained == pytest.approx(r2_score(targets[:, number], outputs[:, number]))
        assert one.half_width_68 == pytest.approx(0.5, rel=0.1)


def test_a_target_that_never_changes_has_no_explained_variance():
    score = regression_score(np.ones((4, 1)), np.zeros((4, 1)), ("target",))
    assert score.targets[0].explained is None
    assert (score.rmse, score.targets[0].bias) == (1.0, 1.0)


def test_labels_are_told_by_the_sign_of_their_logits():
    there = RANDOM.integers(0, 2, (300, 3)).astype(np.uint8)
    logits = np.where(there, 1.0, -1.0) + RANDOM.normal(0, 1.5, (300, 3))
    score = multilabel_score(logits, there, ("a", "b", "c"))
    assert score.value == pytest.approx(((logits > 0) == there).mean())
    assert score.all_right == pytest.approx(((logits > 0) == there).all(axis=1).mean())
    for number, one in enumerate(score.labels):
        said, true = logits[:, number] > 0, there[:, number]
        assert one.precision == pytest.approx(precision_score(true, said))
        assert one.recall == pytest.approx(recall_score(true, said))
        assert one.auc == pytest.approx(roc_auc_score(true, logits[:, number]))


def test_anomalies_are_told_by_their_reconstruction_error():
    classes = np.arange(200) % 2
    errors = RANDOM.uniform(0, 1, 200) + classes
    score = reconstruction_score(errors, classes, ("normal", "broken"))
    assert score.anomaly is not None
    assert score.anomaly.auc == pytest.approx(roc_auc_score(classes, errors))
    assert score.value == pytest.approx(errors.mean())
    assert reconstruction_score(errors, classes, ()).anomaly is None
    assert reconstruction_score(errors, np.zeros(200, int), ("a", "b")).anomaly is None


def test_without_a_task_the_float_network_is_what_is_compared_with():
    score = difference_score(np.array([[1.0, 2.0]]), np.array([[1.0, 5.0]]))
    assert (score.largest, score.value) == (3.0, pytest.approx(np.sqrt(4.5)))


@pytest.mark.parametrize("function", [None, "sigmoid", "softmax"])
def test_a_judge_judges_what_stands_behind_the_logits(function):
    kind = NumberType(True, 8, 2)
    codes = RANDOM.integers(*kind.codes, (40, 3), endpoint=True).astype(np.int8)
    logits = RANDOM.normal(0, 1, (40, 3))
    behind = {None: logits, "sigmoid": 1 / (1 + np.exp(-logits))}.get(function)
    if function == "softmax":
        behind = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    images = LoadedImages(codes, np.zeros(40, np.int32), (), kind)
    judge = Judge("autoencoder", (), function)
    expected = ((behind - kind.decode(codes)) ** 2).mean()
    assert judge.score(judge.outputs(logits), images).value == pytest.approx(expected)
    targets = LoadedImages(codes, behind.astype(np.float32), ("a", "b", "c"), kind)
    judge = Judge("regression", ("a", "b", "c"), function)
    assert judge.score(judge.outputs(logits), targets).value == pytest.approx(0.0, abs=1e-6)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ModelError, match="EVAL-SHAPE"):
        regression_score(np.zeros((3, 2)), np.zeros((3, 1)), ("t",))
    with pytest.raises(ModelError, match="EVAL-EMPTY"):
        regression_score(np.zeros((0, 1)), np.zeros((0, 1)), ("t",))
