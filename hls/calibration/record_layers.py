"""The layers of a synthesis record: from the fields of `parameters.h` to the layers of a design.

Missing fields are filled with hls4ml's defaults, unknown layer types become `UnknownLayer`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from siliconv.hls.design.design import (
    ElementwiseLayer,
    FixedType,
    GlobalPoolLayer,
    Layer,
    MatrixLayer,
    MergeLayer,
    PaddingLayer,
    PoolLayer,
    ResizeLayer,
    SoftmaxLayer,
    Tensor,
    UnknownLayer,
)
from siliconv.hls.kinds import LayerKind, Strategy
from siliconv.hls.weight_statistics import WeightStatistics, from_counts, typical

Fields = Mapping[str, Any]

DEFAULT_TYPE = FixedType(16, 6)


def fixed_type(spelled: str | None, default: FixedType = DEFAULT_TYPE) -> FixedType:
    """Return the type of `ap_ufixed<6,0,AP_RND,AP_SAT>`, `ap_int<6>` or "4 bit (...)", else the default."""
    text = str(spelled or "")
    if match := re.match(r"\s*(?:ap_|ac_)?(u?)(fixed|int)<([^>]*)>", text):
        parts = [part.strip() for part in match.group(3).split(",")]
        width = int(parts[0])
        integer = int(parts[1]) if match.group(2) == "fixed" and len(parts) > 1 else width
        modes = " ".join(parts[1:])
        rounds = "RND" in modes
        return FixedType(width, integer, not match.group(1), rounds, "SAT" in modes)
    if match := re.match(r"\s*(\d+)\s*bit", text):
        return FixedType(int(match.group(1)), 1)
    return default


def expanded(fields: Fields) -> list[Fields]:
    """Split a separable convolution into the two layers that its template runs one after the other."""
    if "depthwise" not in fields or "pointwise" not in fields:
        return [fields]
    suffix = "2d" if "2d" in str(fields.get("type")) else "1d"
    return [
        {"name": f"{fields.get('name')}_{part}", "config": f"{fields.get('config')}_{part}", **kind}
        for part, kind in (
            ("depthwise", {**fields["depthwise"], "type": f"depthwise_conv_{suffix}_cl"}),
            ("pointwise", {**fields["pointwise"], "type": f"conv_{suffix}_cl"}),
        )
    ]


def layer_of(fields: Fields, before: Tensor) -> Layer:
    """Return the layer of its fields, given the tensor that the layer before puts out."""
    type_name = str(fields.get("type") or "")
    for pattern, build in _BUILDERS:
        if re.search(pattern, type_name):
            try:
                return build(fields, before)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                # Somebody else's file: a field that cannot be read makes the layer an unknown one.
                return UnknownLayer(_name(fields), before, before, type_name=f"{type_name}, unreadable")
    try:
        input_tensor = _input(fields, before)
        output = _output(fields, input_tensor)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        input_tensor = output = before
    return UnknownLayer(_name(fields), input_tensor, output, type_name=type_name)


def _whole(value: Any) -> int:
    """Return a whole number that is not negative; raises ValueError or TypeError for anything else."""
    number = int(value)
    if number < 0:
        raise ValueError(value)
    return number


def _sizes(stated: Any) -> tuple[int, ...]:
    """Return sizes of at least one; raises ValueError or TypeError for anything else."""
    sizes = tuple(int(size) for size in stated or ())
    if any(size < 1 for size in sizes):
        raise ValueError(stated)
    return sizes


def _name(fields: Fields) -> str:
    return str(fields.get("name") or fields.get("type") or "layer")


def _shape(stated: Any, channels: int) -> tuple[int, ...] | None:
    if not isinstance(stated, list) or not stated:
        return None
    return _sizes([size if size is not None else max(channels, 1) for size in stated])


def _input(fields: Fields, before: Tensor) -> Tensor:
    """Return the input tensor: as stated, else what the layer before puts out, else a vector."""
    element = fixed_type(fields.get("input_precision"), before.type)
    shape = _shape(fields.get("in_shape"), before.channels)
    if shape is None:
        size = _whole(fields.get("n_in") or before.size or 1)
        matching = before.size == size and before.size > 0
        packed = int(fields.get("out_pack") or 0)
        shape = before.shape if matching else (size // packed, packed) if 0 < packed < size else (size,)
    return Tensor(shape, element)


def _output(fields: Fields, input_tensor: Tensor, channels: int | None = None) -> Tensor:
    element = fixed_type(fields.get("result_precision"), input_tensor.type)
    shape = _shape(fields.get("out_shape"), channels or input_tensor.channels)
    return Tensor(shape or input_tensor.shape, element)


def _matrix(fields: Fields, before: Tensor) -> Layer:
    type_name = str(fields.get("type"))
    dimensions = "1d" if "1d" in type_name else "2d"
    if "dense" in type_name:
        kind = LayerKind.DENSE
    else:
        kind = LayerKind(("depthwise" if "depthwise" in type_name else "conv") + dimensions)
    # `n_in` of a convolution is that of its matrix, not of its image.
    image = fields if kind is LayerKind.DENSE else {**fields, "n_in": None}
    input_tensor = _input(image, before)
    default = FixedType(DEFAULT_TYPE.width, DEFAULT_TYPE.integer)
    weight = fixed_type(fields.get("weight_precision"), default)
    output = _output(fields, input_tensor)
    if kind is LayerKind.DENSE:
        output = Tensor((_whole(fields.get("n_out") or 1),), fixed_type(fields.get("result_precision"), default))
    spelled = str(fields.get("strategy") or "latency").lower()
    strategy = Strategy(spelled) if spelled in set(Strategy) else Strategy.LATENCY
    if type_name == "dense_large":
        strategy = Strategy.RESOURCE
    kernel = _sizes(fields.get("kernel"))
    if "pointwise" in type_name and not kernel:
        kernel = (1,) * (2 if dimensions == "2d" else 1)
    padding = fields.get("padding")
    n_partitions = int(fields.get("n_partitions") or 0)
    reuse_factor = _whole(fields.get("reuse_factor") or 0)
    if not reuse_factor:
        # Not stated: what users mostly run, one output at a time for Resource, all at once for Latency.
        inputs = _whole(fields.get("n_in") or prod(kernel) * input_tensor.channels)
        reuse_factor = inputs if strategy is Strategy.RESOURCE else 1
    return MatrixLayer(
        _name(fields),
        input_tensor,
        output,
        kind=kind,
        weight=weight,
        bias=fixed_type(fields.get("bias_precision"), weight),
        accumulator=fixed_type(fields.get("accum_precision"), default),
        kernel=kernel,
        stride=_sizes(fields.get("stride")) or (1,) * len(kernel),
        padding=tuple(int(size) for size in padding) if isinstance(padding, list) else (),
        reuse_factor=reuse_factor,
        strategy=strategy,
        parallelization_factor=max(output.pixels // n_partitions, 1) if n_partitions else 1,
        weights=_statistics(fields, weight),
    )


def _statistics(fields: Fields, weight: FixedType) -> WeightStatistics | None:
    """Return the counts of the largest weight file, or of the zero count alone."""
    counted = (fields.get("weights") or {}).values()
    files = [entry for entry in counted if entry.get("nonzero_q") is not None and entry.get("pow2_q") is not None]
    if files:
        largest = max(files, key=lambda entry: int(entry["n"]))
        return from_counts(
            int(largest["n"]),
            int(largest["nonzero_q"]),
            int(largest["pow2_q"]),
            largest.get("distinct_abs_q"),
            width=weight.width,
        )
    n = _products(fields)
    nonzero = fields.get("nonzero_weights", fields.get("n_nonzeros"))
    if nonzero is None and fields.get("n_zeros") is not None and n:
        nonzero = n - int(fields["n_zeros"])
    if nonzero is None or not n:
        return None
    return typical(
        n,
        inputs=_whole(fields.get("n_in") or 1),
        fraction=weight.width - weight.integer,
        width=weight.width,
        nonzero=max(int(nonzero), 0),
    )


def _products(fields: Fields) -> int:
    n_in, n_out = fields.get("n_in"), fields.get("n_out")
    if n_in and n_out:
        return int(n_in) if "depthwise" in str(fields.get("type")) else int(n_in) * int(n_out)
    return 0


def _pool(fields: Fields, before: Tensor) -> Layer:
    input_tensor = _input(fields, before)
    kernel = _sizes(fields.get("kernel")) or (2,) * max(len(input_tensor.shape) - 1, 1)
    return PoolLayer(
        _name(fields),
        input_tensor,
        _output(fields, input_tensor),
        kernel=kernel,
        stride=_sizes(fields.get("stride")) or kernel,
        average="av" in str(fields.get("pool_op") or "max").lower(),
    )


def _global_pool(fields: Fields, before: Tensor) -> Layer:
    channels = _whole(fields.get("n_filt") or before.channels or 1)
    pixels = before.shape[:-1] or (_whole(fields.get("n_in") or 1),)
    input_tensor = Tensor((*pixels, channels), fixed_type(fields.get("input_precision"), before.type))
    output = Tensor((channels,), fixed_type(fields.get("result_precision"), before.type))
    average = "av" in str(fields.get("pool_op") or fields.get("name") or "").lower()
    return GlobalPoolLayer(_name(fields), input_tensor, output, average=average)


def _elementwise(fields: Fields, before: Tensor) -> Layer:
    input_tensor = _input(fields, before)
    function = str(fields.get("type")).removesuffix("_me")
    scale = fixed_type(fields.get("scale_precision"))
    return ElementwiseLayer(
        _name(fields),
        input_tensor,
        Tensor(input_tensor.shape, fixed_type(fields.get("result_precision"), input_tensor.type)),
        function=function,
        table_size=_whole(fields.get("table_size") or 1024),
        table_type=fixed_type(fields.get("table_precision"), FixedType(18, 8)),
        reuse_factor=_whole(fields.get("reuse_factor") or 1),
        weights=_statistics(fields, scale) if function == "normalize" else None,
    )


def _softmax(fields: Fields, before: Tensor) -> Layer:
    input_tensor = _input(fields, before)
    return SoftmaxLayer(
        _name(fields),
        input_tensor,
        _output(fields, input_tensor),
        implementation=str(fields.get("implementation") or "stable"),
        table_size=_whole(fields.get("table_size") or 1024),
    )


def _padding(fields: Fields, before: Tensor) -> Layer:
    input_tensor = _input(fields, before)
    return PaddingLayer(_name(fields), input_tensor, _output(fields, input_tensor))


def _resize(fields: Fields, before: Tensor) -> Layer:
    input_tensor = _input(fields, before)
    if fields.get("out_shape") or len(input_tensor.shape) < 2:
        return ResizeLayer(_name(fields), input_tensor, _output(fields, input_tensor))
    doubled = (*(2 * size for size in input_tensor.shape[:-1]), input_tensor.channels)
    return ResizeLayer(_name(fields), input_tensor, Tensor(doubled, input_tensor.type))


def _merge(fields: Fields, before: Tensor) -> Layer:
    input_tensor = _input(fields, before)
    function = re.sub(r"\d+d$", "", str(fields.get("type")))
    output = _output(fields, input_tensor)
    if function == "concatenate" and not fields.get("out_shape"):
        output = Tensor(_concatenated(fields) or output.shape, output.type)
    return MergeLayer(_name(fields), input_tensor, output, function=function)


def _concatenated(fields: Fields) -> tuple[int, ...]:
    """Return the shape of two tensors along their last axis, from the sizes that `concat_config` states."""
    first, second = (
        [_whole(size) for size in (fields.get(f"n_elem{number}_{axis}") or 0 for axis in range(3)) if size]
        for number in (1, 2)
    )
    return (*first[:-1], first[-1] + second[-1]) if first and second else ()


_BUILDERS: tuple[tuple[str, Callable[[Fields, Tensor], Layer]], ...] = (
    (r"conv_?[12]d|^dense", _matrix),
    (r"global_pooling", _global_pool),
    (r"pooling", _pool),
    (r"softmax|argmax", _softmax),
    (r"relu|elu|sigmoid|tanh|^linear|normalize|selu|soft(plus|sign)|quantize|activation", _elementwise),
    (r"zeropad", _padding),
    (r"resize|transpose|repack|clone|cropping|reshape", _resize),
    (r"^(add|subtract|multiply|average|maximum|minimum|dot|concatenate)", _merge),
)
