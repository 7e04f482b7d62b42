"""The rows L1 to L18 of the lecture in float, each test named after its row (L10 to L13 have files of
their own).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from siliconv.errors import ModelError
from siliconv.models.answers.evaluation import evaluate
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.models.architectures.shapes import layer_table, window_count
from siliconv.models.data.augmentation import AugmentConfig
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import Dataset, DataSummary, LoadedImages, open_dataset
from siliconv.models.pictures import confusion_picture, learning_curves, prediction_grid, roc_picture
from siliconv.models.training.float_model import train_float
from siliconv.models.training.prediction import predict_logits
from siliconv.models.training.train_config import TrainConfig

pytestmark = pytest.mark.long


def _data(pixels: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> Dataset:
    """Three quarters to train on, an eighth each to validate and test, all in memory."""
    parts = [
        LoadedImages(pixels[chosen], labels[chosen].astype(np.int32), names)
        for chosen in np.split(np.arange(len(labels)), [len(labels) * 6 // 8, len(labels) * 7 // 8])
    ]
    return Dataset(*parts, DataSummary(pixels.shape[1:], names, {}))  # type: ignore[call-arg, arg-type]


def _noise(count: int, shape: tuple[int, ...], classes: int = 2) -> Dataset:
    """Noise in which every so-many-th row is brighter: the first of them tells the class."""
    random = np.random.default_rng(1)
    labels = np.arange(count) % classes
    pixels = random.integers(0, 128, (count, *shape), np.uint8)
    for pixel, label in zip(pixels, labels, strict=True):
        pixel[label::classes] += 90
    return _data(pixels, labels, tuple("abcdefghij"[:classes]))


def _learns(network: Architecture, data: Dataset, work: Path, **options: object) -> float:
    """Return the accuracy on the test images after a short training."""
    config = TrainConfig.model_validate({"epochs": 3, "batch_size": 8, "learning_rate": 0.003, **options})
    model, _ = train_float(network, data, config, work=work)
    return evaluate(predict_logits(model, data.test), data.test.labels, data.class_names).accuracy


def test_l1_the_lecture_cnn_trains(tmp_path: Path) -> None:
    model, history = train_float(
        preset("lecture"), _noise(32, (64, 64, 3)), TrainConfig(epochs=1, batch_size=8), work=tmp_path
    )
    assert model.count_params() == 388_673
    assert np.isfinite(history.epochs[0].loss)


@pytest.mark.long
def test_l2_the_flatten_head_builds() -> None:
    model = build_model(preset("lecture_flatten"))
    assert model.count_params() == sum(row.parameters for row in layer_table(preset("lecture_flatten")))
    assert model.get_layer("dense_1").kernel.shape == (16384, 16384)


@pytest.mark.parametrize("name", ["lecture_strided", "lecture_average"])
def test_l3_l4_variants_have_the_same_weights_and_train(tmp_path: Path, name: str) -> None:
    table = {row.name: row for row in layer_table(preset(name))}
    assert sum(row.parameters for row in table.values()) == 388_673
    assert table["conv2d_4"].output_shape == (8, 8, 256)
    _, history = train_float(preset(name), _noise(32, (64, 64, 3)), TrainConfig(epochs=1, batch_size=8), work=tmp_path)
    assert np.isfinite(history.epochs[0].loss)


@pytest.mark.parametrize("kind", [kinds.MaxPool, kinds.AveragePool])
@pytest.mark.parametrize("pool", [2, 3, (2, 3)])
def test_l4_pooling_takes_the_largest_or_the_mean_of_each_window(kind: type, pool: kinds.Size) -> None:
    images = np.random.default_rng(2).integers(0, 256, (3, 12, 12, 2)).astype(np.float32) / 256
    rows, columns = kinds.pair(pool)
    windows = images.reshape(3, 12 // rows, rows, 12 // columns, columns, 2)
    expected = windows.max(axis=(2, 4)) if kind is kinds.MaxPool else windows.mean(axis=(2, 4))
    model = build_model(Architecture(input_shape=(12, 12, 2), layers=(kind(pool=pool),)))
    np.testing.assert_allclose(model(images).numpy(), expected, atol=1e-7)


def test_l5_a_one_dimensional_cnn_tells_pulses_apart(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    labels = np.arange(480) % 3
    time = np.arange(128)
    start = random.uniform(20, 60, (480, 1))
    decay = np.array([4.0, 12.0, 40.0])[labels][:, None]
    pulse = np.where(time > start, np.exp(-np.maximum(time - start, 0) / decay), 0.0)
    waves = (180 * pulse + random.uniform(0, 40, pulse.shape)).astype(np.uint8)[:, :, None]
    data = _data(waves, labels, ("short", "middle", "long"))
    options = {"epochs": 8, "batch_size": 20, "learning_rate": 0.02}
    assert _learns(preset("waveform_cnn"), data, tmp_path, **options) > 0.9


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_l6_every_padding_and_stride_gives_the_shape_of_keras(padding: kinds.Padding) -> None:
    for n, m, s in product((5, 7, 8), (1, 2, 3, 5), (1, 2, 3)):
        layers = (
            kinds.Conv2D(filters=2, kernel=m, stride=s, padding=padding, name="conv"),
            kinds.MaxPool(pool=m, stride=s, padding=padding, name="pool", inputs=("input",)),
        )
        network = Architecture(input_shape=(n, n, 1), layers=layers)
        for row in layer_table(network):
            one = Architecture(input_shape=(n, n, 1), layers=(layers[0 if row.name == "conv" else 1],))
            assert build_model(one).output_shape[1:] == row.output_shape, (n, m, s)


def test_l6_output_sizes_of_the_slide() -> None:
    assert [window_count(7, 3, s, "valid") for s in (1, 2)] == [5, 3]


def test_l6_an_empty_shape_is_a_clear_error() -> None:
    network = Architecture(input_shape=(4, 4, 1), layers=(kinds.Conv2D(filters=1, kernel=5, padding="valid"),))
    with pytest.raises(ModelError, match=r"4x4x1.*height becomes empty.*\(4 \+ 0 - 5\) / 1"):
        build_model(network)


def test_l7_filters_of_5x5x3_on_a_28x28_rgb_image() -> None:
    network = Architecture(input_shape=(28, 28, 3), layers=(kinds.Conv2D(filters=6, kernel=5, padding="valid"),))
    (row,) = layer_table(network)
    assert row.output_shape == (24, 24, 6)
    assert row.parameters == 6 * (5 * 5 * 3 + 1)
    model = build_model(network)
    image = np.random.default_rng(4).integers(0, 256, (1, 28, 28, 3)).astype(np.float32) / 256
    kernel, _ = model.get_weights()
    expected = np.einsum("ijc,ijcf->f", image[0, 3:8, 7:12], kernel)
    np.testing.assert_allclose(model(image).numpy()[0, 3, 7], expected, rtol=1e-5, atol=1e-6)


def test_l8_the_dnn_baseline_builds_and_trains(tmp_path: Path) -> None:
    assert build_model(preset("dnn_baseline")).get_layer("dense_1").kernel.shape == (4096, 500)
    assert 4096 * 500 == 2_048_000
    assert _learns(preset("dnn_baseline"), _noise(160, (64, 64, 1)), tmp_path, learning_rate=3e-4) > 0.9


def test_l9_the_four_activations() -> None:
    values = np.linspace(-4, 4, 12, dtype=np.float32).reshape(3, 4)
    powers = np.exp(values.astype(np.float64))
    expected = {
        "relu": np.maximum(values, 0),
        "tanh": np.tanh(values),
        "sigmoid": 1 / (1 + np.exp(-values)),
        "softmax": powers / powers.sum(axis=1, keepdims=True),
    }
    for name, outputs in expected.items():
        network = Architecture(
            input_shape=(4, 1),
            layers=(kinds.Flatten(), kinds.Activation.model_validate({"activation": name})),
        )
        model = build_model(network, output="logits" if name in ("relu", "tanh") else "probabilities")
        np.testing.assert_allclose(model(values[:, :, None]).numpy(), outputs, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("loss", "classes"),
    [("binary_crossentropy", 2), ("categorical_crossentropy", 3), ("sparse_categorical_crossentropy", 3)],
)
@pytest.mark.parametrize("from_logits", [True, False])
def test_l10_every_loss_trains_and_ends_with_logits(tmp_path: Path, loss: str, classes: int, from_logits: bool) -> None:
    network = Architecture(
        input_shape=(8, 8, 1), layers=(kinds.Flatten(), kinds.Dense(units=1 if classes == 2 else classes))
    )
    data = _noise(240, (8, 8, 1), classes)
    options = {"loss": loss, "from_logits": from_logits, "epochs": 4, "learning_rate": 0.02}
    assert _learns(network, data, tmp_path, **options) > 0.8


def test_l11_dropout_stands_between_dense_layers_and_before_a_convolution(tmp_path: Path) -> None:
    network = Architecture(
        input_shape=(8, 8, 1),
        layers=(
            kinds.Dropout(rate=0.1),
            kinds.Conv2D(filters=4, activation="relu"),
            kinds.Flatten(),
            kinds.Dense(units=16, activation="relu"),
            kinds.Dropout(rate=0.2),
            kinds.Dense(units=1, activation="sigmoid"),
        ),
    )
    assert _learns(network, _noise(160, (8, 8, 1)), tmp_path) > 0.9


def test_l12_only_training_images_are_augmented(tmp_path: Path) -> None:
    """With every image painted over, training learns nothing, and validation still sees the images as
    they are.
    """
    data = _noise(160, (8, 8, 1))
    network = Architecture(input_shape=(8, 8, 1), layers=(kinds.Flatten(), kinds.Dense(units=1)))
    blind = AugmentConfig(brightness=1.0, contrast=0.99)
    config = TrainConfig(epochs=1, augmentation=blind, keep="last", batch_normalization=False)
    _, augmented = train_float(network, data, config, work=tmp_path / "augmented")
    plain = config.model_copy(update={"augmentation": AugmentConfig()})
    model, history = train_float(network, data, plain, work=tmp_path / "plain")
    assert augmented.epochs[0].loss != history.epochs[0].loss
    logits = predict_logits(model, data.val)[:, 0]
    expected = np.mean(np.logaddexp(0, np.where(data.val.labels == 1, -logits, logits)))
    assert history.epochs[0].val_loss == pytest.approx(expected, rel=1e-4)


def test_l14_photos_in_folders_of_any_size(tmp_path: Path, shared_data: Path) -> None:
    for name in ("cats", "dogs"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for photo in sorted((shared_data / "pets_originals" / name).iterdir()):
            (tmp_path / "photos" / name / photo.name).symlink_to(photo)
    (tmp_path / "photos" / "cats" / "corrupt.jpg").write_bytes(b"\xff\xd8\xff nothing")
    sizes = {Image.open(photo).size for photo in shared_data.glob("pets_originals/*/*")}
    assert len(sizes) > 10
    summary = prepare(DataConfig(source="folder", path=tmp_path / "photos"), (32, 32, 3), tmp_path / "store")
    assert summary.class_names == ("cats", "dogs")
    assert [name for name, _ in summary.left_out] == ["cats/corrupt.jpg"]
    assert sum(map(sum, summary.counts.values())) == 40
    network = Architecture(
        input_shape=(32, 32, 3), layers=(kinds.Conv2D(filters=4), kinds.GlobalMaxPool(), kinds.Dense(units=1))
    )
    data = open_dataset(tmp_path / "store")
    config = TrainConfig(epochs=30, batch_size=8, learning_rate=0.01, keep="last")
    model, history = train_float(network, data, config, work=tmp_path / "work")
    assert history.epochs[-1].loss < 0.7 * history.epochs[0].loss
    assert evaluate(predict_logits(model, data.test), data.test.labels, data.class_names).images == len(data.test)


def test_l15_the_picture_shows_both_runs(tmp_path: Path) -> None:
    data = _noise(64, (8, 8, 1))
    network = Architecture(input_shape=(8, 8, 1), layers=(kinds.Flatten(), kinds.Dense(units=1)))
    _, first = train_float(network, data, TrainConfig(epochs=2), work=tmp_path)
    _, both = train_float(network, data, TrainConfig(epochs=3), work=tmp_path)
    assert (len(first), first.runs, len(both), both.runs) == (2, (), 3, (2,))
    marked = learning_curves(both, tmp_path / "marked.png").read_bytes()
    assert marked != learning_curves(replace(both, runs=()), tmp_path / "unmarked.png").read_bytes()


def test_l16_the_hold_out_images_with_their_predictions(tmp_path: Path) -> None:
    data = _noise(160, (8, 8, 3))
    network = Architecture(input_shape=(8, 8, 3), layers=(kinds.Flatten(), kinds.Dense(units=1)))
    model, _ = train_float(network, data, TrainConfig(epochs=2), work=tmp_path)
    logits = predict_logits(model, data.test)
    metrics = evaluate(logits, data.test.labels, data.class_names)
    assert metrics.images == 20
    assert metrics.binary is not None
    pictures = [
        confusion_picture(metrics, tmp_path / "confusion.png"),
        roc_picture({"float": metrics.binary, "again": metrics.binary}, tmp_path / "roc.png"),
        prediction_grid(
            data.test.read(slice(8)),
            data.test.labels[:8],
            {"float": logits[:8], "quantized": -logits[:8]},
            data.class_names,
            tmp_path / "grid.png",
        ),
    ]
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert len(set(picture.convert("L").resize((64, 64)).getdata())) > 10


def _cars(count: int, *, mirrored: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Cars of two brands: the bonnet tells where they face, a small badge tells the brand.

    Brand A (0) faces left and brand B (1) right, or, mirrored, the other way round.
    """
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    cars = random.integers(0, 30, (count, 20, 20, 1)).astype(np.uint8)
    for car, brand in zip(cars, labels, strict=True):
        row, column = random.integers(0, 5, 2)
        car[row + 6 : row + 14, column + 4 : column + 15] = 130
        car[row + 10 : row + 14, column : column + 5] = 200
        badge = car[row + 7 : row + 12, column + 7 : column + 12, 0]
        if brand == 0:
            badge[:, 2] = badge[2, :] = 255
        else:
            badge[np.arange(5), np.arange(5)] = badge[np.arange(5), 4 - np.arange(5)] = 255
    if mirrored:
        cars[labels == 0] = cars[labels == 0, :, ::-1]
    else:
        cars[labels == 1] = cars[labels == 1, :, ::-1]
    return cars, labels


