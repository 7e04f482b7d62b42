"""Training: killed and resumed it ends with the same bits; continued, stopped and kept as configured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from siliconv.errors import ModelError
from siliconv.legacy_keras import tensorflow
from siliconv.models.answers.evaluation import evaluate
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.models.architectures.weights import read_arrays
from siliconv.models.data.image_store import Dataset, LoadedImages
from siliconv.models.training.float_model import train_float
from siliconv.models.training.history import EpochRecord, History, learning_rate
from siliconv.models.training.prediction import predict_logits
from siliconv.models.training.train_config import TrainConfig
from siliconv.models.training.training import CHECKPOINT, fit

pytestmark = pytest.mark.long

TINY = Architecture(
    input_shape=(8, 8, 1),
    layers=(
        kinds.Conv2D(filters=4, activation="relu"),
        kinds.Dropout(rate=0.25),
        kinds.MaxPool(),
        kinds.Flatten(),
        kinds.Dense(units=10),
    ),
)

RUN_UNTIL_KILLED = """
import sys
from pathlib import Path
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.training.float_model import train_float
from siliconv.models.data.image_store import open_dataset
from siliconv.models.training.train_config import TrainConfig
from siliconv.models.architectures.weights import save_weights
network, config, data, work, out = sys.argv[1:]
model, _ = train_float(Architecture.model_validate_json(network), open_dataset(Path(data)),
                       TrainConfig.model_validate_json(config), work=Path(work))
save_weights(model, Path(out))
"""


def _few(digits: Dataset, count: int = 320) -> Dataset:
    return Dataset(
        digits.train.subset(np.arange(0, len(digits.train), len(digits.train) // count)[:count]),
        digits.val.subset(np.arange(64)),
        digits.test,
        digits.summary,
    )


def _same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


@pytest.mark.long
def test_killed_anywhere_and_resumed_it_ends_with_the_same_bits(tmp_path: Path, digits_folder: Path) -> None:
    config = TrainConfig(epochs=4, schedule="plateau", plateau_epochs=1)

    def start(name: str) -> subprocess.Popen[bytes]:
        arguments = (TINY.model_dump_json(), config.model_dump_json(), digits_folder, tmp_path / name)
        return subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-c",
                RUN_UNTIL_KILLED,
                *map(str, arguments),
                str(tmp_path / f"{name}.npz"),
            ]
        )

    assert start("undisturbed").wait() == 0
    kills, seen = 0, -1
    while (process := start("killed")).poll() is None:
        # Once per epoch: a moment after a new checkpoint, that is inside an epoch.
        checkpoint = tmp_path / "killed" / CHECKPOINT
        while process.poll() is None and kills < 2:
            done = _epochs_in(checkpoint)
            if done > max(seen, 0):
                time.sleep(0.15)
                os.kill(process.pid, signal.SIGKILL)
                kills, seen = kills + 1, done
            time.sleep(0.01)
        if process.wait() == 0:
            break
    assert kills == 2
    results = [read_arrays(tmp_path / f"{name}.npz") for name in ("undisturbed", "killed")]
    assert _same(list(results[0].values()), list(results[1].values()))
    states = [read_arrays(tmp_path / name / CHECKPOINT) for name in ("undisturbed", "killed")]
    for state in states:
        del state["about"]  # holds the seconds
    assert _same(list(states[0].values()), list(states[1].values()))


def _epochs_in(checkpoint: Path) -> int:
    import json

    if not checkpoint.exists():
        return 0
    return len(json.loads(read_arrays(checkpoint)["about"].tobytes())["history"]["epochs"])


def test_l15_training_goes_on_from_a_checkpoint_with_the_optimizer_state(tmp_path: Path, digits: Dataset) -> None:
    data = _few(digits)
    config = TrainConfig(epochs=4, schedule="constant", keep="last")
    straight, _ = train_float(TINY, data, config, work=tmp_path / "straight")
    first = config.model_copy(update={"epochs": 2})
    _, short = train_float(TINY, data, first, work=tmp_path / "continued")
    continued, history = train_float(TINY, data, config, work=tmp_path / "continued")
    assert len(short) == 2
    assert [record.epoch for record in history.epochs] == [0, 1, 2, 3]
    assert history.epochs[:2] == short.epochs
    assert _same(straight.get_weights(), continued.get_weights())


def test_a_loss_that_draws_random_numbers_goes_on_with_the_same_ones(tmp_path: Path, digits: Dataset) -> None:
    """TensorFlow's own stream starts anew with each epoch; where nothing draws from it, it is left alone."""
    tf, data, seeds = tensorflow(), _few(digits), []
    few, more = (TrainConfig(epochs=epochs, schedule="constant", keep="last") for epochs in (1, 3))

    def noisy(images: Any, logits: Any, losses: Any) -> Any:
        return losses * tf.random.uniform(tf.shape(losses))

    straight = fit(build_model(TINY), data, more, work=tmp_path / "straight", mix=noisy)
    fit(build_model(TINY), data, few, work=tmp_path / "continued", mix=noisy)
    continued = fit(build_model(TINY), data, more, work=tmp_path / "continued", mix=noisy)
    assert continued.epochs == straight.epochs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.random, "set_seed", seeds.append)
        fit(build_model(TINY), data, more, work=tmp_path / "quiet")
    assert seeds == [more.seed]


