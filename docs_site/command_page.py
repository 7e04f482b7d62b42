"""The page of the command line: every command with its arguments, options and exit codes, from the parser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main
from markdown_text import cell

from siliconv.commands.cli import app
from siliconv.commands.help_page import EXAMPLES, GROUPS

INTRODUCTION = """# Commands

`siliconv --help` lists the commands. `siliconv COMMAND --help` shows the options of one.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the work was done and the answer is no: a bit differs, nothing fits |
| 2 | the input is wrong |
| 3 | a tool is missing |
| 130 | stopped by Ctrl-C |

With `--json`, a command prints its result for machines on stdout. Everything for people goes to stderr.

This page is made from the source by `docs_site/write_pages.py`.
"""


def command_page() -> str:
    """Write the page."""
    group: Any = typer.main.get_command(app)
    parts = [INTRODUCTION]
    listed = [name for _, names, _ in GROUPS for name in names if name in group.commands]
    for title, names, _ in GROUPS:
        parts.append(f"## {title}\n")
        for name in names:
            if name in group.commands:
                parts += _command(name, group.commands[name])
    for name in sorted(set(group.commands) - set(listed)):
        parts += _command(name, group.commands[name])
    return "\n".join(parts)


def _command(name: str, command: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    usage = " ".join([*(one.make_metavar(ctx=None) if False else _metavar(one) for one in arguments), "[OPTIONS]"])
    yield f"### siliconv {name}\n"
    yield f"`siliconv {name} {usage}`\n"
    said = " ".join((command.help or "").split("\n\n")[0].split())
    yield said + "\n"
    more = [" ".join(part.split()) for part in (command.help or "").split("\n\n")[1:]]
    yield from (f"{part}\n" for part in more)
    yield f"For example: `{EXAMPLES[name]}`\n"
    yield "| argument or option | meaning |\n|---|---|"
    for one in command.params:
        if getattr(one, "hidden", False) or one.name == "help":
            continue
        names = _metavar(one) if one.param_type_name == "argument" else ", ".join((*one.opts, *one.secondary_opts))
        value = f" {one.metavar}" if one.param_type_name == "option" and one.metavar else ""
        default = f" (default: {one.default})" if one.default not in (None, False, (), []) else ""
        yield f"| `{names}{value}` | {cell((one.help or '') + default)} |"
    yield "| `-h, --help` | show the help and end |\n"


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())
