"""The top level of a design: its streams and an instance a block."""

from __future__ import annotations

from typing import Any

from siliconv.hardware.guarded_templates import GuardedTemplates
from siliconv.rtl.plan.blocks import OVERFLOWS, ROUNDINGS, Align, Block, Copy, RtlDesign
from siliconv.rtl.writing.instances import instance

_TEMPLATES = GuardedTemplates(
    "siliconv.rtl.writing", filters={"comment": lambda text: text.encode("ascii", "replace").decode()}
)


def top_level(design: RtlDesign) -> str:
    """Write the top module of a design."""
    parts = [_part(block) for block in design.blocks]
    used = {str(value) for part in parts for value in part["instance"].parameters.values()}
    numbers = {mode.value: number for kinds in (ROUNDINGS, OVERFLOWS) for number, mode in enumerate(kinds)}
    modes = {mode: number for mode, number in numbers.items() if mode in used}
    return render("top.sv.j2", design=design, source=design.source, sink=design.sink, modes=modes, parts=parts)


def render(template: str, **facts: Any) -> str:
    """Fill a template of this room; raises ``FIRMWARE-TEXT`` for a text that would become code."""
    return _TEMPLATES.render(template, **facts)


def _part(block: Block) -> dict[str, Any]:
    return {
        "instance": instance(block),
        "source": block.inputs[0],
        "copied": block.outputs if isinstance(block, Copy) else (),
        "wired": block.outputs[0] if isinstance(block, Align) else None,
    }
