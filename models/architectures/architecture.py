"""A network as a user describes it, and its normal form: one node a computation, every name and input
explicit.
"""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from siliconv.bounded_reading import SECTION
from siliconv.errors import ModelError
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.layers import ActivationKind, Layer, Positive

INPUT = "input"
MOST_INPUTS = 1 << 24
"""Values of one input: an image of 4,096 x 4,096 pixels."""


class Architecture(BaseModel):
    """A CNN: the shape of one input and the layers, in order.

    Two-dimensional inputs are (height, width, channels), one-dimensional ones (length, channels), vectors (features,).
    """

    model_config = SECTION

    input_shape: Annotated[
        tuple[Positive]
        | tuple[Positive, Positive]
        | tuple[Positive, Positive, Positive]
        | tuple[Positive, Positive, Positive, Positive],
        Field(description="[height, width, channels] of an image, [length, channels] of a waveform, or [features]"),
    ]
    layers: Annotated[tuple[Layer, ...], Field(min_length=1, description="The layers, in order")]
    inputs: Annotated[
        dict[str, tuple[Positive, ...]],
        Field(description="Name and shape of each of several inputs, whose rows are the input; none of a single one"),
    ] = {}
    outputs: Annotated[
        tuple[str, ...],
        Field(description="Layers that are the outputs, where there are several; the last layer joins them to rows"),
    ] = ()

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write a network of one input and one output as ever."""
        written: dict[str, Any] = write(self)
        return {key: value for key, value in written.items() if value or key not in ("inputs", "outputs")}

    @field_validator("input_shape")
    @classmethod
    def _fits_into_memory(cls, shape: tuple[int, ...]) -> tuple[int, ...]:
        if prod(shape) > MOST_INPUTS:
            raise ValueError(f"an input of {prod(shape):,} values; {MOST_INPUTS:,} are the most")
        return shape


class LayerNode(NamedTuple):
    """One layer with its name and the names of its inputs; `layer.name` and `layer.inputs` are set alike."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]


def named_layers(architecture: Architecture) -> tuple[LayerNode, ...]:
    """Give every layer its name and inputs, as written or by default.

    Raises
    ------
    ModelError
        ``MODEL-NAME`` when a name is used twice, ``MODEL-INPUT`` when an input is unknown, is a later layer,
        or when the number of inputs does not fit the kind.
    """
    nodes: list[LayerNode] = []
    count: Counter[str] = Counter()
    known = [INPUT]
    for layer in architecture.layers:
        count[layer.kind] += 1
        name = layer.name or f"{layer.kind}_{count[layer.kind]}"
        if name in known:
            raise ModelError(
                "MODEL-NAME",
                f"two layers are called {name!r}",
                where=f"model.layers[{len(nodes)}]",
                fix="give each layer a name of its own, or leave the names out ('input' is the image)",
            )
        inputs = layer.inputs if layer.inputs is not None else (known[-1],)
        _check_inputs(layer, name, inputs, known)
        nodes.append(LayerNode(name, layer.model_copy(update={"name": name, "inputs": inputs}), inputs))
        known.append(name)
    return tuple(nodes)


def normal_form(architecture: Architecture) -> tuple[LayerNode, ...]:
    """Rewrite the network with one node a computation: the form that models are built and quantized from.

    An activation on a layer becomes a node ``<name>_relu`` behind it, and readers of the layer read that
    node;
    a separable convolution becomes ``<name>_depthwise`` and the 1x1 convolution ``<name>``.
    """
    nodes: list[LayerNode] = []
    result: dict[str, str] = {INPUT: INPUT}

    def append(layer: Layer, name: str, inputs: tuple[str, ...]) -> None:
        nodes.append(LayerNode(name, layer.model_copy(update={"name": name, "inputs": inputs}), inputs))

    for name, layer, written_inputs in named_layers(architecture):
        inputs = tuple(result[source] for source in written_inputs)
        activation: ActivationKind | None = getattr(layer, "activation", None)
        if isinstance(layer, kinds.Activation):
            append(layer, name, inputs)
            activation = None
        elif isinstance(layer, kinds.SeparableConv2D | kinds.SeparableConv1D):
            depthwise, pointwise = _split_separable(layer)
            append(depthwise, f"{name}_depthwise", inputs)
            append(pointwise, name, (f"{name}_depthwise",))
        else:
            plain = layer.model_copy(update={"activation": None}) if activation else layer
            append(plain, name, inputs)
        result[name] = name
        if activation is not None:
            append(kinds.Activation(activation=activation), f"{name}_{activation}", (name,))
            result[name] = f"{name}_{activation}"
    _check_unique([node.name for node in nodes])
    return tuple(nodes)


def output_activation(architecture: Architecture) -> Literal["sigmoid", "softmax"] | None:
    """Return the sigmoid or softmax that turns the network's logits into probabilities, if it is written.

    None where there are several outputs, each with a function of its own (`siliconv.models.architectures.ports`).
    """
    *before, last = architecture.layers
    activation = getattr(last, "activation", None)
    if isinstance(last, kinds.Activation) and all(isinstance(layer, kinds.Dropout) for layer in before):
        # Nothing gives logits: it is a function of the input, as any other.
        return None
    return activation if activation in ("sigmoid", "softmax") else None


def without_output_activation(architecture: Architecture) -> Architecture:
    """Return the network that ends with its logits."""
    if output_activation(architecture) is None:
        return architecture
    *before, last = architecture.layers
    if isinstance(last, kinds.Activation):
        return architecture.model_copy(update={"layers": tuple(before)})
    return architecture.model_copy(update={"layers": (*before, last.model_copy(update={"activation": None}))})


def _check_inputs(layer: Layer, name: str, inputs: tuple[str, ...], known: list[str]) -> None:
    for source in inputs:
        if source not in known:
            raise ModelError(
                "MODEL-INPUT",
                f"layer {name!r} reads {source!r}, which is no layer before it",
                where=f"layer {name}",
                fix="use one of: " + ", ".join(known),
            )
    merges = isinstance(layer, _MERGES)
    if merges != (len(inputs) >= 2) or (isinstance(layer, kinds.Subtract) and len(inputs) != 2):
        raise ModelError(
            "MODEL-INPUT",
            f"layer {name!r} of kind {layer.kind} has {len(inputs)} input(s)",
            where=f"layer {name}",
            fix="write inputs: [one_layer, another_layer]" if merges else "give it exactly one input",
        )


_MERGES = kinds.Add | kinds.Concatenate | kinds.Subtract | kinds.Multiply | kinds.Maximum | kinds.Minimum


def _check_unique(names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise ModelError(
                "MODEL-NAME",
                f"the name {name!r} is taken by the activation or depthwise part of another layer",
                where=f"layer {name}",
                fix="rename the layer that is called so",
            )


def _split_separable(layer: kinds.SeparableConv2D | kinds.SeparableConv1D) -> tuple[Layer, Layer]:
    if isinstance(layer, kinds.SeparableConv2D):
        return (
            kinds.DepthwiseConv2D(kernel=layer.kernel, stride=layer.stride, padding=layer.padding, use_bias=False),
            kinds.Conv2D(filters=layer.filters, kernel=1, use_bias=layer.use_bias),
        )
    return (
        kinds.DepthwiseConv1D(kernel=layer.kernel, stride=layer.stride, padding=layer.padding, use_bias=False),
        kinds.Conv1D(filters=layer.filters, kernel=1, use_bias=layer.use_bias),
    )
