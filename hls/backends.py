"""The back ends of hls4ml: whose devices they are for, how they write numbers, and what can be done with them here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from siliconv.counting import counted
from siliconv.errors import FirmwareError, ToolError
from siliconv.hls.kinds import Backend, Strategy
from siliconv.network.graph import Network
from siliconv.network.network_file import is_of_several


class Numbers(StrEnum):
    """The C++ library of fixed-point types that a back end's templates are written with."""

    AP = "ap_fixed"
    AC = "ac_fixed"


@dataclass(frozen=True)
class BackendFacts:
    """What is known about a back end.

    Parameters
    ----------
    name
        hls4ml's.
    vendor
        Whose devices it is for.
    numbers
        The library of its number types.
    dialect
        Folder of `templates/dialects` with what our own kernels need to be compiled with its templates; empty where
        they can't be, because its C simulation needs the vendor's compiler.
    includes
        Folders below ``firmware`` in which the compiler looks for headers.
    part
        The device that is taken where none is named.
    strategies
        Those that hls4ml writes code for.
    splits_images
        Whether its convolutions of arrays can compute several pixels at once.
    family
        The templates and the scheduler that the estimator knows, or None where no synthesis reports of it were there
        to fit one to.
    compiler
        What compiles its C simulation.
    clock_ns
        The period that is asked for where none is.
    """

    name: str
    vendor: str
    numbers: Numbers
    dialect: str
    includes: tuple[str, ...]
    part: str
    strategies: tuple[Strategy, ...]
    splits_images: bool = True
    family: Backend | None = None
    compiler: str = "g++"
    clock_ns: float = 5.0

    @property
    def flow(self) -> str:
        """The back end by whose flow hls4ml fills in the templates."""
        return self.name.removesuffix("Accelerator")

    @property
    def is_simulated(self) -> bool:
        """Whether C simulation runs here, and with it our own kernels and the certificate."""
        return self.compiler == "g++"

    @property
    def has_ac_kernels(self) -> bool:
        """Whether kernels of our own take the place of those templates for `ac_fixed` that are not exact."""
        return self.is_simulated and self.numbers is Numbers.AC

    @property
    def takes_several(self) -> bool:
        """Whether the test bench here knows its top functions of several inputs or outputs."""
        return self.is_amd and self.flow == self.name

    @property
    def is_amd(self) -> bool:
        """Whether it is for AMD's tools: Vivado HLS or Vitis HLS."""
        return self.family is not None


SIMULATION = "simulation"
"""Folder with the streams that g++ is given in place of the library's own, which don't tell when they run dry."""

_ZCU104, _PYNQ_Z2 = "xczu7ev-ffvc1156-2-e", "xc7z020clg400-1"

_AMD = ("AMD", Numbers.AP, "amd", ("ap_types",))
_SIEMENS = (SIMULATION, "ac_types/include", "ac_math/include", "ac_simutils/include", "nnet_utils")

_ALL_STRATEGIES = tuple(Strategy)
_RESOURCE = (Strategy.RESOURCE,)
_COMMON = (Strategy.LATENCY, Strategy.RESOURCE)
# hls4ml's pass for resource_unrolled stops at the name of this back end.
_WITH_ADDERS = (*_COMMON, Strategy.DISTRIBUTED_ARITHMETIC)

_KNOWN = (
    BackendFacts("Vitis", *_AMD, _ZCU104, _ALL_STRATEGIES, family=Backend.VITIS),
    BackendFacts("Vivado", *_AMD, _ZCU104, _ALL_STRATEGIES, family=Backend.VIVADO),
    BackendFacts("VivadoAccelerator", *_AMD, _PYNQ_Z2, _WITH_ADDERS, family=Backend.VIVADO, clock_ns=10.0),
    BackendFacts("Quartus", "Intel", Numbers.AC, "quartus", (SIMULATION, "ac_types"), "Arria10", _RESOURCE),
    BackendFacts("Catapult", "AMD", Numbers.AC, "catapult", _SIEMENS, _ZCU104, _COMMON, splits_images=False),
    BackendFacts("oneAPI", "Intel", Numbers.AC, "", (), "Agilex7", _RESOURCE, compiler="icpx"),
)

LIBERO = (
    "hls4ml 1.3.0 can't write a Libero project: its package lacks templates/libero/build_lib.sh, and its templates "
    "know no convolution; use Vitis, Vivado, VivadoAccelerator, Quartus, Catapult or oneAPI"
)
"""Why the seventh back end of hls4ml is none of these."""

BACKENDS = {one.name: one for one in _KNOWN}


def check_simulated(backend: str) -> None:
    """Raise ToolError ``CSIM-BACKEND`` for a back end whose projects can't be simulated here."""
    if not BACKENDS[backend].is_simulated:
        raise ToolError(
            "CSIM-BACKEND",
            f"the simulation of a {backend} project needs {BACKENDS[backend].compiler}, which siliconv does not run: "
            "its firmware can be written, but not proven to be exact",
            where="hls.backend",
            fix="stop before it: --until convert; or use another back end",
        )


def ports_in_words(inputs: int, outputs: int) -> str:
    """Say how many inputs and outputs a network has."""
    return f"{counted(inputs, 'input')} and {counted(outputs, 'output')}"


def check_ports(backend: str, network: Network) -> None:
    """Raise FirmwareError ``FIRMWARE-PORTS`` for several inputs or outputs with a back end that takes one of each.

    For an input that nothing reads as well.
    """
    if not is_of_several(network):
        return
    read = {name for node in network.nodes for name in node.inputs}
    if unread := [node.name for node in network.inputs if node.name not in read]:
        raise FirmwareError(
            "FIRMWARE-PORTS",
            f"nothing reads the input '{unread[0]}', whose port would never be emptied",
            where=f"network '{network.name}'",
            fix="leave the input out",
        )
    if not BACKENDS[backend].takes_several:
        raise FirmwareError(
            "FIRMWARE-PORTS",
            f"{ports_in_words(len(network.inputs), len(network.outputs))}, of which {backend} takes one each here",
            where="hls.backend",
            fix="use " + " or ".join(one.name for one in _KNOWN if one.takes_several),
        )


def no_estimate(backend: str) -> str:
    """Say why there is no estimate for a back end without a family."""
    return f"no estimate for {backend}: there were no synthesis reports of it to fit one to"


def family_of(backend: str) -> Backend:
    """Give the family that the estimator knows a back end by.

    Raises
    ------
    FirmwareError
        ``ESTIMATE-BACKEND`` where it knows none.
    """
    family = BACKENDS[backend].family
    if family is None:
        known = ", ".join(one.name for one in _KNOWN if one.family is not None)
        raise FirmwareError(
            "ESTIMATE-BACKEND",
            no_estimate(backend),
            where="hls.backend",
            fix=f"for an estimate use one of {known}; the firmware itself is exact with any",
        )
    return family
