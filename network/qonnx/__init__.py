"""QONNX, the exchange format of FINN, Brevitas and hls4ml: writing it, and running what was written."""
