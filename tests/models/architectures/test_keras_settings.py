"""Every setting of every layer that the reader accepts is used, harmless for a reason, or refused by its name."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.keras_config import architecture_of
from siliconv.models.architectures.keras_describe import known_classes
from siliconv.models.architectures.keras_settings import SETTINGS, Harmless, treatment, why_refused
from siliconv.models.architectures.shapes import layer_table

WALK = """
import json, sys
import {keras} as keras
layers = keras.layers
needed = dict(filters=2, kernel_size=3, units=2, activation="relu", rate=0.5, scale=0.5, pool_size=2, shape=(4, 4),
              dims=(2, 1), target_shape=(4, 4), n=2, factor=0.1, height_factor=0.1, width_factor=0.1, stddev=0.1,
              layer=layers.ReLU(), equation="ab,bc->ac", output_shape=2, height=4, width=4, bits=2)
found = {{}}
for name in json.loads(sys.argv[1]):
    kind = getattr(layers, name, None)
    if kind is None:
        continue
    for tried in ([], ["kernel_size"], ["filters", "kernel_size"], ["units"], ["activation"], ["rate"], ["scale"],
                  ["pool_size"], ["shape"], ["dims"], ["target_shape"], ["n"], ["factor"],
                  ["height_factor", "width_factor"], ["stddev"], ["layer"], ["equation", "output_shape"],
                  ["height", "width"], ["bits"]):
        try:
            made = kind(**{{"factor" if one == "bits" else one: needed[one] for one in tried}})
        except (TypeError, ValueError):
            continue
        found[name] = made.get_config()
        break
