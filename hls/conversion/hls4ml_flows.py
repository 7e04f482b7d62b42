"""Passes of our own over hls4ml's graph, in a flow that runs before its own."""

from __future__ import annotations

from functools import cache
from typing import Any

from siliconv import legacy_keras
from siliconv.hls.conversion.distributed_arithmetic import FUNCTION

# hls4ml imports TensorFlow, and the first to import it in a process decides which Keras it is bound to.
legacy_keras.load()

from hls4ml.backends.backend import get_backend  # noqa: E402
from hls4ml.backends.vivado.passes.distributed_arithmetic import add_kernel_wrapper  # noqa: E402
from hls4ml.model.flow import get_flow, register_flow  # noqa: E402
from hls4ml.model.optimizer import OptimizerPass, register_pass  # noqa: E402
from hls4ml.model.types import Source  # noqa: E402

ADDERS = "adder_function"
"""Attribute of a layer: the code of its product by `siliconv.hls.conversion.distributed_arithmetic.adder_function`."""

_OPTIMIZE = "vivado:optimize"


class NameAdderFunction(OptimizerPass):
    """Give the adders of a layer the name that hls4ml's templates call them by, in place of its own solver's pass.

    That one would solve the products without a word, asks da4ml for another version, and stops at an assertion for
    VivadoAccelerator. It leaves layers alone that have their code.
    """

    def match(self, node: Any) -> bool:
        """Whether the layer has adders that are not in its code yet."""
        return ADDERS in node.attributes and "da_codegen" not in node.attributes

    def transform(self, model: Any, node: Any) -> bool:
        """Set the layer's code; the graph stays as it is."""
        code = node.get_attr(ADDERS).replace(FUNCTION, f"dense_da_{node.index}")
        if model.config.get_config_value("IOType") == "io_stream":
            weights = node.get_weights("weight").data
            code += "\n\n" + add_kernel_wrapper(node.index, weights[..., 0].size, weights.shape[-1])
        node.set_attr("da_codegen", Source(code))
        return False


@cache
def flows_with_adders(backend: str) -> tuple[str, ...]:
    """Give the flows of a back end for layers with `ADDERS`; registered once a process."""
    whole = get_backend(backend).get_default_flow()
    before = get_flow(whole).requires
    # A convolution of one pixel becomes another layer, of another number, before its code is named.
    passes = ["vivado:optimize_pointwise_conv", register_pass(f"{backend.lower()}_adders", NameAdderFunction)]
    return register_flow(f"{backend.lower()}:adders", passes, requires=before[: before.index(_OPTIMIZE)]), whole