@pytest.mark.long
def test_l17_flip_augmentation_cures_the_bias_of_the_two_car_brands(tmp_path: Path) -> None:
    network = Architecture(
        input_shape=(20, 20, 1),
        layers=(
            kinds.Conv2D(filters=8, kernel=5, activation="relu"),
            kinds.MaxPool(),
            kinds.Conv2D(filters=16, activation="relu"),
            kinds.GlobalMaxPool(),
            kinds.Dense(units=1, activation="sigmoid"),
        ),
    )
    data = _data(*_cars(640, mirrored=False, seed=1), ("A", "B"))
    mirrored, brands = _cars(200, mirrored=True, seed=2)
    other_way = LoadedImages(mirrored, brands.astype(np.int32), data.class_names)
    accuracy = {}
    for flip in (False, True):
        config = TrainConfig(epochs=10, learning_rate=0.01, augmentation=AugmentConfig(flip=flip))
        model, _ = train_float(network, data, config, work=tmp_path / str(flip))
        for name, images in (("as trained", data.test), ("mirrored", other_way)):
            logits = predict_logits(model, images)
            accuracy[flip, name] = evaluate(logits, images.labels, data.class_names).accuracy
    assert accuracy[False, "as trained"] > 0.95
    assert accuracy[False, "mirrored"] < 0.6
    assert accuracy[True, "as trained"] > 0.95
    assert accuracy[True, "mirrored"] > 0.95


def test_l18_shapes_and_parameters_are_those_of_compute_output_shape_and_summary() -> None:
    model = build_model(preset("lecture"))
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    for row in layer_table(preset("lecture")):
        line = next(line for line in lines if line.strip().startswith(f"{row.name} ("))
        assert line.split()[-1] == str(row.parameters)
    features = [row for row in layer_table(preset("lecture")) if row.kind == "conv2d"][-1]
    deep = model.get_layer("conv2d_4").compute_output_shape((None, 8, 8, 128))
    assert tuple(deep)[1:] == features.output_shape == (8, 8, 256)
