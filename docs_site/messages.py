"""Every message of siliconv with a code, read from the source: its words, what to do, and where it comes from.

Codes are written where they are raised, so the source is the one place that knows all of them. Words that depend on
the case stand in braces.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from siliconv import errors

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("siliconv", "network", "hardware", "models", "quantize", "hls", "rtl")
_MOST_TEXTS = 6
_EXIT_CODES = {
    name: kind.exit_code
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.SiliconvError)
}
_EXIT_CODES["InputScaleError"] = errors.ModelError.exit_code

_MAY_SAY = re.compile(r"Error\(|Cause\(|Failure\(|Severity\.")

Scope = Mapping[str, tuple[ast.expr, ...]]
"""What a name stands for: the expressions that it is assigned, or that a helper function is called with."""


@dataclass(frozen=True)
class Message:
    """One way in which a code is used.

    Parameters
    ----------
    code
        Such as ``DATA-EMPTY``.
    kind
        ``error``, ``finding`` (of `siliconv check`), ``cause`` (of `siliconv explain`) or ``vendor``.
    level
        Exit code of an error, severity of a finding.
    what, fix
        The words, with what depends on the case in braces.
    file
        Relative to the repository.
    """

    code: str
    kind: str
    level: str
    what: str
    fix: str
    file: str


@cache
def messages() -> tuple[Message, ...]:
    """Give all messages, sorted by code."""
    found = [*_of_the_system(), *_of_vendors()]
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            found += _of_file(path)
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda one: (one.code, one.file, one.what)))


def codes(kind: str = "") -> tuple[str, ...]:
    """Give the codes of a kind, or all."""
    return tuple(sorted({one.code for one in messages() if kind in ("", one.kind)}))


def _of_the_system() -> Iterator[Message]:
    for _, name, fix in errors._SYSTEM:
        yield Message(f"SYSTEM-{name}", "error", "2", "{said by the system}", fix, "siliconv/errors.py")


def _of_vendors() -> Iterator[Message]:
    path = ROOT / "hls" / "vendor" / "constants" / "vendor_failures.json"
    for one in json.loads(path.read_text(encoding="utf-8"))["failures"]:
        yield Message(
            one["code"], "vendor", str(one["exit"]), one["what"], one["fix"], path.relative_to(ROOT).as_posix()
        )


def _of_file(path: Path) -> Iterator[Message]:
    text = path.read_text(encoding="utf-8")
    if not _MAY_SAY.search(text):
        return
    tree = ast.parse(text)
    name = path.relative_to(ROOT).as_posix()
    module = _assigned(tree.body)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    inner = {call for function in functions for call in ast.walk(function)}
    for function in functions:
        yield from _findings(function, module, name)
        said = [node for node in ast.walk(function) if isinstance(node, ast.Call) and _is_said(node)]
        own = {**module, **_assigned(ast.walk(function))} if said else module
        for call in said:
            for scope in _scopes(call, function, calls, own):
                yield from _of_call(call, scope, name)
    for call in calls:
        if call not in inner:
            yield from _of_call(call, module, name)


def _is_said(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and (
        call.func.id in _EXIT_CODES or call.func.id in ("Cause", "Failure", "Finding")
    )


def _of_call(call: ast.Call, scope: Scope, file: str) -> Iterator[Message]:
    called = call.func.id if isinstance(call.func, ast.Name) else ""
    words = {key.arg: key.value for key in call.keywords}
    if called in _EXIT_CODES and "fix" in words and len(call.args) >= 2:
        kind, level = "error", str(_EXIT_CODES[called])
        code, what, fix = call.args[0], call.args[1], words["fix"]
    elif called == "Cause" and len(call.args) == 4:
        kind, level = "cause", ""
        code, what, fix = call.args[0], call.args[2], call.args[3]
    elif called == "Finding" and len(call.args) == 5 and ast.unparse(call.args[1]).startswith("Severity."):
        kind, level = "finding", ast.unparse(call.args[1]).removeprefix("Severity.").lower()
        code, what, fix = call.args[0], call.args[2], call.args[4]
    elif called == "Failure" and len(call.args) == 5:
        kind, level = "vendor", "1"
        code, what, fix = call.args[0], call.args[1], call.args[2]
    else:
        return
    for one in texts(code, scope):
        if one and "{" not in one and one.upper() == one:
            for said, advice in zip(*_as_long(texts(what, scope), texts(fix, scope)), strict=True):
                yield Message(one, kind, level, said, advice, file)


def _findings(function: ast.FunctionDef, module: Scope, file: str) -> Iterator[Message]:
    """Yield what a pre-flight rule says; one that hands on another's words says so."""
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call) or len(decorator.args) < 2:
            continue
        code, severity = decorator.args[:2]
        if not isinstance(code, ast.Constant) or not ast.unparse(severity).startswith("Severity."):
            continue
        level = ast.unparse(severity).removeprefix("Severity.").lower()
        pairs = [*_yielded(function)]
        scope = {**module, **_assigned(ast.walk(function))}
        for what, fix in pairs:
            for said, advice in zip(*_as_long(texts(what, scope), texts(fix, scope)), strict=True):
                yield Message(str(code.value), "finding", level, said, advice, file)
        if not pairs:
            yield Message(str(code.value), "finding", level, "", "", file)


