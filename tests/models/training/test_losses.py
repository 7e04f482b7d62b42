"""L10: the three cross entropies, of logits and of probabilities, with the values of the lecture's table."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.errors import ModelError
from siliconv.legacy_keras import tensorflow
from siliconv.models.answers.task import AnswerPart
from siliconv.models.training.losses import image_weights, loss_of, loss_of_judge, metric_of_judge
from siliconv.models.training.scoring import Judge
from siliconv.models.training.train_config import TrainConfig

PROBABILITIES, LOGITS = (0.30, 0.15, 0.55), (1.5, 0.8, 2.1)


def _loss(kind: str, label: int, output: tuple[float, ...], *, from_logits: bool, smoothing: float = 0.0) -> float:
    config = TrainConfig.model_validate({"loss": kind, "from_logits": from_logits, "label_smoothing": smoothing})
    tf = tensorflow()
    found = loss_of(config, len(output))(tf.constant([label]), tf.constant([output], tf.float32))
    assert found.shape == (1,)
    return float(found[0])


@pytest.mark.parametrize(("from_logits", "output"), [(False, 0.69), (True, 0.8)])
def test_l10_binary(from_logits: bool, output: float) -> None:
    assert _loss("binary_crossentropy", 1, (output,), from_logits=from_logits) == pytest.approx(
        -np.log(0.69), abs=0.005
    )


@pytest.mark.parametrize("kind", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
@pytest.mark.parametrize(("from_logits", "output"), [(False, PROBABILITIES), (True, LOGITS)])
def test_l10_categorical_and_sparse(kind: str, from_logits: bool, output: tuple[float, ...]) -> None:
    assert _loss(kind, 2, output, from_logits=from_logits) == pytest.approx(-np.log(0.55), abs=0.005)


def test_logits_and_probabilities_are_the_same_loss() -> None:
    logits = np.array(LOGITS)
    shares = tuple(np.exp(logits) / np.exp(logits).sum())
    for kind in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        exact = _loss(kind, 0, LOGITS, from_logits=True)
        assert _loss(kind, 0, shares, from_logits=False) == pytest.approx(exact, rel=1e-6)
    sigmoid = 1 / (1 + np.exp(-0.8))
    exact = _loss("binary_crossentropy", 0, (0.8,), from_logits=True)
    assert _loss("binary_crossentropy", 0, (sigmoid,), from_logits=False) == pytest.approx(exact, rel=1e-6)


def test_logits_stay_finite_where_probabilities_end() -> None:
    assert _loss("binary_crossentropy", 0, (200.0,), from_logits=True) == pytest.approx(200.0)


@pytest.mark.parametrize("kind", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_label_smoothing_is_that_of_the_smoothed_target(kind: str) -> None:
    logits = np.array(LOGITS)
    logs = logits - np.log(np.exp(logits).sum())
    expected = -(0.9 * logs[2] + 0.1 * logs.mean())
    assert _loss(kind, 2, LOGITS, from_logits=True, smoothing=0.1) == pytest.approx(expected, rel=1e-5)


def test_auto_follows_the_number_of_outputs() -> None:
    for output in ((0.8,), LOGITS):
        kind = "binary_crossentropy" if len(output) == 1 else "sparse_categorical_crossentropy"
        assert _loss("auto", 1, output, from_logits=True) == _loss(kind, 1, output, from_logits=True)


def test_a_loss_for_another_number_of_outputs_is_refused() -> None:
    for kind, outputs in (("binary_crossentropy", 3), ("sparse_categorical_crossentropy", 1)):
        with pytest.raises(ModelError, match="TRAIN-LOSS"):
            loss_of(TrainConfig.model_validate({"loss": kind}), outputs)


def test_balanced_weights_give_each_class_the_same_sum() -> None:
    labels = np.array([0] * 6 + [1] * 2)
    weights = image_weights(TrainConfig(class_weights="balanced"), labels, ("a", "b"))
    assert weights[labels == 0].sum() == pytest.approx(weights[labels == 1].sum())
    assert weights.mean() == pytest.approx(1.0)
    assert (image_weights(TrainConfig(), labels, ("a", "b")) == 1.0).all()
    named = image_weights(TrainConfig(class_weights={"b": 3.0, "a": 0.5}), labels, ("a", "b"))
    assert named.tolist() == [0.5] * 6 + [3.0] * 2


PARTS = (
    AnswerPart("kind", "classification", (3,), "softmax", ("a", "b", "c"), 1),
    AnswerPart("free", "none", (2,), None, (), 0),
    AnswerPart("size", "regression", (1,), None, ("size",), 1),
)


def test_the_losses_of_several_outputs_are_added_each_of_its_part_of_the_row() -> None:
    tf, config, judge = tensorflow(), TrainConfig(), Judge("several", (), None, PARTS)
    random = np.random.default_rng(0)
    logits, kinds = random.normal(size=(5, 6)).astype(np.float32), np.arange(5) % 3
    answers = np.stack([kinds, random.normal(size=5)], axis=1).astype(np.float32)
    found = loss_of_judge(config, judge, 6)(tf.constant(answers), tf.constant(logits))
    of_kind = loss_of(config, 3)(tf.constant(kinds), tf.constant(logits[:, :3]))
    of_size = loss_of(config, 1, "regression")(tf.constant(answers[:, 1:]), tf.constant(logits[:, 5:]))
    np.testing.assert_allclose(found, of_kind + of_size, rtol=1e-6)
    metric = metric_of_judge(judge, tf.constant(answers), tf.constant(logits), from_logits=True)
    np.testing.assert_array_equal(metric, logits[:, :3].argmax(axis=1) == kinds)


@pytest.mark.parametrize("settings", [{"loss": "mse"}, {"from_logits": False}])
def test_a_loss_of_one_kind_for_several_outputs_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="TRAIN-LOSS"):
        loss_of_judge(TrainConfig.model_validate(settings), Judge("several", (), None, PARTS), 6)
