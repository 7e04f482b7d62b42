"""What a simulation of the SystemVerilog shows, as claims of a certificate."""

from __future__ import annotations

from siliconv.hardware.claims import Claim, Ground
from siliconv.rtl.simulation.evidence import RtlEvidence

SUBJECT = "rtl"


def rtl_claims(evidence: RtlEvidence, simulator: str) -> tuple[Claim, ...]:
    """Give the claims about a core.

    Parameters
    ----------
    evidence
        What was compared.
    simulator
        Its name and version.
    """
    wrong = tuple(f"{node.name}: {node.differing} of {node.values} differ" for node in evidence.nodes if node.differing)
    return (
        Claim(
            "the SystemVerilog computes what the integer network computes, in every node, with and without pauses",
            simulator,
            SUBJECT,
            Ground.TEST,
            sum(node.values for node in evidence.nodes),
            "values",
            holds=not wrong,
            details=wrong,
        ),
        Claim(
            "every word comes and goes in the cycle that the cycle model says, with and without pauses",
            simulator,
            SUBJECT,
            Ground.TEST,
            evidence.words,
            "words",
            holds=not evidence.cycles_differ,
            details=(f"{evidence.cycles_differ} words move in another cycle",) if evidence.cycles_differ else (),
        ),
        Claim(
            "the memories that synthesis reads hold the network's weights, biases, tables and reciprocals",
            "comparison with the network, word by word",
            SUBJECT,
            Ground.COMPARISON,
            evidence.constants,
            "words",
            holds=not evidence.constants_differ,
            details=evidence.constants_differ,
        ),
    )
