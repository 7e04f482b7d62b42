"""Directed vectors: inputs searched so that every accumulator comes near both ends of its proven range.

Backwards through the network by the sign of the weights, then again by what passes at the input that was found, then
by hill climbing with the emulator. The same network always gives the same vectors, and the work is bounded in advance.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from siliconv.network import graph as ir
from siliconv.network.emulator import emulator
from siliconv.network.emulator.emulator import Emulator
from siliconv.network.fixed_point import Codes
from siliconv.network.intervals import Bounds, prove
from siliconv.network.network_file import network_hash
from siliconv.network.rows import ends_of, row_shape
from siliconv.network.vectors.influence import Gradient, influence
from siliconv.network.vectors.reached import accumulators
from siliconv.progress import Progress, Silent, activity

STEPS = 6
"""Steps along the gradient, each from the best input so far."""

BATCH = 16
"""Inputs that are tried at once when climbing."""

PRODUCTS = 4e9
"""Multiplications that the climbing may cost for each end of a range; a bound, so that large networks take no hours."""

SHARES = (0.5, 0.125, 0.03)
"""Of the inputs that matter, how many are changed at once."""

_cache: dict[str, Codes] = {}


def directed_vectors(network: ir.Network, *, progress: Progress | None = None) -> Codes:
    """Search inputs that drive each accumulator towards both ends of its proven range.

    Parameters
    ----------
    network
        The integer network.
    progress
        Told of each accumulator.

    Returns
    -------
    (n, *input shape), codes of the input type, or rows of several inputs: at most two for each accumulator, those
    that reached the ends.
    """
    key = network_hash(network)
    if key not in _cache:
        _cache.clear()
        _cache[key] = _search(network, progress or Silent())
    return _cache[key]


def _search(network: ir.Network, progress: Progress) -> Codes:
    targets, bounds, emulated = accumulators(network), prove(network), emulator.compile(network)
    found: list[Codes] = []
    with activity(progress, "Directed vectors", 2 * len(targets), "ends") as shown:
        for node in targets:
            for sign in (1, -1):
                found.append(_towards(emulated, node, bounds[node.name], sign))
                shown.update(len(found))
    if not found:
        return np.zeros((0, *row_shape(network.inputs)), dtype=np.int64)
    vectors = np.unique(np.stack(found), axis=0)
    traced = emulated.run(vectors, keep=[node.name for node in targets])
    needed = {
        int(chosen)
        for node in targets
        for values in [traced[node.name].reshape(len(vectors), -1)]
        for chosen in (values.max(axis=1).argmax(), values.min(axis=1).argmin())
    }
    return vectors[sorted(needed)]


def _towards(emulated: Emulator, node: ir.Node, bounds: Bounds, sign: int) -> Codes:
    """Search one input that makes some value of a node as large (sign 1) or small (sign -1) as can be found."""
    network, channel = emulated.network, int((bounds.high if sign > 0 else -bounds.low).argmax())
    low, high = ends_of(network.inputs)
    seed = np.zeros(node.shape)
    seed[(*(size // 2 for size in node.shape[:-1]), channel)] = sign
    before = _before(network, node)

    def score(codes: Codes) -> Codes:
        values = emulated.run(codes, keep=[node.name])[node.name].reshape(len(codes), -1)
        return (sign * values).max(axis=1)

    def pushed(codes: Codes, gradient: Gradient) -> Codes:
        return np.where(gradient > 0, high, np.where(gradient < 0, low, codes))

    linear = influence(network, node.name, seed)
    matters = linear != 0
    rest = np.clip(0, low, high)
    starts = np.stack(
        [pushed(fill, linear) for fill in (rest, high)] + [np.where(matters, fill, rest) for fill in (high, low)]
    )
    scores = score(starts)
    best, best_score = starts[int(scores.argmax())], int(scores.max())
    for start in starts:
        codes = start
        for _ in range(STEPS):
            traced = {name: tensor[0] for name, tensor in emulated.run(codes[np.newaxis], keep=before).items()}
            step = pushed(codes, influence(network, node.name, seed, traced))
            if np.array_equal(step, codes):
                break
            codes = step
            found = int(score(codes[np.newaxis])[0])
            if found > best_score:
                best, best_score = codes, found
    return _climbed(network, best, best_score, matters, score)


def _climbed(
    network: ir.Network, best: Codes, best_score: int, matters: NDArray[np.bool_], score: Callable[[Codes], Codes]
) -> Codes:
    """Change some of the inputs that matter at random, and keep what is better."""
    products = sum(node.kernel.codes.size * int(np.prod(node.shape[:-1])) for node in network.matrices)
    rounds = int(np.clip(PRODUCTS / max(products * BATCH, 1), 2, 100))
    random = np.random.default_rng(0)
    low, high = ends_of(network.inputs)
    for number in range(rounds):
        share = SHARES[number % len(SHARES)]
        chosen = matters & (random.random((BATCH, *best.shape)) < share)
        tried = np.where(chosen, np.where(random.choice(2, size=chosen.shape), high, low), best)
        scores = score(tried)
        if int(scores.max()) > best_score:
            best, best_score = tried[int(scores.argmax())], int(scores.max())
    return best


@lru_cache(maxsize=256)
def _before(network: ir.Network, node: ir.Node) -> tuple[str, ...]:
    """Give the names of the nodes that a node depends on."""
    wanted: set[str] = set(node.inputs)
    for one in reversed(network.nodes):
        if one.name in wanted:
            wanted |= set(one.inputs)
    return tuple(one.name for one in network.nodes if one.name in wanted)
