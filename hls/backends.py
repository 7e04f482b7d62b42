"""The back ends of hls4ml: whose devices they are for, how they write numbers, and what can be done with them here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from siliconv.errors import FirmwareError
from siliconv.hls.design import Backend, Strategy


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
    devices
        Whose devices it is for.
    numbers
        The library of its number types.
    dialect
        Folder of `templates/dialects` with what our own kernels need to be compiled with its templates.
    includes
        Folders below ``firmware`` in which the compiler looks for headers.
    part
        The device that is taken where none is named.
    strategies
        How its templates can lay out the products of dense layers and convolutions.
    splits_images
        Whether its convolutions of arrays can compute several pixels at once.
    family
        The templates and the scheduler that the estimator knows, or None where no synthesis reports of it were there
        to fit one to.
    """

    name: str
    devices: str
    numbers: Numbers
    dialect: str
    includes: tuple[str, ...]
    part: str
    strategies: tuple[Strategy, ...] = tuple(Strategy)
    splits_images: bool = True
    family: Backend | None = None

    @property
    def flow(self) -> str:
        """The back end by whose flow hls4ml fills in the templates."""
        return self.name.removesuffix("Accelerator")

    @property
    def is_amd(self) -> bool:
        """Whether it is for AMD's tools: Vivado HLS or Vitis HLS."""
        return self.family is not None


SIMULATION = "simulation"
"""Folder with the streams that g++ is given in place of the library's own, which don't tell when they run dry."""

_ZCU104, _PYNQ_Z2 = "xczu7ev-ffvc1156-2-e", "xc7z020clg400-1"

_AMD = ("AMD", Numbers.AP, "amd", ("ap_types",))
_SIEMENS = (SIMULATION, "ac_types/include", "ac_math/include", "ac_simutils/include", "nnet_utils")

_ALL = (
    BackendFacts("Vitis", *_AMD, _ZCU104, family=Backend.VITIS),
    BackendFacts("Vivado", *_AMD, _ZCU104, family=Backend.VIVADO),
    BackendFacts("VivadoAccelerator", *_AMD, _PYNQ_Z2, family=Backend.VIVADO),
    BackendFacts("Quartus", "Intel", Numbers.AC, "quartus", (SIMULATION, "ac_types"), "Arria10", (Strategy.RESOURCE,)),
    BackendFacts(
        "Catapult",
        "AMD, by Siemens' tool",
        Numbers.AC,
        "catapult",
        _SIEMENS,
        _ZCU104,
        (Strategy.LATENCY, Strategy.RESOURCE),
        False,
    ),
)

BACKENDS = {one.name: one for one in _ALL}


def family_of(backend: str) -> Backend:
    """Give the family that the estimator knows a back end by.

    Raises
    ------
    FirmwareError
        ``ESTIMATE-BACKEND`` where it knows none.
    """
    family = BACKENDS[backend].family
    if family is None:
        known = ", ".join(one.name for one in _ALL if one.family is not None)
        raise FirmwareError(
            "ESTIMATE-BACKEND",
            f"no estimate for {backend}: there were no synthesis reports of it to fit one to",
            where="hls.backend",
            fix=f"for an estimate use one of {known}; the firmware itself is exact with any",
        )
    return family
