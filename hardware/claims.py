"""Claims: what is known about a firmware, by whom, about what, and whether it is a proof, a comparison or a test.

Each core, whatever language it is written in, hands the certificate a list of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Ground(StrEnum):
    """What a claim stands on."""

    PROOF = "proof"
    """It holds for every input."""
    COMPARISON = "comparison"
    """Files were compared: with what was written, or number by number with the network. Nothing was computed."""
    TEST = "test"
    """It was seen to hold on the inputs that were tried."""


@dataclass(frozen=True)
class Claim:
    """One sentence of a certificate.

    Parameters
    ----------
    claim
        What is said, as a sentence that is true where `holds`.
    executor
        Who found it: a method, or a tool with its version.
    subject
        What it is about: an artefact of the build folder, or a part of it.
    ground
        Proof, comparison or test.
    count
        How many things were proven or compared; what they are stands in `unit`.
    unit
        What was counted.
    holds
        Whether it is true.
    details
        What speaks against it, or what has to be known beside it, a line each.
    """

    claim: str
    executor: str
    subject: str
    ground: Ground
    count: int
    unit: str
    holds: bool
    details: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)
