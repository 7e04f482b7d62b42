"""The one door to TensorFlow: Keras 2 (`tf_keras`), which QKeras and the pruning toolkit are written for.

Importing TensorFlow takes seconds, so nothing of it is imported before one of these functions is called.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from siliconv.errors import ToolError

_LOUDNESS, _SILENT = "TF_CPP_MIN_LOG_LEVEL", "3"
"""TensorFlow's variable for its C++ log: 3 hides all but fatal errors. Another setting of the user wins, and
shows all.
"""

THREADS_VARIABLE = "SILICONV_THREADS"
THREADS = 2
"""Of TensorFlow's pool for one operation, whatever the machine has: sums are split among the threads of the pool, so
their last bits depend on its size, and not on how many cores serve it. With 2, a step takes what it takes by
TensorFlow's own choice on two cores; with 8 there, a seventh more. Who has many cores and wants them sets the variable:
that is another training, and stages know it.
"""


def threads() -> int:
    """Give the size of TensorFlow's pool, or raise `ToolError` ``TF-THREADS`` for a variable that is no number."""
    asked = os.environ.get(THREADS_VARIABLE, str(THREADS))
    if not (asked.isascii() and asked.isdigit() and 1 <= len(asked) <= 4 and 1 <= int(asked) <= 1024):
        raise ToolError(
            "TF-THREADS",
            f"{asked[:40]!r} is no number of threads",
            where=f"environment variable {THREADS_VARIABLE}",
            fix="unset it, or use 1 to 1024",
        )
    return int(asked)


def load() -> Any:
    """Return the `tf_keras` module, with TensorFlow's own `tf.keras` bound to the very same code.

    Raises
    ------
    ToolError
        ``TF-MISSING`` when TensorFlow or tf-keras cannot be imported, ``TF-KERAS3`` when a TensorFlow
        bound to Keras 3 is already in this process.
    """
    tensorflow_module, tf_keras = _import()
    if tensorflow_module.keras.layers.Layer is not tf_keras.layers.Layer:
        raise ToolError(
            "TF-KERAS3",
            "TensorFlow was imported with Keras 3 before siliconv, which needs Keras 2 (tf-keras)",
            where="this Python process",
            fix="import siliconv.legacy_keras and call load() before anything imports tensorflow, "
            "or set TF_USE_LEGACY_KERAS=1 in the environment and restart",
        )
    return tf_keras


def tensorflow() -> Any:
    """Return the `tensorflow` module, bound to Keras 2 (see `load` for the errors)."""
    load()
    return sys.modules["tensorflow"]


def qkeras() -> Any:
    """Return the `qkeras` module, whose import would bring TensorFlow with Keras 3 (see `load` for the errors)."""
    load()
    import qkeras as module

    return module


@contextmanager
def double_precision() -> Iterator[None]:
    """Build and run models in float64 inside, in the precision of before after it.

    Sums in float32 round above 2**24 units of their last place, in float64 above 2**53: a second evaluation says what
    a model means where the first one rounds. QKeras' quantizers follow too.
    """
    backend = load().backend
    before = backend.floatx()
    backend.set_floatx("float64")
    try:
        yield
    finally:
        backend.set_floatx(before)


def _import() -> tuple[ModuleType, ModuleType]:
    first = "tensorflow" not in sys.modules
    if first:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
    try:
        with _quiet(first and os.environ.get(_LOUDNESS, _SILENT) == _SILENT):
            import tensorflow
            import tf_keras

            if first:
                tensorflow.config.threading.set_intra_op_parallelism_threads(threads())
                # The search for a GPU logs too; it happens once a process.
                tensorflow.config.list_physical_devices()
    except ImportError as error:
        raise ToolError(
            "TF-MISSING",
            f"TensorFlow with Keras 2 cannot be imported: {error}",
            where=sys.executable,
            fix="install both in the versions of siliconv/constraints.txt; siliconv doctor shows the command",
        ) from error
    return tensorflow, tf_keras


@contextmanager
def _quiet(wanted: bool) -> Iterator[None]:
    """Send the C++ side's start-up chatter, which no log level stops, to nowhere; Python errors still come as
    such.
    """
    if not wanted:
        yield
        return
    os.environ[_LOUDNESS] = _SILENT
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
