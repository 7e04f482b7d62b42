"""Layers of our own, added through hls4ml's extension interface where its templates refuse something or are not exact.

A layer is a C++ kernel in `templates/nnet_utils`, a configuration struct, a call, and the tables that it reads.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from siliconv.hls.backends import BACKENDS
from siliconv.models import legacy_keras

# hls4ml imports TensorFlow, and the first to import it in a process decides which Keras it is bound to.
legacy_keras.load()

from hls4ml.backends.backend import get_backend  # noqa: E402
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate  # noqa: E402
from hls4ml.model.attributes import Attribute, TypeAttribute, WeightAttribute  # noqa: E402
from hls4ml.model.layers import Layer, register_layer  # noqa: E402

KERNELS = Path(__file__).parent / "templates" / "nnet_utils"
DIALECTS = Path(__file__).parent / "templates" / "dialects"
"""What the kernels need of a back end's library of number types and streams, in a header of the same name each."""


class OwnLayer(Layer):
    """A layer whose output shape, types and tables are attributes that the layer list states."""

    kernel: ClassVar[str]
    """File name of the C++ header."""
    config: ClassVar[str]
    """The configuration struct; `index` and the layer's attributes stand in braces."""
    call: ClassVar[str]
    """The call; `input`, `output`, their types, `config` and each table's name stand in braces."""
    type_names: ClassVar[tuple[str, ...]] = ()
    """Types besides the result's, each stated as a precision."""
    tables: ClassVar[tuple[str, ...]] = ()
    """Tables: the data of NAME is the attribute NAME_data."""

    def initialize(self) -> None:
        """Declare the output, the types and the tables, as hls4ml's layers do."""
        self.add_output_variable(list(self.get_attr("output_shape")))
        for name in self.type_names:
            self._set_type_t(name)
        for name in self.tables:
            self.add_weights_variable(name=name, var_name=f"{name}{{index}}", data=self.get_attr(f"{name}_data"))


class TableLayer(OwnLayer):
    """A function of one element by look-up; its table is in the order of the input's raw bits.

    hls4ml's own sigmoid computes its table with the C++ compiler's `exp` in single precision, so its bits depend on
    the machine that compiles, and it reads the table through a scaling that rounds (hls4ml #353). Here the table is
    data: integers from the integer network, one for each input code.
    """

    _expected_attributes = [  # noqa: RUF012  (hls4ml reads this class attribute as a list)
        *(Attribute(name) for name in ("n_in", "index_width", "table_size")),
        WeightAttribute("table"),
        TypeAttribute("table"),
    ]
    tables = ("table",)
    kernel = "nnet_table.h"
    config = """struct config{index} : nnet::table_config {{
    static const unsigned n_in = {n_in};
    static const unsigned index_width = {index_width};
    static const unsigned table_size = {table_size};
    typedef {table_t.name} table_t;
}};\n"""
    call = "nnet::table_lookup<{input_t}, {output_t}, {config}>({input}, {output}, {table});"


class WindowPool(OwnLayer):
    """Pooling over windows that overlap, leave gaps or hang over the edge.

    hls4ml's stream template stops at an assertion for padding, and in two dimensions for strides other than the
    window (hls4ml #617); its array template pads the maximum of unsigned values with the middle of their range, which
    wins.
    """

    _expected_attributes = [  # noqa: RUF012
        *(
            Attribute(name)
            for name in (
                *("in_height", "in_width", "out_height", "out_width", "n_chan", "pool_height", "pool_width"),
                *("stride_height", "stride_width", "pad_top", "pad_left"),
            )
        ),
        Attribute("average", value_type=bool),
        TypeAttribute("accum"),
    ]
    kernel = "nnet_window_pool.h"
    config = """struct config{index} : nnet::window_pool_config {{
    static const int in_height = {in_height};
    static const int in_width = {in_width};
    static const int out_height = {out_height};
    static const int out_width = {out_width};
    static const int n_chan = {n_chan};
    static const int pool_height = {pool_height};
    static const int pool_width = {pool_width};
    static const int stride_height = {stride_height};
    static const int stride_width = {stride_width};
    static const int pad_top = {pad_top};
    static const int pad_left = {pad_left};
    static const bool average = {average};
    typedef {accum_t.name} accum_t;
}};\n"""
    call = "nnet::window_pool<{input_t}, {output_t}, {config}>({input}, {output});"


