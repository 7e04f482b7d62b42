"""Layers, shapes, parameters, multiplications and types of a project, before and after anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

from siliconv.models.architectures.ports import port_layers
from siliconv.models.architectures.shapes import layer_table
from siliconv.network import network_file
from siliconv.network.graph import Matrix, Node
from siliconv.plan.plan_of_network import kind_in_words
from siliconv.plan.plan_of_project import stated_type
from siliconv.plan.taken_network import network_of_taken
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


def _row_of(node: Node) -> SummaryRow:
    """Give the row of a node of the integer network."""
    parameters = products = 0
    if isinstance(node, Matrix):
        bias = node.bias.codes.size if node.bias.codes.any() else 0
        parameters, products = node.kernel.codes.size + bias, node.kernel.codes.size * prod(node.shape[:-1])
    return SummaryRow(node.name, kind_in_words(node), node.shape, parameters, products, str(node.type))


def summarize(project: ProjectConfig, build: Path) -> tuple[SummaryRow, ...]:
    """Give the layers of a project's network; of Keras nothing is loaded here, and for a QKeras model apart.

    Raises
    ------
    ModelError
        For a shape that comes out empty.
    """
    taken = network_of_taken("summary", project, stated_type(project))
    if taken is not None:
        return tuple(_row_of(node) for node in taken.nodes if node.inputs)
    types: dict[str, str] = {}
    ports = port_layers(project.model.architecture)
    if (build / "network").is_dir():
        types = {node.name: str(node.type) for node in network_file.load(build / "network").nodes}
    return tuple(
        SummaryRow(row.name, row.kind, row.output_shape, row.parameters, row.multiplications, types.get(row.name))
        for row in layer_table(project.model.architecture)
        if row.name not in ports
    )
