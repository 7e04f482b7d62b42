"""Pre-flight rules about bits: where firmware, network and QKeras part, or accuracy is lost without need."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from siliconv.checks.per_layer import matrix_rule, table_rule
from siliconv.checks.preflight import Complaint, Severity, Words, rule, rule_at
from siliconv.network.graph import Network, Table
from siliconv.network.intervals import prove
from siliconv.network.reference import FLOAT32_SIGNIFICAND
from siliconv.plan.plan import Plan, PlannedLayer

# The lecture's CNN (bits_faces.json): 95.40 % at 6 bits and 92.08 % at 4 without fine-tuning, 95.45 % in float.
_BITS_THAT_NEED_TUNING, _BITS_THAT_GAIN = 4, 7

# A DSP48 adds 48 bits.
_ADDER_BITS = 48

_LARGE_TABLE_BITS = 12


@rule("BITS-UNTUNED", Severity.WARNING)
def bits_untuned(plan: Plan) -> Iterator[Complaint]:
    few = [layer for layer in plan.matrices if plan.weight_bits(layer) <= _BITS_THAT_NEED_TUNING]
    if plan.recipe.train is None and few and not plan.taken:
        yield Complaint(
            f"weights of {plan.weight_bits(few[0])} bits without fine-tuning: rounding alone costs much accuracy",
            f"layer '{few[0].name}', quantize.train",
            "take out 'train: null', so that the quantized network is fine-tuned",
        )


@rule_at("BITS-TUNING", Severity.HINT, "quantize.train")
def bits_tuning(plan: Plan) -> Words:
    widest = max((plan.weight_bits(layer) for layer in plan.matrices), default=0)
    if not plan.taken and plan.recipe.train is None and _BITS_THAT_NEED_TUNING < widest <= _BITS_THAT_GAIN:
        yield (
            f"weights of {widest} bits without fine-tuning: a few epochs usually win accuracy back",
            "take out 'train: null', so that the quantized network is fine-tuned",
        )


@matrix_rule("BITS-BIAS", Severity.WARNING)
def bits_bias(plan: Plan, layer: PlannedLayer) -> Words:
    bits = plan.recipe.bits(layer.name)
    if not plan.taken and bits.biases is not None and bits.biases < plan.weight_bits(layer):
        yield (
            f"biases of {bits.biases} bits beside weights of {plan.weight_bits(layer)}: a bias is as large as a "
            "sum of products, so its steps are coarse",
            f"use at least {plan.weight_bits(layer)} bits for biases; they cost almost nothing",
        )


@rule("RECIPE-LAYER", Severity.ERROR)
def recipe_layer(plan: Plan) -> Iterator[Complaint]:
    names = [layer.name for layer in plan.matrices]
    for pattern in plan.recipe.layers:
        if not any(fnmatchcase(name, pattern) for name in names):
            yield Complaint(
                f"no layer with weights is called '{pattern}'",
                f"quantize.layers.{pattern}",
                "use one of " + ", ".join(names),
            )


@rule("RECIPE-SHADOWED", Severity.WARNING)
def recipe_shadowed(plan: Plan) -> Iterator[Complaint]:
    patterns = list(plan.recipe.layers.items())
    names = [layer.name for layer in plan.matrices]
    for number, (pattern, bits) in enumerate(patterns):
        said = set(bits.model_dump(exclude_none=True))
        matched = [name for name in names if fnmatchcase(name, pattern)]
        for later, other in patterns[number + 1 :]:
            repeated = said <= set(other.model_dump(exclude_none=True))
            if matched and repeated and all(fnmatchcase(name, later) for name in matched):
                yield Complaint(
                    f"'{pattern}' has no effect: '{later}' comes later and names the same layers",
                    f"quantize.layers.{pattern}",
                    "put the general pattern first and the exception last",
                )


@matrix_rule("ACCUMULATOR-FLOAT32", Severity.WARNING)
def accumulator_float32(plan: Plan, layer: PlannedLayer) -> Words:
    bits = _accumulator_bits(plan, layer)
    if bits > FLOAT32_SIGNIFICAND + 1:  # the sign is no part of the significand
        yield (
            f"sums of up to {bits} bits; QKeras adds in float32, which is exact to {FLOAT32_SIGNIFICAND} bits; it may "
            "differ from network and firmware in the last place",
            "use fewer bits for weights or activations, or take the network's numbers for the true ones",
        )


@matrix_rule("ACCUMULATOR-DSP", Severity.WARNING)
def accumulator_dsp(plan: Plan, layer: PlannedLayer) -> Words:
    bits = _accumulator_bits(plan, layer)
    if bits > _ADDER_BITS:
        yield (
            f"an accumulator of {bits} bits; the adder of a DSP block has {_ADDER_BITS}",
            "use fewer bits for weights or activations",
        )


@rule_at("INPUT-TYPE", Severity.ERROR, "build/network")
def input_type(plan: Plan) -> Words:
    if plan.network is None:
        return
    kind, wanted = plan.network.inputs[0].type, plan.input_type
    if (kind.signed, kind.width, kind.integer) != (wanted.signed, wanted.width, wanted.integer):
        yield (
            f"the network on disk reads {kind}; the data are {wanted}: the input is not quantized as the data are",
            "siliconv run --force, or lower the model with this input_type",
        )


@table_rule("TABLE-RANGE", Severity.HINT)
def table_range(network: Network, table: Table) -> Words:
    (entry,) = network.sources(table)
    before = network.sources(entry)[0] if entry.inputs else entry
    low, high = (end * before.type.step for end in prove(network)[before.name].interval)
    ends = tuple(end * entry.type.step for end in entry.type.codes)
    if low < ends[0] or high > ends[1]:
        yield (
            f"the {table.function} is read from a table over [{ends[0]:g}, {ends[1]:g}]; values may reach "
            f"[{low:g}, {high:g}] and are clipped to it first",
            "nothing to do for a decision; the logit itself is exact",
        )


@table_rule("TABLE-SIZE", Severity.WARNING)
def table_size(network: Network, table: Table) -> Words:
    (entry,) = network.sources(table)
    if entry.type.width > _LARGE_TABLE_BITS:
        yield (
            f"a table of {table.table.codes.size:,} entries of {table.type.width} bits, one copy for every two "
            "values looked up at once",
            f"requantize its input to {_LARGE_TABLE_BITS} bits or fewer",
        )


def _accumulator_bits(plan: Plan, layer: PlannedLayer) -> int:
    """Bits of a layer's sums: as proven where a network is there, else for the largest weights and activations."""
    node = plan.network.by_name.get(layer.name) if plan.network is not None else None
    if node is not None:
        return node.type.width
    return plan.weight_bits(layer) + plan.input_bits(layer) + (layer.n_in - 1).bit_length()
