"""Pre-flight rules about how products are scheduled: strategies and reuse factors."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from siliconv.checks.preflight import Complaint, Severity, rule
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


@rule("REUSE-NONE", Severity.ERROR)
def reuse_none(plan: Plan) -> Iterator[Complaint]:
    for layer in plan.matrices:
        legal = plan.legal_reuse(layer)
        if legal and layer.name not in plan.hls.reuse_factors and plan.reuse_factor(layer) is None:
            fewest = -(-layer.products // legal[-1])
            yield Complaint(
                f"no legal reuse factor brings {layer.products:,} products to {plan.hls.max_multipliers} multipliers",
                f"layer '{layer.name}'",
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


@rule("STRATEGY-TEMPLATE", Severity.ERROR)
def strategy_template(plan: Plan) -> Iterator[Complaint]:
    for layer in plan.matrices:
        if not plan.legal_reuse(layer):
            yield Complaint(
                f"hls4ml has no {plan.strategy(layer)} template for a {layer.kind} layer with {plan.hls.io_type}",
                f"layer '{layer.name}'",
                "use hls.strategy: resource, and hls.io_type: io_stream",
            )


@rule("STRATEGY-BACKEND", Severity.ERROR)
def strategy_backend(plan: Plan) -> Iterator[Complaint]:
    for layer in plan.matrices:
        assert layer.matrix is not None  # these have weights
        known = known_strategies(layer.matrix, plan.hls.backend)
        if plan.strategy(layer) not in known:
            yield Complaint(
                f"hls4ml writes no {plan.strategy(layer)} code for {plan.hls.backend}",
                f"layer '{layer.name}'",
                "use one of " + ", ".join(known),
            )


@rule("STRATEGY-REUSE", Severity.WARNING)
def strategy_reuse(plan: Plan) -> Iterator[Complaint]:
    for layer in plan.matrices:
        reuse = plan.reuse_factor(layer)
        if plan.strategy(layer) is Strategy.LATENCY and reuse is not None and reuse > 1:
            yield Complaint(
                f"with the latency strategy a reuse factor of {reuse} is only asked for: the tools unroll all products "
                "and share what they can",
                f"layer '{layer.name}'",
                "use hls.strategy: resource where multipliers shall be shared",
            )


@rule("STRATEGY-ADDERS", Severity.ERROR)
def strategy_adders(plan: Plan) -> Iterator[Complaint]:
    for layer, seconds in _adder_searches(plan):
        if seconds > MOST_SOLVER_SECONDS:
            yield _long_search(layer, seconds)


@rule("STRATEGY-ADDERS-SLOW", Severity.WARNING)
def strategy_adders_slow(plan: Plan) -> Iterator[Complaint]:
    for layer, seconds in _adder_searches(plan):
        if _SLOW_SOLVER_SECONDS < seconds <= MOST_SOLVER_SECONDS:
            yield _long_search(layer, seconds)


def _adder_searches(plan: Plan) -> Iterator[tuple[PlannedLayer, float]]:
    """Yield the layers with distributed arithmetic and the predicted seconds of its solver."""
    for layer in plan.matrices:
        if plan.strategy(layer) is Strategy.DISTRIBUTED_ARITHMETIC:
            digits = expected_digits(layer.products, plan.weight_bits(layer))
            yield layer, solver_seconds(layer.n_in, digits)


def _long_search(layer: PlannedLayer, seconds: float) -> Complaint:
    shown = f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} minutes"
    return Complaint(
        f"distributed arithmetic for {layer.n_in} x {layer.n_out} weights: its solver takes about {shown} "
        f"(within a factor of {SOLVER_SPREAD})",
        f"layer '{layer.name}'",
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


@rule("REUSE-LONG", Severity.WARNING)
def reuse_long(plan: Plan) -> Iterator[Complaint]:
    for layer in plan.matrices:
        cycles = _cycles(plan, layer)
        if cycles > _SLOW_CYCLES:
            yield Complaint(
                f"about {cycles:,} cycles an image, {cycles * plan.hls.clock_ns / 1e6:,.0f} ms",
                f"layer '{layer.name}'",
                "raise hls.max_multipliers, or make the input smaller",
            )


def _cycles(plan: Plan, layer: PlannedLayer) -> int:
    return prod(layer.output[:-1]) * (plan.reuse_factor(layer) or 1)
