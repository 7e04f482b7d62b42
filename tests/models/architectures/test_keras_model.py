"""Models built from architectures, their weights on disk, and batch normalization folded away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siliconv.errors import ModelError
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.folding import fold_batch_normalization, without_batch_normalization
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset, preset_names
from siliconv.models.architectures.shapes import layer_table
from siliconv.models.architectures.weights import load_weights, named_weights, save_weights

EVERY_2D_KIND = Architecture(
    input_shape=(12, 12, 3),
    layers=(
        kinds.Conv2D(filters=4, activation="relu", name="conv"),
        kinds.DepthwiseConv2D(activation="tanh"),
        kinds.SeparableConv2D(filters=4, kernel=5, activation="sigmoid", name="separable"),
        kinds.Add(inputs=("conv", "separable")),
        kinds.MaxPool(),
        kinds.BatchNormalization(name="kept"),
        kinds.Activation(activation="relu", name="left"),
        kinds.AveragePool(pool=3, stride=1, padding="same"),
        kinds.Concatenate(inputs=("left", "average_pool_1")),
        kinds.Dropout(rate=0.25),
        kinds.Conv2D(filters=6, kernel=3, stride=2, padding="valid"),
        kinds.Flatten(),
        kinds.Dense(units=5, activation="softmax"),
    ),
)


def _shake(model: object, seed: int) -> None:
    """Give every weight, moving statistics too, a value of its own."""
    random = np.random.default_rng(seed)
    values = [random.uniform(0.2, 1.0, value.shape).astype(np.float32) for value in model.get_weights()]  # type: ignore[attr-defined]
    model.set_weights([value - 0.5 if value.ndim > 1 else value for value in values])  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [name for name in preset_names() if name != "lecture_flatten"])
def test_keras_agrees_with_the_layer_table(name: str) -> None:
    network = preset(name)
    model = build_model(network, output="probabilities")
    table = layer_table(network)
    assert model.count_params() == sum(row.parameters for row in table)
    shapes = {layer.name: layer.output_shape for layer in model.layers}
    for row in table:
        assert shapes[row.name][1:] == row.output_shape


def test_folding_batch_normalization_keeps_the_outputs_and_the_architecture() -> None:
    trained = build_model(EVERY_2D_KIND, batch_normalization=True)
    _shake(trained, 3)
    deployed = fold_batch_normalization(trained, EVERY_2D_KIND)
    plain = build_model(EVERY_2D_KIND)
    assert len(trained.layers) > len(deployed.layers)
    assert list(named_weights(deployed)) == list(named_weights(plain))
    images = np.random.default_rng(4).uniform(size=(16, 12, 12, 3)).astype(np.float32)
    before, after = trained(images).numpy(), deployed(images).numpy()
    assert before.std() > 0.01
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5 * float(np.abs(before).max()))


@pytest.mark.parametrize(
    ("layers", "kept"),
    [
        ((kinds.Conv2D(filters=4, use_bias=False), kinds.BatchNormalization(epsilon=0.01)), "conv2d"),
        ((kinds.DepthwiseConv2D(), kinds.BatchNormalization(), kinds.Activation(activation="relu")), "relu"),
        ((kinds.BatchNormalization(), kinds.Conv2D(filters=2)), "depthwise_conv2d"),
        ((kinds.Conv2D(filters=4, activation="relu"), kinds.BatchNormalization()), "depthwise_conv2d"),
        ((kinds.Flatten(), kinds.Dense(units=3), kinds.BatchNormalization(), kinds.Dense(units=2)), "dense"),
        (
            (
                kinds.Conv2D(filters=4, name="read_twice"),
                kinds.BatchNormalization(name="bn"),
                kinds.Add(inputs=("bn", "read_twice")),
            ),
            "depthwise_conv2d",
        ),
    ],
)
def test_declared_batch_normalization_goes_without_changing_the_outputs(
    layers: tuple[kinds.Layer, ...], kept: str
) -> None:
    network = Architecture(input_shape=(6, 6, 3), layers=layers)
    model = build_model(network)
    _shake(model, 5)
    described, deployed = without_batch_normalization(model, network)
    assert all(layer.kind != "batch_normalization" for layer in described.layers)
    assert any(kept in (layer.kind, getattr(layer, "activation", None)) for layer in described.layers)
    images = np.random.default_rng(6).uniform(size=(8, 6, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(deployed(images).numpy(), model(images).numpy(), rtol=1e-4, atol=1e-5)


def test_batch_normalization_of_one_dimension_goes_too() -> None:
    layers = (
        kinds.Conv1D(filters=3),
        kinds.BatchNormalization(),
        kinds.MaxPool(),
        kinds.BatchNormalization(),
    )
    network = Architecture(input_shape=(16, 2), layers=layers)
    model = build_model(network)
    _shake(model, 7)
    described, deployed = without_batch_normalization(model, network)
    assert [layer.kind for layer in described.layers] == ["conv1d", "max_pool", "depthwise_conv1d"]
    waves = np.random.default_rng(8).uniform(size=(8, 16, 2)).astype(np.float32)
    np.testing.assert_allclose(deployed(waves).numpy(), model(waves).numpy(), rtol=1e-4, atol=1e-5)


RELU_OF_FOUR = kinds.Dense(units=4, activation="relu")


def _pooled_dense(*between: kinds.LayerBase) -> tuple[kinds.LayerBase, ...]:
    return (kinds.Conv2D(filters=3, activation="relu"), *between, kinds.Flatten(), kinds.Dense(units=4))


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        (
            (kinds.Flatten(), kinds.BatchNormalization()),
            ["flatten", "reshape", "depthwise_conv1d", "activation", "flatten"],
        ),
        (
            (
                kinds.Flatten(),
                kinds.Dense(units=4, activation="relu"),
                kinds.BatchNormalization(),
                kinds.Dense(units=2),
            ),
            ["flatten", "dense", "dense"],
        ),
        (_pooled_dense(kinds.BatchNormalization()), ["conv2d", "flatten", "dense"]),
        (_pooled_dense(kinds.BatchNormalization(), kinds.Dropout()), ["conv2d", "dropout", "flatten", "dense"]),
        (
            _pooled_dense(kinds.BatchNormalization(), kinds.Conv2D(filters=2, padding="valid")),
            ["conv2d", "conv2d", "flatten", "dense"],
        ),
        (
            _pooled_dense(kinds.BatchNormalization(), kinds.DepthwiseConv2D(padding="valid", use_bias=False)),
            ["conv2d", "depthwise_conv2d", "flatten", "dense"],
        ),
        (
            _pooled_dense(kinds.BatchNormalization(), kinds.Conv2D(filters=2, padding="same")),
            ["conv2d", "depthwise_conv2d", "conv2d", "flatten", "dense"],
        ),
        (
            _pooled_dense(kinds.BatchNormalization(), kinds.Conv2D(filters=2, kernel=1), kinds.BatchNormalization()),
            ["conv2d", "conv2d", "flatten", "dense"],
        ),
        (
            (kinds.BatchNormalization(), kinds.BatchNormalization(), *_pooled_dense()),
            ["depthwise_conv2d", "activation", "depthwise_conv2d", "conv2d", "flatten", "dense"],
        ),
    ],
)
def test_batch_normalization_goes_into_the_matrix_behind_it_or_into_one_of_its_own(
    layers: tuple[kinds.LayerBase, ...], left: list[str]
) -> None:
    network = Architecture(input_shape=(6, 6, 2), layers=layers)
    model = build_model(network)
    _shake(model, 7)
    described, deployed = without_batch_normalization(model, network)
    assert [layer.kind for layer in described.layers] == left
    images = np.random.default_rng(8).uniform(size=(8, 6, 6, 2)).astype(np.float32)
    np.testing.assert_allclose(deployed(images).numpy(), model(images).numpy(), rtol=1e-4, atol=1e-4)


def test_output_is_logits_or_probabilities_as_asked() -> None:
    assert build_model(preset("lecture")).layers[-1].name == "dense_1"
    assert build_model(preset("lecture"), output="probabilities").layers[-1].name == "dense_1_sigmoid"
    added = build_model(preset("digits"), output="probabilities")
    np.testing.assert_allclose(added(np.ones((2, 8, 8, 1), np.float32)).numpy().sum(axis=1), 1.0, rtol=1e-6)


def test_the_seed_alone_decides_the_initial_weights() -> None:
    one, same, other = (build_model(preset("digits"), seed=seed).get_weights() for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    assert not (one[0] == other[0]).any()


def test_weights_come_back_bit_for_bit(tmp_path: Path) -> None:
    model, other = build_model(preset("digits"), seed=1), build_model(preset("digits"), seed=2)
    save_weights(model, tmp_path / "weights.npz")
    load_weights(other, tmp_path / "weights.npz")
    assert all((a == b).all() for a, b in zip(model.get_weights(), other.get_weights(), strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]


def test_weights_of_another_network_or_damaged_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    save_weights(build_model(preset("digits")), path)
    with pytest.raises(ModelError, match="of shape"):
        load_weights(build_model(preset("lecture")), path)
    smaller = preset("digits").model_copy(update={"layers": preset("digits").layers[:-1]})
    with pytest.raises(ModelError, match="lacks"):
        load_weights(build_model(smaller), path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelError, match="cannot be read"):
        load_weights(build_model(preset("digits")), path)
    np.savez(path, allow_pickle=True, bad=np.array([object()]))
    with pytest.raises(ModelError, match="cannot be read"):
        load_weights(build_model(preset("digits")), path)