def test_the_checkpoint_of_other_settings_is_not_used(tmp_path: Path, digits: Dataset) -> None:
    data = _few(digits)
    fit(build_model(TINY), data, TrainConfig(epochs=1), work=tmp_path)
    history = fit(build_model(TINY, seed=2), data, TrainConfig(epochs=1), work=tmp_path)
    fresh = fit(build_model(TINY, seed=2), data, TrainConfig(epochs=1), work=tmp_path / "fresh")
    assert history == fresh
    darker = LoadedImages(data.train.read(slice(None)) // 2, data.train.labels, data.class_names)
    other = Dataset(darker, data.val, data.test, data.summary)
    assert fit(build_model(TINY, seed=2), other, TrainConfig(epochs=1), work=tmp_path / "fresh") != fresh
    (tmp_path / CHECKPOINT).write_bytes(b"damaged")
    assert fit(build_model(TINY, seed=2), data, TrainConfig(epochs=1), work=tmp_path) == fresh


def test_a_finished_training_does_nothing_more(tmp_path: Path, digits: Dataset) -> None:
    data, config = _few(digits), TrainConfig(epochs=2)
    one, history = train_float(TINY, data, config, work=tmp_path)
    before = (tmp_path / CHECKPOINT).stat().st_mtime_ns
    again, same = train_float(TINY, data, config, work=tmp_path)
    assert same == history
    assert (tmp_path / CHECKPOINT).stat().st_mtime_ns == before
    assert _same(one.get_weights(), again.get_weights())


@pytest.mark.long
def test_digits_are_learned(tmp_path: Path, digits: Dataset) -> None:
    model, history = train_float(preset("digits"), digits, TrainConfig(epochs=8, learning_rate=6e-3), work=tmp_path)
    assert len(history) == 8
    logits = predict_logits(model, digits.test)
    assert evaluate(logits, digits.test.labels, digits.class_names).accuracy > 0.95


def test_the_kept_weights_are_those_of_the_best_epoch(tmp_path: Path, digits: Dataset) -> None:
    # A learning rate that makes later epochs worse than the first ones.
    data, config = (
        _few(digits),
        TrainConfig(epochs=4, learning_rate=0.1, schedule="constant", optimizer="sgd"),
    )
    model = build_model(TINY)
    history = fit(model, data, config, work=tmp_path)
    best = history.epochs[history.best_epoch(config) or 0]
    accuracy = (predict_logits(model, data.val).argmax(axis=1) == data.val.labels).mean()
    assert accuracy == pytest.approx(best.val_accuracy)


def _history(*scores: tuple[float, float]) -> History:
    return History(
        tuple(EpochRecord(i, loss, 0.5, loss, accuracy, 1e-3, 1.0) for i, (accuracy, loss) in enumerate(scores))
    )


def test_best_epoch_and_early_stopping_follow_from_the_history() -> None:
    history = _history((0.5, 1.0), (0.8, 0.7), (0.8, 0.6), (0.7, 0.5), (0.8, 0.6))
    assert history.best_epoch(TrainConfig(monitor="accuracy")) == 2
    assert history.best_epoch(TrainConfig(monitor="loss")) == 3
    assert history.should_stop(TrainConfig(patience=2))
    assert not history.should_stop(TrainConfig(patience=3))
    assert not history.should_stop(TrainConfig())
    assert history.should_stop(TrainConfig(epochs=5))


def test_learning_rate_schedules() -> None:
    cosine = TrainConfig(epochs=10, learning_rate=1.0, warmup_epochs=2)
    rates = [learning_rate(cosine, _history(*[(0.5, 1.0)] * epoch), 0, 4) for epoch in range(10)]
    assert rates[0] == pytest.approx(1 / 8)
    assert rates[2] == pytest.approx(1.0)
    assert rates[6] == pytest.approx(0.505)
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert learning_rate(cosine, _history(*[(0.5, 1.0)] * 10), 0, 4) == pytest.approx(0.01)
    plateau = TrainConfig(learning_rate=1.0, schedule="plateau", plateau_epochs=2)
    losses = [1.0, 0.9, 0.95, 0.95, 0.94, 0.93, 0.5]
    found = [learning_rate(plateau, _history(*[(0.5, loss) for loss in losses[:n]]), 0, 4) for n in range(8)]
    assert found == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25]


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_every_optimizer_lowers_the_loss(tmp_path: Path, digits: Dataset, optimizer: str) -> None:
    config = TrainConfig.model_validate({"epochs": 3, "optimizer": optimizer, "learning_rate": 0.003})
    losses = [record.loss for record in fit(build_model(TINY), _few(digits), config, work=tmp_path).epochs]
    assert losses[-1] < 0.98 * losses[0]


