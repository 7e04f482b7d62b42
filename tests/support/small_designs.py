"""Small designs for the estimator, the stream model and the fit."""

from siliconv.hls.design.design import Design, ElementwiseLayer, FixedType, MatrixLayer, PoolLayer, Tensor
from siliconv.hls.kinds import Backend, IoType, LayerKind, Strategy

PIXEL, WEIGHT, WIDE = FixedType(8, 2), FixedType(6, 1), FixedType(20, 8)


def convolution(name, size, channels, filters, reuse_factor, strategy):
    return MatrixLayer(
        name,
        Tensor((size, size, channels), PIXEL),
        Tensor((size - 2, size - 2, filters), WIDE),
        kind=LayerKind.CONV2D,
        weight=WEIGHT,
        bias=WEIGHT,
        accumulator=WIDE,
        kernel=(3, 3),
        stride=(1, 1),
        reuse_factor=reuse_factor,
        strategy=strategy,
    )


def network(reuse_factors, *, backend=Backend.VITIS, strategy=Strategy.RESOURCE, size=16, filters=(4, 8)):
    first = convolution("conv_1", size, 3, filters[0], reuse_factors[0], strategy)
    relu = ElementwiseLayer("relu", first.output, Tensor(first.output.shape, PIXEL))
    half = (size - 2) // 2
    pool = PoolLayer("pool", relu.output, Tensor((half, half, filters[0]), PIXEL), kernel=(2, 2), stride=(2, 2))
    second = convolution("conv_2", half, filters[0], filters[1], reuse_factors[1], strategy)
    dense = MatrixLayer(
        "dense",
        Tensor(second.output.shape, PIXEL),
        Tensor((4,), WIDE),
        kind=LayerKind.DENSE,
        weight=WEIGHT,
        bias=WEIGHT,
        accumulator=WIDE,
        reuse_factor=reuse_factors[2],
        strategy=strategy,
    )
    layers = (first, relu, pool, second, dense)
    return Design("test", layers, "xczu7ev-ffvc1156-2-e", 5.0, backend, IoType.STREAM)
