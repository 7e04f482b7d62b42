"""The top level of a design: its streams and an instance a block."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2

from siliconv.rtl.plan.blocks import OVERFLOWS, ROUNDINGS, Align, Block, Copy, RtlDesign
from siliconv.rtl.writing.instances import instance


def top_level(design: RtlDesign) -> str:
    """Write the top module of a design."""
    parts = [_part(block) for block in design.blocks]
    used = {str(value) for part in parts for value in part["instance"].parameters.values()}
    numbers = {mode.value: number for kinds in (ROUNDINGS, OVERFLOWS) for number, mode in enumerate(kinds)}
    modes = {mode: number for mode, number in numbers.items() if mode in used}
    return render("top.sv.j2", design=design, source=design.source, sink=design.sink, modes=modes, parts=parts)


def render(template: str, **facts: Any) -> str:
    """Fill a template of this room."""
    return _environment().get_template(template).render(**facts)


@cache
def _environment() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("siliconv.rtl.writing"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    found.filters["comment"] = lambda text: text.encode("ascii", "replace").decode()
    return found


def _part(block: Block) -> dict[str, Any]:
    return {
        "instance": instance(block),
        "source": block.inputs[0],
        "copied": block.outputs if isinstance(block, Copy) else (),
        "wired": block.outputs[0] if isinstance(block, Align) else None,
    }
