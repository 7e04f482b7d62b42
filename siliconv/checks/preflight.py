"""Pre-flight rules: what is known to go wrong, found in milliseconds, before an hour of training or synthesis.

A rule is a small function from facts to complaints, with a stable code and a severity. Each code has its paragraph in
docs/checks.md: what, why, how to mend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import partial
from types import ModuleType
from typing import Any, Generic, TypeVar, TypeVarTuple

Facts = TypeVar("Facts")
Seen = TypeVarTuple("Seen")

Words = Iterator[tuple[str, str, *tuple[Mapping[str, Any], ...]]]
"""What is wrong at a place, what to do, and perhaps the changes that mend it."""


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The work will fail, or its result will be wrong."""
    WARNING = "warning"
    """It will work, but probably not as wished."""
    HINT = "hint"
    """Good to know."""


@dataclass(frozen=True)
class Complaint:
    """What a rule found, where, and what to do.

    `changes` are fields of the project file by dotted name with values that mend it safely: without changing what the
    network computes.
    """

    what: str
    where: str
    fix: str
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A complaint with the code and the severity of its rule."""

    code: str
    severity: Severity
    what: str
    where: str
    fix: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class Rule(Generic[Facts]):
    """A rule: its code, its severity, and the function that looks."""

    code: str
    severity: Severity
    complaints: Callable[[Facts], Iterable[Complaint]]

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Yield what the rule finds in the facts."""
        for one in self.complaints(facts):
            yield Finding(self.code, self.severity, one.what, one.where, one.fix, dict(one.changes))


def rule(code: str, severity: Severity) -> Callable[[Callable[[Facts], Iterable[Complaint]]], Rule[Facts]]:
    """Make a rule of a function."""
    return lambda complaints: Rule(code, severity, complaints)


def rule_at(code: str, severity: Severity, where: str) -> Callable[[Callable[[Facts], Words]], Rule[Facts]]:
    """Make a rule of a function that complains about one place only."""
    return lambda look: Rule(code, severity, lambda facts: _complaints(where, look(facts)))


def rules_at(
    places: Callable[[Facts], Iterable[tuple[str, *Seen]]],
) -> Callable[[str, Severity], Callable[[Callable[[*Seen], Words]], Rule[Facts]]]:
    """Give a `rule` for functions that look at one place at a time and yield what is wrong there and what to do.

    `places` gives of each place how it is called and what there is to look at.
    """

    def complaints(look: Callable[[*Seen], Words], facts: Facts) -> Iterator[Complaint]:
        for place in places(facts):
            yield from _complaints(place[0], look(*place[1:]))

    return lambda code, severity: lambda look: Rule(code, severity, partial(complaints, look))


def _complaints(where: str, words: Words) -> Iterator[Complaint]:
    return (Complaint(what, where, fix, *changes) for what, fix, *changes in words)


def rules_of(*modules: ModuleType) -> tuple[Rule[Any], ...]:
    """Give the rules that modules define, in the order they are written."""
    return tuple(value for module in modules for value in vars(module).values() if isinstance(value, Rule))


def find_all(rules: Iterable[Rule[Facts]], facts: Facts) -> tuple[Finding, ...]:
    """Give the findings of all rules, errors first, else in the order of the rules."""
    found = [finding for one in rules for finding in one.findings(facts)]
    return tuple(sorted(found, key=lambda finding: list(Severity).index(finding.severity)))
