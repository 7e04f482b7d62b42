"""Numbers about a network, against scikit-learn's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from siliconv.errors import ModelError
from siliconv.models.answers.evaluation import calibrate_threshold, evaluate
from siliconv.models.pictures import learning_curves
from siliconv.models.training.history import EpochRecord, History

RANDOM = np.random.default_rng(5)


def test_several_classes_agree_with_scikit_learn() -> None:
    labels = RANDOM.integers(0, 4, 200)
    logits = RANDOM.normal(size=(200, 4)) + 1.5 * np.eye(4)[labels]
    found = evaluate(logits, labels, tuple("abcd"))
    guesses = logits.argmax(axis=1)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(labels, guesses))
    assert (np.array(found.confusion) == metrics.confusion_matrix(labels, guesses)).all()
    precision, recall, _, images = metrics.precision_recall_fscore_support(labels, guesses)
    assert [score.precision for score in found.classes] == pytest.approx(precision)
    assert [score.recall for score in found.classes] == pytest.approx(recall)
    assert [score.images for score in found.classes] == list(images)
    assert found.binary is None


@pytest.mark.parametrize("outputs", [1, 2])
def test_two_classes_have_a_roc_curve(outputs: int) -> None:
    labels = RANDOM.integers(0, 2, 300)
    scores = np.round(RANDOM.normal(size=300) + labels, 1)  # with ties
    logits = scores[:, None] if outputs == 1 else np.stack([np.zeros(300), scores], axis=1)
    found = evaluate(logits, labels, ("no", "yes")).binary
    assert found is not None
    assert found.auc == pytest.approx(metrics.roc_auc_score(labels, scores))
    assert (found.false_positive[0], found.true_positive[-1]) == (0.0, 1.0)
    every = [((scores > t) == labels).mean() for t in np.r_[scores - 0.05, scores.max()]]
    assert found.accuracy_at_best == pytest.approx(max(every))
    assert ((scores > found.best_threshold) == labels).mean() == pytest.approx(max(every))


def test_the_threshold_stays_zero_unless_another_is_better() -> None:
    labels = np.array([0, 0, 1, 1])
    assert calibrate_threshold(np.array([-2.0, -1.0, 1.0, 2.0]), labels) == 0.0
    shifted = np.array([1.0, 2.0, 4.0, 5.0])
    assert calibrate_threshold(shifted, labels) == 3.0
    assert evaluate(shifted[:, None], labels, ("a", "b"), threshold=3.0).accuracy == 1.0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ModelError, match="EVAL-SHAPE"):
        evaluate(np.zeros((3, 2)), np.zeros(3, int), tuple("abc"))
    with pytest.raises(ModelError, match="EVAL-EMPTY"):
        evaluate(np.zeros((0, 3)), np.zeros(0, int), tuple("abc"))


def test_learning_curves_are_a_picture_of_the_history(tmp_path: Path) -> None:
    records = tuple(EpochRecord(i, 1 / (i + 1), 0.5 + i / 20, 0.6, 0.7, 1e-3, 1.0) for i in range(5))
    one = learning_curves(History(records, runs=(3,)), tmp_path / "new" / "curves.png")
    other = learning_curves(History(records[:3]), tmp_path / "other.png")
    with Image.open(one) as picture:
        assert picture.format == "PNG"
        assert picture.size[0] > 600
    assert one.read_bytes() != other.read_bytes()
    assert one.read_bytes() == learning_curves(History(records, runs=(3,)), tmp_path / "again.png").read_bytes()
