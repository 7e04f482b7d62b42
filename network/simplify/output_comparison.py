"""Two networks on the same inputs: do they give the same codes at every output?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network


class ComparedOutput(NamedTuple):
    """An output of the first network on one batch: of how many inputs it is, how many codes were compared, and how
    many differ.
    """

    batch: int
    name: str
    inputs: int
    codes: int
    differing: int


def compared_outputs(network: Network, other: Network, batches: Iterable[Codes]) -> Iterator[ComparedOutput]:
    """Run two networks of the same outputs by the emulator, and compare these, one after the other.

    Parameters
    ----------
    network, other
        Their outputs are compared in their order.
    batches
        Input codes, (n, *input shape) each.
    """
    names = [[node.name for node in one.outputs] for one in (network, other)]
    emulated = [emulator.compile(one) for one in (network, other)]
    for number, codes in enumerate(batches):
        found, expected = (one.run(codes, keep=keep) for one, keep in zip(emulated, names, strict=True))
        for name, of_other in zip(*names, strict=True):
            differing = int((found[name] != expected[of_other]).sum())
            yield ComparedOutput(number, name, len(codes), found[name].size, differing)
