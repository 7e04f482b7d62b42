"""Layers, shapes, parameters, multiplications and types of a project, before and after anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from siliconv.models.architectures.shapes import layer_table
from siliconv.network import network_file
from siliconv.project.project import ProjectConfig


@dataclass(frozen=True)
class SummaryRow:
    """One layer; `type` is its fixed-point type in the integer network, once there is one."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiplications: int
    type: str | None


def summarize(project: ProjectConfig, build: Path) -> tuple[SummaryRow, ...]:
    """Give the layers of a project's network; nothing of Keras is loaded.

    Raises
    ------
    ModelError
        For a shape that comes out empty.
    """
    types: dict[str, str] = {}
    if (build / "network").is_dir():
        types = {node.name: str(node.type) for node in network_file.load(build / "network").nodes}
    return tuple(
        SummaryRow(row.name, row.kind, row.output_shape, row.parameters, row.multiplications, types.get(row.name))
        for row in layer_table(project.model.architecture)
    )
