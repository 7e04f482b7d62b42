"""Layers of our own, added through hls4ml's extension interface where its templates refuse something or are not exact.

A layer is a C++ kernel in `templates/nnet_utils`, a configuration struct, a call, and the tables that it reads.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from siliconv import legacy_keras
from siliconv.hls.backends import BACKENDS, Numbers
from siliconv.hls.rendering import TEMPLATES

# hls4ml imports TensorFlow, and the first to import it in a process decides which Keras it is bound to.
legacy_keras.load()

from hls4ml.backends.backend import get_backend  # noqa: E402
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate  # noqa: E402
from hls4ml.model.attributes import Attribute, TypeAttribute, WeightAttribute  # noqa: E402
from hls4ml.model.layers import Layer, register_layer  # noqa: E402

KERNELS = TEMPLATES / "nnet_utils"
DIALECTS = TEMPLATES / "dialects"
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


class WindowLayer(OwnLayer):
    """A layer with an output for each window of an image; one dimension counts as an image of one row."""

    sizes: ClassVar[tuple[str, ...]] = (
        *("in_height", "in_width", "out_height", "out_width", "n_chan", "window_height", "window_width"),
        *("stride_height", "stride_width", "pad_top", "pad_left"),
    )
    size_constants: ClassVar[str] = "".join(f"    static const int {name} = {{{name}}};\n" for name in sizes)


class WindowPool(WindowLayer):
    """Pooling over windows that overlap, leave gaps or hang over the edge, and all averages in `ac_fixed`.

    hls4ml's stream template stops at an assertion for padding, and in two dimensions for strides other than the
    window (hls4ml #617); its array template pads the maximum of unsigned values with the middle of their range, which
    wins. The averages of its Quartus and Catapult templates lose bits of the sum.
    """

    _expected_attributes = [  # noqa: RUF012
        *(Attribute(name) for name in WindowLayer.sizes),
        Attribute("average", value_type=bool),
        TypeAttribute("accum"),
    ]
    kernel = "nnet_window_pool.h"
    config = f"""struct config{{index}} : nnet::window_pool_config {{{{
{WindowLayer.size_constants}    static const bool average = {{average}};
    typedef {{accum_t.name}} accum_t;
}}}};\n"""
    call = "nnet::window_pool<{input_t}, {output_t}, {config}>({input}, {output});"


class DepthwiseWindows(WindowLayer):
    """A depthwise convolution for back ends without templates for it; its reuse factor is its initiation interval."""

    _expected_attributes = [  # noqa: RUF012
        *(Attribute(name) for name in WindowLayer.sizes),
        WeightAttribute("weight"),
        WeightAttribute("bias"),
        TypeAttribute("weight"),
        TypeAttribute("bias"),
        TypeAttribute("accum"),
    ]
    tables = ("weight", "bias")
    kernel = "nnet_depthwise_windows.h"
    config = f"""struct config{{index}} : nnet::depthwise_windows_config {{{{
{WindowLayer.size_constants}    static const unsigned reuse_factor = {{reuse_factor}};
    typedef {{weight_t.name}} weight_t;
    typedef {{bias_t.name}} bias_t;
    typedef {{accum_t.name}} accum_t;
}}}};\n"""
    call = "nnet::depthwise_windows<{input_t}, {output_t}, {config}>({input}, {output}, {weight}, {bias});"


class ChannelPool(OwnLayer):
    """The maximum or the mean of each channel, divided in the accumulator's type.

    hls4ml's Quartus template divides in the input's type and begins the maximum of a stream of unsigned values with the
    middle of their range; its Catapult template widens the accumulator that it is given.
    """

    _expected_attributes = [  # noqa: RUF012
        Attribute("n_pixels"),
        Attribute("n_chan"),
        Attribute("average", value_type=bool),
        TypeAttribute("accum"),
    ]
    kernel = "nnet_channel_pool.h"
    config = """struct config{index} : nnet::channel_pool_config {{
    static const unsigned n_pixels = {n_pixels};
    static const unsigned n_chan = {n_chan};
    static const bool average = {average};
    typedef {accum_t.name} accum_t;
}};\n"""
    call = "nnet::channel_pool<{input_t}, {output_t}, {config}>({input}, {output});"


class JoinChannels(OwnLayer):
    """Two tensors behind each other along their channels.

    hls4ml's Catapult template for streams of vectors writes two words, each as long as the whole.
    """

    _expected_attributes = [Attribute("n_pixels"), Attribute("n_first"), Attribute("n_second")]  # noqa: RUF012
    kernel = "nnet_join_channels.h"
    config = """struct config{index} : nnet::join_channels_config {{
    static const unsigned n_pixels = {n_pixels};
    static const unsigned n_first = {n_first};
    static const unsigned n_second = {n_second};
}};\n"""
    call = "nnet::join_channels<{input1_t}, {input2_t}, {output_t}, {config}>({input1}, {input2}, {output});"


class RearrangeLayer(OwnLayer):
    """Elements in another order, left out or repeated.

    hls4ml has templates for a few of these, each for some back ends.
    """

    sizes: ClassVar[tuple[str, ...]] = tuple(
        f"{name}_{axis}" for name in ("in", "out", "order", "before", "repeat") for axis in range(3)
    )
    _expected_attributes = [Attribute(name) for name in sizes]  # noqa: RUF012
    kernel = "nnet_rearrange.h"
    config = (
        "struct config{index} : nnet::rearrange_config {{\n"
        + "".join(f"    static const int {name} = {{{name}}};\n" for name in sizes)
        + "}};\n"
    )
    call = "nnet::rearrange<{input_t}, {output_t}, {config}>({input}, {output});"


class ReshapeWords(OwnLayer):
    """The same elements in another shape, where that is more than flattening.

    hls4ml's own makes another layer of it, which keeps neither its name nor its trace.
    """

    _expected_attributes = [Attribute("n_in")]  # noqa: RUF012
    kernel = "nnet_reshape_words.h"
    config = """struct config{index} : nnet::reshape_words_config {{
    static const unsigned n_in = {n_in};
}};\n"""
    call = "nnet::reshape_words<{input_t}, {output_t}, {config}>({input}, {output});"


class ChooseLayer(OwnLayer):
    """The larger or the smaller of two tensors: hls4ml's Catapult template takes a word of a stream for its element."""

    _expected_attributes = [Attribute("n_in"), Attribute("larger", value_type=bool)]  # noqa: RUF012
    kernel = "nnet_choose.h"
    config = """struct config{index} : nnet::choose_config {{
    static const unsigned n_in = {n_in};
    static const bool larger = {larger};
}};\n"""
    call = "nnet::choose<{input1_t}, {input2_t}, {output_t}, {config}>({input1}, {input2}, {output});"


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


OWN_LAYERS: tuple[type[OwnLayer], ...] = (
    TableLayer,
    WindowPool,
    DepthwiseWindows,
    ChannelPool,
    JoinChannels,
    RearrangeLayer,
    ReshapeWords,
    ChooseLayer,
    WideRequantize,
    SoftmaxTables,
)
SHARED = ("nnet_windows.h",)
"""Headers that several kernels include."""


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
    for header in SHARED:
        target.register_source(KERNELS / header)
    target.register_source(DIALECTS / facts.dialect / "nnet_dialect.h")
    if facts.numbers is Numbers.AC:
        target.register_source(DIALECTS / "ac_fixed" / "nnet_raw_bits.h")


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
            inputs: dict[str, str] = {}
            for number, name in enumerate(node.inputs, start=1):
                variable = node.get_input_variable(name)
                inputs |= {f"input{number}": variable.name, f"input{number}_t": variable.type.name}
            return layer.call.format(**{**self._default_function_params(node), **inputs, **tables})

    return Config, Call
