"""The emulator: an integer network compiled to ONNX Runtime, bit-identical to the reference."""

from siliconv.network.emulator.emulator import Emulator, compile

__all__ = ["Emulator", "compile"]
