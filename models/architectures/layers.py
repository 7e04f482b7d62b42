"""The layer kinds an architecture is written in: what a user may say about each, and nothing about how it is
computed.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, Field

from siliconv.bounded_reading import SECTION
from siliconv.models.architectures.functions import checked

Positive = Annotated[int, Field(ge=1, le=65536)]
Count = Annotated[int, Field(ge=0, le=65536)]
Size = Positive | tuple[Positive, Positive]
Counts = Count | tuple[Count, Count]
Padding = Literal["same", "valid"]
Filters = Annotated[Positive, Field(description="Number of output channels")]
ActivationKind = Literal[
    "relu",
    "tanh",
    "sigmoid",
    "softmax",
    "elu",
    "selu",
    "softplus",
    "softsign",
    "swish",
    "gelu",
    "exponential",
    "mish",
]
Function = ActivationKind | Annotated[str, AfterValidator(checked)]
"""An activation by its name, or a function with its parameters: `siliconv.models.architectures.functions`."""


class LayerBase(BaseModel):
    """What every layer has: an optional name and optional inputs."""

    model_config = SECTION

    name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        description="Name of the layer; kind and a number (conv2d_1) when left out",
    )
    inputs: tuple[str, ...] | None = Field(
        default=None,
        description="Names of the layers it reads ('input' is the image); the layer before when left out",
    )


class _Activated(LayerBase):
    activation: ActivationKind | None = Field(
        default=None, description="Activation behind the layer, such as relu, tanh, sigmoid, softmax, elu, swish"
    )
    use_bias: bool = Field(default=True, description="Whether a bias is added to each output channel")


class _Windowed2D(_Activated):
    kernel: Size = Field(default=3, description="Window height and width in pixels; one number for a square")
    stride: Size = Field(default=1, description="Step of the window in pixels, down and across")
    padding: Padding = Field(
        default="same",
        description="same: zeros around the image; valid: only whole windows, o = (n - m) // s + 1",
    )


class _Windowed1D(_Activated):
    kernel: Positive = Field(default=3, description="Window length in samples")
    stride: Positive = Field(default=1, description="Step of the window in samples")
    padding: Padding = Field(
        default="same",
        description="same: zeros at both ends; valid: only whole windows, o = (n - m) // s + 1",
    )


class Conv2D(_Windowed2D):
    """A 2-D convolution (cross-correlation, as everywhere in machine learning)."""

    kind: Literal["conv2d"] = "conv2d"
    filters: Filters


class Conv1D(_Windowed1D):
    """A 1-D convolution over (length, channels)."""

    kind: Literal["conv1d"] = "conv1d"
    filters: Filters


class DepthwiseConv2D(_Windowed2D):
    """A 2-D convolution of each channel by itself."""

    kind: Literal["depthwise_conv2d"] = "depthwise_conv2d"


class DepthwiseConv1D(_Windowed1D):
    """A 1-D convolution of each channel by itself."""

    kind: Literal["depthwise_conv1d"] = "depthwise_conv1d"


class SeparableConv2D(_Windowed2D):
    """A depthwise convolution without bias, then a 1x1 convolution."""

    kind: Literal["separable_conv2d"] = "separable_conv2d"
    filters: Filters


class SeparableConv1D(_Windowed1D):
    """A depthwise 1-D convolution without bias, then a convolution of length 1."""

    kind: Literal["separable_conv1d"] = "separable_conv1d"
    filters: Filters


class _Pool(LayerBase):
    pool: Size = Field(default=2, description="Window in pixels (samples); one number for a square")
    stride: Size | None = Field(default=None, description="Step of the window; the window's size when left out")
    padding: Padding = Field(default="valid", description="same or valid, as for convolutions")


class MaxPool(_Pool):
    """The largest value of each window; 1-D or 2-D by its input."""

    kind: Literal["max_pool"] = "max_pool"


class AveragePool(_Pool):
    """The mean of each window; 1-D or 2-D by its input."""

    kind: Literal["average_pool"] = "average_pool"


class GlobalAveragePool(LayerBase):
    """The mean of each channel."""

    kind: Literal["global_average_pool"] = "global_average_pool"


class GlobalMaxPool(LayerBase):
    """The largest value of each channel."""

    kind: Literal["global_max_pool"] = "global_max_pool"


class ZeroPadding(LayerBase):
    """Zeros around an image, or at both ends of a waveform."""

    kind: Literal["zero_padding"] = "zero_padding"
    before: Counts = Field(
        default=1, description="Pixels above and to the left, or samples before; one number for both"
    )
    after: Counts = Field(default=1, description="Pixels below and to the right, or samples after; one number for both")


class BatchNormalization(LayerBase):
    """Scale and offset of each channel that training keeps near zero mean and unit variance."""

    kind: Literal["batch_normalization"] = "batch_normalization"
    epsilon: float = Field(default=1e-3, gt=0.0, le=1.0, description="Added to the variance before its root")
    keep: bool = Field(
        default=False,
        description="Whether it stays a factor and an offset of each channel, in place of being folded into a layer"
        " beside it",
    )


class Dropout(LayerBase):
    """Sets a random share of the values to zero while training; identity afterwards."""

    kind: Literal["dropout"] = "dropout"
    rate: float = Field(default=0.5, ge=0.0, lt=1.0, description="Share of the values that is dropped")


class Flatten(LayerBase):
    """One long vector, rows first, channels last."""

    kind: Literal["flatten"] = "flatten"


class Dense(_Activated):
    """A fully connected layer."""

    kind: Literal["dense"] = "dense"
    units: Positive = Field(description="Number of outputs")


class Activation(LayerBase):
    """An activation as a layer of its own."""

    kind: Literal["activation"] = "activation"
    activation: Function = Field(
        description="relu, tanh, sigmoid, softmax, elu, swish, ..., or one with parameters such as relu(6)"
    )


class Add(LayerBase):
    """The sum of inputs of equal shape (residual connection)."""

    kind: Literal["add"] = "add"
    activation: ActivationKind | None = Field(default=None, description="Activation behind the sum")


class Concatenate(LayerBase):
    """The channels of its inputs side by side, or what is along another axis."""

    kind: Literal["concatenate"] = "concatenate"
    axis: Annotated[int, Field(ge=-1, le=2)] = Field(
        default=-1, description="Axis along which they are joined: -1 for the channels, 0 for rows, 1 for columns"
    )


class Subtract(LayerBase):
    """The first of two inputs of equal shape less the second."""

    kind: Literal["subtract"] = "subtract"


class Multiply(LayerBase):
    """The product of inputs of equal shape, element by element (a gate, squeeze and excitation)."""

    kind: Literal["multiply"] = "multiply"


class Maximum(LayerBase):
    """The larger of inputs of equal shape, element by element."""

    kind: Literal["maximum"] = "maximum"


class Minimum(LayerBase):
    """The smaller of inputs of equal shape, element by element."""

    kind: Literal["minimum"] = "minimum"


class Reshape(LayerBase):
    """The same elements in another shape, rows first, channels last."""

    kind: Literal["reshape"] = "reshape"
    shape: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=4, description="Sizes of the new axes")]


class Rearrange(LayerBase):
    """Axes swapped, then cropped, then every place repeated: crops, upsampling, transposed images."""

    kind: Literal["rearrange"] = "rearrange"
    order: tuple[Count, ...] | None = Field(
        default=None, description="Which axis of the input each axis is, counted from 0; as they are when left out"
    )
    before: tuple[Count, ...] | None = Field(
        default=None, description="How many places of each axis are left out at its beginning; none when left out"
    )
    after: tuple[Count, ...] | None = Field(
        default=None, description="How many places of each axis are left out at its end; none when left out"
    )
    repeats: tuple[Positive, ...] | None = Field(
        default=None, description="How many times each place of an axis stands; once when left out"
    )


Layer = Annotated[
    Conv2D
    | Conv1D
    | DepthwiseConv2D
    | DepthwiseConv1D
    | SeparableConv2D
    | SeparableConv1D
    | MaxPool
    | AveragePool
    | GlobalAveragePool
    | GlobalMaxPool
    | ZeroPadding
    | BatchNormalization
    | Dropout
    | Flatten
    | Dense
    | Activation
    | Add
    | Concatenate
    | Subtract
    | Multiply
    | Maximum
    | Minimum
    | Reshape
    | Rearrange,
    Field(discriminator="kind"),
]


class LayerList(BaseModel):
    """Layers in the order in which they are written."""

    model_config = SECTION

    layers: tuple[Layer, ...]


LAYER_KINDS: dict[str, type[LayerBase]] = {
    kind: layer for layer in get_args(get_args(Layer)[0]) for kind in get_args(layer.model_fields["kind"].annotation)
}
"""The class of a layer by each word that a project file has for it."""


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) of a size that may be one number."""
    return size if isinstance(size, tuple) else (size, size)
