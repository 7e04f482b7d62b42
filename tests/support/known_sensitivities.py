"""Sensitivities of a network of two layers that was never run."""

from __future__ import annotations

from siliconv.search.search_space import SearchedTensor
from siliconv.search.sensitivity import WIDEST, Sensitivities, Sensitivity

SPACE = (
    SearchedTensor("", "input", (1, 2, 4)),
    SearchedTensor("one", "weights", ("ternary", 4, 8)),
    SearchedTensor("two", "weights", ("ternary", 4, 8)),
)
NOISE = {
    ("input", 1): 0.5,
    ("input", 2): 0.011,
    ("one.weights", "ternary"): 3.0,
    ("one.weights", 4): 0.4,
    ("two.weights", "ternary"): 0.05,
    ("two.weights", 4): 0.012,
}
SPAN = {
    ("input", 1): {"one": 25, "two": 100},
    ("input", 2): {"one": 50, "two": 100},
    ("one.weights", "ternary"): {"one": 10, "two": 100},
    ("one.weights", 4): {"one": 50, "two": 100},
    ("two.weights", "ternary"): {"one": 100, "two": 10},
    ("two.weights", 4): {"one": 100, "two": 50},
}


def known_sensitivities() -> Sensitivities:
    """Give them: noise 0.01 with all bits, 100 operations in each layer."""
    whole = Sensitivity(WIDEST, "", 0.01, 0.9, {"one": 100, "two": 100})
    found = (Sensitivity(*key, NOISE[key], 0.9, SPAN[key]) for key in NOISE)
    return Sensitivities(SPACE, (whole, *found))
