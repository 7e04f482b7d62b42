"""QKeras configurations as data: every setting is accounted for, each spelling is read, what is unknown is named."""

from __future__ import annotations

import copy
import json

import pytest
from qkeras_networks import in_a_row, read_back

from siliconv import legacy_keras
from siliconv.bounded_reading import UnreadableError
from siliconv.errors import ModelError
from siliconv.models.architectures.keras_file import read_keras_file
from siliconv.models.architectures.nested_models import flat_model
from siliconv.models.qkeras_files.qkeras_reading import is_qkeras, qkeras_model_of
from siliconv.models.qkeras_files.qkeras_settings import QKERAS_SETTINGS, qkeras_treatment
from siliconv.models.qkeras_files.quantizer_settings import CLASSES, FUNCTIONS, Quantizer, read_quantizer

keras = legacy_keras.load()

import qkeras  # noqa: E402
from qkeras import quantizers as own_quantizers  # noqa: E402
from qkeras.qconv2d_batchnorm import QConv2DBatchnorm  # noqa: E402
from qkeras.qdepthwiseconv2d_batchnorm import QDepthwiseConv2DBatchnorm  # noqa: E402

layers = keras.layers

MADE = {
    "QDense": lambda: qkeras.QDense(2),
    "QConv1D": lambda: qkeras.QConv1D(2, 3),
    "QConv2D": lambda: qkeras.QConv2D(2, 3),
    "QDepthwiseConv2D": lambda: qkeras.QDepthwiseConv2D(3),
    "QSeparableConv1D": lambda: qkeras.QSeparableConv1D(2, 3),
    "QSeparableConv2D": lambda: qkeras.QSeparableConv2D(2, 3),
    "QConv2DBatchnorm": lambda: QConv2DBatchnorm(2, 3),
    "QDepthwiseConv2DBatchnorm": lambda: QDepthwiseConv2DBatchnorm(3),
    "QBatchNormalization": lambda: qkeras.QBatchNormalization(),
    "QActivation": lambda: qkeras.QActivation("quantized_relu(4)"),
    "QAveragePooling2D": lambda: qkeras.QAveragePooling2D(2),
    "QGlobalAveragePooling2D": lambda: qkeras.QGlobalAveragePooling2D(),
}


def test_every_class_is_made_here():
    assert MADE.keys() == QKERAS_SETTINGS.keys()


@pytest.mark.parametrize("kind", MADE)
def test_every_setting_that_qkeras_writes_of_a_layer_is_accounted_for(kind):
    unknown = [setting for setting in MADE[kind]().get_config() if qkeras_treatment(kind, setting) is None]
    assert unknown == []


@pytest.mark.parametrize("name", CLASSES)
def test_every_argument_that_qkeras_writes_of_a_quantizer_is_accounted_for(name):
    quantizer = getattr(own_quantizers, name)()
    found = read_quantizer({"class_name": name, "config": quantizer.get_config()})
    assert found is not None
    again = getattr(own_quantizers, name)(**found.arguments)
    assert again.get_config() == quantizer.get_config()


