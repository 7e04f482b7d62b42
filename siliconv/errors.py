"""The errors a user can meet, each with a stable code: what was found, where, and what to do about it."""

from __future__ import annotations


class SiliconvError(Exception):
    """Base of every error that is reported in one message and without a stack trace.

    Parameters
    ----------
    code
        Stable identifier such as ``"DATA-EMPTY"``; documentation and tests refer to it.
    what
        What was found.
    where
        The file, field, layer or tool it was found in.
    fix
        What the user can do about it.
    """

    exit_code = 2

    def __init__(self, code: str, what: str, *, where: str, fix: str) -> None:
        super().__init__(code, what, where, fix)
        self.code = code
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        return f"[{self.code}] {self.what}\n  where: {self.where}\n  fix:   {self.fix}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling between worker processes.
        return _rebuild, (type(self), self.code, self.what, self.where, self.fix)


def _rebuild(kind: type[SiliconvError], code: str, what: str, where: str, fix: str) -> SiliconvError:
    return kind(code, what, where=where, fix=fix)


class WorkSaysNoError(SiliconvError):
    """The work was done and its answer is no: not exact, does not fit (exit code 1)."""

    exit_code = 1


class ProjectError(SiliconvError):
    """The project file or a command-line argument is wrong (exit code 2)."""


class DataError(SiliconvError):
    """The images or labels cannot be used (exit code 2)."""


class ModelError(SiliconvError):
    """An architecture, a model or its training settings cannot be used (exit code 2)."""


class NetworkError(SiliconvError):
    """A network has no exact integer meaning, or a saved one is damaged (exit code 2)."""


class FirmwareError(SiliconvError):
    """A network cannot become firmware with the settings asked for (exit code 2)."""


class ToolError(SiliconvError):
    """A tool that the work needs is missing or broken: g++, TensorFlow, a vendor tool (exit code 3)."""

    exit_code = 3
