"""A few of the mutations of `tests/campaigns/firmware_mutations.py`: all are noticed, and named."""

from __future__ import annotations

import pytest
from mutated_firmware import (
    NARROWED,
    SHIFTED,
    TRUNCATED,
    csim_says,
    make_says,
    mutated,
    type_mutations,
    weight_mutations,
    written,
)

pytestmark = pytest.mark.long


@pytest.mark.parametrize("name", ["digits", "residual"])
def test_every_type_and_every_weight_is_noticed_by_the_claims_of_csim(name, tmp_path):
    network, project = written(name)
    assert csim_says(project, network) == ""
    types, weights = type_mutations(project), weight_mutations(project)
    assert len(types) > 40
    for number, mutation in enumerate([*types, *weights[:: len(weights) // 20]]):
        (tmp_path / str(number)).mkdir()
        said = csim_says(mutated(project, mutation, tmp_path / str(number)), network)
        assert mutation.named.strip() in said, str(mutation)


@pytest.mark.parametrize(
    ("named", "what"), [("inner_accum_t", NARROWED), ("stem_weight_t", TRUNCATED), ("scores_bias_t", SHIFTED)]
)
def test_make_csim_alone_names_a_type(named, what, tmp_path, compiler):
    _, project = written("residual")
    (mutation,) = (one for one in type_mutations(project) if (one.named, one.what) == (named, what))
    assert f"{named} is not" in make_says(mutated(project, mutation, tmp_path))


def test_make_csim_alone_names_a_weight(tmp_path, compiler):
    _, project = written("residual")
    mutation = weight_mutations(project)[-7]
    assert mutation.named in make_says(mutated(project, mutation, tmp_path))
