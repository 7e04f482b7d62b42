"""The firmware that a project will have, as far as it is known before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from siliconv.hardware.boards import Board
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.layer_list import LayerDescription
from siliconv.hls.conversion.layer_settings import choose_strategy
from siliconv.hls.conversion.reuse_factors import legal_reuse_factors, shared_products, smallest_legal
from siliconv.hls.kinds import IoType, LayerKind, Strategy
from siliconv.models.architectures.shapes import Moves
from siliconv.network.fixed_point import PIXEL, FixedPoint
from siliconv.network.graph import Matrix, Network, Shape
from siliconv.quantize.qkeras.weight_levels import stored_bits
from siliconv.quantize.recipe import Recipe

INPUT = "input"
"""What the image is called among the sources of a layer."""


@dataclass(frozen=True)
class PlannedLayer:
    """One layer as it is deployed: no activation of its own, no dropout, no batch normalization.

    Parameters
    ----------
    name, kind
        As in the project file's normal form: ``conv2d``, ``activation``, ``max_pool``, ...
    sources
        Names of the layers that it reads; `INPUT` is the image.
    inputs, output
        Shapes, channels last.
    matrix
        Which kind of matrix-vector product is in it, or None.
    activation
        The function of an activation layer.
    window, strides, padding
        Per spatial axis, of what slides a window (global pooling too); ``padding`` is what is added in all.
    has_bias
        Of a layer with weights.
    moves
        Of a layer that only moves elements.
    axis
        Along which tensors are joined; -1 for the channels.
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    inputs: tuple[Shape, ...]
    output: Shape
    matrix: LayerKind | None = None
    activation: str | None = None
    window: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    has_bias: bool = True
    moves: Moves | None = None
    axis: int = -1

    @property
    def n_in(self) -> int:
        """Inputs of the matrix-vector product."""
        return prod(self.window) * self.inputs[0][-1]

    @property
    def n_out(self) -> int:
        """Outputs of the matrix-vector product."""
        return self.output[-1]

    @property
    def products(self) -> int:
        """Multiplications for one output pixel."""
        return self.n_in if self.matrix is not None and self.matrix.is_depthwise else self.n_in * self.n_out

    @property
    def multiplications(self) -> int:
        """Multiplications for one image."""
        return self.products * prod(self.output[:-1]) if self.matrix is not None else 0


@dataclass(frozen=True, eq=False)
class Plan:
    """A project's network and the settings of its firmware.

    Parameters
    ----------
    layers
        In the order of the data, ending with the logits.
    output_activation
        The sigmoid or softmax behind the logits, or None.
    recipe, hls
        Bits and firmware settings.
    board
        The board that carries the part, or None if it is none of those known.
    network
        The integer network of an earlier build of these layers, or None.
    taken
        Whether the network is a QKeras model's that was taken as it is: its bits are those of the network.
    input_type
        Of the input, as far as it is known.
    ends
        Of several outputs, layers whose logits a sigmoid or softmax stands behind, and which.
    ports
        Numbers of inputs and of outputs.
    """

    name: str
    layers: tuple[PlannedLayer, ...]
    output_activation: str | None
    recipe: Recipe
    hls: HlsConfig
    board: Board | None = None
    network: Network | None = None
    taken: bool = False
    input_type: FixedPoint = PIXEL
    ends: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, int] = (1, 1)

    @property
    def matrices(self) -> tuple[PlannedLayer, ...]:
        """The layers with weights."""
        return tuple(layer for layer in self.layers if layer.matrix is not None)

    @property
    def io_type(self) -> IoType:
        """Streams or whole tensors."""
        return IoType(self.hls.io_type)

    def weight_bits(self, layer: PlannedLayer) -> int:
        """Bits of each weight of a layer."""
        if self.taken:
            return self._matrix(layer).kernel.type.width
        return stored_bits(self.recipe.bits(layer.name).weights or self.recipe.weights)

    def bias_bits(self, layer: PlannedLayer) -> int:
        """Bits of each bias of a layer; one where there is none."""
        if self.taken:
            return self._matrix(layer).bias.type.width
        return (self.recipe.bits(layer.name).biases or self.recipe.biases) if layer.has_bias else 1

    def input_bits(self, layer: PlannedLayer) -> int:
        """Bits of each value that a layer multiplies: pixels, or activations behind a layer with weights."""
        if self.taken and self.network is not None:
            return self.network.sources(self._matrix(layer))[0].type.width
        for before in self.before(layer):
            if before.matrix is not None:
                return self.recipe.bits(before.name).activations or self.recipe.activations
        return self.input_type.width

    def _matrix(self, layer: PlannedLayer) -> Matrix:
        assert self.network is not None  # a network that is taken is there
        node = self.network.by_name[layer.name]
        assert isinstance(node, Matrix)  # asked of layers with weights only
        return node

    def before(self, layer: PlannedLayer) -> Iterator[PlannedLayer]:
        """Yield the layers on the way back from a layer to the image, along first inputs."""
        by_name = {one.name: one for one in self.layers}
        name = layer.sources[0]
        while name in by_name:
            yield by_name[name]
            name = by_name[name].sources[0]

    def strategy(self, layer: PlannedLayer) -> Strategy:
        """Give the strategy that a layer will have."""
        described = LayerDescription({}, {}, (layer.n_in, layer.n_out), layer.matrix)
        return choose_strategy(layer.name, described, self.hls) or self.hls.strategy

    def legal_reuse(self, layer: PlannedLayer) -> tuple[int, ...] | range:
        """Give the legal reuse factors of a layer with weights."""
        assert layer.matrix is not None  # asked of layers with weights only
        found = legal_reuse_factors(
            layer.n_in, layer.n_out, self.strategy(layer), kind=layer.matrix, io_type=self.hls.product_io_type
        )
        return found if isinstance(found, range) else tuple(found)

    def reuse_factor(self, layer: PlannedLayer) -> int | None:
        """Give the reuse factor that a layer will have, or None if there is no legal one."""
        legal = self.legal_reuse(layer)
        asked = self.hls.reuse_factors.get(layer.name)
        if asked is not None:
            return asked if asked in legal else None
        assert layer.matrix is not None  # asked of layers with weights only
        products = shared_products(layer.n_in, layer.n_out, self.strategy(layer), layer.matrix)
        return smallest_legal(legal, products, self.hls.max_multipliers)
