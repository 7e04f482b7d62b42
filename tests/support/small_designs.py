"""Small designs for the estimator, the stream model and the fit."""

from siliconv.hls.design.design import Design, ElementwiseLayer, FixedType, MatrixLayer, PoolLayer, Tensor
from siliconv.hls.kinds import Backend, IoType, LayerKind, Strategy

PIXEL, WEIGHT, WIDE = FixedType(8, 2), FixedType(6, 1), FixedType(20, 8)


def matrix(name, inputs, outputs, kind=LayerKind.DENSE, **settings):
    """A layer with weights, between tensors of these shapes."""
    types = {"weight": WEIGHT, "bias": WEIGHT, "accumulator": WIDE}
    return MatrixLayer(name, Tensor(inputs, PIXEL), Tensor(outputs, WIDE), kind=kind, **types, **settings)


def convolution(name, inputs, outputs, **settings):
    """A convolution with windows of 3x3."""
    return matrix(name, inputs, outputs, LayerKind.CONV2D, kernel=(3, 3), stride=(1, 1), **settings)


def network(reuse_factors, *, backend=Backend.VITIS, strategy=Strategy.RESOURCE, size=16, filters=(4, 8)):
    def settings(index):
        return {"reuse_factor": reuse_factors[index], "strategy": strategy}

    first = convolution("conv_1", (size, size, 3), (size - 2, size - 2, filters[0]), **settings(0))
    relu = ElementwiseLayer("relu", first.output, Tensor(first.output.shape, PIXEL))
    half = (size - 2) // 2
    pool = PoolLayer("pool", relu.output, Tensor((half, half, filters[0]), PIXEL), kernel=(2, 2), stride=(2, 2))
    second = convolution("conv_2", (half, half, filters[0]), (half - 2, half - 2, filters[1]), **settings(1))
    layers = (first, relu, pool, second, matrix("dense", second.output.shape, (4,), **settings(2)))
    return Design("test", layers, "xczu7ev-ffvc1156-2-e", 5.0, backend, IoType.STREAM)
