"""The integer network: its definition, its proof and all that executes it exactly, without Keras or hls4ml.

Build one from the node kinds of `siliconv.network.graph`, `prove` that no tensor leaves its type, `run` it (the
reference), `compile` it (the emulator), `save` and `load` it; `siliconv.convert` takes it to firmware.
"""

import os

import lazy_loader

# ONNX Runtime looks up a host and keeps an identifier of this machine with every session, from 1.31 on. Only what
# stands in the environment when it is imported stops that, and nothing below is imported before this line.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
