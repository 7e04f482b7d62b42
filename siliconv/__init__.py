"""siliconv: from a Keras CNN to FPGA firmware that is proven to compute the same numbers.

>>> import siliconv
>>> firmware = siliconv.convert(model, calibration=x_train[:500], board="pynq-z2", weights=6, activations=6)
>>> firmware.predict(x_test)            # the emulator: exact, numpy
>>> firmware.simulate(x_test[:100])     # C simulation: the certificate
>>> firmware.estimate                   # latency, interval, resources with bands
>>> firmware.write("my_project")        # the HLS project

`siliconv.Project` is a project folder with the command line's verbs as methods. Importing this package loads nothing
heavy; Keras and hls4ml work in a process of their own.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
