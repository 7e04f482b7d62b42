"""Why a vendor tool stopped, in the user's words: its well-known messages, from `constants/vendor_failures.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from siliconv.errors import FirmwareError, SiliconvError, ToolError, WorkSaysNoError

_KILLED = (-9, 137)
_ERROR = re.compile(r"^\s*(?:ERROR|FATAL|CRITICAL ERROR)\b.*|^.*\berror:.*")
_KINDS = {1: WorkSaysNoError, 2: FirmwareError, 3: ToolError}


@dataclass(frozen=True)
class Failure:
    """A recognized failure: its code, what it means, what to do, the exit code, and the tool's own line."""

    code: str
    what: str
    fix: str
    exit_code: int
    line: str

    def error(self, log: str) -> SiliconvError:
        """Return the error for the user; `log` says where to read more."""
        quoted = f"; it said: {self.line.strip()[:300]}" if self.line else ""
        return _KINDS[self.exit_code](self.code, f"{self.what}{quoted}", where=log, fix=self.fix)


@dataclass(frozen=True)
class _Pattern:
    code: str
    expression: re.Pattern[str]
    what: str
    fix: str
    exit_code: int


def recognize(lines: Iterable[str], return_code: int) -> Failure | None:
    """Return why a run failed, None if it did not.

    Parameters
    ----------
    lines
        Of the log. The first failure that is known counts: what follows it is its consequence.
    return_code
        Of the process; tools at times end with 0 after an error.
    """
    unknown = ""
    for line in lines:
        found = _known(line)
        if found is not None:
            return found
        if not unknown and _ERROR.match(line):
            unknown = line
    if return_code in _KILLED:
        memory = next(one for one in _patterns() if one.code == "VENDOR-MEMORY")
        return Failure(memory.code, memory.what, memory.fix, memory.exit_code, "")
    if return_code == 0 and not unknown:
        return None
    what = f"the tool ended with code {return_code}" if return_code else "the tool reports an error"
    return Failure("VENDOR-FAILED", what, "read the log, from its first error on", 1, unknown)


def _known(line: str) -> Failure | None:
    if line.lstrip().startswith(("INFO:", "WARNING:")):
        return None
    for one in _patterns():
        found = one.expression.search(line)
        if found:
            detail = next((value for value in found.groupdict().values() if value), "")
            return Failure(one.code, one.what.format(detail=detail or "it"), one.fix, one.exit_code, line)
    return None


@lru_cache(maxsize=1)
def _patterns() -> tuple[_Pattern, ...]:
    text = resources.files("siliconv.hls.vendor").joinpath("constants/vendor_failures.json").read_text("utf-8")
    return tuple(
        _Pattern(one["code"], re.compile(one["pattern"]), one["what"], one["fix"], one["exit"])
        for one in json.loads(text)["failures"]
    )
