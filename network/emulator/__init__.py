"""The emulator: an integer network compiled to ONNX Runtime, bit-identical to the reference."""
