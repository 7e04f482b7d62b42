"""Rules that look at one layer at a time and complain about it."""

from __future__ import annotations

from collections.abc import Iterator

from siliconv.checks.preflight import rules_at
from siliconv.network.graph import Network, Table
from siliconv.plan.plan import Plan, PlannedLayer


def _layers(plan: Plan) -> Iterator[tuple[str, Plan, PlannedLayer]]:
    return ((f"layer '{layer.name}'", plan, layer) for layer in plan.layers)


def _matrices(plan: Plan) -> Iterator[tuple[str, Plan, PlannedLayer]]:
    return ((f"layer '{layer.name}'", plan, layer) for layer in plan.matrices)


def _tables(plan: Plan) -> Iterator[tuple[str, Network, Table]]:
    if plan.network is not None:
        for table in plan.network.of_kind(Table):
            yield f"layer '{table.name}'", plan.network, table


layer_rule = rules_at(_layers)
"""A `rule` for a function of the plan and a layer."""
matrix_rule = rules_at(_matrices)
"""A `rule` for a function of the plan and a layer with weights."""
table_rule = rules_at(_tables)
"""A `rule` for a function of the network on the disk and a table in it."""
