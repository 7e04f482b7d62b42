"""QONNX, the exchange format of FINN, Brevitas and hls4ml: writing it, and running what was written."""

from siliconv.network.qonnx.qonnx_export import last_node, qonnx_model

__all__ = ["last_node", "qonnx_model"]
