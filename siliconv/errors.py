"""The errors a user can meet, each with a stable code: what was found, where, and what to do about it."""

from __future__ import annotations

import errno
import lzma
import struct
import tokenize
import zipfile
import zlib

DAMAGE: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,  # includes RecursionError and NotImplementedError (a zip feature)
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
    struct.error,
    lzma.LZMAError,
    zlib.error,
    zipfile.BadZipFile,
)
"""What damaged or forged JSON, zip, deflate, npy and HDF5 data make their readers raise."""


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


_SYSTEM: tuple[tuple[frozenset[int], str, str], ...] = (
    (frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG}), "DISK", "free disk space; what was built before is kept"),
    (frozenset({errno.EACCES, errno.EPERM, errno.EROFS}), "PERMISSION", "make it readable and writable for you"),
    (frozenset({errno.EMFILE, errno.ENFILE}), "OPEN-FILES", "allow more open files, for example: ulimit -n 1024"),
    (frozenset({errno.ENAMETOOLONG}), "NAME", "use a shorter name"),
    (frozenset({errno.ELOOP}), "LINK", "remove the link, which leads to itself"),
    (frozenset({errno.ENOMEM, errno.EAGAIN}), "MEMORY", "free memory, or allow more processes: ulimit -u"),
    (frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE}), "MISSING", "put it back, or run the command again"),
    (frozenset({errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY}), "OCCUPIED", "move away what lies there"),
    (frozenset({errno.EIO}), "DISK-ERROR", "look at the disk: it reports an error of its own"),
)

DENIED_WRITES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS})
"""Numbers of the errors by which a system refuses to write."""


def of_system(error: OSError | MemoryError, *, where: str) -> SiliconvError:
    """Give what the system refused as an error of ours: ``SYSTEM-...``, what it said, of which file, what to do.

    Parameters
    ----------
    error
        What was raised.
    where
        What was being done, for errors that name no file.
    """
    if isinstance(error, MemoryError):
        return ToolError(
            "SYSTEM-MEMORY",
            "there is not enough memory",
            where=where,
            fix="free memory, or raise the limit (ulimit -v); a smaller batch or fewer jobs take less",
        )
    place = str(error.filename) if error.filename is not None else where
    said = error.strerror or str(error) or type(error).__name__
    for numbers, name, fix in _SYSTEM:
        if error.errno in numbers:
            return ProjectError(f"SYSTEM-{name}", said, where=place, fix=fix)
    return ProjectError("SYSTEM", said, where=place, fix="see what the system says; try the same by hand")
