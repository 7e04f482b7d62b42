"""The emulator: an integer network compiled to ONNX Runtime, bit-identical to the reference."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