def test_class_weights_move_the_decision(tmp_path: Path, digits: Dataset) -> None:
    rare = np.flatnonzero(digits.train.labels == 8)[:8]
    often = np.flatnonzero(digits.train.labels == 1)
    chosen = np.r_[rare, often]
    train = LoadedImages(digits.train.read(chosen), (digits.train.labels[chosen] == 8).astype(np.int32), ("1", "8"))
    data = Dataset(train, train, train, digits.summary)
    data = Dataset(train, train, train, _summary(data))
    network = Architecture(input_shape=(8, 8, 1), layers=(kinds.Flatten(), kinds.Dense(units=1)))
    called = []
    for weights in ("equal", "balanced", {"1": 0.001, "8": 1.0}):
        config = TrainConfig.model_validate({"epochs": 2, "class_weights": weights, "keep": "last"})
        model, _ = train_float(network, data, config, work=tmp_path / str(len(called)))
        called.append(int((predict_logits(model, train)[:, 0] > 0).sum()))
    assert called[0] < called[1] < called[2]
    with pytest.raises(ModelError, match="TRAIN-WEIGHTS"):
        fit(build_model(network), data, TrainConfig(class_weights={"1": 1.0}), work=tmp_path / "wrong")


def _summary(data: Dataset) -> object:
    import dataclasses

    return dataclasses.replace(data.summary, class_names=("1", "8"))


def test_what_does_not_fit_is_refused_before_training(tmp_path: Path, digits: Dataset) -> None:
    with pytest.raises(ModelError, match=r"takes \(64, 64, 3\), the images are \(8, 8, 1\)"):
        fit(build_model(preset("lecture")), digits, TrainConfig(), work=tmp_path)
    one = TINY.model_copy(update={"layers": (*TINY.layers[:-1], kinds.Dense(units=1))})
    with pytest.raises(ModelError, match=r"TRAIN-SHAPE.*1 output\(s\) for 10 classes"):
        fit(build_model(one), digits, TrainConfig(), work=tmp_path)
    with pytest.raises(ModelError, match="binary_crossentropy does not fit"):
        fit(build_model(TINY), digits, TrainConfig(loss="binary_crossentropy"), work=tmp_path)


def test_a_loss_that_is_no_number_stops_the_training(tmp_path: Path, digits: Dataset) -> None:
    model = build_model(TINY)
    model.set_weights([np.full_like(value, np.nan) for value in model.get_weights()])
    with pytest.raises(ModelError, match=r"(?s)TRAIN-NAN.*lower the learning rate"):
        fit(model, _few(digits), TrainConfig(epochs=1), work=tmp_path)


@pytest.mark.parametrize("wrong", [{"epoch": 3}, {"epochs": 0}, {"learning_rate": -1}, {"optimizer": "lion"}])
def test_a_wrong_configuration_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainConfig.model_validate(wrong)