def _yielded(function: ast.FunctionDef) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and len(node.value.elts) >= 2:
            yield node.value.elts[0], node.value.elts[1]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Complaint":
            yield node.args[0], node.args[2]


def _as_long(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Pair the texts of a message with its fixes: side by side where there are as many, else each with each."""
    if len(one) == len(other):
        return one, other
    pairs = list(product(one, other))[:_MOST_TEXTS]
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def _scopes(call: ast.Call, function: ast.FunctionDef, calls: list[ast.Call], scope: Scope) -> Iterator[Scope]:
    """Yield what names mean: once for each call of a helper function whose parameters a message is made of."""
    parameters = [one.arg for one in (*function.args.args, *function.args.kwonlyargs)]
    named = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
    places = [one for one in calls if isinstance(one.func, ast.Name) and one.func.id == function.name]
    if not (named & {"code", "what", "fix", "why"} & set(parameters)) or not places:
        yield scope
        return
    for place in places:
        given: dict[str, tuple[ast.expr, ...]] = {
            name: (value,) for name, value in zip(parameters, place.args, strict=False)
        }
        given |= {key.arg: (key.value,) for key in place.keywords if key.arg}
        yield {**scope, **given}


def _assigned(nodes: Any) -> dict[str, tuple[ast.expr, ...]]:
    found: dict[str, tuple[ast.expr, ...]] = {}
    for node in nodes:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        value = getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(value, ast.expr):
                found[target.id] = (*found.get(target.id, ()), value)
            elif isinstance(target, ast.Tuple):
                for place, inner in enumerate(target.elts):
                    if isinstance(inner, ast.Name):
                        found[inner.id] = (*found.get(inner.id, ()), *_entries(value, place))
    return found


def _entries(value: ast.expr | None, place: int) -> tuple[ast.expr, ...]:
    """Give the entry at a place of what is unpacked, in each branch of a conditional."""
    if isinstance(value, ast.IfExp):
        return (*_entries(value.body, place), *_entries(value.orelse, place))
    return (value.elts[place],) if isinstance(value, ast.Tuple) and place < len(value.elts) else ()


def texts(node: ast.expr, scope: Scope, depth: int = 0) -> tuple[str, ...]:
    """Give the texts that an expression may be, with what depends on the case in braces."""
    found: tuple[str, ...] = ()
    if isinstance(node, ast.Constant):
        found = (str(node.value),)
    elif isinstance(node, ast.JoinedStr):
        parts = [_part(one, scope, depth) for one in node.values]
        found = tuple("".join(one) for one in list(product(*parts))[:_MOST_TEXTS])
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        both = product(texts(node.left, scope, depth), texts(node.right, scope, depth))
        found = tuple("".join(one) for one in list(both)[:_MOST_TEXTS])
    elif isinstance(node, ast.IfExp):
        found = (*texts(node.body, scope, depth), *texts(node.orelse, scope, depth))
    elif isinstance(node, ast.BoolOp):
        found = tuple(text for one in node.values for text in texts(one, scope, depth))
    elif isinstance(node, ast.Name) and depth < 3:
        values = scope.get(node.id, ())
        # What a helper is given may be called as its parameter is: it means something else there.
        scope = {name: value for name, value in scope.items() if name != node.id}
        found = tuple(
            text
            for one in values
            if not (isinstance(one, ast.Name) and one.id == node.id)
            for text in (texts(one, scope, depth + 1) if _is_text(one) else ())
        )
    return tuple(dict.fromkeys(found))[:_MOST_TEXTS] or (_placeholder(node),)


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(node.value)
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr | ast.IfExp | ast.BoolOp | ast.Name)


def _part(node: ast.expr, scope: Scope, depth: int) -> tuple[str, ...]:
    if isinstance(node, ast.Constant):
        return (str(node.value),)
    assert isinstance(node, ast.FormattedValue)
    value = node.value
    if node.format_spec is None and (isinstance(value, ast.IfExp) or (isinstance(value, ast.Name) and depth < 2)):
        return texts(value, scope, depth + 1)
    return (_placeholder(value),)


def _placeholder(node: ast.expr) -> str:
    """Name what depends on the case: the last word of the expression that makes it."""
    while True:
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr == "join":
                return "{...}"
            if isinstance(node.func, ast.Name) and node.func.id in ("int", "str", "len", "tuple", "list", "sorted"):
                if not node.args:
                    return "{...}"
                node = node.args[0]
                continue
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Attribute):
            return f"{{{node.attr.strip('_').replace('_', ' ')}}}"
        elif isinstance(node, ast.Name):
            return f"{{{node.id.strip('_').replace('_', ' ').lower()}}}"
        elif isinstance(node, ast.BinOp):
            node = node.left
        else:
            return "{...}"
