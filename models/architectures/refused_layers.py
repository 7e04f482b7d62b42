"""Layers that are refused by their class: one sentence why, and what to do instead."""

from __future__ import annotations

import re
from collections.abc import Mapping

from siliconv.models.architectures.keras_graph import Config, refused

_FUNCTION = (
    "it is a function, or called with values, that no layer here computes",
    "use a layer of docs/layers.md that does; one number that is added or multiplied is read, an array is not",
)

_REASONS: tuple[tuple[str, str, str], ...] = (
    ("Lambda", "a Lambda layer holds code, which is not run", ""),
    (
        "Q?(SimpleRNN|LSTM|GRU)(Cell)?|RNN|Q?Bidirectional|ConvLSTM[123]D|StackedRNNCells|CuDNN(LSTM|GRU)",
        "a recurrent layer keeps a state from step to step, which no core here does",
        "use Conv1D layers over the sequence",
    ),
    (
        "(MultiHead|GroupQuery|GroupedQuery|Additive)?Attention",
        "attention multiplies activations by activations, which no core here does",
        "use convolutions and dense layers",
    ),
    (
        "Embedding|Hashing|StringLookup|IntegerLookup|CategoryEncoding|TextVectorization|Discretization",
        "its input is an index or a word and no number of a fixed-point type",
        "feed the network the looked-up values",
    ),
    (
        "(Layer|Group|Unit|RMS|Spectral|Instance)Normalization",
        "it divides by what it measures of each input, which takes a square root at run time",
        "use BatchNormalization, whose statistics stand still after training",
    ),
    (
        "Q?(Conv3D|SeparableConv3D|Conv3DTranspose|(Max|Average)Pooling3D|Global(Max|Average)Pooling3D)"
        "|(ZeroPadding|Cropping|UpSampling)3D",
        "it has three spatial axes, and a network here reads images or sequences",
        "use the layer of one or two axes",
    ),
    (
        "Q?(Depthwise|Separable)?Conv[12]DTranspose|Convolution[12]DTranspose",
        "a transposed convolution writes each pixel several times, which no core here does",
        "use UpSampling2D and a Conv2D behind it",
    ),
    ("Dot", "it adds products of activations, which no core here does", "use Multiply, or a dense layer"),
    (
        "Masking",
        "it marks steps that the layers behind it leave out, and every step is computed here",
        "build the model without it, with inputs of one length",
    ),
    ("Q?LocallyConnected[12]D", "it has other weights at every place", "use a convolution or a dense layer"),
    (
        "QAdaptiveActivation",
        "it finds its integer bits while it is trained",
        "put QActivation with the bits that it found in its place",
    ),
    (
        "(Binary|Ternary|XNOR|Quant)(Dense|Conv[12]D)",
        "it is of another library than Keras and QKeras",
        "build the model again with QDense or QConv2D, whose kernel quantizer is binary or ternary",
    ),
    ("QOctaveConv2D|OctaveConv2D", "it is several convolutions in one", "build it of QConv2D layers"),
    (
        "SlicingOpLambda|GetItem",
        "it cuts a tensor by indices",
        "use Cropping1D or Cropping2D for a part of a sequence or an image, and one input for each part of a vector",
    ),
    ("TFOpLambda", *_FUNCTION),
    ("TFSMLayer|TorchModuleWrapper", "it calls code that stands in no layer", "build the model of Keras' layers"),
    (
        "Equalization|AutoContrast",
        "it looks at the whole image first, in every prediction",
        "prepare the images before, and build the model without it",
    ),
)

_WITHOUT_QUANTIZER: Mapping[str, tuple[str, str]] = {
    "PReLU": ("its trained slopes have", "use LeakyReLU with a power of two, or quantized_relu with a negative_slope"),
    "ELU": ("its curve has", "use quantized_relu, with a negative_slope where the values below zero are needed"),
    "ThresholdedReLU": ("its jump has", "use quantized_relu, or ternary for signs beyond a threshold"),
    "Normalization": (
        "its factors have",
        "normalize the data before and leave it out, or use Rescaling by a power of two",
    ),
    "EinsumDense": ("its kernel has", "use QDense, on the last axis of any shape, with Permute and Reshape around it"),
}

_HGQ = re.compile(r"(hgq|HGQ)\b")


def refuse_class(layer: Config, where: str) -> None:
    """Refuse a layer whose class is known to have no equal here.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` with one sentence why, and what to do.
    """
    if any(_HGQ.match(str(layer.get(key) or "")) for key in ("module", "registered_name", "class_name")):
        raise refused(layer, "it is of HGQ, whose models are not read", where, "rebuild the model with QKeras layers")
    for classes, why, fix in _REASONS:
        if re.fullmatch(classes, str(layer["class_name"])):
            raise refused(layer, why, where, fix)
    if str(layer.get("module")).startswith("keras.src.ops"):
        raise refused(layer, *_FUNCTION[:1], where, _FUNCTION[1])


def refuse_among_quantized(layer: Config, where: str) -> None:
    """Refuse a layer of Keras' that is read in a float model, but is neither quantized nor exact in a QKeras one.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` with what of it has no quantizer, and what to do.
    """
    if (found := _WITHOUT_QUANTIZER.get(str(layer["class_name"]))) is not None:
        raise refused(layer, f"{found[0]} no quantizer", where, found[1])
