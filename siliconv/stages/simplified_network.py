"""The network with nothing in it that is not needed, beside the one that was lowered, and what was taken out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from siliconv.errors import WorkSaysNoError
from siliconv.network import network_file
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.network.simplify.output_comparison import compared_outputs
from siliconv.network.simplify.simplification import simplify, size

LOWERED = "lowered"
"""Folder beside the files of a network that was simplified: the network as it was lowered, which QKeras computes."""

SIMPLIFIED_FILE = "simplified.json"


def as_lowered(folder: Path) -> Network:
    """Load the network that the QKeras model was lowered to: as it lies in a folder, or as it was before."""
    whole = folder / LOWERED
    return network_file.load(whole if whole.is_dir() else folder)


def simplified_network(network: Network, inputs: Iterable[Codes]) -> tuple[Network, dict[str, Any]]:
    """Simplify a network, run both on inputs, and give the smaller one with the content of `SIMPLIFIED_FILE`.

    Parameters
    ----------
    network
        As it was lowered.
    inputs
        Codes, (n, *input shape) each.

    Raises
    ------
    WorkSaysNoError
        ``LOWER-SIMPLIFIED`` where a code of an output is another.
    """
    smaller = simplify(network)
    compared = equal_outputs(network, smaller, inputs)
    return smaller, {**compared, **taken_out(network, smaller)}


def equal_outputs(network: Network, smaller: Network, inputs: Iterable[Codes]) -> dict[str, int]:
    """Compare the outputs of both in every code, and count inputs and codes, or raise as `simplified_network`."""
    count = {"inputs": 0, "codes": 0}
    for one in compared_outputs(network, smaller, inputs):
        if one.differing:
            raise WorkSaysNoError(
                "LOWER-SIMPLIFIED",
                f"the simplified network gives {one.differing} other codes of {one.codes}",
                where=f"output '{one.name}'",
                fix="leave quantize.simplify out, and report it with the project: it is an error of siliconv",
            )
        count["inputs"] += one.inputs if one.name == network.outputs[0].name else 0
        count["codes"] += one.codes
    return count


def taken_out(network: Network, smaller: Network) -> dict[str, Any]:
    """Say what a network had that the smaller one has not."""
    left = smaller.by_name
    return {
        "before": asdict(size(network)),
        "after": asdict(size(smaller)),
        "nodes": [node.name for node in network.nodes if node.name not in left],
        "channels": {
            node.name: [node.shape[-1], left[node.name].shape[-1]]
            for node in network.nodes
            if node.name in left and left[node.name].shape[-1] != node.shape[-1]
        },
        "types": {
            node.name: [str(node.type), str(left[node.name].type)]
            for node in network.nodes
            if node.name in left and left[node.name].type != node.type
        },
    }


def told(found: Mapping[str, Any]) -> str:
    """Say in a few words what was taken out."""
    before, after = found["before"], found["after"]
    gone = {
        "nodes": len(found["nodes"]),
        "channels": before["channels"] - after["channels"],
        "bits of weights": before["weight_bits"] - after["weight_bits"],
        "bits of values": before["value_bits"] - after["value_bits"],
        "products": before["products"] - after["products"],
    }
    said = [f"{count:,} {what}" for what, count in gone.items() if count > 0]
    return f"{', '.join(said)} taken out" if said else "nothing to take out"