class WideRequantize(OwnLayer):
    """A requantization that drops more bits than its input has, through a type wide enough to drop them from.

    The `ap_fixed` headers abort in C simulation where a rounding other than TRN does that.
    """

    _expected_attributes = [Attribute("n_in"), Attribute("relu", value_type=bool), TypeAttribute("wide")]  # noqa: RUF012
    type_names = ("wide",)
    kernel = "nnet_wide_requantize.h"
    config = """struct config{index} : nnet::wide_requantize_config {{
    static const unsigned n_in = {n_in};
    static const bool relu = {relu};
    typedef {wide_t.name} wide_t;
}};\n"""
    call = "nnet::wide_requantize<{input_t}, {output_t}, {config}>({input}, {output});"


class SoftmaxTables(OwnLayer):
    """Softmax by the tables of the integer network.

    hls4ml's own fills its tables with the compiler's `exp` and reads them through scalings that round (hls4ml #1523).
    """

    _expected_attributes = [  # noqa: RUF012
        *(
            Attribute(name)
            for name in (
                *("n_in", "n_classes", "exponential_size", "index_bits", "sum_width", "product_width"),
                "product_shift",
            )
        ),
        WeightAttribute("exponential"),
        WeightAttribute("reciprocal"),
        TypeAttribute("exponential"),
        TypeAttribute("reciprocal"),
    ]
    tables = ("exponential", "reciprocal")
    kernel = "nnet_softmax_tables.h"
    config = """struct config{index} : nnet::softmax_tables_config {{
    static const unsigned n_in = {n_in};
    static const unsigned n_classes = {n_classes};
    static const unsigned exponential_size = {exponential_size};
    static const unsigned index_bits = {index_bits};
    static const unsigned sum_width = {sum_width};
    static const unsigned product_width = {product_width};
    static const int shift = {product_shift};
    typedef {exponential_t.name} exponential_t;
    typedef {reciprocal_t.name} reciprocal_t;
}};\n"""
    call = "nnet::softmax_tables<{input_t}, {output_t}, {config}>({input}, {output}, {exponential}, {reciprocal});"


OWN_LAYERS: tuple[type[OwnLayer], ...] = (TableLayer, WindowPool, WideRequantize, SoftmaxTables)


@cache
def register(backend: str) -> None:
    """Make our layers known to hls4ml and to one of its back ends; once a process."""
    _register_kinds()
    # An accelerator's writer copies the kernels, but the flow that fills in the templates is another's.
    facts = BACKENDS[backend]
    if backend != facts.flow:
        register(facts.flow)
    target = get_backend(backend)
    for layer in OWN_LAYERS:
        for template in _templates(layer) if backend == facts.flow else ():
            target.register_template(template)
        target.register_source(KERNELS / layer.kernel)
    target.register_source(DIALECTS / facts.dialect / "nnet_dialect.h")


@cache
def _register_kinds() -> None:
    for layer in OWN_LAYERS:
        register_layer(layer.__name__, layer)


def _templates(layer: type[OwnLayer]) -> tuple[type, type]:
    """Give the classes that fill in a layer's struct and call; hls4ml wants a class without arguments for each."""

    class Config(LayerConfigTemplate):
        def __init__(self) -> None:
            super().__init__(layer)

        def format(self, node: Any) -> str:
            return layer.config.format(**self._default_config_params(node))

    class Call(FunctionCallTemplate):
        def __init__(self) -> None:
            super().__init__(layer, include_header=[f"nnet_utils/{layer.kernel}"])

        def format(self, node: Any) -> str:
            tables = {name: node.get_weights(name).name for name in layer.tables}
            return layer.call.format(**{**self._default_function_params(node), **tables})

    return Config, Call
