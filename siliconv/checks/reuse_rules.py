"""Pre-flight rules about how products are scheduled: strategies and reuse factors."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, prod

from siliconv.checks.per_layer import matrix_rule
from siliconv.checks.preflight import Complaint, Severity, Words, rule
from siliconv.hls.conversion.distributed_arithmetic import (
    MOST_SOLVER_SECONDS,
    SOLVER_SPREAD,
    expected_digits,
    solver_seconds,
)
from siliconv.hls.conversion.layer_settings import known_strategies, legal_pixels_at_once
from siliconv.hls.conversion.reuse_factors import nearest_legal
from siliconv.hls.kinds import Strategy
from siliconv.plan.plan import Plan, PlannedLayer

_SLOW_SOLVER_SECONDS = 10.0
_SLOW_CYCLES = 10_000_000


@rule("REUSE-ILLEGAL", Severity.ERROR)
def reuse_illegal(plan: Plan) -> Iterator[Complaint]:
    for layer in plan.matrices:
        asked, legal = plan.hls.reuse_factors.get(layer.name), plan.legal_reuse(layer)
        if asked is not None and legal and asked not in legal:
            nearest = nearest_legal(asked, legal)
            yield Complaint(
                f"the {plan.strategy(layer)} template can't compute {layer.n_in} x {layer.n_out} products "
                f"with reuse factor {asked}",
                f"hls.reuse_factors.{layer.name}",
                "use " + " or ".join(str(factor) for factor in nearest),
                {f"hls.reuse_factors.{layer.name}": nearest[-1]},
            )


@rule("REUSE-LAYER", Severity.ERROR)
def reuse_layer(plan: Plan) -> Iterator[Complaint]:
    names = [layer.name for layer in plan.matrices]
    for field in ("reuse_factors", "strategies", "parallelization_factors"):
        for name in getattr(plan.hls, field):
            if name not in names:
                yield Complaint(
                    f"a setting for '{name}', which is no layer with weights",
                    f"hls.{field}.{name}",
                    "use one of " + ", ".join(names),
                )


@matrix_rule("REUSE-NONE", Severity.ERROR)
def reuse_none(plan: Plan, layer: PlannedLayer) -> Words:
    legal = plan.legal_reuse(layer)
    if legal and layer.name not in plan.hls.reuse_factors and plan.reuse_factor(layer) is None:
        fewest = -(-layer.products // legal[-1])
        yield (
            f"no legal reuse factor brings {layer.products:,} products to {plan.hls.max_multipliers} multipliers",
            f"use hls.max_multipliers: {fewest} or more",
        )


@rule("PARALLEL-ILLEGAL", Severity.ERROR)
def parallel_illegal(plan: Plan) -> Iterator[Complaint]:
    for layer in plan.matrices:
        asked = plan.hls.parallelization_factors.get(layer.name, 1)
        legal = legal_pixels_at_once(prod(layer.output[:-1]), plan.hls)
        if asked != 1 and asked not in legal:
            yield Complaint(
                f"{asked} output pixels at once of {prod(layer.output[:-1]):,} are not legal with "
                f"{plan.hls.backend} and {plan.hls.io_type}",
                f"hls.parallelization_factors.{layer.name}",
                "use " + " or ".join(str(factor) for factor in nearest_legal(asked, legal)),
            )


@matrix_rule("STRATEGY-TEMPLATE", Severity.ERROR)
def strategy_template(plan: Plan, layer: PlannedLayer) -> Words:
    if not plan.legal_reuse(layer):
        yield (
            f"hls4ml has no {plan.strategy(layer)} template for a {layer.kind} layer with {plan.hls.io_type}",
            "use hls.strategy: resource, and hls.io_type: io_stream",
        )


@matrix_rule("STRATEGY-BACKEND", Severity.ERROR)
def strategy_backend(plan: Plan, layer: PlannedLayer) -> Words:
    assert layer.matrix is not None  # these have weights
    known = known_strategies(layer.matrix, plan.hls.backend)
    if plan.strategy(layer) not in known:
        yield f"hls4ml writes no {plan.strategy(layer)} code for {plan.hls.backend}", "use one of " + ", ".join(known)


@matrix_rule("STRATEGY-REUSE", Severity.WARNING)
def strategy_reuse(plan: Plan, layer: PlannedLayer) -> Words:
    reuse = plan.reuse_factor(layer)
    if plan.strategy(layer) is Strategy.LATENCY and reuse is not None and reuse > 1:
        yield (
            f"with the latency strategy a reuse factor of {reuse} is only asked for: the tools unroll all products "
            "and share what they can",
            "use hls.strategy: resource where multipliers shall be shared",
        )


@matrix_rule("STRATEGY-ADDERS", Severity.ERROR)
def strategy_adders(plan: Plan, layer: PlannedLayer) -> Words:
    return _adder_search(plan, layer, MOST_SOLVER_SECONDS, inf)


@matrix_rule("STRATEGY-ADDERS-SLOW", Severity.WARNING)
def strategy_adders_slow(plan: Plan, layer: PlannedLayer) -> Words:
    return _adder_search(plan, layer, _SLOW_SOLVER_SECONDS, MOST_SOLVER_SECONDS)


def _adder_search(plan: Plan, layer: PlannedLayer, above: float, most: float) -> Words:
    """Complain of distributed arithmetic if the predicted seconds of its solver lie between these."""
    if plan.strategy(layer) is not Strategy.DISTRIBUTED_ARITHMETIC:
        return
    seconds = solver_seconds(layer.n_in, expected_digits(layer.products, plan.weight_bits(layer)))
    if above < seconds <= most:
        shown = f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} minutes"
        yield (
            f"distributed arithmetic for {layer.n_in} x {layer.n_out} weights: its solver takes about {shown} "
            f"(within a factor of {SOLVER_SPREAD})",
            f"use hls.strategies: {{{layer.name}: resource}}; distributed arithmetic is for small layers",
        )


@rule("REUSE-SLOWEST", Severity.HINT)
def reuse_slowest(plan: Plan) -> Iterator[Complaint]:
    """One layer holds up all others: its cycles decide, and their multipliers idle."""
    cycles = {layer.name: _cycles(plan, layer) for layer in plan.matrices}
    if len(cycles) < 2 or any(plan.hls.strategy_of(name) is not Strategy.RESOURCE for name in cycles):
        return
    slowest, next_to = sorted(cycles, key=lambda name: -cycles[name])[:2]
    if cycles[slowest] > 4 * cycles[next_to] and cycles[slowest] > 1_000:
        yield Complaint(
            f"'{slowest}' takes about {cycles[slowest]:,} cycles an image, every other layer a quarter of it at most",
            f"layer '{slowest}'",
            f"give it more multipliers (a smaller hls.reuse_factors.{slowest}), or the others fewer",
        )


@matrix_rule("REUSE-LONG", Severity.WARNING)
def reuse_long(plan: Plan, layer: PlannedLayer) -> Words:
    cycles = _cycles(plan, layer)
    if cycles > _SLOW_CYCLES:
        yield (
            f"about {cycles:,} cycles an image, {cycles * plan.hls.clock_ns / 1e6:,.0f} ms",
            "raise hls.max_multipliers, or make the input smaller",
        )


def _cycles(plan: Plan, layer: PlannedLayer) -> int:
    return prod(layer.output[:-1]) * (plan.reuse_factor(layer) or 1)
