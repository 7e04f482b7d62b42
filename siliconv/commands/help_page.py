"""What `siliconv` and `siliconv --help` show: a greeting, and the commands by what one wants."""

from __future__ import annotations

from typing import Any

import typer.core

GROUPS = (
    ("Start", ("new", "demo", "check", "run", "schema"), "siliconv new mine --preset lecture; siliconv run mine"),
    ("One stage of run", ("train", "quantize", "convert", "csim", "estimate", "report"), "siliconv csim mine"),
    ("Look at results", ("summary", "predict", "explain", "verify", "export"), "siliconv predict mine photo.png"),
    ("Runs", ("compare", "history"), "siliconv compare mine mine:3f2a --max-accuracy-drop 0.5"),
    ("Hardware", ("boards", "fit", "build", "calibrate"), "siliconv fit mine --board pynq-z2 --fps 1000"),
    ("Few bits", ("search",), "siliconv search mine --board pynq-z2"),
    ("This machine", ("doctor",), "siliconv doctor"),
)
"""Title, commands and an example of each group, in the order in which a project needs them."""

EXAMPLES = {
    "new": "siliconv new mine --data photos --board pynq-z2",
    "demo": "siliconv demo",
    "check": "siliconv check mine --fix",
    "run": "siliconv run mine --set quantize.weights=4",
    "schema": "siliconv schema project.schema.json",
    "train": "siliconv train mine --data photos",
    "quantize": "siliconv quantize mine",
    "convert": "siliconv convert mine",
    "csim": "siliconv csim mine --json",
    "estimate": "siliconv estimate mine",
    "report": "siliconv report mine",
    "summary": "siliconv summary mine",
    "predict": "siliconv predict mine one.png two.png",
    "explain": "siliconv explain mine --between float firmware",
    "verify": "siliconv verify mine",
    "export": "siliconv export mine --qonnx mine.onnx",
    "compare": "siliconv compare mine mine:3f2a --max-accuracy-drop 0.5",
    "history": "siliconv history mine",
    "boards": "siliconv boards",
    "fit": "siliconv fit mine --board pynq-z2 --fps 1000 --dry-run",
    "build": "siliconv build mine --csynth",
    "calibrate": "siliconv calibrate --reports mine",
    "search": "siliconv search mine --board pynq-z2 --accuracy-drop 1",
    "doctor": "siliconv doctor",
}
"""Of each command, at the end of its help."""

GREETING = """siliconv takes a Keras CNN to FPGA firmware that is proven to compute the same numbers.

First commands:
  siliconv demo                       the whole road on handwritten digits, a minute or two
  siliconv new mine --preset lecture  a project file of your own, commented
  siliconv run mine                   from images to firmware and report; goes on where it was stopped

siliconv --help lists all commands, siliconv COMMAND --help their options.
"""


class GroupedCommands(typer.core.TyperGroup):
    """Lists commands in the order of `GROUPS`, and ends the help of each with its example."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name, command in self.commands.items():
            command.epilog = f"\b\nExample:\n  {EXAMPLES[name]}"

    def list_commands(self, ctx: Any) -> list[str]:
        """Give the commands in the order in which they are shown."""
        known = [name for _, names, _ in GROUPS for name in names if name in self.commands]
        return known + [name for name in self.commands if name not in known]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each group with its commands and its example."""
        for title, names, example in GROUPS:
            shown = [name for name in names if name in self.commands]
            if not shown:
                continue
            with formatter.section(f"{title} (for example: {example})"):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit=200)) for name in shown])