first = keras.Sequential([layers.Flatten(input_shape=(4, 4))]).layers[0]
found["Flatten"] |= first.get_config()
print(json.dumps(found, default=str))
"""


_GONE = {"ThresholdedReLU", "RandomHeight", "RandomWidth"}
_NEW = {
    *("AugMix", "CutMix", "MixUp", "RandAugment", "Solarization", "RandomColorDegeneration", "RandomColorJitter"),
    *("RandomElasticTransform", "RandomErasing", "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert"),
    *("RandomPerspective", "RandomPosterization", "RandomSaturation", "RandomSharpness", "RandomShear"),
}
"""Classes that Keras 3 has no more, and those that it added."""


@pytest.mark.long
@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
def test_every_setting_of_every_class_is_in_a_table(keras: str) -> None:
    code = [sys.executable, "-P", "-c", WALK.format(keras=keras), json.dumps(sorted(SETTINGS))]
    printed = subprocess.run(code, check=True, capture_output=True, text=True).stdout
    found: dict[str, dict[str, Any]] = json.loads(printed.strip().splitlines()[-1])
    assert SETTINGS.keys() - found.keys() == (_GONE if keras == "keras" else _NEW)
    unknown = [f"{kind}.{key}" for kind, settings in found.items() for key in settings if not treatment(kind, key)]
    assert not unknown
    rank = {"Flatten": 3}
    refused = [
        why_refused(kind, key, value, rank.get(kind, 4))
        for kind, settings in found.items()
        for key, value in settings.items()
        if kind != "InputLayer" or key != "dtype"
    ]
    assert [why for why in refused if why and "0.0" not in why] == [], "what Keras writes by default can be read"


def test_each_class_that_is_read_has_a_table_and_harmless_says_why() -> None:
    assert {*known_classes(), "InputLayer"} == set(SETTINGS)
    assert all(one.reason for table in SETTINGS.values() for one in table.values() if isinstance(one, Harmless))


def layer(kind: str, name: str, inputs: list[Any], **settings: Any) -> dict[str, Any]:
    nodes = [[[source, 0, 0, {}] if isinstance(source, str) else source for source in inputs]] if inputs else []
    config = {"name": name, "trainable": True, "dtype": "float32", **settings}
    return {"class_name": kind, "name": name, "config": config, "inbound_nodes": nodes}


def image(**settings: Any) -> dict[str, Any]:
    return layer("InputLayer", "image", [], batch_shape=[None, 4, 4, 3], **settings)


def read(*layers: dict[str, Any]) -> Architecture:
    last = layers[-1]["name"]
    model = {"layers": list(layers), "input_layers": [["image", 0, 0]], "output_layers": [[last, 0, 0]]}
    return architecture_of({"class_name": "Functional", "config": model}, where="here").architecture


NORMALIZED = {"epsilon": 1e-3, "center": True, "scale": True}


@pytest.mark.parametrize("axis", [-1, 3, [3], [-1]])
def test_the_last_axis_is_read_however_it_is_written(axis: Any) -> None:
    assert read(image(), layer("BatchNormalization", "n", ["image"], axis=axis, **NORMALIZED)).layers
    assert read(image(), layer("Softmax", "n", ["image"], axis=axis)).layers
    if isinstance(axis, int):
        assert read(image(), layer("Concatenate", "n", ["image", "image"], axis=axis)).layers


@pytest.mark.parametrize("axis", [1, 2, 0, -2, [1, 2], [1], None, True, "3"])
def test_any_other_axis_is_refused(axis: Any) -> None:
    with pytest.raises(ModelError, match=r"(?s)'n' of class 'BatchNormalization'.*axis"):
        read(image(), layer("BatchNormalization", "n", ["image"], axis=axis, **NORMALIZED))


@pytest.mark.parametrize("axis", [0, 4, -4, [], [1, 0], [1, -3], None, True, "3"])
def test_a_softmax_is_along_axes_of_its_input(axis: Any) -> None:
    with pytest.raises(ModelError, match=r"(?s)'n' of class 'Softmax'.*axis"):
        read(image(), layer("Softmax", "n", ["image"], axis=axis))


EINSUM = {"activation": "linear", "bias_axes": None}


@pytest.mark.parametrize(
    ("equation", "output", "why"),
    [
        ("abcd,de->abce,ab", (4, 4, 2), "names no input, kernel and output"),
        ("abc,cd->abd", (4, 2), "does not fit an input of 3 axes"),
        ("abcc,cd->abcd", (4, 4, 2), "names an axis twice"),
        ("abcd,ade->abce", (4, 4, 2), "does not begin with the batch"),
        ("abcd,de->abe", (4, 2), "sums an axis that input or kernel has alone"),
        ("abcd,def->abce", (4, 4, 2), "sums an axis that input or kernel has alone"),
        ("abcd,de->abcez", (4, 4, 2, 2), "has an axis in its output"),
        ("abcd,de->abce", (4, 4, None), "has no size for each of its axes"),
    ],
)
def test_an_equation_that_is_no_product_with_a_matrix_is_refused(equation: str, output: Any, why: str) -> None:
    with pytest.raises(ModelError, match=f"MODEL-LAYER.*{why}"):
        read(image(), layer("EinsumDense", "n", ["image"], equation=equation, output_shape=output, **EINSUM))


def test_an_operator_that_is_not_of_two_tensors_is_refused_by_its_name() -> None:
    called = {"function": "__operators__.add"}
    half = layer("TFOpLambda", "half", [], **called) | {"inbound_nodes": [["image", 0, 0, {"y": 0.5, "name": None}]]}
    with pytest.raises(ModelError, match="'half' of class 'TFOpLambda'"):
        read(image(), half)


@pytest.mark.parametrize(("axis", "here"), [(1, 0), (2, 1), (-2, 1), (-3, 0), (3, -1)])
def test_an_axis_to_join_along_is_counted_without_the_batch(axis: int, here: int) -> None:
    found = read(image(), layer("Concatenate", "n", ["image", "image"], axis=axis))
    assert found.layers[-1].axis == here
    assert layer_table(found)[-1].output_shape == tuple(
        8 if at == here % 3 else one for at, one in enumerate((4, 4, 3))
    ) or (here == -1)


@pytest.mark.parametrize("axis", [0, 4, -4, None, True, "3", [1]])
def test_an_axis_that_no_input_has_is_refused(axis: Any) -> None:
    with pytest.raises(ModelError, match=r"(?s)'n' of class 'Concatenate'.*axis"):
        read(image(), layer("Concatenate", "n", ["image", "image"], axis=axis))


def test_what_is_the_last_axis_follows_from_the_layers_before() -> None:
    flat = layer("Flatten", "f", ["image"], data_format="channels_last")
    assert read(image(), flat, layer("Concatenate", "n", ["f", "f"], axis=1)).layers
    with pytest.raises(ModelError, match="axis = 3"):
        read(image(), flat, layer("Concatenate", "n", ["f", "f"], axis=3))


DENSE = {"units": 2, "use_bias": True}
RELU = {"max_value": None, "negative_slope": 0.0}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (layer("Dense", "n", ["f"], **DENSE, dtype="mixed_float16"), "'mixed_float16' is not float32"),
        (
            layer("Dense", "n", ["f"], **DENSE, dtype={"class_name": "DTypePolicy", "config": {"name": "float64"}}),
            "'float64' is not float32",
        ),
        (layer("Dense", "n", ["f"], **DENSE, twist=3), "twist = 3 is not known here"),
        (layer("Dense", "n", ["f"], **DENSE, lora_rank=2), "lora_rank = 2"),
        (layer("Dense", "n", ["f"], units=2), "'use_bias' is missing"),
        (layer("Dense", "n", ["f"], units="many", use_bias=True), "units: must be a whole number, not 'many'"),
        (layer("Dense", "n", ["f"], **DENSE, activation="gulu"), "'gulu'"),
        (
            layer(
                "Dense", "n", ["f"], **DENSE, activation={"module": "mine", "class_name": "function", "config": "relu"}
            ),
            "not one of Keras' functions",
        ),
        (
            layer(
                "Activation",
                "n",
                ["f"],
                activation={"module": "builtins", "class_name": "function", "config": "relu"},
            ),
            "not one of Keras' functions",
        ),
        (layer("ReLU", "n", ["f"], **RELU, threshold=float("nan")), "threshold = nan"),
        (layer("LeakyReLU", "n", ["f"], alpha="steep"), "alpha = 'steep'"),
        (layer("LeakyReLU", "n", ["f"]), "it says no slope"),
        (layer("Flatten", "n", ["image"], data_format="channels_first"), "channels_first"),
        (layer("Dropout", "n", [["f", 0, 0, {"training": True}]], rate=0.5), "called with training = True"),
        (layer("Rescaling", "n", ["image"], scale=[0.1, 0.2], offset=0.0), "scale = [0.1, 0.2]"),
        (layer("Rescaling", "n", ["image"], scale=float("inf"), offset=0.0), "scale = inf"),
        ({**layer("Dense", "n", ["f"], **DENSE), "module": "keras_cv.layers"}, "the class is not known"),
        ({**layer("Dense", "n", ["f"], **DENSE), "registered_name": "Mine>Dense"}, "the class is not known"),
        (layer("UpSampling2D", "n", ["image"], size=2, interpolation="bilinear"), "interpolation = 'bilinear'"),
        (layer("Conv2DTranspose", "n", ["image"], size=2), "a transposed convolution"),
        (layer("Resizing", "n", ["image"], height=2, width=3), "it makes 2x3 of 4x4 by interpolation"),
        (layer("CenterCrop", "n", ["image"], height=2, width=5), "it makes 2x5 of 4x4 by interpolation"),
        (layer("Equalization", "n", ["image"]), "looks at the whole image"),
        (layer("TFOpLambda", "n", [["f", 0, 0, {"y": [1.0, 2.0]}]], function="math.multiply"), "called with values"),
        (layer("SlicingOpLambda", "n", ["image"], function="__operators__.getitem"), "it cuts a tensor by indices"),
        (layer("HGQ>HDense", "n", ["f"], units=2), "it is of HGQ"),
        (layer("BinaryDense", "n", ["f"], units=2), "of another library"),
        (layer("Dence", "n", ["f"], **DENSE), "the class is not known"),
    ],
)
def test_a_setting_without_an_equal_is_refused_by_its_name(wrong: dict[str, Any], says: str) -> None:
    flat = layer("Flatten", "f", ["image"], data_format="channels_last")
    with pytest.raises(ModelError, match="'n' of class") as caught:
        read(image(), flat, wrong)
    assert says in str(caught.value)
    assert "pydantic" not in str(caught.value)


def test_a_model_of_the_users_that_is_called_like_keras_own_is_refused() -> None:
    model = {"class_name": "Functional", "module": "mine", "registered_name": "Functional", "config": {"layers": []}}
    with pytest.raises(ModelError, match="a model of class 'Functional'"):
        architecture_of(model, where="here")


def test_all_layers_that_cannot_be_read_are_named_at_once() -> None:
    with pytest.raises(ModelError) as caught:
        read(
            image(),
            layer("Dense", "first", ["image"], **DENSE, activation="gulu"),
            layer("Conv2DTranspose", "second", ["image"], size=2),
            layer("Conv2D", "third", ["image"], dilation_rate=2),
        )
    for name in ("first", "second", "third"):
        assert f"layer '{name}' of class" in caught.value.what


def test_layers_that_are_refused_for_one_reason_are_named_together() -> None:
    slices = [layer("SlicingOpLambda", f"s{number}", ["image"], function="getitem") for number in range(6)]
    with pytest.raises(ModelError) as caught:
        read(image(), *slices, layer("Equalization", "e", ["image"]))
    assert caught.value.what.startswith("layers 's0', 's1', 's2', 's3' and 2 more of class 'SlicingOpLambda' cannot")
    assert caught.value.what.count("cannot be read") == 2


def test_keras_3_says_what_a_layer_was_called_with() -> None:
    flat = layer("Flatten", "f", ["image"], data_format="channels_last")
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["f", 0, 0]}}
    for node, says in (
        ({"args": [tensor], "kwargs": {"mask": True}}, "mask = True"),
        ({"args": [tensor, True], "kwargs": {}}, "another argument = True"),
    ):
        called = {**layer("Dropout", "n", [], rate=0.5), "inbound_nodes": [node]}
        with pytest.raises(ModelError, match=says):
            read(image(), flat, called)


def test_whole_numbers_are_an_input_of_a_network_that_rescales_them() -> None:
    rescaling = layer("Rescaling", "r", ["image"], scale=1 / 255, offset=0.0)
    assert read(image(dtype="uint8"), rescaling, layer("Flatten", "f", ["r"])).layers
    with pytest.raises(ModelError, match="'uint8' is not float32"):
        read(image(dtype="uint8"), layer("Flatten", "f", ["image"]))
    behind = layer("Dense", "d", ["image"], units=2, activation="linear", use_bias=True)
    with pytest.raises(ModelError, match="'uint8' is not float32"):
        read(image(dtype="uint8"), behind, layer("Rescaling", "r", ["d"], scale=1 / 255, offset=0.0))
    with pytest.raises(ModelError, match="sparse = True"):
        read(image(sparse=True), layer("Flatten", "f", ["image"]))


@pytest.mark.parametrize(
    ("before", "rescales"),
    [
        ([], True),
        ([layer("Dropout", "b", ["image"], rate=0.5)], True),
        ([layer("MaxPooling2D", "b", ["image"], pool_size=[2, 2], strides=[2, 2], padding="valid")], True),
        ([layer("Activation", "b", ["image"], activation="relu")], False),
        ([layer("Dense", "b", ["image"], units=2, activation="linear", use_bias=True)], False),
        ([layer("Rescaling", "b", ["image"], scale=2.0, offset=0.0)], True),
        ([layer("Rescaling", "b", ["image"], scale=16.0, offset=0.0)], False),
    ],
)
def test_a_network_rescales_its_input_where_nothing_is_computed_before(before: list[Any], rescales: bool) -> None:
    rescaling = layer("Rescaling", "r", ["b" if before else "image"], scale=1 / 127.5, offset=-1.0)
    model = {
        "layers": [image(), *before, rescaling],
        "input_layers": [["image", 0, 0]],
        "output_layers": [["r", 0, 0]],
    }
    assert architecture_of({"class_name": "Functional", "config": model}, where="here").rescales is rescales