SPELLINGS = {
    "a text": ("quantized_relu(6,2)", Quantizer("quantized_relu", {"bits": 6, "integer": 2})),
    "a text with names": (
        "quantized_bits(4, 0, symmetric=1, alpha='auto_po2')",
        Quantizer("quantized_bits", {"bits": 4, "integer": 0, "symmetric": 1, "alpha": "auto_po2"}),
    ),
    "numbers of each kind": (
        "ternary(alpha=0.5, threshold=.25, use_stochastic_rounding=False)",
        Quantizer("ternary", {"alpha": 0.5, "threshold": 0.25, "use_stochastic_rounding": False}),
    ),
    "a name": ("binary", Quantizer("binary", {})),
    "a name with nothing": ("binary()", Quantizer("binary", {})),
    "a function": ("binary_tanh", Quantizer("binary_tanh", {})),
    "nothing": (None, None),
    "linear": ("linear", None),
    "Keras 2": (
        {
            "class_name": "quantized_bits",
            "config": {"bits": 6, "integer": 0, "alpha": None},
            "__passive_serialization__": True,
        },
        Quantizer("quantized_bits", {"bits": 6, "integer": 0, "alpha": None}),
    ),
    "qkeras-v3": (
        {
            "module": "qkeras.quantizers",
            "class_name": "quantized_bits",
            "config": {
                "bits": 8,
                "integer": {"class_name": "__numpy__", "config": {"value": 3, "dtype": "int32"}},
                "symmetric": 0,
                "alpha": 1,
                "keep_negative": True,
                "use_stochastic_rounding": False,
                "qnoise_factor": 1.0,
                "post_training_scale": None,
            },
            "registered_name": "qkeras>quantized_bits",
        },
        Quantizer(
            "quantized_bits",
            {
                "bits": 8,
                "integer": 3,
                "symmetric": 0,
                "alpha": 1,
                "keep_negative": True,
                "use_stochastic_rounding": False,
                "qnoise_factor": 1.0,
            },
        ),
    ),
    "a function, written by Keras": (
        {"module": "builtins", "class_name": "function", "config": "hard_tanh", "registered_name": "function"},
        Quantizer("hard_tanh", {}),
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_each_spelling_of_a_quantizer_is_read(name):
    written, expected = SPELLINGS[name]
    assert read_quantizer(written) == expected
    if expected is not None:
        assert read_quantizer(expected.as_json()) == expected
    if isinstance(written, str) and written not in ("linear", *FUNCTIONS):
        # As QKeras itself reads the text.
        made = getattr(own_quantizers, expected.name)(**expected.arguments)
        assert own_quantizers.get_quantizer(written).get_config() == made.get_config()


@pytest.mark.parametrize("as_text", [True, False])
def test_a_quantizer_of_chance_is_what_it_is_in_a_prediction(as_text):
    written = "stochastic_ternary(alpha='auto_po2', temperature=4.0, number_of_unrolls=3)"
    if not as_text:
        written = keras.utils.serialize_keras_object(qkeras.stochastic_ternary("auto_po2", None, 4.0, True, 3))
    found = read_quantizer(written)
    assert found.name == "ternary"
    assert {key: value for key, value in found.arguments.items() if value is not None} == {
        "alpha": "auto_po2",
        "number_of_unrolls": 3,
    }
    assert read_quantizer("stochastic_binary").name == "binary"


@pytest.mark.parametrize(
    "written",
    [
        "quantized_bits(__import__('os'))",
        "open",
        "quantized_bits(4, 0",
        "quantized_bits(4,0,0,1,1,0,None,1.0,None,True,False,7)",
        "quantized_bits(4, colour=1)",
        "quantized_bits(0)",
        "quantized_bits(8, -2)",
        "quantized_relu(8, -1)",
        "quantized_relu(32)",
        "quantized_bits(8, 40)",
        "quantized_bits(4, 0, alpha='auto_po3')",
        "bernoulli",
        "bernoulli()",
        "quantized_ulaw(4)",
        {"class_name": "quantized_bits", "config": {"bits": 4}, "module": "mine"},
        {"class_name": "quantized_bits", "config": {"bits": 4}, "registered_name": "mine>quantized_bits"},
        {"class_name": "quantized_bits", "config": {"bits": {"deep": 1}}},
        {"class_name": "quantized_bits", "config": {"bits": 8, "post_training_scale": [2.0]}},
        ["quantized_bits"],
        7,
    ],
)
def test_what_is_no_quantizer_of_qkeras_is_refused(written):
    with pytest.raises(UnreadableError):
        read_quantizer(written)


def configuration():
    model = in_a_row(
        layers.Input((6, 6, 1)),
        qkeras.QConv2D(
            2, 3, kernel_quantizer=qkeras.quantized_bits(4, 0, alpha=1), bias_quantizer="quantized_bits(4)", name="conv"
        ),
        qkeras.QActivation("quantized_relu(4)", name="relu"),
    )
    return json.loads(model.to_json())


def as_v3(config):
    """Spell a configuration as qkeras-v3 and Keras 3 do."""
    config = copy.deepcopy(config)
    for layer in config["config"]["layers"]:
        kind = layer["class_name"]
        if kind.startswith("Q"):
            layer["registered_name"] = f"qkeras>{kind}"
            layer["config"]["dtype"] = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}
            for setting, value in layer["config"].items():
                if setting.endswith("_quantizer") and value:
                    value["registered_name"] = f"qkeras>{value['class_name']}"
                    value["config"]["post_training_scale"] = None
    return config


def test_the_spelling_of_qkeras_v3_is_the_same_model():
    config = configuration()
    spelled = as_v3(config)
    assert spelled != config
    assert is_qkeras(spelled)
    assert qkeras_model_of(spelled, {}, where="v3").model == qkeras_model_of(config, {}, where="v2").model


CHANGES = {
    "an unknown setting": ({"colour": "red"}, "colour = 'red' is not known here"),
    "a dilation": ({"dilation_rate": [2, 2]}, "dilation_rate = [2, 2]"),
    "groups": ({"groups": 2}, "groups = 2"),
    "channels first": ({"data_format": "channels_first"}, "data_format"),
    "a mask": ({"mask": [[1.0]]}, "mask"),
    "half precision": ({"dtype": "mixed_float16"}, "mixed_float16"),
    "a quantizer by chance": ({"kernel_quantizer": "bernoulli"}, "draws its values by chance"),
    "an activation of the user's": (
        {"activation": {"module": "mine", "class_name": "function", "config": "relu", "registered_name": "relu"}},
        "not one of Keras' functions",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_setting_without_a_meaning_is_refused_by_its_name(name):
    change, says = CHANGES[name]
    config = configuration()
    config["config"]["layers"][1]["config"].update(change)
    with pytest.raises(ModelError, match="MODEL-LAYER") as caught:
        qkeras_model_of(config, {}, where="file")
    assert says in caught.value.what
    assert "'conv'" in caught.value.what


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("QLSTM", "recurrent layer keeps a state"),
        ("LSTM", "recurrent layer keeps a state"),
        ("MultiHeadAttention", "attention multiplies"),
        ("Embedding", "index or a word"),
        ("LayerNormalization", "square root at run time"),
        ("Conv3D", "three spatial axes"),
        ("QConv2DTranspose", "transposed convolution"),
        ("Lambda", "holds code"),
        ("QAdaptiveActivation", "while it is trained"),
        ("Dot", "adds products of activations"),
        ("Masking", "marks steps"),
        ("PReLU", "slopes have no quantizer"),
        ("ELU", "curve has no quantizer"),
        ("ThresholdedReLU", "jump has no quantizer"),
        ("Normalization", "factors have no quantizer"),
        ("EinsumDense", "kernel has no quantizer"),
        ("QNothing", "not known here"),
    ],
)
def test_a_class_without_a_core_is_refused_in_one_sentence(kind, says):
    config = configuration()
    config["config"]["layers"].append({"class_name": kind, "config": {"name": "other"}})
    with pytest.raises(ModelError, match="MODEL-LAYER") as caught:
        qkeras_model_of(config, {}, where="file")
    assert says in caught.value.what
    assert caught.value.fix


def test_a_layer_of_hgq_is_refused_though_it_is_called_as_one_of_qkeras():
    config = configuration()
    config["config"]["layers"][1]["registered_name"] = "hgq>QConv2D"
    with pytest.raises(ModelError, match="of HGQ"):
        qkeras_model_of(config, {}, where="file")


def test_all_that_is_wrong_is_said_at_once():
    config = configuration()
    for number in (1, 2):
        config["config"]["layers"][number]["config"]["colour"] = "red"
    with pytest.raises(ModelError) as caught:
        qkeras_model_of(config, {}, where="file")
    assert "'conv'" in caught.value.what
    assert "'relu'" in caught.value.what


def test_a_float_model_is_none_of_qkeras():
    model = in_a_row(layers.Input((4,)), layers.Dense(2))
    assert not is_qkeras(json.loads(model.to_json()))
    assert is_qkeras(json.loads(in_a_row(layers.Input((4,)), layers.Activation(qkeras.quantized_relu(4))).to_json()))


@pytest.mark.parametrize(("change", "says"), [("more", "has 1 inputs, and 2 given"), ("a name", "takes a dictionary")])
def test_an_inner_model_that_is_called_otherwise_than_by_its_inputs_is_refused(change, says):
    image = keras.Input((4,))
    inner = keras.Model(image, layers.Dense(2)(image), name="two")
    outer = keras.Input((4,))
    config = json.loads(keras.Model(outer, layers.Dense(2)(inner(outer))).to_json())
    called = config["config"]["layers"][1]
    if change == "more":
        called["inbound_nodes"][0] *= 2
    else:
        called["config"]["input_layers"] = {"x": called["config"]["input_layers"][0]}
    with pytest.raises(ModelError, match=says) as caught:
        flat_model(config, {}, where="file")
    assert caught.value.code == "MODEL-NESTED"
    assert "'two'" in caught.value.what


def test_names_are_made_fit_and_kept_apart():
    model = in_a_row(layers.Input((4,)), qkeras.QDense(2, name="a.b"), qkeras.QDense(2, name="a-b"))
    file = read_back(model)
    names = [layer.name for layer in file.model.layers]
    assert names == ["a_b", "a_b_"]
    assert (list(file.weights), list(file.written)) == (names, ["a.b", "a-b"])


@pytest.mark.parametrize(
    ("name", "says", "fix"),
    [
        (
            "saved",
            "SavedModel holds compiled functions",
            "tf_keras.models.load_model('FOLDER'); model.save('model.keras')",
        ),
        ("net.onnx", "no Keras model", "ONNX and QONNX files are not read"),
        ("net.pth", "no Keras model", "Brevitas files are not read"),
    ],
)
def test_files_of_other_kinds_are_refused_with_the_way_out(name, says, fix, tmp_path):
    path = tmp_path / name
    if name == "saved":
        path.mkdir()
        (path / "saved_model.pb").write_bytes(b"")
    else:
        path.write_bytes(b"")
    with pytest.raises(ModelError, match="MODEL-FILE") as caught:
        read_keras_file(path)
    assert says in caught.value.what
    assert fix in caught.value.fix
