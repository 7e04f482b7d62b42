"""One type narrowed or shifted, or one weight flipped, in a firmware of the digits or of a residual network.

All types in all three changes first, then weights that the seed chooses: `csim` and `make csim` alone have to notice
each, and to name it.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

from mutated_firmware import PROJECTS, csim_says, make_says, mutated, type_mutations, weight_mutations, written

SEEDS = 500


def run(seed: int) -> dict[str, Any]:
    """Make the mutation that a seed stands for; raises where it goes unnoticed or unnamed."""
    types = [(name, mutation) for name in PROJECTS for mutation in type_mutations(written(name)[1])]
    name = sorted(PROJECTS)[seed % len(PROJECTS)]
    mutation = random.Random(seed).choice(weight_mutations(written(name)[1]))
    if seed < len(types):
        name, mutation = types[seed]
    network, project = written(name)
    with tempfile.TemporaryDirectory() as scratch:
        copy = mutated(project, mutation, Path(scratch))
        said = {"csim": csim_says(copy, network), "make csim": make_says(copy)}
    for who, words in said.items():
        assert words, f"{name}, {mutation}: not noticed by {who}"
        assert mutation.named.strip() in words, f"{name}, {mutation}: not named by {who}: {words[:500]}"
    return {"file": f"{name}/{mutation.file}", "mutation": mutation.what, "killed": True}
