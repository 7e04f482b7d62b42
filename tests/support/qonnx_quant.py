"""`Quant` as its specification says it, for ONNX' own evaluator."""

import numpy as np
from onnx.reference.op_run import OpRun

from siliconv.network.qonnx.qonnx_export import DOMAIN


class Quant(OpRun):
    """Divide by the scale, clamp, round, multiply by the scale."""

    op_domain = DOMAIN

    def _run(self, x, scale, zero, bits, signed=1, narrow=1, rounding_mode="ROUND"):
        assert zero == 0
        assert not (signed and bits == 1), "taken for bipolar"
        low = -(2.0 ** (bits - 1)) + narrow if signed else 0.0
        high = 2.0 ** (bits - 1) - 1 if signed else 2.0**bits - 1 - narrow
        code = np.clip(x / scale, low, high)
        code = {"ROUND": np.round, "FLOOR": np.floor}[rounding_mode](code)
        return ((code * scale).astype(np.float32),)
