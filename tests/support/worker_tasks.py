"""Work for other processes, which import it by its name."""

from __future__ import annotations

import os
import sys
import time

from siliconv.errors import DataError


def double(number):
    """Work."""
    return 2 * number


def abort(number):
    """End the process as an assertion in C++ does."""
    os.write(1, b"Assertion of a template failed\n")
    os.abort()


def hang(number):
    """Never come back."""
    time.sleep(1000)


def work(array, *, progress, on_event):
    sys.stdout.write("noise on the standard output\n")
    os.system("echo more of it")
    progress.begin("Working", 2, "parts")
    progress.update(1, "half")
    progress.say("a line")
    progress.end()
    on_event({"stage": "one"})
    return array * 2, os.getpid()


def refuse(*, progress):
    raise DataError("DATA-TEST", "nothing there", where="here", fix="bring something")


def fail(*, progress):
    raise RuntimeError("unexpected")


def die(*, progress):
    sys.stdout.write("last words\n")
    sys.stdout.flush()
    os._exit(7)


def keras_modules(*, progress):
    from siliconv import legacy_keras

    return legacy_keras.load().__name__
