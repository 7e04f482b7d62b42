"""An hls4ml layer for table functions, added through hls4ml's extension interface.

hls4ml's own sigmoid computes its table with the C++ compiler's `exp` in single precision, so its bits depend on the
machine that compiles, and it reads the table through a scaling that rounds (hls4ml #353). Here the table is data:
integers from the integer network, one for each input code.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from siliconv.hls.layer_list import TABLE_LAYER
from siliconv.models import legacy_keras

# hls4ml imports TensorFlow, and the first to import it in a process decides which Keras it is bound to.
legacy_keras.load()

from hls4ml.backends.backend import get_backend  # noqa: E402
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate  # noqa: E402
from hls4ml.model.attributes import Attribute, TypeAttribute, WeightAttribute  # noqa: E402
from hls4ml.model.layers import Layer, register_layer  # noqa: E402

KERNEL = Path(__file__).parent / "templates" / "nnet_utils" / "nnet_table.h"

_CONFIG = """struct config{index} : nnet::table_config {{
    static const unsigned n_in = {n_in};
    static const unsigned index_width = {index_width};
    static const unsigned table_size = {table_size};
    typedef {table_t.name} table_t;
}};\n"""
_CALL = "nnet::table_lookup<{input_t}, {output_t}, {config}>({input}, {output}, {table});"


class TableLayer(Layer):
    """The graph node: its weight is the table, in the order of the input's raw bits."""

    _expected_attributes = [  # noqa: RUF012  (hls4ml reads this class attribute as a list)
        Attribute("n_in"),
        Attribute("index_width"),
        Attribute("table_size"),
        WeightAttribute("table"),
        TypeAttribute("table"),
    ]

    def initialize(self) -> None:
        """Declare the output and the table, as hls4ml's layers do."""
        self.add_output_variable(self.get_input_variable().shape)
        self.add_weights_variable(name="table", var_name="t{index}", data=self.get_attr("table_data"))


class TableConfigTemplate(LayerConfigTemplate):
    """The C++ configuration struct."""

    def __init__(self) -> None:
        super().__init__(TableLayer)
        self.template = _CONFIG

    def format(self, node: Any) -> str:
        """Fill in the struct for one node."""
        return self.template.format(**self._default_config_params(node))


class TableFunctionTemplate(FunctionCallTemplate):
    """The C++ call."""

    def __init__(self) -> None:
        super().__init__(TableLayer, include_header=["nnet_utils/nnet_table.h"])
        self.template = _CALL

    def format(self, node: Any) -> str:
        """Fill in the call for one node."""
        params = self._default_function_params(node)
        params["table"] = node.get_weights("table").name
        return self.template.format(**params)


@cache
def register(backend: str) -> None:
    """Make the layer known to hls4ml and to one of its back ends; once a process."""
    _register_kind()
    target = get_backend(backend)
    target.register_template(TableConfigTemplate)
    target.register_template(TableFunctionTemplate)
    target.register_source(KERNEL)


@cache
def _register_kind() -> None:
    register_layer(TABLE_LAYER, TableLayer)
