"""The integer network: its definition, its proof and all that executes it exactly, without Keras or hls4ml.

Build one from the node kinds of `siliconv.network.graph`, `prove` that no tensor leaves its type, `run` it (the
reference), `compile` it (the emulator), `save` and `load` it; `siliconv.convert` takes it to firmware.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
