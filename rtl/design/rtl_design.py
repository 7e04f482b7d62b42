"""From a network and its settings to a design: lanes for an interval, blocks, the smallest rings that cost no cycle."""

from __future__ import annotations

from collections.abc import Mapping

from siliconv.errors import FirmwareError
from siliconv.network.graph import Network
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.cycles.ring_depths import with_rings, with_sized_rings
from siliconv.rtl.design.logic_products import with_at_most
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.plan.fusing import units_of
from siliconv.rtl.plan.lanes import Lanes, lanes_for_interval, lanes_for_products
from siliconv.rtl.plan.planning import plan


def design_of(network: Network, config: RtlConfig, rings: Mapping[str, int] | None = None) -> RtlDesign:
    """Give the design of a network.

    Parameters
    ----------
    network
        The integer network.
    config
        The `rtl:` section.
    rings
        The depths of an earlier design; by default they are searched, which is what takes time.

    Raises
    ------
    FirmwareError
        ``RTL-LAYER`` for lanes or a ROM of a layer that is not there; what `siliconv.rtl.plan.planning.plan` raises.
    """
    design = unsized_design(network, config)
    return with_sized_rings(design) if rings is None else with_rings(design, rings)


def unsized_design(network: Network, config: RtlConfig) -> RtlDesign:
    """Give the design with rings as they are before they are sized, which takes no time; raises as `design_of`."""
    if config.interval is None:
        lanes = lanes_for_products(network, config.products)
    else:
        lanes = lanes_for_interval(network, config.interval)
    named = {"rtl.lanes": set(config.lanes), "rtl.rom": set(config.rom)}
    known = [unit.node.name for unit in units_of(network)]
    for field, names in named.items():
        unknown = sorted(names.difference(known))
        if unknown:
            raise FirmwareError(
                "RTL-LAYER",
                f"no layer with a block of its own is called {', '.join(unknown)}",
                where=field,
                fix="use one of " + ", ".join(known),
            )
    chosen = {name: Lanes(*one) for name, one in config.lanes.items()}
    design = plan(network, lanes | chosen, multiplier_bits=config.multiplier_bits, roms=config.rom)
    return design if config.multipliers is None else with_at_most(design, config.multipliers, config.family)
