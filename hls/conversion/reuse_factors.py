"""The reuse and parallelization factors that hls4ml's templates compute correctly with.

hls4ml's own list (`FPGABackend.get_valid_reuse_factors`) is what it snaps to; it contains factors that a
template cannot honour (hls4ml #817). The sets here are the ones that pass both: hls4ml leaves them alone
and the template's loops visit every product exactly once. Sources, hls4ml 1.3.0, templates/vivado and
templates/vitis: nnet_dense_resource.h, nnet_conv{1,2}d_resource.h, nnet_depthwise_product.h,
nnet_sepconv{1,2}d.h.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from siliconv.errors import FirmwareError
from siliconv.hls.kinds import IoType, LayerKind, Strategy


def divisors(number: int) -> tuple[int, ...]:
    """Return the divisors of a positive number in ascending order."""
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return tuple(sorted({*small, *(number // d for d in small)}))


def legal_reuse_factors(
    n_in: int,
    n_out: int,
    strategy: Strategy | str,
    *,
    kind: LayerKind | str = LayerKind.DENSE,
    io_type: IoType | str = IoType.STREAM,
) -> Sequence[int]:
    """Return the legal reuse factors of one matrix-vector product, ascending; empty when there is none.

    Parameters
    ----------
    n_in
        Inputs of the product: kernel pixels x input channels for a convolution, depthwise included.
    n_out
        Its outputs: filters, for a depthwise convolution its channels.
    strategy, kind, io_type
        What decides which template computes the product.

    Notes
    -----
    - Latency: the factor is the initiation interval asked for; any is correct, those above the number of
      products change nothing more.
    - Resource: the block of `n_in * n_out / reuse` products must hold whole outputs, so the factor divides
      `n_in`, or is `n_in` times a divisor of `n_out`. The io_parallel convolution has only the first loop
      (hls4ml #817: Vivado stops at an assertion, Vitis reads beyond its buffer).
    - Resource, depthwise: there are only `n_in` products and the factor divides their number. In
      io_parallel the template does not exist.
    - Resource, unrolled: as Resource without 1 and without the largest, which hls4ml replaces; not for
      io_parallel convolutions.
    - Distributed arithmetic has no multipliers to reuse: 1.
    """
    strategy, kind, io_type = Strategy(strategy), LayerKind(kind), IoType(io_type)
    if n_in < 1 or n_out < 1:
        raise FirmwareError(
            "REUSE-SHAPE",
            f"a product of {n_in} inputs and {n_out} outputs",
            where="legal_reuse_factors",
            fix="pass kernel pixels x channels as inputs and the filters as outputs, both at least 1",
        )
    products = n_in if kind.is_depthwise else n_in * n_out
    if strategy is Strategy.LATENCY:
        return range(1, products + 1)
    if strategy is Strategy.DISTRIBUTED_ARITHMETIC:
        return () if kind.is_depthwise else (1,)
    parallel_convolution = kind.is_convolution and io_type is IoType.PARALLEL
    if kind.is_depthwise:
        # hls4ml has no unrolled template for depthwise convolutions: it falls back to Latency.
        unsupported = io_type is IoType.PARALLEL or strategy is Strategy.RESOURCE_UNROLLED
        return () if unsupported else divisors(n_in)
    if parallel_convolution and strategy is Strategy.RESOURCE_UNROLLED:
        return ()
    factors = divisors(n_in)
    if not parallel_convolution:
        factors += tuple(n_in * d for d in divisors(n_out) if d > 1)
    return factors[1:-1] if strategy is Strategy.RESOURCE_UNROLLED else factors


def nearest_legal(reuse_factor: int, legal: Sequence[int]) -> tuple[int, ...]:
    """Return the legal factors next to the one asked for: itself, or the one below and the one above."""
    position = bisect_left(legal, reuse_factor)
    if position < len(legal) and legal[position] == reuse_factor:
        return (reuse_factor,)
    return tuple(legal[max(position - 1, 0) : position + 1])


def check_reuse_factor(
    reuse_factor: int,
    n_in: int,
    n_out: int,
    strategy: Strategy | str,
    *,
    kind: LayerKind | str = LayerKind.DENSE,
    io_type: IoType | str = IoType.STREAM,
    layer: str = "",
) -> None:
    """Raise `FirmwareError` REUSE-ILLEGAL with the nearest legal factors unless the factor is legal."""
    legal = legal_reuse_factors(n_in, n_out, strategy, kind=kind, io_type=io_type)
    if reuse_factor in legal:
        return
    where = f"layer {layer}" if layer else f"a {kind} layer of {n_in} inputs and {n_out} outputs"
    if not legal:
        raise no_template(strategy, kind, io_type, where)
    nearest = " or ".join(str(factor) for factor in nearest_legal(reuse_factor, legal))
    raise FirmwareError(
        "REUSE-ILLEGAL",
        f"reuse factor {reuse_factor} is not legal with the {strategy} strategy",
        where=where,
        fix=f"use {nearest}; legal are {_shown(legal)}",
    )


def no_template(strategy: Strategy | str, kind: LayerKind | str, io_type: IoType | str, where: str) -> FirmwareError:
    """Give the error that there is no template for a layer, with any reuse factor."""
    return FirmwareError(
        "REUSE-STRATEGY",
        f"hls4ml has no {strategy} template for a {kind} layer with {io_type}",
        where=where,
        fix="use the latency strategy for this layer, or io_stream with the resource strategy",
    )


def shared_products(n_in: int, n_out: int, strategy: Strategy, kind: LayerKind) -> int:
    """Return the products that multipliers are needed for; none with distributed arithmetic, which only adds."""
    if strategy is Strategy.DISTRIBUTED_ARITHMETIC:
        return 0
    return n_in if kind.is_depthwise else n_in * n_out


def smallest_legal(legal: Sequence[int], products: int, most_multipliers: int) -> int | None:
    """Return the smallest legal factor that needs at most so many multipliers, or None.

    The multipliers of a factor are `products / factor`, rounded up.
    """
    return next((factor for factor in legal if -(-products // factor) <= most_multipliers), None)


def legal_parallelization_factors(out_pixels: int, *, io_type: IoType | str) -> tuple[int, ...]:
    """Return how many output pixels of a convolution may be computed at once.

    A stream delivers one pixel at a time, so only 1; io_parallel splits the output pixels into equal
    partitions (`FPGABackend.get_valid_conv_partition_splits`).
    """
    return (1,) if IoType(io_type) is IoType.STREAM else divisors(out_pixels)


def _shown(legal: Sequence[int], most: int = 12) -> str:
    if isinstance(legal, range):
        return f"{legal[0]} to {legal[-1]}"
    head = ", ".join(str(factor) for factor in legal[:most])
    return head if len(legal) <= most else f"{head}, ... {legal[-1]}"
